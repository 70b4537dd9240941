import { type Check, isPlain, kindOf, must, number, oneOf, required } from '../../check.ts';
import { InvalidPolicyError, LimitError } from '../../failure/errors.ts';
import { A_REDIS_CLIENT, isRedisClient, type RedisClient } from '../../redis-client/client.ts';
import { RedisRefusal } from '../../redis-client/refusal.ts';
import { bringing } from '../../room.ts';
import { type Clock, type Random, systemClock, systemRandom } from '../../time/clock.ts';
import { TELLING } from '../adjusted-limiter.ts';
import { type Limiter, type Permit, type PermitRequest, STORE, type Store } from '../limiter.ts';
import { LocalPacer } from '../local/local-pacer.ts';
import {
  asBefore,
  boundsOf,
  fieldsThatWait,
  fillIn,
  LIMIT,
  type LimitOptions,
  type ResolvedLimit,
  requireLimit,
  windowsOf,
  windowsWith,
  wrongWait,
} from '../options.ts';
import { type Bounds, Bucket } from '../queue/bucket.ts';
import { Buckets } from '../queue/buckets.ts';
import type { Pacer } from '../queue/pacer.ts';
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
  redis: required(must(A_REDIS_CLIENT, isRedisClient, kindOf)),
  prefix: must(
    "a non-empty string without braces, but for one hash tag as '{acme}'",
    (value) => typeof value === 'string' && /^(?=.)[^{}]*(?:\{[^{}]+\}[^{}]*)?$/s.test(value),
  ),
  onStoreLoss: oneOf('local', 'open', 'closed'),
  acquireTimeoutMs: number(1, 2 ** 31 - 1),
  ...fieldsThatWait(WHOM),
  windows: windowsWith(10_000),
};

/**
 * A limiter that a fleet of processes shares through Redis, on the clock of Redis.
 *
 * Each process reserves the slots for its own queue, a round trip for the calls of one turn of its event loop, and never
 * more than its share of what falls due within 50 ms, or two slots. A 429 that one process meets pauses all of them. What Redis forgets
 * starts afresh. A send that has got its permit never waits for Redis.
 *
 * @example
 * const limit = redisLimiter({ redis: new Redis('redis://redis.example.com:6379'), requests: 200, perMs: 1_000 });
 * attach(client, { limit }); // the same in each process: 200 a second together
 *
 * @throws {InvalidPolicyError} when an option is wrong
 */
export function redisLimiter(options: RedisLimiterOptions): RedisLimiter {
  return bringing(redisLimiterWith(systemClock, options), LIMIT_ROOM);
}

/** `redisLimiter` with clock and chance in the caller's hand. */
export function redisLimiterWith(clock: Clock, options: RedisLimiterOptions, random = systemRandom): RedisLimiter {
  requireShared(options);
  return new RedisBuckets(clock, options, random);
}

/** A limiter of a fleet, whose numbers can be changed while calls wait. */
export interface RedisLimiter extends Limiter {
  /**
   * Other numbers from now on, laid over those that hold: what is left out stays. Who waits is let out by them, and keeps its place. Each
   * process has to be told. Until all have been, each goes by its own numbers. What has left counts at the new rate. Where Redis does
   * not tell what that is (another `perMs`, a larger burst, or from or to `'all'`), a window begins as if all that the old ones let leave at
   * once had just left, and without a burst. Also `redis`, `prefix`, `onStoreLoss`, `acquireTimeoutMs`, `key`, `priority`, `weight`,
   * `settle` and `quota` stay as they are.
   *
   * @throws {InvalidPolicyError} where an option is wrong, or cannot be changed; nothing changes then
   */
  update(options: LimitOptions): void;
}

/** What a bucket is made of; whoever changes the numbers changes these. */
interface Parts {
  readonly stored: StoredBucket;
  readonly shared: RedisPacer<unknown>;
  readonly pacer: FallbackPacer;
  book: WindowBook | LearningBook;
}

class RedisBuckets extends Buckets<unknown> implements RedisLimiter {
  readonly #store: SharedStore;
  readonly #parts = new WeakMap<Bucket<unknown>, Parts>();
  readonly #given: RedisLimiterOptions;
  #limit: ResolvedLimit;
  #windows: readonly LimitWindow[];
  #bounds: Bounds;

  constructor(clock: Clock, options: RedisLimiterOptions, random: Random) {
    const { redis, prefix = DEFAULTS.prefix, onStoreLoss = DEFAULTS.onStoreLoss, acquireTimeoutMs } = options;
    const limit = fillIn(numbersOf(options));
    super((key) => {
      const stored = new StoredBucket(this.#store, key, placeOf(prefix, key));
      const book = this.#bookOf(stored);
      const shared = new RedisPacer<unknown>(book as Book<unknown>, { ...this.#traits, clock, bucket: () => bucket });
      const alone = {
        local: () => {
          const { book } = this.#parts.get(bucket) as Parts;
          const learnt = book instanceof LearningBook ? book.learnt() : [];
          return new LocalPacer(shareOf([...this.#windows, ...learnt], stored.members), this.#limit.adaptive);
        },
        open: () => new LocalPacer([], false),
        closed: () => undefined,
      };
      const pacer = new FallbackPacer(stored, shared, {
        pacer: () => (stored.isRefused ? undefined : alone[onStoreLoss]()),
        refuse: () => bucket.refuseAll(() => refusal(stored.error)),
      });
      const bucket: Bucket<unknown> = new Bucket(this.#bounds, clock, pacer, random);
      this.#parts.set(bucket, { stored, shared, pacer, book });
      return bucket;
    }, limit);
    this.#store = new SharedStore(redis, clock, acquireTimeoutMs ?? DEFAULTS.acquireTimeoutMs);
    this.#given = options;
    this.#limit = limit;
    this.#windows = windowsOf(limit);
    this.#bounds = boundsOf(limit, this.#windows);
  }

  update(options: LimitOptions): void {
    if (!isPlain(options)) requireLimit(options);
    const given: LimitOptions = { ...this.#given, ...(LIMIT.merge(this.#limit, options) as LimitOptions) };
    requireShared(given as RedisLimiterOptions);
    const fixed = [...TELLING, ...OF_THE_STORE];
    const before: Readonly<Record<string, unknown>> = { ...this.#given };
    const now: Readonly<Record<string, unknown>> = { ...options };
    const moved = fixed.filter((name) => now[name] !== undefined && now[name] !== before[name]);
    if (moved.length > 0) throw new InvalidPolicyError(moved.map((name) => asBefore(name, now[name])));
    this.#limit = fillIn(numbersOf(given));
    this.#windows = windowsOf(this.#limit);
    this.#bounds = boundsOf(this.#limit, this.#windows);
    for (const bucket of this.buckets) {
      const parts = this.#parts.get(bucket) as Parts;
      bucket.update(this.#bounds, (_before, nowMs) => {
        parts.book = this.#bookOf(parts.stored, parts.book);
        parts.shared.change(nowMs, parts.book as Book<unknown>, this.#traits);
        parts.pacer.change(nowMs);
        return parts.pacer as Pacer<unknown>;
      });
    }
  }

  get #traits(): { readonly learns: boolean; readonly hasWindows: boolean } {
    return { learns: this.#limit.adaptive !== false, hasWindows: this.#windows.length > 0 };
  }

  #bookOf(stored: StoredBucket, before?: WindowBook | LearningBook): WindowBook | LearningBook {
    const { adaptive } = this.#limit;
    if (adaptive === false) {
      return new WindowBook(stored, this.#windows, before instanceof WindowBook ? before : undefined);
    }
    return new LearningBook(stored, adaptive, this.#windows, before instanceof LearningBook ? before : undefined);
  }

  get [STORE](): Store {
    const lengths = this.#windows.map(({ perMs }) => perMs);
    const { redis, prefix = DEFAULTS.prefix } = this.#given;
    return { client: redis, prefix, keeps: this.#limit.adaptive === false ? lengths : ['adaptive'] };
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

/** How many instants a window remembers in Redis at most. */
const MOST_REMEMBERED = 10_000;

/** @throws {InvalidPolicyError} where the options are not such as a fleet can share */
function requireShared(options: RedisLimiterOptions): void {
  // What is required has no default to fall back to.
  requireLimit({ ...options, redis: options?.redis }, FIELDS, MOST_REMEMBERED);
  const isRemembered = windowsOf(options).some(({ burst }) => burst === 'all');
  if (!isRemembered || options.adaptive === undefined || options.adaptive === false) return;
  const [path, bound] = [
    'limit.burst',
    'a number beside adaptive over Redis, which keeps a rate there and no instants',
  ];
  throw new InvalidPolicyError([{ path, bound, value: 'all', message: `${path} must be ${bound}; got 'all'` }]);
}

/** What is not for the limit to say, but for where it is kept. */
const OF_THE_STORE = [
  'redis',
  'prefix',
  'onStoreLoss',
  'acquireTimeoutMs',
] as const satisfies readonly (keyof RedisLimiterOptions)[];

function numbersOf(options: LimitOptions): LimitOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !OF_THE_STORE.includes(name as never)));
}

/** In braces, so that a cluster keeps the keys of a bucket in the same place; without any braces in them, and never empty. */
function placeOf(prefix: string, key: string): string {
  const escaped = key.replace(/[^!-$&-z|~]/g, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `${prefix}:{${escaped || '%'}}`;
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
