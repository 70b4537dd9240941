import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';
import type { LimitOptions } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bundled } from '../support/bundled.ts';
import { type QuotaServer, type QuotaServerOptions, quotaServer } from '../support/quota-server.ts';
import { noRedis, type RedisServer, redisServer } from '../support/redis-server.ts';

const program = await bundled(new URL('limiter-worker.mts', import.meta.url));

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
    fork(program, {
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

/** What each process has counted so far. */
const counts = (workers: readonly ChildProcess[]) =>
  Promise.all(
    workers.map((worker) => {
      const counted = heard(worker, 'count');
      worker.send('count');
      return counted;
    }),
  );

/** What the server admitted and refused since the last look. */
async function during(api: QuotaServer, ms: number) {
  const before = await api.stats();
  await after(ms);
  const now = await api.stats();
  return { admitted: now.admitted - before.admitted, refused: now.refused - before.refused };
}

/**
 * Looks until it sees that; only the time that a test may take bounds it. How fast a fleet is depends on what else the
 * machine has to do; that what has gone wrong does not come right by itself doesn't.
 */
async function until<T>(look: () => Promise<T>, isSo: (seen: T) => boolean): Promise<T> {
  for (;;) {
    const seen = await look();
    if (isSo(seen)) return seen;
    await after(50);
  }
}

const sum = (all: readonly Counted[], of: (each: Counted) => number) =>
  all.reduce((total, each) => total + of(each), 0);
const failuresOf = (all: readonly Counted[]) => all.flatMap(({ failed }) => failed);

/** So little that a busy machine keeps up with it. */
const QUOTA = { requests: 50, perMs: 1_000 };

/**
 * The quota of a server that does not mind sends that come late, and so closer together than they left. A fleet that does not
 * share asks for twice of that.
 */
const ROOMY = { requests: 100, perMs: 1_000, burst: 20 };

/** Refused, of what was admitted: what comes late on a busy machine. */
const FEW = 0.03;

describe.skipIf(noRedis !== undefined)('a fleet with one limit', () => {
  it.each(['sliding', 'bucket'] as const)('keeps to one quota at a %s server, and shares it fairly', async (kind) => {
    const { api, workers } = await fleet({ kind, ...ROOMY }, QUOTA);
    tell(workers, 'start');
    await until(api.stats, ({ admitted, clients }) => {
      const shares = Object.values(clients).map((client) => client.admitted);
      // For as long as a busy machine may favour one process; who has no share of its own never gets it.
      return admitted >= 200 && shares.length === PROCESSES && Math.min(...shares) / Math.max(...shares) > 0.5;
    });
    const all = await stop(workers);
    const { admitted, refused } = await api.stats();
    expect(failuresOf(all)).toEqual([]);
    expect(refused).toBeLessThanOrEqual(FEW * admitted);
    expect(admitted).toBe(sum(all, ({ done }) => done));
  });

  it('leaves the whole quota to the one process that has work', async () => {
    const quota = { requests: 20, perMs: 1_000 };
    const { api, workers } = await fleet({ kind: 'bucket', ...ROOMY }, quota);
    tell(workers, 'start');
    await until(api.stats, ({ admitted }) => admitted >= 20);
    const [busy, ...idle] = workers;
    await stop(idle);
    // A quarter of the quota would be 15, a half 30.
    await until(
      () => during(api, 3_000),
      ({ admitted }) => admitted > 36,
    );
    expect(failuresOf(await stop([busy as ChildProcess]))).toEqual([]);
  });

  it('loses nobody but the one that is killed', async () => {
    const { api, workers } = await fleet({ kind: 'sliding', ...ROOMY }, QUOTA);
    tell(workers, 'start');
    await until(api.stats, ({ admitted }) => admitted >= 25);
    const [victim, ...others] = workers;
    victim?.kill('SIGKILL');
    // What it had reserved is gone; nothing else is: the three of them have more than their three quarters.
    await until(
      () => during(api, 2_000),
      ({ admitted }) => admitted > 80,
    );
    expect(failuresOf(await stop(others))).toEqual([]);
  });

  it('is not disturbed by a process whose clock is 30 s off', async () => {
    const { api, workers } = await fleet({ kind: 'sliding', ...ROOMY }, QUOTA, [30_000, -30_000]);
    tell(workers, 'start');
    await until(
      () => counts(workers),
      (all) => all.every(({ done }) => done > 20),
    );
    const all = await stop(workers);
    const { admitted, refused } = await api.stats();
    expect(failuresOf(all)).toEqual([]);
    expect(refused).toBeLessThanOrEqual(FEW * admitted);
  });

  it('stops as one when one of them meets a 429', async () => {
    // Promised twice of what there is, so that there will be some.
    const { api, workers } = await fleet({ kind: 'sliding', requests: 25, perMs: 1_000 }, QUOTA);
    tell(workers, 'start');
    await until(api.stats, ({ refused, seconds }) => refused > 0 && seconds.length >= 4);
    await stop(workers);
    const { pauseViolations, seconds } = await api.stats();
    // Those that were under way; three processes that know of no pause would send 37 a second.
    expect(pauseViolations).toBeLessThanOrEqual(4 * PROCESSES * seconds.length);
  });

  it.each([
    ['flushed', async ({ redis }: Fleet) => redis.flush()],
    [
      'killed and started again',
      async ({ redis, api }: Fleet) => {
        await redis.kill();
        await goesOn(api);
        await redis.start();
      },
    ],
    [
      'stopped in its tracks for 13 s',
      async ({ redis, api }: Fleet) => {
        redis.stall();
        await Promise.all([after(13_000), goesOn(api)]);
        redis.resume();
      },
    ],
  ])('goes on while Redis is %s, and shares again afterwards', async (_what, hurt) => {
    const all = await fleet({ kind: 'sliding', ...ROOMY }, QUOTA);
    const { api, workers } = all;
    tell(workers, 'start');
    await until(api.stats, ({ admitted }) => admitted >= 50);
    await hurt(all);
    // A 429 on the way back costs everybody a second.
    await until(
      () => during(api, 3_000),
      ({ admitted, refused }) => admitted > 75 && refused <= FEW * admitted,
    );
    const counted = await stop(workers);
    expect(failuresOf(counted)).toEqual([]);
    // acquireTimeoutMs is 500, a pause 1 s, and 8 workers wait for a quarter of 50 a second. The rest is for a busy machine.
    for (const { longestMs } of counted) expect(longestMs).toBeLessThan(12_000);
  });

  it('learns an unknown quota as one', async () => {
    const { api, workers } = await fleet({ kind: 'nginx', requests: 20, perMs: 1_000, burst: 20 }, { adaptive: true });
    tell(workers, 'start');
    await until(
      () => during(api, 6_000),
      ({ admitted, refused }) => admitted > 80 && refused <= FEW * admitted,
    );
    expect(failuresOf(await stop(workers))).toEqual([]);
  });
});

/** Calls come through, without Redis. */
async function goesOn(api: QuotaServer): Promise<void> {
  const { admitted: before } = await api.stats();
  // More than can have been under way.
  await until(api.stats, ({ admitted }) => admitted > before + 8 * PROCESSES);
}
