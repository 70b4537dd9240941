import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LimitOptions } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type QuotaServer, type QuotaServerOptions, quotaServer } from '../support/quota-server.ts';
import { noRedis, type RedisServer, redisServer } from '../support/redis-server.ts';

const PROCESSES = 4;

interface Counted {
  readonly done: number;
  readonly failed: readonly string[];
  /** `store-lost` events. */
  readonly lost: number;
  readonly longestMs: number;
}

interface Fleet {
  readonly redis: RedisServer;
  readonly api: QuotaServer;
  readonly workers: readonly ChildProcess[];
}

async function fleet(
  quota: QuotaServerOptions,
  limit: LimitOptions & { onStoreLoss?: 'local' | 'open' | 'closed' },
  skewsMs: readonly number[] = [],
): Promise<Fleet> {
  const redis = await redisServer();
  onTestFinished(() => redis.kill());
  const api = await quotaServer(quota);
  onTestFinished(() => api.close());
  const workers = Array.from({ length: PROCESSES }, (_, i) =>
    fork(fileURLToPath(new URL('limiter-worker.mts', import.meta.url)), {
      execArgv: ['--import', 'tsx'],
      env: {
        ...process.env,
        API: api.url,
        REDIS_PORT: `${redis.port}`,
        LIMIT: JSON.stringify(limit),
        NAME: `process ${i}`,
        SKEW_MS: `${skewsMs[i] ?? 0}`,
      },
    }),
  );
  onTestFinished(() => {
    for (const worker of workers) worker.kill('SIGKILL');
  });
  await Promise.all(workers.map((worker) => heard(worker, 'ready')));
  return { redis, api, workers };
}

async function heard(worker: ChildProcess, event: string): Promise<Counted> {
  for (;;) {
    const [message] = await once(worker, 'message');
    if (message.event === event) return message;
  }
}

const tell = (workers: readonly ChildProcess[], message: 'start' | 'stop') => {
  for (const worker of workers) worker.send(message);
};

/** Ends the calls and gives what came of them. */
async function stop(workers: readonly ChildProcess[]): Promise<readonly Counted[]> {
  const stopped = workers.map((worker) => heard(worker, 'stopped'));
  tell(workers, 'stop');
  return Promise.all(stopped);
}

/** What the server admitted and refused since the last look. */
async function during(api: QuotaServer, ms: number) {
  const before = await api.stats();
  await after(ms);
  const now = await api.stats();
  return { admitted: now.admitted - before.admitted, refused: now.refused - before.refused };
}

const sum = (all: readonly Counted[], of: (each: Counted) => number) =>
  all.reduce((total, each) => total + of(each), 0);
const failuresOf = (all: readonly Counted[]) => all.flatMap(({ failed }) => failed);

const QUOTA = { requests: 100, perMs: 1_000 };

describe.skipIf(noRedis !== undefined)('a fleet with one limit', { timeout: 90_000 }, () => {
  it.each(['sliding', 'bucket'] as const)('keeps to the quota of a %s server, and shares it fairly', async (kind) => {
    const { api, workers } = await fleet({ kind, ...QUOTA, burst: 3 }, QUOTA);
    tell(workers, 'start');
    await after(4_000);
    const all = await stop(workers);
    const { admitted, refused, clients } = await api.stats();
    expect(failuresOf(all)).toEqual([]);
    expect(refused).toBeLessThanOrEqual(0.01 * admitted);
    expect(admitted).toBe(sum(all, ({ done }) => done));
    const shares = Object.values(clients).map((client) => client.admitted);
    expect(shares).toHaveLength(PROCESSES);
    expect(Math.min(...shares) / Math.max(...shares)).toBeGreaterThan(0.8);
  });

  it('leaves the whole quota to the one process that has work', async () => {
    const { api, workers } = await fleet({ kind: 'bucket', ...QUOTA, burst: 3 }, QUOTA);
    tell(workers, 'start');
    await after(500);
    const [busy, ...idle] = workers;
    await stop(idle);
    await after(500);
    const { admitted } = await during(api, 3_000);
    await stop([busy as ChildProcess]);
    // A quarter of the quota would be 75.
    expect(admitted).toBeGreaterThan(200);
  });

  it('loses nobody but the one that is killed', async () => {
    const { api, workers } = await fleet({ kind: 'sliding', ...QUOTA }, QUOTA);
    tell(workers, 'start');
    await after(500);
    const [victim, ...others] = workers;
    victim?.kill('SIGKILL');
    await after(300);
    const { admitted } = await during(api, 2_000);
    const all = await stop(others);
    expect(failuresOf(all)).toEqual([]);
    expect(admitted).toBeGreaterThan(120);
  });

  it('is not disturbed by a process whose clock is 30 s off', async () => {
    const { api, workers } = await fleet({ kind: 'sliding', ...QUOTA }, QUOTA, [30_000, -30_000]);
    tell(workers, 'start');
    await after(3_000);
    const all = await stop(workers);
    const { admitted, refused } = await api.stats();
    expect(failuresOf(all)).toEqual([]);
    expect(refused).toBeLessThanOrEqual(0.02 * admitted);
    for (const { done } of all) expect(done).toBeGreaterThan(20);
  });

  it('stops as one when one of them meets a 429', async () => {
    // Promised twice of what there is, so that there will be some.
    const { api, workers } = await fleet({ kind: 'sliding', requests: 50, perMs: 1_000 }, QUOTA);
    tell(workers, 'start');
    await after(4_000);
    await stop(workers);
    const { refused, pauseViolations } = await api.stats();
    expect(refused).toBeGreaterThan(0);
    // Those that were under way.
    expect(pauseViolations).toBeLessThanOrEqual(2 * PROCESSES * (await api.stats()).seconds.length);
  });

  it.each([
    ['flushed', async ({ redis }: Fleet) => redis.flush()],
    [
      'killed and started again',
      async ({ redis }: Fleet) => {
        await redis.kill();
        await after(1_500);
        await redis.start();
      },
    ],
    [
      'stopped in its tracks for 13 s',
      async ({ redis }: Fleet) => {
        redis.stall();
        await after(13_000);
        redis.resume();
      },
    ],
  ])('goes on while Redis is %s, and shares again afterwards', async (_what, hurt) => {
    const all = await fleet({ kind: 'sliding', ...QUOTA }, QUOTA);
    const { api, workers } = all;
    tell(workers, 'start');
    await after(1_000);
    await hurt(all);
    await after(1_000);
    const { admitted, refused } = await during(api, 3_000);
    const counted = await stop(workers);
    expect(failuresOf(counted)).toEqual([]);
    // A 429 on the way back costs everybody a second of the three.
    expect(admitted).toBeGreaterThan(150);
    expect(refused).toBeLessThanOrEqual(0.02 * admitted);
    // acquireTimeoutMs is 500, a pause 1 s, and 8 workers wait for a quarter of 100 a second.
    for (const { longestMs } of counted) expect(longestMs).toBeLessThan(5_000);
  });

  it('learns an unknown quota as one', async () => {
    const { api, workers } = await fleet({ kind: 'nginx', requests: 50, perMs: 1_000, burst: 5 }, { adaptive: true });
    tell(workers, 'start');
    await after(12_000);
    const { admitted, refused } = await during(api, 6_000);
    const all = await stop(workers);
    expect(failuresOf(all)).toEqual([]);
    expect(admitted).toBeGreaterThan(200);
    expect(refused).toBeLessThanOrEqual(0.03 * admitted);
  });
});
