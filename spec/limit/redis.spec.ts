import { setTimeout as pass } from 'node:timers/promises';
import { InvalidPolicyError, type LimitOptions, type Permit } from 'axios-holdfast';
import { type RedisLimiterOptions, redisLimiter } from 'axios-holdfast/redis';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { redisLimiterWith } from '../../lib/limit/redis.ts';
import { systemClock } from '../../lib/wait/clock.ts';
import { rejectionOf } from '../support/attached.ts';
import { noRedis, type RedisServer, redisClient, redisServer } from '../support/redis-server.ts';
import { limiterContract } from './contract.ts';

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
  function make(options: Omit<RedisLimiterOptions, 'redis'>, client = redis, clock = systemClock) {
    const limiter = redisLimiterWith(clock, { prefix: `test ${tests++}`, ...options, redis: client });
    onTestFinished(() => limiter.close());
    return limiter;
  }

  limiterContract(redisLimiter.name, () => ({
    limiter: (options) => make(options),
    pass: (ms) => pass(ms),
    now: () => Date.now(),
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

  it('gives the slots of a window to all who share it, each to one', async () => {
    const options = { requests: 100, perMs: 1_000, prefix: 'shared' };
    const [one, two] = [make(options), make(options, redisClient(server.port))];
    const at = (await Promise.all([ask(one, 20), ask(two, 20)])).flat().sort((a, b) => a - b);
    // 40 sends are 39 intervals of 10 ms apart, at least.
    expect(Number(at.at(-1)) - Number(at[0])).toBeGreaterThanOrEqual(385);
  });

  it('reserves for all calls of one turn in one round trip', async () => {
    const evalsha = vi.spyOn(redis, 'evalsha');
    onTestFinished(() => evalsha.mockRestore());
    const limiter = make({ requests: 1_000_000, perMs: 1_000, burst: 10_000 });
    await ask(limiter, 1_000);
    expect(evalsha).toHaveBeenCalledTimes(1);
  });

  it('reserves no more than falls due within 50 ms, however many wait', async () => {
    const limiter = make({ requests: 1_000, perMs: 1_000, prefix: 'horizon' });
    const asked = ask(limiter, 300);
    await pass(30);
    const paidAt = Number(await redis.hget('horizon:{k}:slots', '0:1000'));
    const [seconds, micros] = await redis.time();
    expect(paidAt - (Number(seconds) * 1_000 + Number(micros) / 1_000)).toBeLessThan(60);
    await asked;
  });

  it('holds several windows at once', async () => {
    const limiter = make({ requests: 100, perMs: 100, burst: 100, windows: [{ requests: 20, perMs: 200, burst: 2 }] });
    const at = await ask(limiter, 12);
    expect(Number(at.at(-1)) - Number(at[0])).toBeGreaterThanOrEqual(95);
  });

  it('stops everybody for the pause that one of them met', async () => {
    const options = { requests: 1_000, perMs: 1_000, prefix: 'pause' };
    const [one, two] = [make(options), make(options, redisClient(server.port))];
    await Promise.all([ask(one, 1), ask(two, 1)]);
    await pass(120);
    const until = Date.now() + 300;
    const permit = await one.acquire({ key: 'k' });
    permit.answered?.({ throttled: true, untilAt: until });
    permit.release();
    await pass(20);
    const at = await ask(two, 3);
    expect(Math.min(...at)).toBeGreaterThanOrEqual(until - 1);
  });

  describe('that learns', () => {
    const adaptive = { startConcurrency: 3 };
    const out = (limiter: ReturnType<typeof make>) => Promise.resolve(limiter.acquire({ key: 'k' }));

    it('starts with so many sends of all processes together', async () => {
      const [one, two] = [make({ adaptive, prefix: 'start' }), make({ adaptive, prefix: 'start' })];
      const asked = [one, two, one, two, one].map(out);
      let granted = 0;
      for (const each of asked) each.then(() => (granted += 1));
      await pass(150);
      expect(granted).toBe(3);
      const first = await (asked[0] as Promise<Permit>);
      first.answered?.({ throttled: false });
      first.release();
      await pass(200);
      // Its place, and one more for having been admitted.
      expect(granted).toBe(5);
      for (const each of asked) (await each).release();
    });

    it('stops everybody at a 429, lets one probe out, and goes on from what was learnt', async () => {
      const [one, two] = [make({ adaptive, prefix: 'probe' }), make({ adaptive, prefix: 'probe' })];
      const first = await out(one);
      const until = Date.now() + 250;
      first.answered?.({ throttled: true, untilAt: until });
      first.release();
      await pass(30);
      const at: number[] = [];
      const waiting = [two, two, one].map((limiter) =>
        out(limiter).then((permit) => {
          at.push(Date.now());
          return permit;
        }),
      );
      await pass(450);
      expect(at).toHaveLength(1);
      expect(Number(at[0])).toBeGreaterThanOrEqual(until - 2);
      const probe = await Promise.race(waiting);
      probe.answered?.({ throttled: false });
      for (const each of waiting) each.then((permit) => permit.release());
      await Promise.all(waiting);
      expect(JSON.parse(String(await redis.hget('probe:{k}:slots', 'learnt:1')))).toMatchObject({
        phase: 'open',
        episode: 1,
      });
    });

    it('starts afresh where something else is kept under its key', async () => {
      await redis.hset('odd:{k}:slots', 'version', '7', 'learnt:1', '{"rate":');
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

  it('is not disturbed by a clock that is 30 s off', async () => {
    const off = { ...systemClock, now: () => systemClock.now() - 30_000 };
    const options = { requests: 100, perMs: 1_000, prefix: 'skewed' };
    const [one, two] = [make(options), make(options, redisClient(server.port), off)];
    const at = (await Promise.all([ask(one, 15), ask(two, 15)])).flat().sort((a, b) => a - b);
    expect(Number(at.at(-1)) - Number(at[0])).toBeGreaterThanOrEqual(285);
    expect(Number(at.at(-1)) - Number(at[0])).toBeLessThan(10_000);
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
      script: (_load: 'LOAD', script: string) => redis.script('LOAD', script),
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
      const limiter = make({ requests: 1_000, perMs: 1_000, acquireTimeoutMs: 150, ...options }, client);
      await ask(limiter, 1);
      const lost = vi.fn();
      limiter.onStoreLost?.(lost);
      return { own, limiter, lost };
    }

    it('stalls, goes on with its share, says so once, and comes back', async () => {
      const { own, limiter, lost } = await fragile({ requests: 100 });
      own.stall();
      const at = await ask(limiter, 10);
      // 9 intervals of 10 ms: it kept to the windows on its own.
      expect(Number(at.at(-1)) - Number(at[0])).toBeGreaterThanOrEqual(85);
      expect(lost).toHaveBeenCalledTimes(1);
      expect(lost).toHaveBeenCalledWith('k', expect.objectContaining({ code: 'ETIMEDOUT' }));
      own.resume();
      await vi.waitFor(async () => {
        await ask(limiter, 1);
        own.stall();
        await ask(limiter, 1);
        own.resume();
        expect(lost).toHaveBeenCalledTimes(2);
      }, 5_000);
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
        message: /onStoreLoss is 'closed'.*Redis did not answer within 150 ms/,
      });
      expect((refused as Error).cause).toBeInstanceOf(Error);
      expect(await rejectionOf(ask(limiter, 1))).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
      await own.start();
      await vi.waitFor(() => ask(limiter, 1), { timeout: 5_000, interval: 50 });
    });
  });
});

describe('the options of redisLimiter', () => {
  const redis = { eval: async () => [], evalsha: async () => [], script: async () => '' };
  it.each<[object, RegExp]>([
    [{}, /limit\.redis must be a client with evalsha\(\)/],
    [{ redis: {} }, /limit\.redis must be a client with evalsha\(\)/],
    [{ redis, prefix: '' }, /limit\.prefix must be a non-empty string without braces/],
    [{ redis, prefix: 'a{b}' }, /limit\.prefix/],
    [{ redis, onStoreLoss: 'shut' }, /limit\.onStoreLoss must be 'local' or 'open' or 'closed'/],
    [{ redis, acquireTimeoutMs: 0 }, /limit\.acquireTimeoutMs must be a number of at least 1/],
    [{ redis, requests: 5 }, /limit\.perMs must be given with limit\.requests/],
  ])('are refused when they are wrong: %j', (options, message) => {
    expect(() => redisLimiter(options as LimitOptions & { redis: never })).toThrow(InvalidPolicyError);
    expect(() => redisLimiter(options as LimitOptions & { redis: never })).toThrow(message);
  });
});
