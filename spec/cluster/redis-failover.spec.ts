import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Limiter } from 'axios-holdfast';
import { type RedisClient, redisLimiter, redisTokenStore } from 'axios-holdfast/redis';
import { Redis } from 'ioredis';
import * as nodeRedis5 from 'redis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { rejectionOf } from '../support/attached.ts';
import { noRedis, redisClient, redisServer } from '../support/redis-server.ts';

/** See the specs of single clients. */
const nodeRedis6: typeof nodeRedis5 = await import('redis-6' as string);

const take = async (limiter: Limiter) => (await limiter.acquire({ key: 'k' })).release();

async function node() {
  const server = await redisServer(['--repl-diskless-sync-delay', '0']);
  const client = redisClient(server.port);
  onTestFinished(async () => {
    client.disconnect();
    await server.kill();
  });
  return { port: server.port, client };
}

/**
 * A master and its replica behind one name, as many services have them. `fail()` promotes the replica and has the name lead there;
 * connections that stand stay with the old master, which takes no more writes.
 */
async function pair() {
  const [first, second] = [await node(), await node()];
  await second.client.replicaof('127.0.0.1', first.port);
  const isLinked = async () => expect(await second.client.info('replication')).toContain('master_link_status:up');
  await vi.waitFor(isLinked);
  let current = first;
  const name = createServer((incoming) => {
    const outgoing = connect(current.port, '127.0.0.1');
    incoming.pipe(outgoing).pipe(incoming);
    for (const [one, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(name, 'listening');
  onTestFinished(() => void name.close());
  return {
    port: (name.address() as { port: number }).port,
    successor: second.client,
    async fail() {
      await second.client.call('REPLICAOF', 'NO', 'ONE');
      await first.client.replicaof('127.0.0.1', second.port);
      current = second;
    },
  };
}

const ofIoredis = (port: number, options = {}): Redis => {
  const redis = new Redis({ port, host: '127.0.0.1', ...options });
  redis.on('error', () => {});
  onTestFinished(() => redis.disconnect());
  return redis;
};
const ofNodeRedis = async ({ createClient }: typeof nodeRedis5, port: number, listens = true) => {
  const client = createClient({ socket: { port, host: '127.0.0.1' } });
  if (listens) client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.destroy());
  return client;
};

describe.skipIf(noRedis !== undefined)('a failover behind one name', () => {
  const CLIENTS: readonly [string, (port: number) => RedisClient | Promise<RedisClient>][] = [
    ['ioredis', ofIoredis],
    ['node-redis 5', (port) => ofNodeRedis(nodeRedis5, port)],
    ['node-redis 6', (port) => ofNodeRedis(nodeRedis6, port)],
  ];

  it.each(CLIENTS)('has the client connect anew, and the fleet shares again: %s', async (_name, made) => {
    const { port, successor, fail } = await pair();
    const redis = await made(port);
    const limiter = redisLimiter({ redis, requests: 100, perMs: 1_000 });
    const store = redisTokenStore({ redis, key: 'app' });
    onTestFinished(() => limiter.close());
    await take(limiter);
    expect(await store.refresh('a', 0, async () => ({ value: 'one' }))).toMatchObject({ generation: 1 });
    await fail();
    // Nobody waits for it: meanwhile each goes on alone.
    for (let i = 0; i < 5; i++) await take(limiter);
    await successor.flushall();
    await vi.waitFor(async () => {
      await take(limiter);
      expect(await successor.zcard('holdfast:limit:{k}:members')).toBe(1);
    });
    expect(await store.refresh('a', 0, async () => ({ value: 'two' }))).toMatchObject({ value: 'two', generation: 1 });
    expect(await successor.exists('{app:a}:token')).toBe(1);
  });

  it('has it connect anew for a token store, too', async () => {
    const { port, successor, fail } = await pair();
    const store = redisTokenStore({ redis: ofIoredis(port), key: 'app', onStoreLoss: 'closed' });
    await store.refresh('a', 0, async () => ({ value: 'one' }));
    await fail();
    await rejectionOf(store.refresh('a', 1, async () => ({ value: 'two' })));
    await vi.waitFor(() => store.refresh('a', 1, async () => ({ value: 'two' })), { interval: 100 });
    expect(await successor.exists('{app:a}:token')).toBe(1);
  });

  it.each<[string, (port: number) => RedisClient | Promise<RedisClient>]>([
    ['that makes no other connection', (port) => ofIoredis(port, { retryStrategy: null })],
    ['whose errors nobody listens to', (port) => ofNodeRedis(nodeRedis5, port, false)],
    [
      'of a few lines',
      (port) => {
        const redis = ofIoredis(port);
        return { eval: (script: string, count: number, ...rest: string[]) => redis.eval(script, count, ...rest) };
      },
    ],
  ])('leaves the connection of a client %s alone, and goes on alone', async (_what, made) => {
    const { port, successor, fail } = await pair();
    const redis = await made(port);
    const [limiter, strict] = [
      redisLimiter({ redis, requests: 100, perMs: 1_000 }),
      redisLimiter({ redis, requests: 100, perMs: 1_000, onStoreLoss: 'closed' }),
    ];
    onTestFinished(async () => void (await Promise.all([limiter.close(), strict.close()])));
    await take(limiter);
    await fail();
    await successor.flushall();
    for (let i = 0; i < 60; i++) await take(limiter);
    expect(await rejectionOf(take(strict))).toMatchObject({ message: expect.stringContaining('READONLY') });
    expect(await successor.dbsize()).toBe(0);
  });
});
