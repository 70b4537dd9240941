import { setTimeout as passed } from 'node:timers/promises';
import axios, { AxiosError, type InternalAxiosRequestConfig } from 'axios';
import { failureOf, type GiveUpContext, mergePolicies, type Policy, type RetryContext, reportOf } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { attached, axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';
import { loopback } from '../support/loopback.ts';
import { scripted } from '../support/scripted.ts';

describe('retry.onRetry', () => {
  it('is awaited before the wait, and its changes to the config hold for all further sends', async () => {
    const { client, server } = await attached(inTurn(status(503), status(503), status(200)), {
      retry: {
        onRetry: async ({ config, retry }) => {
          await passed(5);
          if (retry > 1) return;
          config.headers.set('X-Region', 'west');
          config.url = '/mirror';
          config.params.again = 1;
        },
      },
    });
    const params = { of: 1 };
    const response = await client.get('/report', { params });
    expect(server.seen.map(({ url }) => url)).toEqual(['/report?of=1', '/mirror?of=1&again=1', '/mirror?of=1&again=1']);
    expect(server.seen.map(({ headers }) => headers['x-region'])).toEqual([undefined, 'west', 'west']);
    expect(response.config).toMatchObject({ url: '/report', params: { of: 1 } });
    expect(response.config.headers.get('X-Region')).toBeUndefined();
    expect(params).toEqual({ of: 1 });
  });

  it('is told what it is about, in one frozen object', async () => {
    const told: RetryContext[] = [];
    const { client } = await attached(
      inTurn(status(503, {}, { why: 'rain' }), status(429, { 'retry-after': '0' }), status(200)),
      {
        retry: { onRetry: (context) => void told.push(context) },
      },
    );
    await client.get('/report');
    expect(told.map(({ retry, delayMs, send }) => [retry, delayMs, send])).toEqual([
      [1, 0, 1],
      [2, 0, 2],
    ]);
    expect(told[0]).toMatchObject({
      verdict: { kind: 'transient' },
      response: { status: 503 },
      error: { isAxiosError: true },
      call: { method: 'GET', sends: 1, retries: 0 },
    });
    expect(told[0]?.outcome.error).toBe(told[0]?.error);
    expect(Object.isFrozen(told[0])).toBe(true);
  });

  it('can change a body, a key, and put plain headers in the place of those of axios', async () => {
    const { client, server } = await attached(inTurn(status(429), status(200)), {
      idempotency: {},
      correlation: {},
      retry: {
        onRetry: ({ config }) => {
          config.data = '{"n":2}';
          config.headers = { 'Idempotency-Key': 'second', 'Content-Type': 'application/json' } as never;
        },
      },
    });
    await client.post('/orders', { n: 1 });
    expect(server.seen.map(({ body }) => String(body))).toEqual(['{"n":1}', '{"n":2}']);
    expect(server.seen[1]?.headers['idempotency-key']).toBe('second');
  });

  it('adds up in mergePolicies and on a call, and runs in order', async () => {
    const order: string[] = [];
    const note = (name: string) => async () => {
      await passed(order.length === 0 ? 5 : 0);
      order.push(name);
    };
    const policy = mergePolicies({ retry: { onRetry: note('a') } }, { retry: { maxRetries: 1, onRetry: [note('b')] } });
    const { client } = await attached(inTurn(status(503), status(200)), policy);
    await client.get('/', { holdfast: { retry: { onRetry: note('c') } } });
    expect(order).toEqual(['a', 'b', 'c']);
  });

  it('rejects the call with what it throws, with the last error as the cause if it has none', async () => {
    const own = new Error('no more');
    const { client, server } = await attached(status(503), {
      retry: {
        onRetry: () => {
          throw own;
        },
      },
    });
    const error = await rejectionOf(client.get('/'));
    expect(error).toBe(own);
    expect(own.cause).toBeInstanceOf(AxiosError);
    expect(own.cause).toMatchObject({ response: { status: 503 } });
    expect(reportOf(error)?.sends).toHaveLength(1);
    expect(server.seen).toHaveLength(1);

    const root = new Error('root');
    const wrapped = await attached(status(503), {
      retry: { onRetry: async () => Promise.reject(new Error('wrapped', { cause: root })) },
    });
    expect(await rejectionOf(wrapped.client.get('/'))).toMatchObject({ cause: root });
    const again = await attached(status(503), {
      retry: { onRetry: ({ error: last }) => Promise.reject(last) },
    });
    const same = await axiosErrorOf(again.client.get('/'));
    expect(same.response?.status).toBe(503);
    expect(same.cause).not.toBe(same);
  });

  it('is bounded by the deadline, and so is the wait behind it', async () => {
    const hang = scripted([503], { deadlineMs: 5_000, retry: { onRetry: () => new Promise(() => {}) } });
    const begun = hang.clock.now();
    const error = await hang.call();
    expect(hang.clock.now() - begun).toBe(5_000);
    expect(failureOf(error)).toMatchObject({ status: 503, endedBecause: 'deadline' });

    const slow = scripted([503], {
      deadlineMs: 5_000,
      retry: {
        backoff: () => 3_000,
        onRetry: () => new Promise((resolve) => void slow.clock.after(2_500, () => resolve())),
      },
    });
    const start = slow.clock.now();
    expect(failureOf(await slow.call())?.endedBecause).toBe('deadline');
    expect(slow.clock.now() - start).toBe(2_500);
  });

  it('is left behind when the caller gives up', async () => {
    const aborter = new AbortController();
    const { client, server } = await attached(status(503), {
      retry: {
        onRetry: () => {
          setImmediate(() => aborter.abort());
          return new Promise(() => {});
        },
      },
    });
    expect(axios.isCancel(await rejectionOf(client.get('/', { signal: aborter.signal })))).toBe(true);
    expect(server.seen).toHaveLength(1);
  });

  it('moves what the sends to come are booked on, and no token goes to where it may not be seen', async () => {
    const mirror = await loopback(status(200));
    const keys: (string | undefined)[] = [];
    const key = ({ baseURL }: InternalAxiosRequestConfig) => {
      keys.push(baseURL);
      return String(baseURL);
    };
    const { client, server, holdfast } = await attached(status(503), {
      auth: { token: () => 't1', refresh: async () => 't2' },
      breaker: { minimumThroughput: 3 },
      limit: { maxConcurrent: 1, key },
      retry: {
        onRetry: ({ config }) => {
          config.baseURL = mirror.url;
        },
      },
    });
    for (let n = 0; n < 2; n++) await client.get('/report');
    expect(mirror.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
    expect(keys).toEqual([server.url, mirror.url, server.url, mirror.url]);
    await rejectionOf(client.get('/report'));
    expect(holdfast.stats().open).toEqual([server.url]);
    expect(Object.keys(holdfast.stats().budget)).toContain(mirror.url);
    await mirror.close();
  });

  it('does not hear of polls and replays', async () => {
    const retries: number[] = [];
    const { client } = await attached(inTurn(status(202), status(401), status(202), status(503), status(200)), {
      statuses: { 202: 'pending' },
      poll: { intervalMs: 1 },
      auth: { token: () => 't1', refresh: async () => 't2' },
      retry: { onRetry: ({ retry }) => void retries.push(retry) },
    });
    await client.get('/');
    expect(retries).toEqual([1]);
  });
});

describe('retry.onGiveUp', () => {
  it('is awaited once when a call has failed for good', async () => {
    const told: GiveUpContext[] = [];
    let finished = 0;
    const policy: Policy = {
      retry: {
        maxRetries: 1,
        onGiveUp: async (context) => {
          await passed(5);
          expect(finished).toBe(0);
          expect(failureOf(context.error)?.endedBecause).toBe('retries-exhausted');
          told.push(context);
        },
      },
      on: { finished: () => void finished++ },
    };
    const { client } = await attached(status(503), policy);
    const error = await axiosErrorOf(client.get('/'));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({
      endedBecause: 'retries-exhausted',
      verdict: { kind: 'transient' },
      response: { status: 503 },
      send: 2,
      call: { retries: 1 },
    });
    expect(told[0]?.error).toBe(error);
    expect(Object.isFrozen(told[0])).toBe(true);
    expect(finished).toBe(1);
  });

  it.each<[string, Policy, number]>([
    ['not retryable', {}, 404],
    ['refused by the limiter', { limit: { requests: 1, perMs: 60_000, maxWaitMs: 0 } }, 503],
    ['stopped', { beforeSend: () => false }, 200],
    ['still pending', { statuses: { 202: 'pending' }, poll: { intervalMs: 5, maxMs: 1 } }, 202],
    [
      'failed by a judge',
      {
        classify: () => {
          throw new Error('judge');
        },
      },
      200,
    ],
  ])('hears of a call that was %s', async (_, policy, code) => {
    const told: unknown[] = [];
    const onGiveUp = ({ error }: GiveUpContext) => void told.push(error);
    const { client } = await attached(status(code), mergePolicies(policy, { retry: { onGiveUp } }));
    const error = await rejectionOf(client.get('/'));
    expect(told).toEqual([error]);
    expect(told[0]).toBe(error);
  });

  it('hears of no success, and of no call that its caller gave up', async () => {
    let told = 0;
    const aborter = new AbortController();
    const { client } = await attached(inTurn(status(503), status(200), status(503)), {
      retry: { backoff: () => (aborter.signal.aborted ? 0 : 1), onGiveUp: () => void told++ },
    });
    await client.get('/');
    const call = client.get('/', { signal: aborter.signal });
    setImmediate(() => aborter.abort());
    expect(axios.isCancel(await rejectionOf(call))).toBe(true);
    expect(told).toBe(0);
  });

  it('hears of no call that `beforeSend` stopped and that resolves: whoever stops it wants what it has', async () => {
    let told = 0;
    const { client } = await attached(status(202), {
      statuses: { 202: 'pending' },
      poll: { intervalMs: 1 },
      beforeSend: ({ send }) => (send > 2 ? false : undefined),
      retry: { onGiveUp: () => void told++ },
    });
    const response = await client.get('/report');
    expect(reportOf(response)?.endedBecause).toBe('stopped');
    expect(told).toBe(0);
  });

  it('may throw an error of its own in the place of that: failureOf still says why the call failed', async () => {
    class OrdersDown extends Error {}
    const told: unknown[] = [];
    const own = [new OrdersDown('no orders'), new TypeError('a bug in here')] as const;
    const { client } = await attached(status(503, {}, { error: { code: 'down', message: 'for an hour' } }), {
      limit: { requests: 1, perMs: 60_000, maxWaitMs: 0 },
      retry: {
        onGiveUp: ({ error }) => {
          throw own[told.push(error) - 1];
        },
      },
    });
    const answered = await rejectionOf(client.get('/'));
    expect(answered).toBe(own[0]);
    expect(failureOf(answered)).toMatchObject({ kind: 'unavailable', status: 503, api: { code: 'down' } });
    expect(failureOf(answered)).toEqual(failureOf(told[0]));
    const refused = await rejectionOf(client.get('/'));
    expect(refused).toBe(own[1]);
    expect(failureOf(refused)).toMatchObject({ kind: 'limited', endedBecause: 'limited', sends: 0 });
    expect(failureOf(new Error('wrapped', { cause: refused }))).toEqual(failureOf(told[1]));
  });

  it('adds up, and rejects the call with what it throws', async () => {
    const order: string[] = [];
    const policy = mergePolicies(
      { retry: { onGiveUp: () => void order.push('a') } },
      {
        retry: {
          onGiveUp: () => {
            order.push('b');
            throw new Error('told nobody');
          },
        },
      },
    );
    const { client } = await attached(status(404), policy);
    const error = await rejectionOf(client.get('/'));
    expect(error).toMatchObject({ message: 'told nobody', cause: { isAxiosError: true, response: { status: 404 } } });
    expect(order).toEqual(['a', 'b']);
    expect(reportOf(error)?.sends).toHaveLength(1);
  });

  it('is bounded by the deadline, holds no permit, and may make calls of its own', async () => {
    const hang = scripted([404], { deadlineMs: 5_000, retry: { onGiveUp: () => new Promise(() => {}) } });
    const begun = hang.clock.now();
    expect(failureOf(await hang.call())).toMatchObject({ status: 404, endedBecause: 'not-retryable' });
    expect(hang.clock.now() - begun).toBe(5_000);

    const { client, server } = await attached(inTurn(status(404), status(200)), {
      limit: { maxConcurrent: 1 },
      retry: { onGiveUp: async () => void (await client.post('/alerts', {})) },
    });
    await axiosErrorOf(client.get('/'));
    expect(server.seen.map(({ method }) => method)).toEqual(['GET', 'POST']);

    // Here the call had its permit when it was stopped.
    const stopped = await attached(status(200), {
      limit: { maxConcurrent: 1 },
      beforeSend: ({ config }) => (config.method === 'get' ? false : undefined),
      retry: { onGiveUp: async () => void (await stopped.client.post('/alerts', {})) },
    });
    expect(axios.isCancel(await rejectionOf(stopped.client.get('/')))).toBe(true);
    expect(stopped.server.seen.map(({ method }) => method)).toEqual(['POST']);
  });
});
