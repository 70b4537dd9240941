import { getEventListeners } from 'node:events';
import axios, { type AxiosAdapter, AxiosError } from 'axios';
import { failureOf, LimitError, reportOf } from 'axios-holdfast';
import { describe, expect, it, vi } from 'vitest';
import type { Limiter, Permit } from '../../lib/limit/limiter.ts';
import type { Policy } from '../../lib/policy/options.ts';
import { ADAPTERS, axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';
import { byHand, next, runThrough, until } from '../support/by-hand.ts';
import { silent } from '../support/faults.ts';
import { Noted } from '../support/limiters.ts';
import { settle } from '../support/manual-clock.ts';
import { unhandledDuring } from '../support/unhandled.ts';

const IDLE = { inFlight: 0, waiting: 0, queued: 0 };
const ROUND = ['acquire', 'answered', 'release'];
const full = () => new LimitError('ERR_LIMIT_QUEUE_FULL', 'full');
const later = () => new Noted(async (_request, permit) => permit());

describe.each([
  ['at once', () => new Noted()],
  ['later', later],
])('a limiter that gives permits %s', (_, make) => {
  it.each(ADAPTERS)('gives one per send, and is told the answer before it gets it back (%s)', async (adapter) => {
    const limit = make();
    const setting = await byHand(inTurn(status(503), status(503), status(200)), { limit }, { adapter });
    runThrough(setting);
    await setting.client.get('/');
    expect(limit.log).toEqual([...ROUND, ...ROUND, ...ROUND]);
    expect(limit).toMatchObject({ given: 3, most: 1, running: 0 });
    expect(setting.holdfast.stats()).toMatchObject({ ...IDLE, sends: 3 });
  });

  it('does not hold a permit during a wait', async () => {
    const limit = make();
    const { client, clock, holdfast } = await byHand(inTurn(status(503, { 'retry-after': '5' }), status(200)), {
      limit,
    });
    const scheduled = next(holdfast, 'retry-scheduled');
    const call = client.get('/');
    await scheduled;
    expect(limit.log).toEqual(ROUND);
    expect(limit.running).toBe(0);
    await clock.advance(5_000);
    await call;
  });

  it('is asked for the origin of the call, and told its deadline', async () => {
    const limit = make();
    const { server, client, clock } = await byHand(status(200), { limit, deadlineMs: 5_000 });
    await client.get('/orders?key=hidden');
    expect(limit.requests).toMatchObject([{ key: server.url, deadlineAt: clock.now() + 5_000 }]);
    await client.get('/', { signal: new AbortController().signal });
    expect(limit.requests[1]?.signal).toBeInstanceOf(AbortSignal);
  });

  const thrown = new Error('thrown');
  const throwing = () => {
    throw thrown;
  };
  it.each([
    // Nothing was learnt of the server.
    ['the adapter throws', {}, throwing as AxiosAdapter, ['acquire', 'release']],
    ['the adapter rejects', {}, (() => Promise.reject(thrown)) as AxiosAdapter, ['acquire', 'release']],
    ['a judge throws', { classify: throwing }, undefined, ['acquire', 'release']],
    ['the backoff throws', { retry: { backoff: throwing } }, undefined, ROUND],
    ['beforeSend throws', { beforeSend: throwing }, undefined, ['acquire', 'drop']],
    ['beforeSend rejects', { beforeSend: () => Promise.reject(thrown) }, undefined, ['acquire', 'drop']],
    ['the key cannot be made', { idempotency: { generate: throwing } }, undefined, ['acquire', 'drop']],
  ] as const)('gets each permit back once when %s', async (_name, policy, adapter, log) => {
    const limit = make();
    const { client, clock, holdfast } = await byHand(status(503), { limit, ...policy }, adapter && { adapter });
    expect(await rejectionOf(client.post('/', {}, { holdfast: { retry: { unsafe: 'always' } } }))).toBe(thrown);
    expect(limit.log).toEqual(log);
    expect(limit.running).toBe(0);
    expect(clock.pending).toBe(0);
    expect(holdfast.stats()).toMatchObject(IDLE);
  });

  it('gets a permit back once for a call that is cut off or given up', async () => {
    const limit = make();
    const controller = new AbortController();
    const { server, client, clock, holdfast } = await byHand(silent, { limit, deadlineMs: 5_000 });
    const calls = [rejectionOf(client.get('/')), rejectionOf(client.get('/', { signal: controller.signal }))];
    await until(() => server.seen.length === 2);
    controller.abort();
    await clock.advance(5_000);
    await Promise.all(calls);
    expect(limit).toMatchObject({ given: 2, running: 0 });
    expect(limit.log.filter((entry) => entry === 'release')).toHaveLength(2);
    expect(holdfast.stats()).toMatchObject(IDLE);
  });

  it.each([
    ['the limiter cannot hear the answer', 'answered'],
    ['the limiter cannot take it back', 'release'],
  ] as const)('gives a permit back once even where %s', async (_name, which) => {
    let released = 0;
    const permit: Permit = {
      answered: () => {
        if (which === 'answered') throw thrown;
      },
      release: () => {
        released += 1;
        if (which === 'release') throw thrown;
      },
    };
    const limit = { ...quiet, acquire: () => permit };
    const { client, holdfast } = await byHand(status(200), { limit });
    // The server has answered; what the limiter makes of that must not take the answer's place.
    expect((await client.get('/')).status).toBe(200);
    expect(released).toBe(1);
    expect(holdfast.stats()).toMatchObject(IDLE);
  });

  it('gives a permit that was not used back once even where the limiter cannot take it back', async () => {
    let released = 0;
    const release = () => {
      released += 1;
      throw thrown;
    };
    const error = new Error('not now');
    const beforeSend = () => Promise.reject(error);
    const { client } = await byHand(status(200), { limit: { ...quiet, acquire: () => ({ release }) }, beforeSend });
    expect(await rejectionOf(client.get('/'))).toBe(error);
    expect(released).toBe(1);
  });

  it('is not asked by a call whose deadline has passed during its wait', async () => {
    const limit = make();
    const answer = status(503, { 'retry-after': '5' });
    const { client, clock, holdfast } = await byHand(answer, { limit, deadlineMs: 60_000 });
    const scheduled = next(holdfast, 'retry-scheduled');
    const call = rejectionOf(client.get('/'));
    await scheduled;
    clock.jump(60_000);
    await clock.advance(0);
    expect(failureOf(await call)?.endedBecause).toBe('deadline');
    expect(limit.log).toEqual(ROUND);
  });

  it('is told what the answer says of the quota', async () => {
    const limit = make();
    const headers = { 'ratelimit-policy': '"default";q=100;w=60', ratelimit: '"default";r=7;t=9' };
    const { client } = await byHand(inTurn(status(200, headers), status(404)), { limit });
    await client.get('/');
    await rejectionOf(client.get('/'));
    expect(limit.answers).toMatchObject([
      { throttled: false, untilAt: undefined, quota: { remaining: 7, resetMs: 9_000 } },
      { throttled: false, untilAt: undefined, quota: undefined },
    ]);
  });

  it.each([
    [429, { 'retry-after': '5' }, true, 5_000],
    [503, { 'retry-after': '5' }, false, 5_000],
    [429, { ratelimit: '"default";r=0;t=9' }, true, 9_000],
    [429, {}, true, undefined],
    [503, {}, false, undefined],
    [502, { 'retry-after': '5' }, false, undefined],
    [200, { 'retry-after': '5' }, false, undefined],
  ])('is told whether it was throttled, and until when: %i %o', async (code, headers, throttled, waitMs) => {
    const limit = make();
    const paused: unknown[] = [];
    const answer = status(code, headers as { [name: string]: string });
    const { server, client, clock, holdfast } = await byHand(answer, { limit, retry: false });
    holdfast.on('paused', (event) => {
      // By then the limiter knows.
      paused.push({ key: event.key, untilAt: event.untilAt, log: [...limit.log] });
    });
    await client.get('/').catch(() => {});
    const untilAt = waitMs === undefined ? undefined : clock.now() + waitMs;
    expect(limit.answers).toMatchObject([{ throttled, untilAt }]);
    expect(paused).toEqual(untilAt === undefined ? [] : [{ key: server.url, untilAt, log: ROUND }]);
  });

  it("is told what the policy's own judge finds", async () => {
    const limit = make();
    const classify: Policy['classify'] = () => ({ kind: 'throttled', retryAfterMs: 700 });
    const { client, clock } = await byHand(status(200), { limit, classify, retry: false });
    await client.get('/');
    expect(limit.answers).toMatchObject([{ throttled: true, untilAt: clock.now() + 700 }]);
  });
});

/** The rest of a limiter of which only `acquire` matters. */
const quiet: Omit<Limiter, 'acquire'> = {
  pause: () => {},
  close: async () => {},
  stats: () => ({ queued: 0, running: 0 }),
};

describe('a limiter that gives permits at once', () => {
  it('costs the call no turn: the send leaves within the caller’s own', async () => {
    for (const limit of [false, new Noted()] as const) {
      const adapter = vi.fn<AxiosAdapter>(async (config) => ({
        status: 200,
        statusText: '',
        data: '',
        headers: {},
        config,
      }));
      const { client, holdfast } = await byHand(silent, { limit }, { adapter });
      const queued = vi.fn();
      holdfast.on('queued', queued);
      const call = client.get('/');
      expect(adapter).toHaveBeenCalledOnce();
      await call;
      expect(queued).not.toHaveBeenCalled();
    }
  });
});

describe('a limiter that lets a call wait', () => {
  it('is seen to: by event, by numbers, in the report', async () => {
    let grant = () => {};
    const limit = new Noted(
      (_request, permit) =>
        new Promise((resolve) => {
          grant = () => resolve(permit());
        }),
    );
    const { server, client, clock, holdfast } = await byHand(status(200), { limit });
    const queued = next(holdfast, 'queued');
    const call = client.get('/');
    expect(await queued).toMatchObject({ key: server.url, call: { sends: 0 } });
    expect(holdfast.stats()).toMatchObject({ ...IDLE, queued: 1 });
    await clock.advance(300);
    grant();
    const response = await call;
    expect(reportOf(response)?.sends).toMatchObject([{ queuedMs: 300 }]);
    expect(holdfast.stats()).toMatchObject(IDLE);
  });

  it('counts each time by itself', async () => {
    const limit = new Noted((_request, permit) => {
      if (limit.log.length > 1) return permit();
      return new Promise((resolve) => clockOf().after(300, () => resolve(permit())));
    });
    const setting = await byHand(inTurn(status(503), status(200)), { limit });
    const clockOf = () => setting.clock;
    runThrough(setting);
    const call = setting.client.get('/');
    await setting.clock.advance(300);
    expect(reportOf(await call)?.sends.map(({ queuedMs }) => queuedMs)).toEqual([300, 0]);
  });
});

describe.each([
  [
    'throws',
    (error: unknown) => () => {
      throw error;
    },
  ],
  ['rejects', (error: unknown) => () => Promise.reject(error)],
])('a limiter that refuses: it %s', (_, refusing) => {
  it('ends a call that was not sent with its own error', async () => {
    const error = full();
    const { server, client, clock, holdfast } = await byHand(status(200), {
      limit: { ...quiet, acquire: refusing(error) },
    });
    const limited: unknown[] = [];
    holdfast.on('limited', ({ key, code }) => limited.push({ key, code }));
    expect(await rejectionOf(client.get('/'))).toBe(error);
    expect(failureOf(error)).toMatchObject({
      kind: 'limited',
      code: 'ERR_LIMIT_QUEUE_FULL',
      endedBecause: 'limited',
      sends: 0,
    });
    expect(limited).toEqual([{ key: server.url, code: 'ERR_LIMIT_QUEUE_FULL' }]);
    expect(server.seen).toHaveLength(0);
    expect(clock.pending).toBe(0);
    expect(holdfast.stats()).toMatchObject(IDLE);
  });

  it("ends a call that was answered with that answer's error", async () => {
    const limit = new Noted((_request, permit) => (limit.given === 0 ? permit() : refusing(full())()));
    const setting = await byHand(status(503), { limit });
    runThrough(setting);
    const error = await axiosErrorOf(setting.client.get('/'));
    expect(error.response?.status).toBe(503);
    expect(failureOf(error)).toMatchObject({ kind: 'unavailable', endedBecause: 'limited', sends: 1 });
    expect(setting.holdfast.stats()).toMatchObject(IDLE);
  });

  it('resolves with the answer where axios had resolved it', async () => {
    const limit = new Noted((_request, permit) => (limit.given === 0 ? permit() : refusing(full())()));
    const setting = await byHand(status(503), { limit }, { validateStatus: () => true });
    runThrough(setting);
    const response = await setting.client.get('/');
    expect(response.status).toBe(503);
    expect(failureOf(response)).toMatchObject({ endedBecause: 'limited', sends: 1 });
  });

  it('because of the deadline ends the call as one that the deadline ended', async () => {
    const error = new LimitError('ERR_LIMIT_DEADLINE', 'too late');
    const { client, holdfast } = await byHand(status(200), { limit: { ...quiet, acquire: refusing(error) } });
    expect(await rejectionOf(client.get('/'))).toBe(error);
    expect(failureOf(error)).toMatchObject({ kind: 'limited', endedBecause: 'deadline', sends: 0 });
    expect(holdfast.stats()).toMatchObject(IDLE);
  });

  it('with an error that is not its own, or with none, passes that on', async () => {
    for (const odd of [new Error('redis is down'), 'odd', undefined]) {
      const { client, holdfast } = await byHand(status(200), { limit: { ...quiet, acquire: refusing(odd) } });
      expect(await rejectionOf(client.get('/'))).toBe(odd);
      expect(holdfast.stats()).toMatchObject(IDLE);
    }
  });
});

it('a limiter that refuses in the turn in which the caller gives up is not the reason', async () => {
  const controller = new AbortController();
  const acquire = () => {
    controller.abort();
    throw full();
  };
  const { client, holdfast } = await byHand(status(200), { limit: { ...quiet, acquire } });
  const limited = vi.fn();
  holdfast.on('limited', limited);
  const error = await rejectionOf(client.get('/', { signal: controller.signal }));
  expect(axios.isCancel(error)).toBe(true);
  expect(failureOf(error)).toMatchObject({ kind: 'cancelled', endedBecause: 'cancelled', sends: 0 });
  expect(limited).not.toHaveBeenCalled();
});

describe('a limiter that never answers', () => {
  const deaf = () => {
    const grants: (() => void)[] = [];
    const limit = new Noted((_request, permit) => new Promise((resolve) => grants.push(() => resolve(permit()))));
    return { limit, grant: () => grants.shift()?.() };
  };

  it('is waited for until the deadline, and its late permit goes back', async () => {
    const { limit, grant } = deaf();
    const { server, client, clock, holdfast } = await byHand(status(200), { limit, deadlineMs: 5_000 });
    const limited = next(holdfast, 'limited');
    const call = rejectionOf(client.get('/'));
    await clock.advance(4_999);
    expect(holdfast.stats()).toMatchObject({ queued: 1 });
    await clock.advance(1);
    const error = await call;
    expect(error).toBeInstanceOf(LimitError);
    expect(error).toMatchObject({ code: 'ERR_LIMIT_DEADLINE' });
    expect(failureOf(error)).toMatchObject({ kind: 'limited', endedBecause: 'deadline', sends: 0, elapsedMs: 5_000 });
    expect(await limited).toMatchObject({ code: 'ERR_LIMIT_DEADLINE' });
    expect(limit.running).toBe(0);
    grant();
    await settle();
    expect(limit.log).toEqual(['acquire', 'drop']);
    expect(server.seen).toHaveLength(0);
    expect(clock.pending).toBe(0);
    expect(holdfast.stats()).toMatchObject(IDLE);
  });

  it('is waited for until the deadline before a retry, which then is not made', async () => {
    const { limit, grant } = deaf();
    const setting = await byHand(status(503), { limit, deadlineMs: 5_000 });
    runThrough(setting);
    const call = axiosErrorOf(setting.client.get('/'));
    await settle();
    grant();
    await until(() => limit.requests.length === 2);
    await setting.clock.advance(5_000);
    const error = await call;
    expect(error.response?.status).toBe(503);
    expect(failureOf(error)).toMatchObject({ endedBecause: 'deadline', sends: 1 });
    grant();
    await settle();
    expect(limit.running).toBe(0);
  });

  it('is told when the caller gives up, and its late permit goes back', async () => {
    const { limit, grant } = deaf();
    const controller = new AbortController();
    const { client, clock, holdfast } = await byHand(status(200), { limit });
    const unhandled = await unhandledDuring(async () => {
      const call = rejectionOf(client.get('/', { signal: controller.signal }));
      await settle();
      expect(limit.requests[0]?.signal?.aborted).toBe(false);
      controller.abort();
      expect(axios.isCancel(await call)).toBe(true);
      expect(limit.requests[0]?.signal?.aborted).toBe(true);
      grant();
    });
    expect(unhandled).toEqual([]);
    expect(limit.running).toBe(0);
    expect(clock.pending).toBe(0);
    expect(holdfast.stats()).toMatchObject(IDLE);
  });

  it('is told when the deadline has passed, where it was given a signal', async () => {
    const { limit } = deaf();
    const { signal } = new AbortController();
    const { client, clock } = await byHand(status(200), { limit, deadlineMs: 5_000 });
    const call = rejectionOf(client.get('/', { signal }));
    await settle();
    // One for each call that waits: Node warns of more than ten on one signal.
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await clock.advance(5_000);
    await call;
    expect(limit.requests[0]?.signal?.aborted).toBe(true);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('may refuse when the caller has given up, and nobody minds', async () => {
    const limit = new Noted(
      ({ signal }) => new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
    );
    const controller = new AbortController();
    const { client, holdfast } = await byHand(status(200), { limit });
    const limited = vi.fn();
    holdfast.on('limited', limited);
    const unhandled = await unhandledDuring(async () => {
      const call = rejectionOf(client.get('/', { signal: controller.signal }));
      await settle();
      controller.abort();
      expect(axios.isCancel(await call)).toBe(true);
    });
    expect(unhandled).toEqual([]);
    expect(limited).not.toHaveBeenCalled();
    expect(holdfast.stats()).toMatchObject(IDLE);
  });
});

it('is not asked for a permit by a call that is let through', async () => {
  const limit = new Noted();
  const { client } = await byHand(status(200), { limit });
  await client.get('/', { holdfast: false });
  await client.get('/', { holdfast: { limit: false } });
  expect(limit.log).toEqual([]);
});

it('comes back to rest after calls of every kind', async () => {
  const limit = later();
  const broken: AxiosAdapter = (config) => Promise.reject(new AxiosError('no', 'ECONNRESET', config));
  const setting = await byHand(inTurn(status(200), status(404), status(429), status(503), status(200)), { limit });
  runThrough(setting);
  const { client, clock, holdfast } = setting;
  const aborted = { signal: AbortSignal.abort() };
  const calls = [{}, {}, {}, { adapter: broken }, aborted, { url: 'http://127.0.0.1:1/' }];
  for (const config of calls) await client.get('/', config).catch(() => {});
  expect(limit.running).toBe(0);
  expect(limit.log.filter((entry) => entry === 'release')).toHaveLength(limit.given);
  expect(holdfast.stats()).toMatchObject(IDLE);
  expect(clock.pending).toBe(0);
});
