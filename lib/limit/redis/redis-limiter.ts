import { type Check, kindOf, must, number, oneOf } from '../../check.ts';
import { InvalidPolicyError, LimitError } from '../../failure/errors.ts';
import { A_REDIS_CLIENT, isRedisClient, type RedisClient } from '../../redis-client/client.ts';
import { RedisRefusal } from '../../redis-client/refusal.ts';
import { bringing } from '../../room.ts';
import { type Clock, type Random, systemClock, systemRandom } from '../../time/clock.ts';
import type { Limiter, Permit, PermitRequest } from '../limiter.ts';
import { LocalPacer } from '../local/local-pacer.ts';
import {
  fieldsThatWait,
  fillIn,
  type LimitOptions,
  leastBurstOf,
  maxWeightOf,
  requireLimit,
  windowsOf,
  wrongWait,
} from '../options.ts';
import { Bucket } from '../queue/bucket.ts';
import { Buckets } from '../queue/buckets.ts';
import { LIMIT_ROOM } from '../room.ts';
import { burstOf, type LimitWindow } from '../windows/gcra.ts';
import { FallbackPacer } from './fallback-pacer.ts';
import { LearningBook } from './learning.ts';
import { type Book, RedisPacer } from './redis-pacer.ts';
import { SharedStore, StoredBucket } from './shared-store.ts';
import { WindowBook } from './windows.ts';

/**
 * A limit that a fleet shares: its windows, its pauses and what it learns. Concurrency, order and queue bounds hold per process. Every
 * call waits for Redis, if only some ms: so `maxQueue` is at least 1, and `maxWaitMs` above 0.
 */
export interface RedisLimiterOptions extends LimitOptions {
  /** The caller's own client, which stays open: of ioredis 5 or 6, or of node-redis 5 or 6, for one node or for a Cluster. */
  readonly redis: RedisClient;
  /**
   * Before the name of every key. Whoever has the same prefix and the same bucket shares it. On a Cluster one with a hash tag, as `{acme}`,
   * keeps all its buckets on one node; without one each bucket has a node of its own. Default `holdfast:limit`.
   */
  readonly prefix?: string | undefined;
  /**
   * What happens while Redis cannot be reached: `'local'` (default) goes on with this process's share of the windows, by how many
   * processes were there when it was last reached; `'open'` lets everything through; `'closed'` refuses everything.
   *
   * A Redis that answers and refuses (a right is missing, something else lies under the key, replies are not as it gives them) has not
   * been lost: whatever this says, nothing is sent until it does what it is asked.
   */
  readonly onStoreLoss?: 'local' | 'open' | 'closed' | undefined;
  /** How long Redis may take to answer, in ms, before it counts as lost. From 1; default 1,000. */
  readonly acquireTimeoutMs?: number | undefined;
}

const DEFAULTS = { prefix: 'holdfast:limit', onStoreLoss: 'local', acquireTimeoutMs: 1_000 } as const;

const WHOM = 'Redis';

const FIELDS: { readonly [name: string]: Check } = {
  redis: must(A_REDIS_CLIENT, isRedisClient, kindOf),
  prefix: must(
    "a non-empty string without braces, but for one hash tag as '{acme}'",
    (value) => typeof value === 'string' && /^(?=.)[^{}]*(?:\{[^{}]+\}[^{}]*)?$/s.test(value),
  ),
  onStoreLoss: oneOf('local', 'open', 'closed'),
  acquireTimeoutMs: number(1, 2 ** 31 - 1),
  ...fieldsThatWait(WHOM),
};

/**
 * A limiter that a fleet of processes shares through Redis, on the clock of Redis.
 *
 * Each process reserves the slots for its own queue, a round trip for the calls of one turn of its event loop, and never
 * more than its share of what falls due within 50 ms, or two slots. A 429 that one process meets pauses all of them. What Redis forgets
 * starts afresh. A send that has got its permit never waits for Redis.
 *
 * @example
 * const limit = redisLimiter({ redis: new Redis(url), requests: 200, perMs: 1_000 });
 * attach(client, { limit }); // the same in each process: 200 a second together
 *
 * @throws {InvalidPolicyError} when an option is wrong
 */
export function redisLimiter(options: RedisLimiterOptions): Limiter {
  return bringing(redisLimiterWith(systemClock, options), LIMIT_ROOM);
}

/** `redisLimiter` with clock and chance in the caller's hand. */
export function redisLimiterWith(clock: Clock, options: RedisLimiterOptions, random = systemRandom): Limiter {
  // What is required has no default to fall back to.
  requireLimit({ ...options, redis: options?.redis ?? null }, FIELDS);
  requireNumbers(options);
  return new RedisLimiter(clock, options, random);
}

class RedisLimiter extends Buckets<unknown> {
  readonly #store: SharedStore;

  constructor(clock: Clock, options: RedisLimiterOptions, random: Random) {
    const {
      redis,
      prefix = DEFAULTS.prefix,
      onStoreLoss = DEFAULTS.onStoreLoss,
      acquireTimeoutMs,
      ...limits
    } = options;
    const limit = fillIn(limits);
    const windows = windowsOf(limit);
    const bounds = { ...limit, maxWeight: maxWeightOf(windows), leastBurst: leastBurstOf(windows) };
    const store = new SharedStore(redis, clock, acquireTimeoutMs ?? DEFAULTS.acquireTimeoutMs);
    super((key) => {
      const stored = new StoredBucket(store, key, keysOf(prefix, key));
      const book = limit.adaptive ? new LearningBook(stored, limit.adaptive, windows) : new WindowBook(stored, windows);
      const shared = new RedisPacer<unknown>(book as Book<unknown>, {
        clock,
        learns: limit.adaptive !== false,
        hasWindows: windows.length > 0,
        bucket: () => bucket,
      });
      const share = () => shareOf([...windows, ...(book instanceof LearningBook ? book.learnt() : [])], stored.members);
      const alone = {
        local: () => new LocalPacer(share(), limit.adaptive),
        open: () => new LocalPacer([], false),
        closed: () => undefined,
      };
      const pacer = new FallbackPacer(stored, shared, {
        pacer: () => (stored.isRefused ? undefined : alone[onStoreLoss]()),
        refuse: () => bucket.refuseAll(() => refusal(stored.error)),
      });
      const bucket: Bucket<unknown> = new Bucket(bounds, clock, pacer, random);
      return bucket;
    }, limit);
    this.#store = store;
  }

  override bucketFor(request: PermitRequest): Bucket<unknown> | Error {
    return wrongWait(request.maxWaitMs, WHOM) ?? super.bucketFor(request);
  }

  override acquire(request: PermitRequest): Permit | Promise<Permit> {
    const wrong = wrongWait(request.maxWaitMs, WHOM);
    return wrong === undefined ? super.acquire(request) : Promise.reject(wrong);
  }

  onStoreLost(listener: (key: string, error: unknown) => void): () => void {
    return this.#store.onLost(listener);
  }
}

/** Redis keeps no instants of single sends. */
function requireNumbers(options: LimitOptions): void {
  if (windowsOf(options).every(({ burst }) => burst !== 'all')) return;
  const [path, bound] = ['limit.burst', "a number over Redis; 'all' is for one process"];
  throw new InvalidPolicyError([{ path, bound, value: 'all', message: `${path} must be ${bound}` }]);
}

/** In braces, so that a cluster keeps the keys of a bucket in the same place; without any braces in them, and never empty. */
function keysOf(prefix: string, key: string): readonly string[] {
  const escaped = key.replace(/[^!-$&-z|~]/g, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const place = `${prefix}:{${escaped || '%'}}`;
  return [`${place}:slots`, `${place}:members`];
}

function refusal(error: unknown): LimitError {
  const why = error instanceof Error ? error.message : String(error);
  const what =
    error instanceof RedisRefusal
      ? 'Redis refuses what the limiter asks, so nothing is sent'
      : "limit.onStoreLoss is 'closed', and Redis is lost";
  return new LimitError('ERR_LIMIT_WAIT_TOO_LONG', `${what}: ${why}`, { cause: error });
}

/** What is left for one of so many. */
function shareOf(windows: readonly LimitWindow[], members: number): readonly LimitWindow[] {
  return windows.map((window) => {
    const { requests, perMs, burst } = window;
    const share = requests / members;
    if (burst === 'all' && share >= 1) return { requests: Math.floor(share), perMs, burst };
    return { requests: share, perMs, burst: Math.max(1, Math.floor(burstOf(window) / members)) };
  });
}
