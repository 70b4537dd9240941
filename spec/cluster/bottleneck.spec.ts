import Bottleneck from 'bottleneck';
import { Redis } from 'ioredis';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type BottleneckLimiterOptions, bottleneckLimiter } from '../../lib/limit/bottleneck/bottleneck-limiter.ts';
import type { Permit } from '../../lib/limit/limiter.ts';
import { rejectionOf } from '../support/attached.ts';
import { noRedis, type RedisServer, redisClient, redisServer } from '../support/redis-server.ts';
import { unhandledDuring } from '../support/unhandled.ts';

const key = 'https://api.example.com';

/** Each test has keys of its own in Redis. */
let ids = 0;

describe.skipIf(noRedis !== undefined)('a Bottleneck that is clustered over Redis', () => {
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await redisServer();
    return () => redis.kill();
  });

  const settings = (more: Bottleneck.ConstructorOptions = {}): Bottleneck.ConstructorOptions => ({
    datastore: 'ioredis',
    Redis,
    clientOptions: { port: redis.port, host: '127.0.0.1', retryStrategy: () => 100 },
    heartbeatInterval: 100,
    ...more,
  });

  /** So many limiters over the same keys, each with a connection of its own as if it were a process. */
  function fleet(more: Bottleneck.ConstructorOptions, options: BottleneckLimiterOptions = {}) {
    const id = `limiter-${ids++}`;
    const member = () => {
      const limiter = bottleneckLimiter(settings({ id, ...more }), options);
      onTestFinished(() => limiter.close());
      return limiter;
    };
    return { id, member };
  }

  async function command(...args: [string, ...string[]]): Promise<unknown> {
    const client = redisClient(redis.port);
    try {
      return await client.call(...args);
    } finally {
      client.disconnect();
    }
  }

  it('shares its slots', async () => {
    const { member } = fleet({ maxConcurrent: 1 });
    const [one, other] = [member(), member()];
    const first = await one.acquire({ key });
    const second = other.acquire({ key });
    expect(await (await other)?.stats().running).toBe(0);
    first.release();
    (await second).release();
  });

  it('goes on after a flush, time after time', async () => {
    const limiter = fleet({ maxConcurrent: 2 }).member();
    const unhandled = await unhandledDuring(async () => {
      for (let round = 0; round < 3; round++) {
        const held = await limiter.acquire({ key });
        await command('FLUSHALL');
        const permits = [await limiter.acquire({ key }), await limiter.acquire({ key })];
        held.release();
        for (const permit of permits) permit.release();
      }
    });
    expect(unhandled).toEqual([]);
    expect(limiter.stats()).toEqual({ queued: 0, running: 0, paused: 0 });
  });

  it('does so with a Group, and with one connection for all', async () => {
    const connection = new Bottleneck.IORedisConnection({ Redis, clientOptions: settings().clientOptions });
    onTestFinished(() => connection.disconnect(false));
    const group = new Bottleneck.Group({ connection, maxConcurrent: 1, id: 'group' });
    const limiter = bottleneckLimiter(group);
    for (const name of ['a', 'b']) (await limiter.acquire({ key: name })).release();
    await command('FLUSHALL');
    for (const name of ['a', 'b', 'c']) (await limiter.acquire({ key: name })).release();
    expect(limiter.stats()).toMatchObject({ queued: 0, running: 0 });
  });

  it('does not forget after a flush those who were waiting, though nobody else comes', async () => {
    const hour = 3_600_000;
    const { id, member } = fleet({ reservoir: 1, reservoirRefreshInterval: hour, reservoirRefreshAmount: 1 });
    const limiter = member();
    (await limiter.acquire({ key })).release();
    const waiting = limiter.acquire({ key });
    // Only when it has been entered there would the flush find it waiting.
    while ((await command('HVALS', `b_${id}_client_num_queued`))?.toString() !== '1');
    await command('FLUSHALL');
    (await waiting).release();
  });

  it('goes on after Redis was restarted, and lets nobody wait longer than maxWaitMs meanwhile', async () => {
    const limiter = fleet({ maxConcurrent: 2 }, { maxWaitMs: 1_000 }).member();
    const unhandled = await unhandledDuring(async () => {
      (await limiter.acquire({ key })).release();
      await redis.kill();
      expect(await rejectionOf(limiter.acquire({ key }) as Promise<Permit>)).toMatchObject({
        code: 'ERR_LIMIT_WAIT_TOO_LONG',
      });
      await redis.start();
      for (;;) {
        const permit = await (limiter.acquire({ key }) as Promise<Permit>).catch(() => undefined);
        permit?.release();
        if (permit) break;
      }
    });
    expect(unhandled).toEqual([]);
  });

  it('refuses a weight that never fits, in words', async () => {
    const limiter = fleet({ maxConcurrent: 5 }).member();
    const error = await rejectionOf(limiter.acquire({ key, weight: 6 }) as Promise<Permit>);
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({
      cause: { message: expect.stringContaining('a weight of 6 to a limiter having a maxConcurrent setting of 5') },
    });
  });

  it('passes on what Redis says, to whoever asks and to nobody else', async () => {
    const { id, member } = fleet({ maxConcurrent: 1 });
    await command('SET', `b_${id}_settings`, 'somebody else’s');
    const unhandled = await unhandledDuring(async () => {
      const limiter = member();
      while (!String(await command('INFO', 'errorstats')).includes('WRONGTYPE'));
      expect(await rejectionOf(limiter.acquire({ key }) as Promise<Permit>)).toMatchObject({
        message: expect.stringContaining('WRONGTYPE'),
      });
    });
    expect(unhandled).toEqual([]);
  });

  it('gets the slots of a process that was killed back', async () => {
    const id = `limiter-${ids++}`;
    const dying = new Bottleneck(settings({ id, maxConcurrent: 1 }));
    await bottleneckLimiter(dying, { expirationMs: 1_000 }).acquire({ key });
    await dying.disconnect(false);
    const survivor = bottleneckLimiter(settings({ id, maxConcurrent: 1 }));
    onTestFinished(() => survivor.close());
    (await survivor.acquire({ key })).release();
  });

  it('takes the slot of a send that outlives its expiration, and nothing else comes of that', async () => {
    const limiter = fleet({ maxConcurrent: 1 }, { expirationMs: 1_000 }).member();
    const unhandled = await unhandledDuring(async () => {
      const slow = await limiter.acquire({ key });
      const next = await limiter.acquire({ key });
      expect(limiter.stats()).toMatchObject({ running: 2 });
      slow.release();
      next.release();
      (await limiter.acquire({ key })).release();
    });
    expect(unhandled).toEqual([]);
    expect(limiter.stats()).toMatchObject({ running: 0 });
  });

  it('gives its slots back and leaves no connection when it is closed', async () => {
    const { member } = fleet({ maxConcurrent: 1 });
    const [one, other] = [member(), member()];
    const unhandled = await unhandledDuring(async () => {
      const permit = await one.acquire({ key });
      const waiting = rejectionOf(one.acquire({ key }) as Promise<Permit>);
      await one.close();
      expect(await waiting).toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
      permit.release();
      (await other.acquire({ key })).release();
      await other.close();
    });
    expect(unhandled).toEqual([]);
    // Soon nobody is left but who asks.
    const clients = async () =>
      String(await command('CLIENT', 'LIST'))
        .trim()
        .split('\n').length;
    while ((await clients()) > 1);
  });

  it('can be closed while Redis does not answer', async () => {
    const limiter = fleet({ maxConcurrent: 1 }).member();
    const unhandled = await unhandledDuring(async () => {
      const permit = await limiter.acquire({ key });
      redis.stall();
      const waiting = rejectionOf(limiter.acquire({ key }) as Promise<Permit>);
      await limiter.close();
      expect(await waiting).toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
      permit.release();
      redis.resume();
    });
    expect(unhandled).toEqual([]);
  });
});
