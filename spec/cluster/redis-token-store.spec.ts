import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { bundled } from '../support/bundled.ts';
import { noRedis, type RedisServer, redisClient, redisServer } from '../support/redis-server.ts';
import { type RotatingTokens, rotatingTokens } from '../support/rotating-tokens.ts';

const program = await bundled(new URL('token-worker.mts', import.meta.url));

const PROCESSES = 4;
const CALLS = 25;

interface Done {
  readonly failed: readonly string[];
  readonly refreshes: number;
  readonly replays: number;
  /** `store-lost` events. */
  readonly lost: number;
  readonly tookMs: number;
}

interface Fleet {
  readonly redis: RedisServer;
  readonly tokens: RotatingTokens;
  readonly workers: readonly ChildProcess[];
}

async function fleet(lockMs = 2_000, onStoreLoss = 'local'): Promise<Fleet> {
  const redis = await redisServer();
  onTestFinished(() => redis.kill());
  const tokens = await rotatingTokens();
  onTestFinished(() => tokens.close());
  const workers = Array.from({ length: PROCESSES }, () =>
    fork(program, {
      env: {
        ...process.env,
        API: tokens.url,
        REDIS_PORT: `${redis.port}`,
        LOCK_MS: `${lockMs}`,
        ON_STORE_LOSS: onStoreLoss,
      },
    }),
  );
  onTestFinished(() => {
    for (const worker of workers) worker.kill('SIGKILL');
  });
  await Promise.all(workers.map((worker) => heard(worker, 'ready')));
  return { redis, tokens, workers };
}

async function heard(worker: ChildProcess, event: string): Promise<unknown> {
  for (;;) {
    const [message] = await once(worker, 'message');
    if (message.event === event) return message;
  }
}

/** What came of a process' calls. */
async function calls(worker: ChildProcess): Promise<Done> {
  const done = heard(worker, 'done');
  worker.send(CALLS);
  return (await done) as Done;
}

const sum = (all: readonly Done[], of: 'replays' | 'lost') => all.reduce((total, done) => total + done[of], 0);

describe.skipIf(noRedis !== undefined)('a fleet with one token, whose refresh tokens can be used once', () => {
  it('refreshes once for all calls of all processes, time after time', async () => {
    const { tokens, workers } = await fleet();
    for (const round of [1, 2, 3]) {
      const all = await Promise.all(workers.map(calls));
      expect(all.flatMap(({ failed }) => failed)).toEqual([]);
      expect(tokens.refreshes).toBe(round);
      // Every process has asked the store, whoever refreshed; one replay for each call.
      expect(sum(all, 'replays')).toBe(round * PROCESSES * CALLS);
      expect(sum(all, 'lost')).toBe(0);
      tokens.expire();
    }
    expect(tokens.loggedOut).toBe(false);
  });

  it('refreshes once each time also when the processes need it one after the other', async () => {
    const { tokens, workers } = await fleet();
    for (const round of [1, 2]) {
      for (const worker of [...workers, ...workers]) expect((await calls(worker)).failed).toEqual([]);
      expect(tokens.refreshes).toBe(round);
      tokens.expire();
    }
    expect(tokens.loggedOut).toBe(false);
  });

  it('takes over from a process that is killed during its refresh, when its lock has run out', async () => {
    const { tokens, workers } = await fleet(3_000);
    tokens.delayMs = 600;
    const [owner, ...others] = workers as [ChildProcess, ...ChildProcess[]];
    owner.send(CALLS);
    await vi.waitFor(() => expect(tokens.refreshes).toBe(1), { interval: 5 });
    const pending = Promise.all(others.map(calls));
    const gone = once(owner, 'exit');
    owner.kill('SIGKILL');
    await gone;
    const all = await pending;
    expect(all.flatMap(({ failed }) => failed)).toEqual([]);
    expect(tokens.refreshes).toBe(2);
    expect(tokens.loggedOut).toBe(false);
  });

  it('refreshes in every process when Redis is down, and is one again when it is back, empty', async () => {
    const { redis, tokens, workers } = await fleet();
    tokens.reusable = true;
    await redis.kill();
    const alone = await Promise.all(workers.map(calls));
    expect(alone.flatMap(({ failed }) => failed)).toEqual([]);
    expect(alone.map(({ lost }) => lost)).toEqual(Array(PROCESSES).fill(1));
    expect(tokens.refreshes).toBe(PROCESSES);

    await redis.start();
    const client = redisClient(redis.port);
    onTestFinished(() => client.disconnect());
    await vi.waitFor(async () => {
      const [, connected] = /^connected_clients:(\d+)/m.exec(await client.info('clients')) ?? [];
      expect(Number(connected)).toBeGreaterThan(PROCESSES);
    });
    tokens.expire();
    const together = await Promise.all(workers.map(calls));
    expect(together.flatMap(({ failed }) => failed)).toEqual([]);
    expect(tokens.refreshes).toBe(PROCESSES + 1);
    expect(sum(together, 'lost')).toBe(PROCESSES);
  });

  it.each<[string, (redis: RedisServer) => Promise<unknown>, (redis: RedisServer) => Promise<void>]>([
    ['killed, and back empty', (redis) => redis.kill(), (redis) => redis.start()],
    ['stalled', async (redis) => redis.stall(), async (redis) => redis.resume()],
  ])(
    "refreshes in no process while Redis is %s, if it is 'closed' then, and the session of all lives on",
    async (_what, lose, restore) => {
      const { redis, tokens, workers } = await fleet(2_000, 'closed');
      await Promise.all(workers.map(calls));
      expect(tokens.refreshes).toBe(1);
      await lose(redis);
      tokens.expire();
      const closed = await Promise.all(workers.map(calls));
      for (const { failed, lost } of closed) {
        expect(failed).toHaveLength(CALLS);
        expect(failed.join()).toContain("onStoreLoss of the token store is 'closed', and Redis is lost");
        expect(lost).toBe(1);
      }
      expect(tokens.refreshes).toBe(1);
      await restore(redis);
      await vi.waitFor(
        async () => {
          const together = await Promise.all(workers.map(calls));
          expect(together.flatMap(({ failed }) => failed)).toEqual([]);
        },
        { interval: 500 },
      );
      expect(tokens.refreshes).toBe(2);
      expect(tokens.loggedOut).toBe(false);
    },
  );

  it('does not hang when Redis has stalled', async () => {
    const { redis, tokens, workers } = await fleet();
    tokens.reusable = true;
    redis.stall();
    const alone = await Promise.all(workers.map(calls));
    redis.resume();
    expect(alone.flatMap(({ failed }) => failed)).toEqual([]);
    expect(alone.map(({ lost }) => lost)).toEqual(Array(PROCESSES).fill(1));
    // A second for Redis, what the refresh takes, and a busy machine.
    expect(Math.max(...alone.map(({ tookMs }) => tookMs))).toBeLessThan(10_000);
  });
});
