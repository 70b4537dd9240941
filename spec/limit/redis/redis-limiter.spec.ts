import { setTimeout as pass } from 'node:timers/promises';
import { InvalidPolicyError, type Limiter, type LimitOptions, localLimiter, type Permit } from 'axios-holdfast';
import { type IoredisLike, type RedisLimiterOptions, redisLimiter } from 'axios-holdfast/redis';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { redisLimiterWith } from '../../../lib/limit/redis/redis-limiter.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { rejectionOf } from '../../support/attached.ts';
import { layersOf } from '../../support/layers.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { noRedis, type RedisServer, redisClient, redisServer } from '../../support/redis-server.ts';
import { underOneKey } from '../../support/under-one-key.ts';
import { limiterContract } from '../contract.ts';

let clock: ManualClock;

/** A Redis that answers once, that of each window nobody has used anything, and is lost then. */
function lostAfterOne(): IoredisLike {
  let isLost = false;
  return {
    eval: async (_script, keys, ...keysThenArguments) => {
      if (isLost) throw new Error('connect ECONNREFUSED');
      isLost = true;
      const windows = keysThenArguments.slice(keys + 11);
      const dueIn = windows.flatMap((_, i) => (i % 13 === 0 ? [`-${windows[i + 2]}`, '0'] : []));
      return [String(clock.now()), '0', '0', '1', ...dueIn];
    },
  };
}

limiterContract(`${redisLimiter.name} that has lost its Redis`, () => ({
  limiter: (options) => {
    clock = new ManualClock();
    const limiter = redisLimiterWith(clock, { ...options, redis: lostAfterOne() });
    onTestFinished(() => limiter.close());
    return limiter;
  },
  pass: (ms) => clock.advance(ms),
  now: () => clock.now(),
}));

describe('a Redis that is lost, is back, and is lost again', () => {
  it('has a process go on at once each time, by the share of then and with no debt of the time before', async () => {
    clock = new ManualClock();
    let isLost = false;
    let members = '1';
    const redis: IoredisLike = {
      eval: async (_script, keys, ...keysThenArguments) => {
        if (isLost) throw new Error('connect ECONNREFUSED');
        // Whatever is asked for, from now on.
        return [String(clock.now()), String(keysThenArguments[keys + 2]), '0', members, '0', '0'];
      },
    };
    const limiter = redisLimiterWith(clock, { requests: 100, perMs: 1_000, redis });
    onTestFinished(() => limiter.close());
    /** When each of so many leaves, from when they are asked for. */
    const leave = async (count: number) => {
      const begun = clock.now();
      const at: number[] = [];
      const asked = Array.from({ length: count }, async () => {
        (await limiter.acquire({ key: 'k' })).release();
        at.push(clock.now() - begun);
      });
      await clock.run(Promise.all(asked));
      return at;
    };
    await leave(1);
    await clock.advance(1_000);
    isLost = true;
    expect(await leave(3)).toEqual([0, 11, 21]);
    isLost = false;
    members = '2';
    await clock.advance(1_000);
    await leave(60);
    await clock.advance(1_000);
    isLost = true;
    // Half of the limit: intervals of 20.1 ms.
    expect(await leave(4)).toEqual([0, 21, 41, 61]);
  });
});

describe.skipIf(noRedis)('with a redis-server', () => {
  let server: RedisServer;
  let redis: Redis;
  let tests = 0;
  beforeAll(async () => {
    server = await redisServer();
    redis = redisClient(server.port);
  });
  afterAll(async () => {
    redis?.disconnect();
    await server?.kill();
  });

  /** A limiter of its own, unless it is told a prefix. */
  function make(options: Omit<RedisLimiterOptions, 'redis'>, client: IoredisLike = redis, clock = systemClock) {
    const limiter = redisLimiterWith(clock, { prefix: `test ${tests++}`, ...options, redis: client });
    onTestFinished(() => limiter.close());
    return limiter;
  }

  limiterContract(redisLimiter.name, () => ({
    limiter: (options) => make(options),
    pass: (ms) => pass(ms),
    now: () => Date.now(),
  }));

  describe.each([
    ['a local one', () => localLimiter({ requests: 1_000, perMs: 100 })],
    ['another', () => make({ requests: 1_000, perMs: 100 })],
  ])('together with %s', (_what, other) => {
    limiterContract(redisLimiter.name, () => ({
      limiter: (options) => underOneKey(layersOf([make(options), other()]), 2),
      pass: (ms) => pass(ms),
      now: () => Date.now(),
    }));
  });

  limiterContract(`${redisLimiter.name} that learns`, () => ({
    limiter: (options) => make({ ...options, adaptive: true }),
    pass: (ms) => pass(ms),
    now: () => Date.now(),
    // Whose slots depend on the answer to the send that they would wait for.
    cannot: ['nested-windows'],
  }));

  /** Asks for so many permits at once; gives their instants. */
  async function ask(limiter: ReturnType<typeof make>, count: number, key = 'k'): Promise<number[]> {
    const at: number[] = [];
    const asked = Array.from({ length: count }, async () => {
      const permit = await limiter.acquire({ key });
      at.push(Date.now());
      permit.release();
    });
    await Promise.all(asked);
    return at;
  }

  /** How long after it was begun the last of those permits was there, in ms: on a busy machine the first may be heard of late. */
  async function lastOf(...asked: readonly (() => Promise<number[]>)[]): Promise<number> {
    const begun = Date.now();
    const at = await Promise.all(asked.map((each) => each()));
    return Math.max(...at.flat()) - begun;
  }

  /** By how much what is paid for in that window is ahead of the clock of Redis, in ms. */
  async function aheadBy(bucket: string, window: string): Promise<number> {
    const paidAt = Number(await redis.hget(`${bucket}:slots`, window));
    const [seconds, micros] = await redis.time();
    return paidAt - (Number(seconds) * 1_000 + Number(micros) / 1_000);
  }

  /** Redis has been told of a pause. */
  const isPaused = (bucket: string) =>
    vi.waitFor(async () => expect(Number(await redis.hget(`${bucket}:slots`, 'until'))).toBeGreaterThan(0));

  it('gives the slots of a window to all who share it, each to one', async () => {
    const options = { requests: 100, perMs: 1_000, prefix: 'shared' };
    const [one, two] = [make(options), make(options, redisClient(server.port))];
    const last = await lastOf(
      () => ask(one, 20),
      () => ask(two, 20),
    );
    // 40 sends are 39 intervals of 10 ms apart, at least.
    expect(last).toBeGreaterThanOrEqual(385);
  });

  it("holds at most N in any window with burst: 'all', whoever sends: all at once, and then none until it ends", async () => {
    const options = { requests: 20, perMs: 800, burst: 'all', prefix: 'in whatever shape' } as const;
    const clients = [1, 2, 3].map(() => redisClient(server.port));
    onTestFinished(() => {
      for (const client of clients) client.disconnect();
    });
    const limiters = clients.map((client) => make(options, client));
    const at: number[] = [];
    const go = async (limiter: ReturnType<typeof make>, weight: number) => {
      const permit = await limiter.acquire({ key: 'k', weight });
      for (let n = 0; n < weight; n++) at.push(performance.now());
      permit.answered?.({ throttled: false });
      permit.release();
    };
    const all = limiters.flatMap((limiter, n) => Array.from({ length: 20 }, () => go(limiter, n === 0 ? 2 : 1)));
    await Promise.all(all);
    at.sort((a, b) => a - b);
    const apart = at.slice(20).map((each, n) => each - Number(at[n]));
    // At an even pace the tenth leaves 360 ms after the first.
    expect(Number(at[9]) - Number(at[0])).toBeLessThan(300);
    expect(at).toHaveLength(80);
    // What left is noted later than it left, on a busy machine by much.
    expect(Math.min(...apart)).toBeGreaterThanOrEqual(400);
  });

  it.each([
    ['one window', [{ requests: 5, perMs: 1_000, burst: 'all' }], [0]],
    [
      'a window whose pace is slower',
      [
        { requests: 5, perMs: 1_000, burst: 'all' },
        { requests: 9, perMs: 18_000, burst: 4 },
      ],
      [0],
    ],
    [
      'two windows',
      [
        { requests: 5, perMs: 1_000, burst: 'all' },
        { requests: 6, perMs: 3_000, burst: 'all' },
      ],
      [0, 1],
    ],
  ] as const)(
    "counts with burst: 'all' a send when it may leave, and not when its first permit was free: %s",
    async (name, windows, logs) => {
      const [prefix, perMs] = [`together: ${name}`, [1_000, 3_000]];
      const [one, two] = [make({ windows, prefix }), make({ windows, prefix }, redisClient(server.port))];
      const handed = await Promise.all([1, 2, 3, 4].map(() => one.acquire({ key: 'k' })));
      for (const each of handed) each.release();
      // One of its three is free now, the others when the first have left the window.
      const three = Promise.resolve(two.acquire({ key: 'k', weight: 3 }));
      three.catch(() => {});
      const scoresOf = async (log: number) => {
        const flat = await redis.zrange(`${prefix}:{k}:log:0:${perMs[log]}`, '0', '-1', 'WITHSCORES');
        return flat.filter((_, i) => i % 2 === 1).map(Number);
      };
      for (const log of logs) {
        await vi.waitFor(async () => expect((await scoresOf(log)).length).toBeGreaterThanOrEqual(7));
        const [, , , fourth = 0, ...ofThree] = await scoresOf(log);
        expect(new Set(ofThree.slice(0, 3)).size).toBe(1);
        expect(ofThree[0]).toBeGreaterThanOrEqual(fourth + 1_000);
      }
    },
  );

  it("forgets with burst: 'all' what was not sent, or cost less, and adds what cost more", async () => {
    const limiter = make({ requests: 10, perMs: 3_600_000, burst: 'all' });
    const [dear, cheap, dropped] = await Promise.all([1, 5, 4].map((weight) => limiter.acquire({ key: 'k', weight })));
    dear?.answered?.({ throttled: false, cost: 3 });
    cheap?.answered?.({ throttled: false, cost: 2 });
    dropped?.drop?.();
    const order: number[] = [];
    const asked = [1, 2, 3, 4, 5, 6].map(async (n) => {
      await limiter.acquire({ key: 'k' });
      order.push(n);
    });
    for (const each of asked) each.catch(() => {});
    await vi.waitFor(() => expect(order).toEqual([1, 2, 3, 4, 5]));
    await pass(200);
    expect(order).toHaveLength(5);
    expect(await rejectionOf(limiter.acquire({ key: 'k', weight: 11 }) as Promise<unknown>)).toBeInstanceOf(RangeError);
  });

  it('goes by other numbers once it is told them: who waits, what has left, and what was reserved', async () => {
    const prefix = 'told other numbers';
    const [one, two] = [
      make({ requests: 1, perMs: 3_600_000, prefix }),
      make({ requests: 1, perMs: 3_600_000, prefix }),
    ];
    const first = await one.acquire({ key: 'k' });
    const order: string[] = [];
    const line = async (limiter: ReturnType<typeof make>, name: string, since: number) => {
      (await limiter.acquire({ key: 'k', since })).release();
      order.push(name);
    };
    const all = [line(one, 'young', 2), line(one, 'old', 1), line(two, 'elsewhere', 1)];
    await pass(100);
    one.update({ requests: 36_000 });
    two.update({ requests: 36_000 });
    await Promise.all(all);
    expect(order.filter((name) => name !== 'elsewhere')).toEqual(['old', 'young']);
    // By the numbers of before.
    first.answered?.({ throttled: false, cost: 1 });
    first.drop?.();
    one.update({ perMs: 100, requests: 1, burst: 'all' });
    await one.acquire({ key: 'k' });
    one.update({ adaptive: true, burst: 1 });
    (await one.acquire({ key: 'k' })).release();
    one.update({ adaptive: false, maxConcurrent: 9 });
    (await one.acquire({ key: 'k' })).release();
  });

  const N = 4;
  const PER = 1_200;
  /** What left is noted later than its slot, and a slot may be used that late. A machine that stalls for longer is asked again: a fault would show each time. */
  const LATE = 240;
  it.each<[string, LimitOptions, LimitOptions, number]>([
    ["'all', then evenly", { burst: 'all' }, { burst: 1 }, N],
    ["'all', then a burst", { burst: 'all' }, { burst: 2 }, N + 1],
    ["'all', then fewer with a burst", { burst: 'all' }, { requests: 2, burst: 3 }, N],
    ["evenly, then 'all'", { burst: 1 }, { burst: 'all' }, N],
    ["a burst, then 'all'", { burst: 3 }, { burst: 'all' }, N + 2],
    ['a larger burst', { requests: 6, burst: 1 }, { requests: 2, burst: 5 }, 6],
    ['a burst larger than what refills, at another rate', { requests: 1, burst: 4 }, { requests: 2, burst: 4 }, 5],
    ['another order of windows', { windows: [{ requests: 50, perMs: 100 }] }, {}, N],
    ['another length, and back', { burst: 'all' }, { perMs: 2 * PER, burst: 'all' }, N],
  ])(
    'holds at most what either allows in a window that spans an update: %s',
    { retry: 2 },
    async (what, before, after, most) => {
      const limiter = make({ requests: N, perMs: PER, ...before });
      const at: number[] = [];
      const go = async () => {
        const permit = await limiter.acquire({ key: 'k' });
        at.push(performance.now());
        permit.answered?.({ throttled: false });
        permit.release();
      };
      (await limiter.acquire({ key: 'connected' })).release();
      const all = Array.from({ length: 2 * N }, go);
      await vi.waitFor(() => expect(at.length).toBeGreaterThan(2), { timeout: 5_000 });
      if (what.includes('order')) limiter.update({ requests: 50, perMs: 100, windows: [{ requests: N, perMs: PER }] });
      limiter.update(after);
      if (what.includes('back')) limiter.update({ perMs: PER });
      await Promise.all(all);
      const counts = at.map((from) => at.filter((each) => each >= from && each < from + PER - LATE).length);
      expect(Math.max(...counts)).toBeLessThanOrEqual(most);
    },
  );

  it.each<[Partial<RedisLimiterOptions>, RegExp]>([
    [{ prefix: 'other' }, /limit\.prefix must be left out of an update/],
    [{ redis: {} as never }, /limit\.redis must be/],
    [{ onStoreLoss: 'open' }, /limit\.onStoreLoss must be left out/],
    [{ acquireTimeoutMs: 5 }, /limit\.acquireTimeoutMs must be left out/],
    [{ key: () => 'k' }, /limit\.key must be left out/],
    [{ maxQueue: 0 }, /limit\.maxQueue must be an integer of at least 1/],
    [{ requests: 10_001, burst: 'all' }, /limit\.requests must be an integer from 1 to 10000 with burst 'all'/],
    [{ adaptive: true, burst: 'all' }, /limit\.burst must be a number beside adaptive over Redis/],
    [5 as never, /limit must be a plain object/],
  ])('is told by name what cannot be changed, or is wrong: %o', async (options, message) => {
    const limiter = make({ requests: 5, perMs: 1_000, maxQueue: 7 });
    expect(() => limiter.update(options)).toThrow(message);
    limiter.update({ maxQueue: 8 });
    (await limiter.acquire({ key: 'k' })).release();
  });

  it('gives what one has dropped to whoever shares it', async () => {
    const options = { requests: 3, perMs: 1_200_000, burst: 3, prefix: 'dropped' };
    const client = redisClient(server.port);
    onTestFinished(() => client.disconnect());
    const [one, two] = [make(options), make(options, client)];
    const permits = await Promise.all([1, 2, 3].map(() => one.acquire({ key: 'k' })));
    for (const permit of permits) permit.drop?.();
    await vi.waitFor(async () => expect(await aheadBy('dropped:{k}', '0:1200000')).toBeLessThan(0));
    await ask(two, 3);
    const controller = new AbortController();
    const fourth = rejectionOf(Promise.resolve(two.acquire({ key: 'k', signal: controller.signal })));
    await pass(200);
    controller.abort();
    expect(await fourth).toMatchObject({ name: 'AbortError' });
  });

  it('reserves for all calls of one turn in one round trip', async () => {
    const sent = [vi.spyOn(redis, 'eval'), vi.spyOn(redis, 'evalsha')];
    onTestFinished(() => {
      for (const spy of sent) spy.mockRestore();
    });
    const limiter = make({ requests: 1_000_000, perMs: 1_000, burst: 10_000 });
    await ask(limiter, 1_000);
    expect(sent.flatMap(({ mock }) => mock.calls)).toHaveLength(1);
  });

  it('asks about once for each permit where several share what is due, however many wait', async () => {
    const sent = [vi.spyOn(redis, 'eval'), vi.spyOn(redis, 'evalsha')];
    onTestFinished(() => {
      for (const spy of sent) spy.mockRestore();
    });
    const fleet = Array.from({ length: 4 }, () => make({ requests: 200, perMs: 1_000, prefix: 'one quota' }));
    await Promise.all(fleet.map((limiter) => ask(limiter, 30)));
    expect(sent.flatMap(({ mock }) => mock.calls).length).toBeLessThan(2 * 120);
  });

  describe('two of one client', () => {
    /** Both as one, whose keys are `["all","k"]`. */
    function both(...limiters: readonly Limiter[]) {
      const made = layersOf(limiters);
      return (route = 'k') => Promise.resolve(made.acquire({ key: JSON.stringify(['all', route]) }));
    }
    /** How many keys each script had that Redis was sent since. */
    function scripts() {
      const sent = [vi.spyOn(redis, 'eval'), vi.spyOn(redis, 'evalsha')];
      onTestFinished(() => {
        for (const spy of sent) spy.mockRestore();
      });
      return () => sent.flatMap(({ mock }) => mock.calls.map(([, keys]) => Number(keys)));
    }
    /** It gives so many more now and none besides, of a window that does not come back while the test runs. */
    async function expectLeft(count: number, limiter: Limiter, key: string): Promise<void> {
      let given = 0;
      const asked = Array.from({ length: 20 }, async () => {
        await limiter.acquire({ key });
        given += 1;
      });
      const settled = Promise.allSettled(asked);
      await vi.waitFor(() => expect(given).toBe(count));
      await pass(400);
      await limiter.close();
      await settled;
      expect(given).toBe(count);
    }
    const forLong = { perMs: 1_200_000, requests: 10, burst: 10 };

    it('are asked in one script', async () => {
      const sent = scripts();
      const send = both(make(forLong), make({ requests: 1_000, perMs: 1_000, burst: 100 }));
      await Promise.all(Array.from({ length: 2 }, () => send()));
      expect(sent()).toEqual([4]);
    });

    it('are asked about once for each send, where one of them is slower than the other', async () => {
      const sent = scripts();
      const send = both(make({ requests: 1_000, perMs: 1_000 }), make({ requests: 25, perMs: 1_000 }));
      for (const permit of await Promise.all(Array.from({ length: 20 }, () => send()))) permit.release();
      expect(sent().length).toBeLessThan(2 * 20);
    });

    it('lose nothing of one where the other says later', async () => {
      const [all, route] = [make(forLong), make({ requests: 4, perMs: 1_000 })];
      const send = both(all, route);
      for (const permit of await Promise.all(Array.from({ length: 4 }, () => send()))) permit.release();
      await expectLeft(6, all, 'all');
    });

    it('lose nothing where it is a limit of this process that says later', async () => {
      const all = make(forLong);
      const send = both(all, localLimiter({ requests: 4, perMs: 1_000 }));
      for (const permit of await Promise.all(Array.from({ length: 4 }, () => send()))) permit.release();
      await expectLeft(6, all, 'all');
    });

    it('hold up no other route, for the quota of all', async () => {
      const [all, route] = [make(forLong), make({ requests: 1, perMs: 600_000 })];
      const send = both(all, route);
      const routes = ['a', 'b', 'c', 'a', 'b', 'c', 'd'];
      let given = 0;
      const asked = routes.map((each) =>
        send(each).then(
          () => (given += 1),
          () => {},
        ),
      );
      await vi.waitFor(() => expect(given).toBe(4));
      await expectLeft(6, all, 'all');
      await route.close();
      await Promise.all(asked);
    });

    it('keep to both quotas, also where several processes share them', async () => {
      const options = [
        { requests: 100, perMs: 1_000, prefix: 'both, all' },
        { requests: 40, perMs: 1_000, prefix: 'both, route' },
      ];
      const at: Record<string, number[]> = { a: [], b: [], c: [], d: [] };
      const fleet = [1, 2].map(() => both(...options.map((each) => make(each))));
      const begun = Date.now();
      const work = fleet.flatMap((send) =>
        Object.keys(at).flatMap((route) =>
          Array.from({ length: 5 }, async () => {
            (await send(route)).release();
            at[route]?.push(Date.now());
          }),
        ),
      );
      await Promise.all(work);
      const last = (times: readonly number[]) => Math.max(...times) - begun;
      // 40 in all, 10 ms apart; 10 of each route, 25 ms apart.
      expect(last(Object.values(at).flat())).toBeGreaterThanOrEqual(39 * 10 - 5);
      for (const times of Object.values(at)) expect(last(times)).toBeGreaterThanOrEqual(9 * 25 - 5);
    });

    it('cost each other nothing where Redis refuses one of them', async () => {
      const [wrong, right] = [make({ ...forLong, prefix: 'refused' }), make(forLong)];
      await redis.set('refused:{k}:slots', 'something else');
      const asked = [wrong, right].map((limiter) => Promise.resolve(limiter.acquire({ key: 'k' })));
      await asked[1];
      expect(await rejectionOf(asked[0] as Promise<Permit>)).toMatchObject({
        message: expect.stringContaining('WRONGTYPE'),
      });
    });
  });

  it('reserves no more than falls due within 50 ms, however many wait', async () => {
    const limiter = make({ requests: 1_000, perMs: 1_000, prefix: 'horizon' });
    const asked = ask(limiter, 300);
    await pass(30);
    expect(await aheadBy('horizon:{k}', '0:1000')).toBeLessThan(60);
    await asked;
  });

  it('holds several windows at once', async () => {
    const limiter = make({ requests: 100, perMs: 100, burst: 100, windows: [{ requests: 20, perMs: 200, burst: 2 }] });
    expect(await lastOf(() => ask(limiter, 12))).toBeGreaterThanOrEqual(95);
  });

  it('stops everybody for the pause that one of them met', async () => {
    const options = { requests: 1_000, perMs: 1_000, prefix: 'pause' };
    const [one, two] = [make(options), make(options, redisClient(server.port))];
    await Promise.all([ask(one, 1), ask(two, 1)]);
    await pass(120);
    const permit = await one.acquire({ key: 'k' });
    const until = Date.now() + 300;
    permit.answered?.({ throttled: true, untilAt: until });
    permit.release();
    await isPaused('pause:{k}');
    const at = await ask(two, 3);
    expect(Math.min(...at)).toBeGreaterThanOrEqual(until - 1);
  });

  it.each([
    ['asked', 200, 0],
    ['heard', 0, 200],
  ])('stops everybody until its very end where Redis is %s late', async (what, before, after) => {
    const slow = async (ask: () => Promise<unknown>) => {
      await pass(before);
      const reply = await ask();
      await pass(after);
      return reply;
    };
    const client: IoredisLike = {
      eval: (...args) => slow(() => redis.eval(...args)),
      evalsha: (...args) => slow(() => redis.evalsha(...args)),
    };
    const limiter = make({ requests: 1_000, perMs: 1_000, prefix: what }, client);
    const permit = await limiter.acquire({ key: 'k' });
    const until = Date.now() + 1_000;
    permit.answered?.({ throttled: true, untilAt: until });
    permit.release();
    await isPaused(`${what}:{k}`);
    expect(Number(await redis.hget(`${what}:{k}:slots`, 'until'))).toBeGreaterThanOrEqual(until - 1);
  });

  describe('that learns', () => {
    const adaptive = { startConcurrency: 3 };
    const out = (limiter: ReturnType<typeof make>) => Promise.resolve(limiter.acquire({ key: 'k' }));

    it('starts with so many sends of all processes together', async () => {
      const [one, two] = [make({ adaptive, prefix: 'start' }), make({ adaptive, prefix: 'start' })];
      const asked = [one, two, one, two, one].map(out);
      let granted = 0;
      for (const each of asked) each.then(() => (granted += 1));
      await vi.waitFor(() => expect(granted).toBe(3));
      await pass(150);
      expect(granted).toBe(3);
      const first = await (asked[0] as Promise<Permit>);
      first.answered?.({ throttled: false });
      first.release();
      // Its place, and one more for having been admitted.
      await vi.waitFor(() => expect(granted).toBe(5));
      for (const each of asked) (await each).release();
    });

    it('stops everybody at a 429, lets one probe out, and goes on from what was learnt', async () => {
      const [one, two] = [make({ adaptive, prefix: 'probe' }), make({ adaptive, prefix: 'probe' })];
      const first = await out(one);
      const until = Date.now() + 250;
      first.answered?.({ throttled: true, untilAt: until });
      first.release();
      const phase = async () => JSON.parse(String(await redis.hget('probe:{k}:slots', 'learnt:2'))).phase;
      await vi.waitFor(async () => expect(await phase()).toBe('paused'));
      const at: number[] = [];
      const waiting = [two, two, one].map((limiter) =>
        out(limiter).then((permit) => {
          at.push(Date.now());
          return permit;
        }),
      );
      await vi.waitFor(() => expect(at).toHaveLength(1));
      await pass(200);
      expect(at).toHaveLength(1);
      expect(Number(at[0])).toBeGreaterThanOrEqual(until - 2);
      const probe = await Promise.race(waiting);
      probe.answered?.({ throttled: false });
      for (const each of waiting) each.then((permit) => permit.release());
      await Promise.all(waiting);
      expect(JSON.parse(String(await redis.hget('probe:{k}:slots', 'learnt:2')))).toMatchObject({
        phase: 'open',
        episode: 1,
      });
    });

    it('lets all that is told to be left leave at once, of all processes together, and no more', async () => {
      const [one, two] = [make({ adaptive, prefix: 'stock' }), make({ adaptive, prefix: 'stock' })];
      const first = await out(one);
      first.answered?.({ throttled: false, quota: { policies: [], remaining: 20, resetMs: 60_000 } });
      first.release();
      const asked = Array.from({ length: 30 }, (_, i) => out(i % 2 === 0 ? one : two));
      let granted = 0;
      for (const each of asked) each.then(() => (granted += 1)).catch(() => {});
      while (granted < 20) await pass(10);
      await pass(200);
      expect(granted).toBe(20);
    });

    it('lets a burst of the user leave at once', async () => {
      const limiter = make({ adaptive, requests: 1, perMs: 60_000, burst: 15 });
      await ask(limiter, 15);
    });

    it('lets a heavier send leave, too, and its probe', async () => {
      const limiter = make({ adaptive, prefix: 'heavy' });
      const first = await limiter.acquire({ key: 'k', weight: 2 });
      first.answered?.({ throttled: true, untilAt: Date.now() + 100 });
      first.release();
      const probe = await limiter.acquire({ key: 'k', weight: 3 });
      probe.answered?.({ throttled: false });
      probe.release();
    });

    it('starts afresh where something else is kept under its key', async () => {
      await redis.hset('odd:{k}:slots', 'version', '7', 'learnt:2', '{"rate":');
      const limiter = make({ adaptive, prefix: 'odd' });
      (await out(limiter)).release();
    });

    it('gives back the slots of those who gave up', async () => {
      const limiter = make({ adaptive: { startConcurrency: 1 }, maxConcurrent: 1 });
      for (let i = 0; i < 3; i++) (await out(limiter)).release();
      const controller = new AbortController();
      const first = await out(limiter);
      const gone = rejectionOf(Promise.resolve(limiter.acquire({ key: 'k', signal: controller.signal })));
      await pass(20);
      controller.abort();
      await gone;
      first.release();
      (await out(limiter)).release();
    });
  });

  /** The same Redis, from further away. */
  const farAway = (ms: number): IoredisLike => ({
    eval: async (...args) => later(ms, () => redis.eval(...args)),
    evalsha: async (...args) => later(ms, () => redis.evalsha(...args)),
  });
  async function later(ms: number, command: () => Promise<unknown>): Promise<unknown> {
    await pass(ms / 2);
    const reply = await command();
    await pass(ms / 2);
    return reply;
  }

  it.each([
    [20, 120],
    [100, 60],
  ])('uses a limit of %i a second also where Redis takes %i ms to answer', async (perSecond, ms) => {
    // A busy machine may be late each time, but one that used half of what is due would take twice as long each time.
    await vi.waitFor(async () => {
      const limiter = make({ requests: perSecond, perMs: 1_000 }, farAway(ms));
      expect(await lastOf(() => ask(limiter, perSecond))).toBeLessThan(1_800);
    });
  });

  it('reserves nothing that maxConcurrent holds back', async () => {
    const options = { requests: 50, perMs: 1_000, prefix: 'held' };
    const narrow = make({ ...options, maxConcurrent: 1 });
    const paidAt = () => redis.hget('held:{k}:slots', '0:1000');
    const [first, ...held] = Array.from({ length: 4 }, () => narrow.acquire({ key: 'k' }));
    const permit = await first;
    const before = await paidAt();
    await pass(200);
    expect(await paidAt()).toBe(before);
    permit?.release();
    for (const each of held) (await each).release();
  });

  it('counts a heavier send for as much as it weighs', async () => {
    const limiter = make({ requests: 20, perMs: 1_000 });
    const begun = Date.now();
    for (let i = 0; i < 3; i++) (await limiter.acquire({ key: 'k', weight: 5 })).release();
    expect(Date.now() - begun).toBeGreaterThanOrEqual(495);
  });

  it('keeps keys of any kind apart, each whole in one place of a cluster', async () => {
    const limiter = make({ requests: 1_000, perMs: 1_000, prefix: 'odd keys' });
    for (const key of ['', '{', '}', '{}', 'a b', 'ü', '%', '\ud800', 'x'.repeat(1_000)]) {
      (await limiter.acquire({ key })).release();
    }
    const keys = await redis.keys('odd keys*:slots');
    expect(new Set(keys).size).toBe(9);
    for (const key of keys) expect(key).toMatch(/^odd keys:\{[^{}]+\}:slots$/);
  });

  it('pauses for a day at most, and leaves a time to live', async () => {
    const limiter = make({ requests: 1_000, perMs: 1_000, prefix: 'endless' });
    (await limiter.acquire({ key: 'k' })).release();
    limiter.pause('k', Number.POSITIVE_INFINITY);
    await vi.waitFor(async () => expect(Number(await redis.hget('endless:{k}:slots', 'until'))).toBeGreaterThan(0));
    const left = await redis.pttl('endless:{k}:slots');
    expect(left).toBeGreaterThan(86_000_000);
    expect(left).toBeLessThan(87_000_000);
  });

  it('loses one bucket to a key that holds something else, and no other', async () => {
    await redis.set('taken:{bad}:slots', 'x');
    const limiter = make({ requests: 1_000, perMs: 1_000, prefix: 'taken', onStoreLoss: 'closed' });
    const lost = vi.fn();
    limiter.onStoreLost?.(lost);
    expect(await rejectionOf(Promise.resolve(limiter.acquire({ key: 'bad' })))).toMatchObject({
      message: expect.stringMatching(/WRONGTYPE/),
    });
    (await limiter.acquire({ key: 'good' })).release();
    expect(lost).toHaveBeenCalledOnce();
    expect(lost).toHaveBeenCalledWith('bad', expect.anything());
  });

  it.each([null, 'QUEUED', [], ['x']])(
    'takes a reply of another form for a refusal, says so, and does not ask in a frenzy: %j',
    async (reply) => {
      let asked = 0;
      const begun = performance.now();
      const odd: IoredisLike = {
        eval: async () => {
          asked += 1;
          return reply;
        },
      };
      const limiter = make({ requests: 10, perMs: 1_000, onStoreLoss: 'open' }, odd);
      for (let i = 0; i < 20; i++) {
        expect(await rejectionOf(ask(limiter, 1))).toMatchObject({
          code: 'ERR_LIMIT_WAIT_TOO_LONG',
          message: expect.stringMatching(/^Redis refuses what the limiter asks.* unexpected reply/),
        });
      }
      await pass(300);
      // Four times a second.
      expect(asked).toBeLessThanOrEqual(2 + (performance.now() - begun) / 250);
    },
  );

  it('lets no more out where the store comes and goes', async () => {
    let n = 0;
    const flapping: IoredisLike = {
      eval: (...args) => (n++ % 2 === 0 ? redis.eval(...args) : Promise.reject(new Error('connect ECONNREFUSED'))),
    };
    const limiter = make({ requests: 20, perMs: 1_000, burst: 5 }, flapping);
    let granted = 0;
    const controller = new AbortController();
    const begun = performance.now();
    for (let i = 0; i < 200; i++) {
      Promise.resolve(limiter.acquire({ key: 'k', signal: controller.signal })).then(
        (permit) => {
          granted += 1;
          permit.release();
        },
        () => {},
      );
    }
    await pass(1_500);
    controller.abort();
    expect(granted).toBeLessThanOrEqual((20 * (performance.now() - begun)) / 1_000 + 5 + 5);
  });

  it('does not carry out what nobody waits for any more when Redis wakes up', async () => {
    const own = await redisServer();
    const clients = [redisClient(own.port), redisClient(own.port)];
    onTestFinished(async () => {
      own.resume();
      for (const client of clients) client.disconnect();
      await own.kill();
    });
    const limiters = clients.map((client) =>
      make({ requests: 1, perMs: 1_000, acquireTimeoutMs: 100, prefix: 'woken', onStoreLoss: 'closed' }, client),
    );
    for (const limiter of limiters) await vi.waitFor(() => ask(limiter, 1));
    await pass(1_200);
    own.stall();
    const asked = limiters.map((limiter) => ask(limiter, 3).catch(() => []));
    await Promise.all(asked);
    own.resume();
    await vi.waitFor(() => ask(limiters[0] as ReturnType<typeof make>, 1), { interval: 50 });
    const paidAt = Number(await clients[0]?.hget('woken:{k}:slots', '0:1000'));
    const [seconds, micros] = (await clients[0]?.time()) ?? [];
    // Two or three slots ahead at most, not those of six calls that have left.
    expect(paidAt - (Number(seconds) * 1_000 + Number(micros) / 1_000)).toBeLessThan(4_500);
  });

  it('is not disturbed by a clock that is 30 s off', async () => {
    const off = { ...systemClock, now: () => systemClock.now() - 30_000 };
    const options = { requests: 100, perMs: 1_000, prefix: 'skewed' };
    const [one, two] = [make(options), make(options, redisClient(server.port), off)];
    const last = await lastOf(
      () => ask(one, 15),
      () => ask(two, 15),
    );
    expect(last).toBeGreaterThanOrEqual(285);
    expect(last).toBeLessThan(29_000);
  });

  it('loads its script again when Redis has forgotten it', async () => {
    const limiter = make({ requests: 1_000, perMs: 1_000 });
    await ask(limiter, 1);
    const lost = vi.fn();
    limiter.onStoreLost?.(lost);
    await redis.script('FLUSH');
    await ask(limiter, 3);
    expect(lost).not.toHaveBeenCalled();
  });

  it('starts a fresh window when Redis has forgotten everything', async () => {
    const limiter = make({ requests: 1_000, perMs: 1_000 });
    await ask(limiter, 3);
    await redis.flushall();
    await ask(limiter, 3);
  });

  it('leaves nothing in Redis for ever', async () => {
    const limiter = make({ requests: 1_000, perMs: 1_000, prefix: 'gone' });
    await ask(limiter, 3);
    const keys = await redis.keys('gone*');
    expect(keys).toHaveLength(2);
    for (const key of keys) expect(await redis.pttl(key)).toBeGreaterThan(0);
  });

  it('works through a five-line adapter of another client', async () => {
    const other = {
      eval: (script: string, keys: number, ...rest: string[]) => redis.eval(script, keys, ...rest),
      evalsha: (sha: string, keys: number, ...rest: string[]) => redis.evalsha(sha, keys, ...rest),
    };
    const limiter = redisLimiter({ redis: other, requests: 1_000, perMs: 1_000 });
    await ask(limiter, 3);
    await limiter.close();
  });

  describe('when Redis', () => {
    /** A server of its own, which may be hurt. */
    async function fragile(options: Omit<RedisLimiterOptions, 'redis'>) {
      const own = await redisServer();
      const client = redisClient(own.port);
      onTestFinished(async () => {
        own.resume();
        client.disconnect();
        await own.kill();
      });
      // Also a Redis that is there takes its time on a busy machine.
      const limiter = make({ requests: 1_000, perMs: 1_000, acquireTimeoutMs: 500, ...options }, client);
      await client.ping();
      await ask(limiter, 1);
      /** When it was lost, each time. */
      const lostAt: number[] = [];
      const lost = vi.fn(() => lostAt.push(Date.now()));
      limiter.onStoreLost?.(lost);
      return { own, limiter, lost, lostAt };
    }

    it('stalls, goes on with its share, says so once, and comes back', async () => {
      const { own, limiter, lost, lostAt } = await fragile({ requests: 100 });
      own.stall();
      const at = await ask(limiter, 10);
      // 9 intervals of 10 ms: it kept to the windows on its own.
      expect(Number(at.at(-1)) - Number(lostAt[0])).toBeGreaterThanOrEqual(85);
      expect(lost).toHaveBeenCalledTimes(1);
      expect(lost).toHaveBeenCalledWith('k', expect.objectContaining({ code: 'ETIMEDOUT' }));
      own.resume();
      await vi.waitFor(async () => {
        await ask(limiter, 1);
        own.stall();
        await ask(limiter, 1);
        own.resume();
        expect(lost.mock.calls.length).toBeGreaterThanOrEqual(2);
      });
    });

    it('hiccups, keeps what was left of the burst of a long window, on its own and afterwards', {
      timeout: 60_000,
    }, async () => {
      const hour = { requests: 1_000, perMs: 3_600_000, burst: 1_000 };
      const windows = [{ requests: 50, perMs: 1_000 }, hour];
      const { own, limiter, lost } = await fragile({ requests: undefined, perMs: undefined, windows });
      own.stall();
      // At the pace of the hour, one in 3.6 s, it would take longer than a test may.
      await ask(limiter, 20);
      expect(lost).toHaveBeenCalledTimes(1);
      own.resume();
      await ask(limiter, 60);
    });

    it('was away for a moment, goes on at once where there is a long window with a burst, and charges that', async () => {
      const windows = [
        { requests: 50, perMs: 1_000 },
        { requests: 5, perMs: 3_600_000, burst: 5 },
      ];
      // It has asked for one permit.
      const { own, limiter, lost } = await fragile({ requests: undefined, perMs: undefined, windows });
      own.stall();
      await ask(limiter, 2);
      expect(lost).toHaveBeenCalledTimes(1);
      own.resume();
      const at: number[] = [];
      const rest = Array.from({ length: 4 }, () => ask(limiter, 1).then((asked) => at.push(...asked)));
      // At the pace of the hour it would be 12 minutes.
      await vi.waitFor(() => expect(at).toHaveLength(2));
      await pass(500);
      expect(at).toHaveLength(2);
      await limiter.close();
      await Promise.allSettled(rest);
    });

    it('was away, charges the windows with what left meanwhile, and no more than their bursts', async () => {
      const windows = [{ requests: 4, perMs: 3_600_000, burst: 4 }];
      const { own, limiter } = await fragile({ requests: undefined, perMs: undefined, windows });
      own.stall();
      await ask(limiter, 2);
      own.resume();
      const at: number[] = [];
      const rest = Array.from({ length: 3 }, () => ask(limiter, 1).then((asked) => at.push(...asked)));
      await vi.waitFor(() => expect(at).toHaveLength(1));
      await pass(500);
      expect(at).toHaveLength(1);
      await limiter.close();
      await Promise.allSettled(rest);
    });

    it('is gone, goes on with its share of a bucket that it has not heard of, too', async () => {
      const { own, limiter, lostAt } = await fragile({ requests: 100, prefix: 'unheard' });
      const client = redisClient(own.port);
      onTestFinished(() => client.disconnect());
      const others = [1, 2, 3].map(() => make({ requests: 100, perMs: 1_000, prefix: 'unheard' }, client));
      for (const each of [...others, limiter]) await ask(each, 3);
      await own.kill();
      const at = await ask(limiter, 6, 'another');
      // A quarter of a hundred a second: five intervals of 40 ms.
      expect(Number(at.at(-1)) - Number(lostAt[0])).toBeGreaterThanOrEqual(190);
    });

    it('is gone, lets everything through, if it was told so', async () => {
      const { own, limiter, lost } = await fragile({ requests: 1, perMs: 60_000, onStoreLoss: 'open' });
      await own.kill();
      await ask(limiter, 100);
      expect(lost).toHaveBeenCalled();
    });

    it('is gone, refuses everybody, if it was told so, until it is back', async () => {
      const { own, limiter } = await fragile({ onStoreLoss: 'closed' });
      await own.kill();
      const refused = await rejectionOf(ask(limiter, 1));
      expect(refused).toMatchObject({
        code: 'ERR_LIMIT_WAIT_TOO_LONG',
        message: expect.stringMatching(/onStoreLoss is 'closed'.*Redis did not answer within 500 ms/),
      });
      expect((refused as Error).cause).toBeInstanceOf(Error);
      expect(await rejectionOf(ask(limiter, 1))).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
      await own.start();
      await vi.waitFor(() => ask(limiter, 1), { interval: 50 });
    });
  });
});

describe('the options of redisLimiter', () => {
  const redis = { eval: async () => [], evalsha: async () => [] };
  it.each<[object, RegExp]>([
    [{}, /limit\.redis must be a client of ioredis or node-redis, or one with eval\(\)/],
    [{ redis: {} }, /limit\.redis must be a client of ioredis or node-redis, or one with eval\(\)/],
    [{ redis, prefix: '' }, /limit\.prefix must be a non-empty string without braces/],
    ...['a{b', 'a}b', 'a{}', '{a}{b}', '{{a}}'].map((prefix): [object, RegExp] => [{ redis, prefix }, /limit\.prefix/]),
    [{ redis, onStoreLoss: 'shut' }, /limit\.onStoreLoss must be 'local' or 'open' or 'closed'/],
    [{ redis, acquireTimeoutMs: 0 }, /limit\.acquireTimeoutMs must be a number of at least 1/],
    [{ redis, requests: 5 }, /limit\.perMs must be given with limit\.requests/],
  ])('are refused when they are wrong: %j', (options, message) => {
    expect(() => redisLimiter(options as LimitOptions & { redis: never })).toThrow(InvalidPolicyError);
    expect(() => redisLimiter(options as LimitOptions & { redis: never })).toThrow(message);
  });
});
