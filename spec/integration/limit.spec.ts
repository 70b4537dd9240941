import type { AxiosAdapter, AxiosInstance } from 'axios';
import { failureOf, localLimiter, type Policy, reportOf } from 'axios-holdfast';
import { describe, expect, it, vi } from 'vitest';
import { ADAPTERS, axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';
import { byHand, until } from '../support/by-hand.ts';
import { silent } from '../support/faults.ts';
import { Noted } from '../support/limiters.ts';
import { type Answer, json } from '../support/loopback.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';

/** Calls the server so often at once; gives the waits before each send. */
async function queuedMsOf(client: AxiosInstance, paths: readonly string[], policy?: Policy) {
  const responses = await Promise.all(paths.map((path) => client.get(path, policy && { holdfast: policy })));
  return responses.map((response) => reportOf(response)?.sends.map(({ queuedMs }) => queuedMs));
}

const many = (count: number) => Array.from({ length: count }, (_, i) => `/${i}`);

describe.each(ADAPTERS)('a limit in the policy, over %s', (adapter) => {
  it('lets sends leave as it says', async () => {
    const { client, clock, holdfast, server } = await byHand(
      status(200),
      { limit: { requests: 10, perMs: 1_000, burst: 2 } },
      { adapter },
    );
    const calls = queuedMsOf(client, many(4));
    // Answers come before the clock is moved: what took long would be given to the next.
    await until(() => holdfast.stats().queued === 2 && holdfast.stats().inFlight === 0);
    expect(await clock.run(calls)).toEqual([[0], [0], [101], [201]]);
    expect(server.seen.map(({ url }) => url).sort()).toEqual(many(4));
  });

  it('takes a permit for a retry as for a first send', async () => {
    const { client, clock, server } = await byHand(
      inTurn(status(503), status(200)),
      { limit: { requests: 1, perMs: 60_000 }, retry: { backoff: () => 10 } },
      { adapter },
    );
    expect(await clock.run(queuedMsOf(client, ['/']))).toEqual([[0, 60_000]]);
    expect(server.seen).toHaveLength(2);
  });

  it('never lets more out than maxConcurrent, whatever comes of them', async () => {
    let open = 0;
    let most = 0;
    const answer: Answer = async (_request, response, n) => {
      open += 1;
      most = Math.max(most, open);
      await settle();
      open -= 1;
      if (n % 5 === 3) response.destroy();
      else json(response, [200, 404, 503][n % 3] as number);
    };
    const { client, clock, holdfast } = await byHand(answer, { limit: { maxConcurrent: 3 } }, { adapter });
    const calls = Promise.allSettled(many(40).map((path) => client.get(path)));
    const settled = await clock.run(calls);
    expect(most).toBeLessThanOrEqual(3);
    expect(settled).toHaveLength(40);
    expect(holdfast.stats()).toMatchObject({ queued: 0, inFlight: 0, waiting: 0 });
    expect(clock.pending).toBe(0);
  });
});

describe('a 429', () => {
  it('pauses the whole bucket until the time that it names, and the release is paced', async () => {
    const at: number[] = [];
    const { client, clock, holdfast } = await byHand(
      (_request, response, n) => {
        at.push(clock.now() - start);
        json(response, n === 0 ? 429 : 200, {}, n === 0 ? { 'retry-after': '7' } : {});
      },
      { limit: { requests: 10, perMs: 1_000, burst: 10 } },
    );
    const start = clock.now();
    const paused: unknown[] = [];
    holdfast.on('paused', ({ key, untilAt }) => paused.push([key, untilAt - start]));
    const first = client.get('/first');
    await until(() => paused.length === 1);
    expect(holdfast.stats().pausedKeys).toBe(1);
    const others = Promise.all(many(3).map((path) => client.get(path)));
    await clock.run(Promise.all([first, others]));
    expect(at).toEqual([0, 7_000, 7_101, 7_201, 7_302]);
    expect(holdfast.stats().pausedKeys).toBe(0);
  });

  it('pauses no other bucket', async () => {
    const { client, clock, server } = await byHand(
      ({ url }, response) => json(response, url === '/a' ? 429 : 200, {}, url === '/a' ? { 'retry-after': '7' } : {}),
      { limit: { key: ({ url }) => String(url) }, retry: false },
    );
    await rejectionOf(client.get('/a'));
    await client.get('/b');
    expect(server.seen).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });

  it('shuts nobody out for longer than retryAfter.maxMs', async () => {
    const { client, clock } = await byHand(inTurn(status(429, { 'retry-after': '86400' }), status(200)), {
      limit: {},
      retry: { retryAfter: { maxMs: 5_000 } },
    });
    expect(failureOf(await axiosErrorOf(client.get('/')))?.endedBecause).toBe('wait-too-long');
    await clock.advance(4_999);
    expect(await rejectionOf(client.get('/'))).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
    await clock.advance(1);
    expect(await clock.run(queuedMsOf(client, ['/', '/']))).toEqual([[0], [0]]);
  });

  it('is told at once to a call whose deadline ends before the pause', async () => {
    const { client, server } = await byHand(inTurn(status(429, { 'retry-after': '30' }), status(200)), {
      limit: {},
      retry: false,
    });
    await rejectionOf(client.get('/'));
    const refused = await rejectionOf(client.get('/', { holdfast: { deadlineMs: 10_000 } }));
    expect(refused).toMatchObject({ code: 'ERR_LIMIT_DEADLINE' });
    expect(failureOf(refused)).toMatchObject({ kind: 'limited', endedBecause: 'deadline', sends: 0 });
    expect(server.seen).toHaveLength(1);
  });

  it('lasts a pause of a 503 that names a time, too', async () => {
    const { client, clock } = await byHand(inTurn(status(503, { 'retry-after': '5' }), status(200)), {
      limit: {},
      retry: false,
    });
    await rejectionOf(client.get('/'));
    expect(await clock.run(queuedMsOf(client, ['/']))).toEqual([[5_000]]);
  });
});

describe('a limit without numbers that learns', () => {
  it('lets no more than startConcurrency out while it knows nothing, and one more for each that is admitted', async () => {
    const { client, holdfast, server } = await byHand(silent, { limit: { adaptive: { startConcurrency: 3 } } });
    const controller = new AbortController();
    const calls = many(10).map((path) => rejectionOf(client.get(path, { signal: controller.signal })));
    await until(() => server.seen.length === 3);
    expect(holdfast.stats()).toMatchObject({ inFlight: 3, queued: 7 });
    controller.abort();
    await Promise.all(calls);
    expect(holdfast.stats()).toMatchObject({ inFlight: 0, queued: 0 });
  });

  it('keeps to what RateLimit headers announce', async () => {
    const headers = { 'ratelimit-policy': '"default";q=10;w=1', ratelimit: '"default";r=9;t=1' };
    const at: number[] = [];
    const { client, clock } = await byHand(
      (_request, response) => {
        at.push(clock.now());
        json(response, 200, {}, headers);
      },
      { limit: { adaptive: true } },
    );
    await client.get('/');
    await clock.run(Promise.all(many(12).map((path) => client.get(path))));
    expect(Number(at.at(-1)) - Number(at[1])).toBeGreaterThanOrEqual(1_000);
  });
});

describe('who shares a limit', () => {
  const limit = { requests: 1, perMs: 1_000 };

  it('is every call of the attachment to one origin', async () => {
    const { client, clock } = await byHand(status(200), { limit });
    await client.get('/');
    expect(await clock.run(queuedMsOf(client, ['/again']))).toEqual([[1_005]]);
  });

  it('may be put in order, and told apart, by the policy of a call', async () => {
    const { client, clock, server } = await byHand(status(200), { limit: { ...limit, priority: () => 5 } });
    await client.get('/');
    const urgent: Policy = { limit: { priority: () => 1 } };
    const other: Policy = { limit: { key: () => 'elsewhere' } };
    const calls = [client.get('/a'), client.get('/b', { holdfast: urgent }), client.get('/c', { holdfast: other })];
    await clock.run(Promise.all(calls));
    expect(server.seen.map(({ url }) => url)).toEqual(['/', '/c', '/b', '/a']);
  });

  it('may be several instances, which hand in one limiter', async () => {
    const shared = localLimiter({ maxConcurrent: 1, maxQueue: 0, key: () => 'both' });
    const one = await byHand(silent, { limit: shared });
    const two = await byHand(status(200), { limit: shared });
    const controller = new AbortController();
    const first = rejectionOf(one.client.get('/', { signal: controller.signal }));
    await until(() => one.server.seen.length === 1);
    expect(await rejectionOf(two.client.get('/'))).toMatchObject({
      code: 'ERR_LIMIT_QUEUE_FULL',
      message: expect.stringMatching(/maxQueue/),
    });
    await one.holdfast.close();
    controller.abort();
    await first;
    // Closing one attachment leaves what was handed in open.
    await two.client.get('/');
    await shared.close();
    expect(await rejectionOf(two.client.get('/'))).toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
  });

  it('stays in when it has a priority, a key or a patience of its own, also where a limiter was handed in', async () => {
    for (const given of [limit, localLimiter(limit)]) {
      const { client, holdfast } = await byHand(status(200), { limit: given });
      await client.get('/');
      const own = [{ priority: () => 1 }, { key: () => 'x' }, { maxWaitMs: 0 }].map((each) => ({ limit: each }));
      await client.get('/', { holdfast: own[1] });
      expect(await rejectionOf(client.get('/', { holdfast: own[2] }))).toMatchObject({
        code: 'ERR_LIMIT_WAIT_TOO_LONG',
      });
      const waiting = rejectionOf(client.get('/', { holdfast: own[0] }));
      await until(() => holdfast.stats().queued === 1);
      await holdfast.close();
      await waiting;
    }
  });

  it('may bound its wait also where the limiter knows no such bound', async () => {
    const deaf = new Noted(() => new Promise(() => {}));
    const { client, clock } = await byHand(status(200), { limit: deaf });
    const late = rejectionOf(client.get('/', { holdfast: { limit: { maxWaitMs: 300 } } }));
    await until(() => clock.pending > 0);
    await clock.advance(300);
    expect(await late).toMatchObject({
      code: 'ERR_LIMIT_WAIT_TOO_LONG',
      message: expect.stringMatching(/maxWaitMs.*300/),
    });
  });

  it('may not go round a limiter that was handed in by numbers of its own', async () => {
    const { client, server } = await byHand(status(200), { limit: localLimiter(limit) });
    const refused = rejectionOf(client.get('/', { holdfast: { limit: { requests: 5, perMs: 1_000 } } }));
    expect(await refused).toMatchObject({
      code: 'ERR_POLICY_INVALID',
      message: expect.stringMatching(/limit\.requests.*limit\.perMs/),
    });
    expect(server.seen).toHaveLength(0);
  });

  it('is asked for its key and priority, where the limiter brings them', async () => {
    const limiter = Object.assign(new Noted(), { key: () => 'mine', priority: () => 7 });
    const { client } = await byHand(status(200), { limit: limiter });
    await client.get('/');
    expect(limiter.requests).toMatchObject([{ key: 'mine', priority: 7 }]);
  });
});

describe('a call from within beforeSend', () => {
  it('does not wait for the permit that its own call holds', async () => {
    const { client, holdfast, server } = await byHand(status(200), {
      limit: { maxConcurrent: 1 },
      beforeSend: async ({ config }) => {
        if (config.url !== '/nonce') config.headers.set('X-Nonce', (await client.get('/nonce')).status);
      },
    });
    await client.get('/order');
    expect(server.seen.map(({ url }) => url)).toEqual(['/nonce', '/order']);
    expect(server.seen[1]?.headers['x-nonce']).toBe('200');
    expect(holdfast.stats()).toMatchObject({ queued: 0, inFlight: 0 });
  });
});

describe('a token', () => {
  const grant = (clock: { now(): number }, livesMs: number) => ({
    value: `t${clock.now()}`,
    expiresAt: clock.now() + livesMs,
  });

  it('that lives no longer than the queue is long does not keep the call in it for ever', async () => {
    const clock = new ManualClock();
    let token = grant(clock, 200);
    const policy: Policy = {
      limit: { requests: 1, perMs: 1_000 },
      auth: { token: () => token, refresh: async () => (token = grant(clock, 200)), refreshAheadMs: 0 },
    };
    const { client, server } = await byHand(status(200), policy, {}, { clock });
    await client.get('/');
    await clock.run(client.get('/'));
    expect(server.seen).toHaveLength(2);
  });

  it('may come from a call through the same instance, while its own call holds the only permit', async () => {
    const { client, holdfast, server } = await byHand(status(200), {
      limit: { maxConcurrent: 1 },
      auth: {
        token: async (): Promise<string> => `t${(await client.get('/token', { holdfast: { auth: false } })).status}`,
        refresh: async () => 'none',
      },
    });
    await Promise.all([client.get('/a'), client.get('/b'), client.get('/c')]);
    expect(server.seen.filter(({ url }) => url !== '/token')).toHaveLength(3);
    expect(holdfast.stats()).toMatchObject({ queued: 0, inFlight: 0 });
  });
});

describe('a token that several calls wait for', () => {
  it('does not keep the permit of one that has it already', async () => {
    const setting = await byHand(status(200), { limit: { maxConcurrent: 1 } });
    const { client, clock, server } = setting;
    let pending: Promise<string> | undefined;
    let turn = 0;
    const token = (): Promise<string> => {
      turn += 1;
      // From the second turn on one request for all, made by whoever came first.
      if (turn <= 2) return Promise.resolve('early');
      pending ??= client.get('/token', { holdfast: { auth: false } }).then(({ status }) => `t${status}`);
      return pending;
    };
    // Moved from timer to timer, the clock knows nothing of how long the sockets take.
    const auth = { token, refresh: async () => 'none', refreshTimeoutMs: Number.POSITIVE_INFINITY };
    const calls = many(4).map((path) => client.get(path, { holdfast: { auth } }));
    const all = Promise.all(calls);
    await clock.run(all);
    expect(server.seen.filter(({ url }) => url !== '/token')).toHaveLength(4);
  });
});

describe('an adapter that makes a call of its own', () => {
  it('does not wait for the permit that its own call holds', async () => {
    const { client, server } = await byHand(status(200), { limit: { maxConcurrent: 1 } });
    const http = client.defaults.adapter;
    const adapter: AxiosAdapter = async (config) => {
      await client.get('/inner', { adapter: 'http' });
      return (await import('axios')).default.getAdapter(http as never)(config);
    };
    await client.get('/outer', { adapter });
    expect(server.seen.map(({ url }) => url)).toEqual(['/inner', '/outer']);
  });

  it('pauses the bucket when that is told to wait', async () => {
    const { client, holdfast } = await byHand(
      ({ url }, response) =>
        json(response, url === '/nonce' ? 429 : 200, {}, url === '/nonce' ? { 'retry-after': '9' } : {}),
      {
        limit: { maxConcurrent: 1 },
        retry: false,
        beforeSend: async ({ config }) => {
          if (config.url !== '/nonce') await client.get('/nonce').catch(() => {});
        },
      },
    );
    await client.get('/order');
    expect(holdfast.stats().pausedKeys).toBe(1);
  });
});

describe('closing an attachment', () => {
  it('gives up its places in the queue of a limiter that it shares', async () => {
    const shared = localLimiter({ maxConcurrent: 1, key: () => 'k' });
    const permit = await shared.acquire({ key: 'k' });
    const { client, holdfast } = await byHand(status(200), { limit: shared });
    const calls = many(5).map((path) => rejectionOf(client.get(path)));
    await until(() => shared.stats().queued === 5);
    await holdfast.close();
    await Promise.all(calls);
    expect(shared.stats().queued).toBe(0);
    permit.release();
    await shared.close();
  });

  it('refuses who waits in its own limiter, and leaves no timer', async () => {
    const { client, clock, holdfast } = await byHand(status(200), { limit: { requests: 1, perMs: 1_000 } });
    await client.get('/');
    const waiting = rejectionOf(client.get('/', { holdfast: { deadlineMs: 60_000 } }));
    await until(() => holdfast.stats().queued === 1);
    await holdfast.close();
    const error = await waiting;
    expect(error).toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
    expect(failureOf(error)).toMatchObject({ kind: 'limited', endedBecause: 'limited', sends: 0 });
    expect(clock.pending).toBe(0);
  });
});

describe('a limiter whose store is lost', () => {
  it('is heard of, until the attachment is closed', async () => {
    let tell = (_key: string, _error: unknown) => {};
    const stop = vi.fn();
    const limiter = Object.assign(new Noted(), {
      onStoreLost: (listener: typeof tell) => {
        tell = listener;
        return stop;
      },
    });
    const heard = vi.fn();
    const { holdfast } = await byHand(status(200), { limit: limiter, on: { 'store-lost': heard } });
    tell('k', Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }));
    expect(heard).toHaveBeenCalledWith({ key: 'k', code: 'ECONNREFUSED' });
    await holdfast.close();
    expect(stop).toHaveBeenCalledOnce();
  });
});

it('a key or a priority that throws is what the call rejects with', async () => {
  const thrown = new Error('thrown');
  const throwing = () => {
    throw thrown;
  };
  const { client, holdfast } = await byHand(status(200));
  expect(await rejectionOf(client.get('/', { holdfast: { limit: { key: throwing } } }))).toBe(thrown);
  expect(await rejectionOf(client.get('/', { holdfast: { limit: { priority: throwing } } }))).toBe(thrown);
  expect(holdfast.stats()).toMatchObject({ queued: 0, inFlight: 0 });
});

it.each([{}, 7, Promise.resolve('x')])('a key that is no string is refused: %o', async (key) => {
  const { client, server } = await byHand(status(200), { limit: { key: () => key as string } });
  expect(await rejectionOf(client.get('/'))).toMatchObject({
    message: expect.stringMatching(/limit\.key must return a string/),
  });
  expect(server.seen).toHaveLength(0);
});

it.each([{}, 'high', Promise.resolve(1)])('a priority that is no number is refused: %o', async (priority) => {
  const { client, server } = await byHand(status(200), { limit: { priority: () => priority as number } });
  expect(await rejectionOf(client.get('/'))).toMatchObject({
    message: expect.stringMatching(/limit\.priority must return a number/),
  });
  expect(server.seen).toHaveLength(0);
});

it('a header cannot shut a bucket for longer than retryAfter.maxMs', async () => {
  const headers = { ratelimit: '"default";r=0;t=86400' };
  const { client, clock } = await byHand(status(200, headers), {
    limit: { adaptive: true },
    retry: { retryAfter: { maxMs: 2_000 } },
  });
  await client.get('/');
  expect(await rejectionOf(client.get('/'))).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
  await clock.advance(2_000);
  expect(await clock.run(queuedMsOf(client, ['/']))).toEqual([[0]]);
  expect(await rejectionOf(client.get('/'))).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
});

it('a Retry-After of 0 pauses nothing', async () => {
  const { client, holdfast } = await byHand(status(429, { 'retry-after': '0' }), { limit: {}, retry: false });
  const paused = vi.fn();
  holdfast.on('paused', paused);
  await rejectionOf(client.get('/'));
  expect(paused).not.toHaveBeenCalled();
});

it('a send that fails without an answer gives its permit back', async () => {
  const broken: AxiosAdapter = () => Promise.reject(new Error('broken'));
  const { client, holdfast } = await byHand(status(200), { limit: { adaptive: true, maxConcurrent: 1 } });
  for (let i = 0; i < 20; i++) await rejectionOf(client.get('/', { adapter: broken }));
  await client.get('/');
  expect(holdfast.stats()).toMatchObject({ queued: 0, inFlight: 0 });
});
