import { setTimeout as pass } from 'node:timers/promises';
import type { Limiter, Permit } from 'axios-holdfast';
import { type RedisClient, type RedisLimiterOptions, redisLimiter, redisTokenStore } from 'axios-holdfast/redis';
import type { Cluster } from 'ioredis';
import * as nodeRedis5 from 'redis';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { limiterContract } from '../limit/contract.ts';
import { rejectionOf } from '../support/attached.ts';
import { layersOf } from '../support/layers.ts';
import { type ClusterNode, clusterClient, type RedisCluster, redisCluster } from '../support/redis-cluster.ts';
import { noRedis, redisClient } from '../support/redis-server.ts';
import { underOneKey } from '../support/under-one-key.ts';

/** See the specs of single clients. */
const nodeRedis6: typeof nodeRedis5 = await import('redis-6' as string);

let tests = 0;

describe.skipIf(noRedis !== undefined)('a Redis Cluster of three masters with a replica each', () => {
  let cluster: RedisCluster;
  let shared: RedisClient;
  beforeAll(async () => {
    cluster = await redisCluster();
    const client = clusterClient(cluster);
    shared = client;
    return async () => {
      client.disconnect();
      await cluster.stop();
    };
  });

  /** A limiter of its own, unless it is told a prefix. */
  function make(options: Omit<RedisLimiterOptions, 'redis'>, redis = shared): Limiter {
    const limiter = redisLimiter({ prefix: `test ${tests++}`, ...options, redis });
    onTestFinished(() => limiter.close());
    return limiter;
  }
  const take = async (limiter: Limiter, key: string) => (await limiter.acquire({ key })).release();
  const placeOf = (prefix: string, key: string) => `${prefix}:{${key}}:slots`;

  limiterContract('keeps what every limiter keeps', () => ({
    limiter: (options) => make(options),
    pass: (ms) => pass(ms),
    now: () => Date.now(),
  }));

  describe.each([
    ['of the same hash tag', (name: string) => `${name} {acme ${tests}}`],
    ['on another node, perhaps', (name: string) => `${name} ${tests}`],
  ])('together with another %s', (_what, prefixOf) => {
    limiterContract('keeps what every limiter keeps', () => ({
      limiter: (options) => {
        tests += 1;
        const other = { requests: 1_000, perMs: 100, prefix: prefixOf('other') };
        return underOneKey(layersOf([make({ ...options, prefix: prefixOf('one') }), make(other)]), 2);
      },
      pass: (ms) => pass(ms),
      now: () => Date.now(),
    }));
  });

  it.each([
    ['in one script where their prefixes have the same hash tag', '{acme}', [4]],
    ['in one for each where they have none', '', [2, 2]],
  ])('asks two limits %s, and loses nothing of one where the other says later', async (_what, tag, keys) => {
    const sent = [vi.spyOn(shared as Cluster, 'eval'), vi.spyOn(shared as Cluster, 'evalsha')];
    onTestFinished(() => {
      for (const spy of sent) spy.mockRestore();
    });
    const all = make({ requests: 10, perMs: 1_200_000, burst: 10, prefix: `all ${tests}${tag}` });
    const route = make({ requests: 4, perMs: 1_000, prefix: `route ${tests}${tag}` });
    const limiter = layersOf([all, route]);
    const asked = Array.from({ length: 4 }, () => limiter.acquire({ key: '["a","b"]' }));
    (await (asked[0] as Promise<Permit>)).release();
    const first = sent.flatMap(({ mock }) => mock.calls.map(([, count]) => Number(count))).slice(0, keys.length);
    expect(first).toEqual(keys);
    for (const permit of await Promise.all(asked)) permit.release();
    // Six are left of ten.
    let given = 0;
    const left = Array.from({ length: 10 }, async () => {
      await all.acquire({ key: 'a' });
      given += 1;
    });
    await vi.waitFor(() => expect(given).toBe(6));
    await pass(200);
    await all.close();
    await Promise.allSettled(left);
    expect(given).toBe(6);
  });

  async function ofNodeRedis({ createCluster }: typeof nodeRedis5): Promise<RedisClient> {
    const client = createCluster({
      rootNodes: cluster.nodes.map(({ port }) => ({ url: `redis://127.0.0.1:${port}` })),
    });
    client.on('error', () => {});
    await client.connect();
    onTestFinished(() => client.destroy());
    return client;
  }
  const CLIENTS: readonly [string, () => Promise<RedisClient>][] = [
    ['ioredis', async () => shared],
    ['node-redis 5', () => ofNodeRedis(nodeRedis5)],
    ['node-redis 6', () => ofNodeRedis(nodeRedis6)],
  ];

  it.each(CLIENTS)('is reached by the cluster client of %s, for limits and for tokens', async (_name, connected) => {
    const redis = await connected();
    const prefix = `clients ${tests++}`;
    const options = { requests: 20, perMs: 1_000, prefix, onStoreLoss: 'closed', acquireTimeoutMs: 30_000 } as const;
    const limiters = [make(options, redis), make(options)];
    const begun = performance.now();
    const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (const key of keys) await Promise.all(limiters.map((limiter) => take(limiter, key)));
    // One of the two waits for an interval of 50 ms, each time: they share.
    expect(performance.now() - begun).toBeGreaterThanOrEqual(keys.length * 50);
    const store = redisTokenStore({ redis, key: prefix, onStoreLoss: 'closed' });
    for (const key of keys) {
      expect(await store.refresh(key, 0, async () => ({ value: key }))).toMatchObject({ value: key, generation: 1 });
      expect(await redisTokenStore({ redis: shared, key: prefix }).read(key)).toMatchObject({ value: key });
    }
  });

  it('has all keys of a bucket in one slot, whatever it is called, and all buckets of a prefix with a hash tag', async () => {
    const { client } = cluster.nodes[0] as ClusterNode;
    const slots = async (prefix: string) => {
      const found: number[] = [];
      for (const node of cluster.nodes) {
        for (const key of await node.client.keys(`${prefix}*`))
          found.push(Number(await client.call('CLUSTER', 'KEYSLOT', key)));
      }
      return new Set(found).size;
    };
    const odd = ['', '{', '}{', 'https://api.example.com', 'ü', 'a b'];
    const apart = make({ requests: 1_000, perMs: 1_000, prefix: 'apart' });
    const together = make({ requests: 1_000, perMs: 1_000, prefix: 'limits {acme}' });
    for (const key of odd) {
      await take(apart, key);
      await take(together, key);
    }
    expect(await slots('apart')).toBe(odd.length);
    expect(await slots('limits {acme}')).toBe(1);
  });

  it('refuses a client that knows no Cluster, which is told so', async () => {
    const prefix = `single ${tests++}`;
    const master = await cluster.masterOf(placeOf(prefix, 'k'));
    const other = cluster.nodes.find((node) => node !== master) as ClusterNode;
    const client = redisClient(other.port);
    onTestFinished(() => client.disconnect());
    const limiter = make({ requests: 10, perMs: 1_000, prefix, onStoreLoss: 'open' }, client);
    for (let i = 0; i < 5; i++) {
      expect(await rejectionOf(take(limiter, 'k'))).toMatchObject({
        message: expect.stringMatching(/Redis refuses .* MOVED \d+ .* Cluster of ioredis, createCluster of node-redis/),
      });
    }
  });

  it.each(CLIENTS)(
    'keeps what a bucket has used when its slot is moved to another node: %s',
    async (_name, connected) => {
      const prefix = `moved ${tests++}`;
      const limiter = make(
        { requests: 5, perMs: 1_200_000, burst: 5, prefix, onStoreLoss: 'closed', acquireTimeoutMs: 30_000 },
        await connected(),
      );
      const lost = vi.fn();
      limiter.onStoreLost?.(lost);
      for (let i = 0; i < 2; i++) await take(limiter, 'k');
      const to = await cluster.moveSlotOf(placeOf(prefix, 'k'));
      // Two are reserved already: the last has to be asked for where the bucket is now.
      for (let i = 0; i < 3; i++) await take(limiter, 'k');
      expect(Number(await to.client.exists(placeOf(prefix, 'k')))).toBe(1);
      const controller = new AbortController();
      const sixth = rejectionOf(Promise.resolve(limiter.acquire({ key: 'k', signal: controller.signal })));
      await pass(300);
      controller.abort();
      expect(await sixth).toMatchObject({ name: 'AbortError' });
      expect(lost).not.toHaveBeenCalled();
    },
  );

  /** Kills the master of a bucket; it comes back as a replica, or as the master where nobody has taken over. */
  async function kill(victim: ClusterNode): Promise<() => Promise<void>> {
    await victim.server.kill();
    let isGone = true;
    const revive = async () => {
      if (!isGone) return;
      isGone = false;
      await victim.server.start();
      await vi.waitFor(async () => {
        const state = await victim.client.info('replication');
        expect(/role:master|master_link_status:up/.test(state)).toBe(true);
      });
    };
    onTestFinished(revive);
    return revive;
  }

  /** Of a client: two buckets on two masters, one limiter that goes on alone, and one that does not. */
  async function pair(redis: RedisClient) {
    const prefix = `failover ${tests++}`;
    const victim = await cluster.masterOf(placeOf(prefix, 'k'));
    let safe = '';
    for (let i = 0; safe === ''; i++) {
      if ((await cluster.masterOf(placeOf(prefix, `other-${i}`))) !== victim) safe = `other-${i}`;
    }
    const options = { requests: 50, perMs: 1_000, prefix, acquireTimeoutMs: 500 };
    const [limiter, strict] = [make(options, redis), make({ ...options, onStoreLoss: 'closed' }, redis)];
    for (const key of ['k', safe]) await Promise.all([take(limiter, key), take(strict, key)]);
    const lost = vi.fn();
    for (const each of [limiter, strict]) each.onStoreLost?.(lost);
    return { prefix, victim, safe, limiter, strict, lost };
  }
  /** Whoever goes on alone is let through, and whoever does not where there is a master. */
  const useBoth = async ({ limiter, strict, safe }: Awaited<ReturnType<typeof pair>>) => {
    for (let i = 0; i < 10; i++) {
      const refused = take(strict, 'k').catch(() => {});
      await Promise.all([take(limiter, 'k'), take(limiter, safe), take(strict, safe), refused]);
    }
  };
  /** Both ask Redis again, and it is one that lives. */
  const isShared = async ({ prefix, limiter, strict }: Awaited<ReturnType<typeof pair>>) => {
    await Promise.all([take(limiter, 'k'), take(strict, 'k')]);
    const { client } = await cluster.masterOf(placeOf(prefix, 'k'));
    expect(await client.zcard(`${prefix}:{k}:members`)).toBe(2);
  };
  const SOON = { interval: 100, timeout: 120_000 };

  it.each(CLIENTS.filter(([name]) => name !== 'node-redis 5'))(
    'costs only the buckets of a master that is lost, until its replica has taken over: %s',
    async (_name, connected) => {
      const both = await pair(await connected());
      const { victim, safe, lost } = both;
      await kill(victim);
      await useBoth(both);
      expect(lost.mock.calls.map(([key]) => key)).not.toContain(safe);
      await vi.waitFor(() => isShared(both), SOON);
    },
  );

  it('costs them until the master is back where the client looks for no other: node-redis 5', async () => {
    const both = await pair(await ofNodeRedis(nodeRedis5));
    const { prefix, victim, safe, lost } = both;
    const revive = await kill(victim);
    await useBoth(both);
    expect(lost.mock.calls.map(([key]) => key)).not.toContain(safe);
    // Only then: it is a replica when it is back, and says where its master is.
    await vi.waitFor(async () => expect(await cluster.masterOf(placeOf(prefix, 'k'))).not.toBe(victim), SOON);
    await revive();
    await vi.waitFor(() => isShared(both), SOON);
  });
});
