import { setTimeout as pass } from 'node:timers/promises';
import {
  type AuthOptions,
  InvalidPolicyError,
  type Limiter,
  mergePolicies,
  type Policy,
  preparePolicy,
} from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { ADAPTERS, attached, axiosErrorOf, inTurn, status } from '../support/attached.ts';
import { limiterOf } from '../support/limiters.ts';
import { json } from '../support/loopback.ts';

/** The policy of an attachment could not be changed while calls were under way (axios-rate-limit#48): detach, attach, and everybody who waited stayed behind. */

const ONE_AN_HOUR = { requests: 1, perMs: 3_600_000 };
const FAST = { requests: 1_000, perMs: 1_000, burst: 100 };

/** A limiter of somebody's own, without `update`. */
const plainLimiter = (): Limiter => ({
  acquire: () => ({ release() {} }),
  pause() {},
  close: async () => {},
  stats: () => ({ queued: 0, running: 0 }),
});

describe.each(ADAPTERS)('another policy for an attachment, over %s', (adapter) => {
  /** So many calls wait, of which the first has begun first. */
  async function waiting(limit: Policy['limit'], count = 3) {
    const all = await attached(status(200), { limit }, { adapter });
    await all.client.get('/0');
    const calls = Array.from({ length: count }, (_, n) => all.client.get(`/${n + 1}`));
    while (all.holdfast.stats().queued < count) await pass(5);
    return { ...all, calls };
  }
  it.each<[string, () => [Policy['limit'], Policy['limit']]]>([
    ['new numbers', () => [ONE_AN_HOUR, FAST]],
    ['one number', () => [ONE_AN_HOUR, { perMs: 5 }]],
    ['no limit', () => [ONE_AN_HOUR, false]],
    ['a limiter', () => [ONE_AN_HOUR, limiterOf(FAST)]],
    ["a limiter of somebody's own", () => [ONE_AN_HOUR, plainLimiter()]],
    ['a list', () => [ONE_AN_HOUR, [FAST, { maxConcurrent: 2 }]]],
    [
      'a list in place of a list',
      () => [
        [ONE_AN_HOUR, { maxConcurrent: 9 }],
        [FAST, { maxConcurrent: 2 }],
      ],
    ],
    ['numbers in place of a list', () => [[ONE_AN_HOUR, { maxConcurrent: 9 }], FAST]],
    ['another limiter', () => [limiterOf(ONE_AN_HOUR), limiterOf(FAST)]],
    ['no limiter', () => [limiterOf(ONE_AN_HOUR), false]],
    ['numbers for the limiter that is there', () => [limiterOf(ONE_AN_HOUR), FAST]],
    [
      'numbers and a place for the limiter that is there',
      () => [limiterOf(ONE_AN_HOUR), { ...FAST, priority: () => 0 }],
    ],
  ])('lets those out who wait: %s', async (_what, limits) => {
    const [before, after] = limits();
    const { server, holdfast, calls, client } = await waiting(before);
    holdfast.update({ limit: after });
    await Promise.all(calls);
    expect(server.seen.map(({ url }) => url).sort()).toEqual(['/0', '/1', '/2', '/3']);
    await client.get('/later');
    expect(holdfast.stats()).toMatchObject({ queued: 0, inFlight: 0, calls: 5, sends: 5 });
    await holdfast.close();
  });

  it('has those wait who waited: in their places, by the new numbers', async () => {
    const { server, holdfast, calls, client } = await waiting({
      ...ONE_AN_HOUR,
      priority: ({ url }) => Number(url === '/1'),
    });
    const next = limiterOf({ maxConcurrent: 1 });
    const first = await next.acquire({ key: server.url });
    holdfast.update({ limit: next });
    await pass(20);
    expect([holdfast.stats().queued, next.stats().queued]).toEqual([3, 3]);
    expect(holdfast.pending().map(({ phase }) => phase)).toEqual(['limit', 'limit', 'limit']);
    first.release();
    await Promise.all([...calls, client.get('/4')]);
    // The priority of the old limit holds no more.
    expect(server.seen.map(({ url }) => url)).toEqual(['/0', '/1', '/2', '/3', '/4']);
  });

  it.each<[string, Policy['limit']]>([
    ['numbers', ONE_AN_HOUR],
    ['a list', [ONE_AN_HOUR, { maxConcurrent: 9 }]],
  ])('counts for who waits from before an update of something else: %s', async (_what, limit) => {
    const { holdfast, calls } = await waiting(limit);
    holdfast.update({ deadlineMs: 60_000 });
    holdfast.update({ retry: { maxRetries: 1 } });
    await pass(10);
    expect(holdfast.stats().queued).toBe(3);
    holdfast.update({ limit: limiterOf(FAST) });
    await Promise.all(calls);
    holdfast.update({ limit: false });
    holdfast.update({ limit: FAST });
    expect(holdfast.stats()).toMatchObject({ queued: 0, calls: 4, sends: 4 });
  });

  it('lets calls under way finish under the policy that they began with', async () => {
    const { client, holdfast, server } = await attached(
      inTurn(status(503), status(503), status(200)),
      { retry: { maxRetries: 2, backoff: () => 30 } },
      { adapter },
    );
    const call = client.get('/old');
    while (server.seen.length === 0) await pass(2);
    holdfast.update({ retry: false, statuses: { 503: 'fail' } });
    expect((await call).status).toBe(200);
    expect(holdfast.policy.retry).toBe(false);
    expect(holdfast.stats()).toMatchObject({ calls: 1, sends: 3, retries: 2 });
  });

  it('keeps what was sent in the window: an update with the same numbers frees nothing', async () => {
    const { holdfast, calls, server } = await waiting(ONE_AN_HOUR);
    holdfast.update({ limit: ONE_AN_HOUR, deadlineMs: 60_000 });
    holdfast.update({ limit: {} });
    await pass(30);
    expect([holdfast.stats().queued, server.seen.length]).toEqual([3, 1]);
    const refused = calls.map((call) => axiosErrorOf(call).catch((error: unknown) => error));
    await holdfast.close();
    await Promise.all(refused);
  });
});

describe('an update', () => {
  it('means what mergePolicies makes of both', async () => {
    const heard: string[] = [];
    const one: Policy = {
      retry: { maxRetries: 5 },
      statuses: { 500: 'retry' },
      on: { finished: () => heard.push('one') },
    };
    const two: Policy = {
      retry: { unsafe: 'never' },
      breaker: {},
      limit: FAST,
      on: { finished: () => heard.push('two') },
    };
    const { client, holdfast } = await attached(status(200), one);
    holdfast.on('finished', () => heard.push('of the attachment'));
    const other = await attached(status(200), mergePolicies(one, two));
    holdfast.update(preparePolicy(two));
    const withoutFunctions = (policy: object) => JSON.parse(JSON.stringify(policy));
    expect(withoutFunctions(holdfast.policy)).toEqual(withoutFunctions(other.holdfast.policy));
    expect(Object.isFrozen(holdfast.policy)).toBe(true);
    await client.get('/');
    expect(heard).toEqual(['one', 'two', 'of the attachment']);
  });

  it('holds for what a call lays over it, also for a policy that was prepared before', async () => {
    const { client, holdfast, server } = await attached(status(500), { retry: { maxRetries: 0 } });
    const prepared = preparePolicy({ statuses: { 500: 'retry' } });
    await axiosErrorOf(client.get('/', { holdfast: prepared }));
    holdfast.update({ retry: { maxRetries: 2 } });
    await axiosErrorOf(client.get('/', { holdfast: prepared }));
    await axiosErrorOf(client.get('/', { holdfast: { statuses: { 500: 'retry' } } }));
    expect(server.seen).toHaveLength(1 + 3 + 3);
  });

  it('keeps the budget and the circuits whose numbers did not change, and begins those anew that did', async () => {
    const { client, holdfast, server } = await attached(status(503), {
      retry: { maxRetries: 1, budget: { capacity: 100, refillPerSecond: 0 } },
      breaker: { minimumThroughput: 2, openMs: 60_000 },
    });
    await axiosErrorOf(client.get('/'));
    const { budget, open } = holdfast.stats();
    expect([Object.values(budget)[0], open.length]).toEqual([86, 1]);
    holdfast.update({
      deadlineMs: 5_000,
      retry: { maxRetries: 2, budget: { key: () => server.url } },
      breaker: { key: () => server.url },
    });
    expect(holdfast.stats()).toMatchObject({ budget, open, calls: 1, sends: 2 });
    holdfast.update({ retry: { budget: { capacity: 50 } } });
    expect(holdfast.stats()).toMatchObject({ budget: {}, open });
    holdfast.update({ breaker: false });
    await axiosErrorOf(client.get('/'));
    holdfast.update({ breaker: { openMs: 10 } });
    expect(holdfast.stats()).toMatchObject({ open: [] });
  });

  it('keeps the session of auth where that did not change, and lets a refresh that runs end where it did', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let [old, fresh] = [0, 0];
    const first: AuthOptions = {
      token: () => 'expired',
      refresh: async () => {
        old += 1;
        await held;
        return 'good';
      },
    };
    const { client, holdfast, server } = await attached(
      ({ headers }, response) => json(response, /old|expired/.test(String(headers.authorization)) ? 401 : 200),
      { auth: first },
    );
    const call = client.get('/');
    while (old === 0) await pass(5);
    holdfast.update({ auth: { ...first, neverRefreshOn: ['gone'] } });
    const same = client.get('/');
    holdfast.update({
      auth: {
        token: () => 'old',
        refresh: async () => {
          fresh += 1;
          return 'new';
        },
      },
    });
    expect((await client.get('/')).status).toBe(200);
    release();
    expect([(await call).status, (await same).status]).toEqual([200, 200]);
    expect([old, fresh]).toEqual([1, 1]);
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(
      expect.arrayContaining(['Bearer good', 'Bearer good', 'Bearer new']),
    );
    holdfast.update({ auth: false });
    await client.get('/');
    expect(server.seen.at(-1)?.headers.authorization).toBeUndefined();
    await holdfast.close();
  });

  it('refuses what is wrong, all of it at once, and changes nothing', async () => {
    const limit = plainLimiter();
    const { client, holdfast, server } = await attached(status(200), { limit });
    const before = holdfast.policy;
    const problemsOf = (policy: unknown) => {
      try {
        holdfast.update(policy as Policy);
      } catch (error) {
        if (error instanceof InvalidPolicyError) return error.problems.map(({ path }) => path);
        throw error;
      }
      return [];
    };
    expect(problemsOf({ limit: { requests: 5, perMs: 1_000 }, deadlineMs: -1, retry: { maxRetry: 1 } })).toEqual([
      'limit',
      'retry.maxRetry',
      'deadlineMs',
    ]);
    expect(problemsOf({ limit: { requests: -5 } })).toEqual(['limit.requests']);
    expect(problemsOf({ limits: {} })).toEqual(['limits']);
    for (const nothing of [undefined, null, 5, []]) expect(problemsOf(nothing)).toHaveLength(1);
    expect(() => holdfast.update({ limit: { maxConcurrent: 5 } })).toThrow(
      /limit must be another Limiter, or one that has update\(\).*\(maxConcurrent\)/,
    );
    expect(holdfast.policy).toBe(before);
    holdfast.update({ limit: { priority: () => 1 } });
    await client.get('/');
    holdfast.update({ limit: false });
    holdfast.update({ limit: { requests: 100_000, perMs: 1, burst: 'all' } });
    expect(problemsOf({ limit: { requests: 100_001 } })).toEqual(['limit.requests']);
    expect(server.seen).toHaveLength(1);
  });

  it('is refused where nothing is attached any more', async () => {
    const { client, holdfast } = await attached(status(200));
    holdfast.update({});
    holdfast.detach();
    expect(() => holdfast.update({ retry: false })).toThrow(/not attached to this instance any more/);
    await holdfast.close();
    expect(() => holdfast.update({})).toThrow(/attach again/);
    expect((await client.get('/')).status).toBe(200);
  });
});
