import { type RedisClient, redisLimiter, redisTokenStore } from 'axios-holdfast/redis';
import type { Redis } from 'ioredis';
import * as nodeRedis5 from 'redis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { rejectionOf } from '../support/attached.ts';
import { noRedis, type RedisServer, redisClient, redisServer } from '../support/redis-server.ts';

/** The next major version, by another name; not by its own types, so that a checkout whose packages are older still compiles. */
const nodeRedis6: typeof nodeRedis5 = await import('redis-6' as string);

let server: RedisServer;
let admin: Redis;
beforeAll(async () => {
  if (noRedis !== undefined) return;
  server = await redisServer();
  admin = redisClient(server.port);
});
afterAll(async () => {
  admin?.disconnect();
  await server?.kill();
});

/** Whatever has these two is closed when the test ends. */
function closing<T extends { destroy(): unknown; on(event: 'error', listener: () => void): unknown }>(client: T): T {
  client.on('error', () => {});
  onTestFinished(async () => void (await client.destroy()));
  return client;
}
const socket = () => ({ socket: { host: '127.0.0.1', port: server.port } });

const CLIENTS: readonly [string, () => RedisClient | Promise<RedisClient>][] = [
  ['ioredis', () => admin],
  ['node-redis 5', () => closing(nodeRedis5.createClient(socket())).connect()],
  ['node-redis 6', () => closing(nodeRedis6.createClient(socket())).connect()],
  ['node-redis 5 with RESP 3', () => closing(nodeRedis5.createClient({ ...socket(), RESP: 3 })).connect()],
  [
    'a pool of node-redis 5',
    async () => {
      const pool = closing(nodeRedis5.createClientPool(socket()));
      await pool.connect();
      return pool;
    },
  ],
  [
    'a pool of node-redis 6',
    async () => {
      const pool = closing(nodeRedis6.createClientPool(socket()));
      await pool.connect();
      return pool;
    },
  ],
  [
    'a few lines over another client',
    () => ({
      eval: (script: string, count: number, ...rest: string[]) => admin.eval(script, count, ...rest),
      evalsha: (sha: string, count: number, ...rest: string[]) => admin.evalsha(sha, count, ...rest),
    }),
  ],
  [
    'one line over another client',
    () => ({ eval: (script: string, count: number, ...rest: string[]) => admin.eval(script, count, ...rest) }),
  ],
];

let tests = 0;

describe.skipIf(noRedis !== undefined).each(CLIENTS)('a client is taken as it is: %s', (_name, connected) => {
  it.each([false, true])('by a limiter that learns: %s', async (adaptive) => {
    const redis = await connected();
    const prefix = `clients ${tests++}`;
    const limiters = [redis, admin].map((each) =>
      redisLimiter({
        redis: each,
        prefix,
        requests: 20,
        perMs: 1_000,
        adaptive,
        onStoreLoss: 'closed',
        acquireTimeoutMs: 30_000,
      }),
    );
    onTestFinished(async () => void (await Promise.all(limiters.map((limiter) => limiter.close()))));
    const begun = performance.now();
    await Promise.all(
      limiters.map(async (limiter) => {
        for (let i = 0; i < 4; i++) {
          const permit = await limiter.acquire({ key: 'k' });
          permit.answered?.({ throttled: false });
          permit.release();
        }
      }),
    );
    // Eight sends are seven intervals of 50 ms apart: they share it.
    expect(performance.now() - begun).toBeGreaterThanOrEqual(345);
    expect(await admin.zcard(`${prefix}:{k}:members`)).toBe(2);
  });

  it('by a token store', async () => {
    const key = `clients ${tests++}`;
    const ours = redisTokenStore({ redis: await connected(), key, onStoreLoss: 'closed' });
    const others = redisTokenStore({ redis: admin, key });
    const expiresAt = Date.now() + 60_000;
    const refresh = vi.fn(async () => ({ value: 'one', expiresAt, refreshToken: 'r1' }));
    const [one, other] = await Promise.all([ours.refresh('a', 0, refresh), others.refresh('a', 0, refresh)]);
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(one).toMatchObject({ value: 'one', refreshToken: 'r1', generation: 1 });
    expect(other).toMatchObject({ value: 'one', refreshToken: 'r1', generation: 1 });
    expect(await ours.read('a')).toMatchObject({ value: 'one', generation: 1 });
  });
});

describe.skipIf(noRedis !== undefined)('a script', () => {
  const calls = async (name: string) => {
    const [, count = '0'] = new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(await admin.info('commandstats')) ?? [];
    return Number(count);
  };
  const take = async (limiter: ReturnType<typeof redisLimiter>) => (await limiter.acquire({ key: 'k' })).release();

  it('is sent once, and then goes by its digest, without SCRIPT LOAD; one that was forgotten is sent again', async () => {
    const limiter = redisLimiter({ redis: admin, prefix: `script ${tests++}`, requests: 1_000, perMs: 1_000 });
    onTestFinished(() => limiter.close());
    const [digested, loaded] = [await calls('evalsha'), await calls('script\\|load')];
    // As soon as there is a digest.
    await vi.waitFor(async () => {
      await take(limiter);
      expect(await calls('evalsha')).toBeGreaterThan(digested);
    });
    const sent = await calls('eval');
    for (let i = 0; i < 20; i++) await take(limiter);
    expect(await calls('eval')).toBe(sent);
    await admin.script('FLUSH');
    const lost = vi.fn();
    limiter.onStoreLost?.(lost);
    for (let i = 0; i < 20; i++) await take(limiter);
    expect(await calls('eval')).toBe(sent + 1);
    expect(await calls('script\\|load')).toBe(loaded);
    expect(lost).not.toHaveBeenCalled();
  });

  it('goes in full where the platform has no WebCrypto', async () => {
    vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) });
    onTestFinished(() => void vi.unstubAllGlobals());
    // Of its own: the digest of one that has been used is known.
    const redis = redisClient(server.port);
    onTestFinished(() => redis.disconnect());
    const limiter = redisLimiter({ redis, prefix: `script ${tests++}`, requests: 1_000, perMs: 1_000 });
    onTestFinished(() => limiter.close());
    const before = await calls('evalsha');
    for (let i = 0; i < 5; i++) await take(limiter);
    expect(await calls('evalsha')).toBe(before);
  });
});

describe('what is no client', () => {
  it.each([undefined, null, 'redis://localhost', {}, { evalsha: async () => [] }, () => ({})])(
    'is refused: %j',
    (redis) => {
      const given = { redis: redis as never, key: 'k' };
      expect(() => redisTokenStore(given)).toThrow('redis must be a client of ioredis or node-redis');
      expect(() => redisLimiter({ redis: redis as never })).toThrow(
        'limit.redis must be a client of ioredis or node-redis',
      );
    },
  );

  it('is told of where it has the right names: a client that takes arrays', async () => {
    const arrays = async (_script: string, keys: string[], args: string[]) => [...keys, ...args];
    const limiter = redisLimiter({ redis: { eval: arrays, evalsha: arrays } as never, requests: 1, perMs: 1_000 });
    onTestFinished(() => limiter.close());
    expect(await rejectionOf(Promise.resolve(limiter.acquire({ key: 'k' })))).toMatchObject({
      message: expect.stringMatching(/the client failed, which has to be a client of ioredis or node-redis/),
    });
  });

  it('is told of where it has the right names: a client with callbacks', async () => {
    const callbacks = { eval: () => true, evalsha: () => true } as unknown as RedisClient;
    const limiter = redisLimiter({ redis: callbacks, requests: 1, perMs: 1_000 });
    onTestFinished(() => limiter.close());
    expect(await rejectionOf(Promise.resolve(limiter.acquire({ key: 'k' })))).toMatchObject({
      message: expect.stringContaining('unexpected reply, true'),
    });
  });
});
