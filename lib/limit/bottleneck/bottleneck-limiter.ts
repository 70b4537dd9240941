import type Bottleneck from 'bottleneck';
import { eachMeans, integer, isRecord, kindOf, must, object, required, shown } from '../../check.ts';
import { InvalidPolicyError, LimitError, type PolicyProblem } from '../../failure/errors.ts';
import { bringing } from '../../room.ts';
import { type Clock, systemClock } from '../../time/clock.ts';
import { withTimeout } from '../../time/with-timeout.ts';
import { TELLING } from '../adjusted-limiter.ts';
import installed from '../installed-bottleneck.cjs';
import type { Limiter } from '../limiter.ts';
import { asBefore, fieldsThatWait, fillIn, LIMIT, type LimitOptions, wrongWait } from '../options.ts';
import { Bucket } from '../queue/bucket.ts';
import { Buckets } from '../queue/buckets.ts';
import { LIMIT_ROOM } from '../room.ts';
import { BottleneckPacer, type Job } from './bottleneck-pacer.ts';
import { understandRedis7 } from './redis7.ts';

/** Every call waits for Bottleneck, if only some ms: so `maxQueue` is at least 1, and `maxWaitMs` above 0. */
export interface BottleneckLimiterOptions
  extends Pick<LimitOptions, 'maxQueue' | 'maxWaitMs' | 'key' | 'priority' | 'weight' | 'settle'> {
  /**
   * Clustered only: after how long the others get back the slot of a process that was killed, in ms. A send that takes longer
   * loses its slot while it goes on, so this must be more than any takes. An integer from 1,000; default 300,000.
   */
  readonly expirationMs?: number | undefined;
}

/** What is needed of a `Bottleneck`: it may come from another copy of the package. */
export interface BottleneckLike {
  schedule<T>(
    options: { readonly priority: number; readonly weight: number; readonly expiration?: number },
    task: () => PromiseLike<T>,
  ): Promise<T>;
  readonly datastore?: string;
  currentReservoir?(): Promise<number | null>;
  incrementReservoir?(by: number): Promise<number>;
}

/** What is needed of a `Bottleneck.Group`. */
export interface BottleneckGroupLike {
  key(key: string): BottleneckLike;
}

const Installed = installed ?? missing();

type Given = BottleneckLike | BottleneckGroupLike | Bottleneck.ConstructorOptions;

/**
 * A limiter out of Bottleneck 2: one that you have, a `Group` of them (one for each key), or the options to make one from.
 *
 * One that is handed in stays its owner's, and open. One that is made here is stopped and disconnected by `close()`, which also
 * gives the slots of sends under way back. After a flush of a Redis 7 Bottleneck fails for ever; that is put right here.
 *
 * What Bottleneck cannot do:
 * - Take back a job. When a call gives up, its turn passes to the next that waits for the same key with the same weight; if
 *   there is none, the job ends at once and sends nothing, but it has used its share of `minTime` and `reservoir`.
 * - Pause. What starts in it during a pause ends at once (at the same price) and is entered again. How fast they leave after the
 *   pause is up to its settings: with `maxConcurrent` only, that many at once.
 * - Rank finely: the port's priority 0 is its 5, and −5 to 4 have one each. Finer ones, and `maxQueue`, are per key and weight.
 * - Let a send out of turn that is made within another (`nested`), or it would wait for a slot that its own call holds: so such a send
 *   asks for no permit.
 * - Tell that a `reservoir` will never hold a call's weight: such a call waits until its deadline.
 * - Settle what a send cost (`settle`) but in a `reservoir`: `minTime` and `maxConcurrent` stay as they were.
 * - Know that a process lives: see `expirationMs`.
 * - Remember a key of a `Group` for which nothing has started in its `timeout`, by default 5 minutes: calls must not wait or run
 *   that long.
 *
 * @example
 * attach(client, { limit: bottleneckLimiter(new Bottleneck({ minTime: 100, maxConcurrent: 5 })) });
 *
 * @throws {InvalidPolicyError} when an option is wrong; Bottleneck's own are Bottleneck's to check
 */
export function bottleneckLimiter(bottleneckOrOptions: Given, options?: BottleneckLimiterOptions): BottleneckLimiter {
  return bringing(bottleneckLimiterWith(systemClock, bottleneckOrOptions, options), LIMIT_ROOM);
}

/** How long close() waits for Redis to take the slots back, in ms. */
const CLOSING_MS = 1_000;

/** `bottleneckLimiter` with the clock in the caller's hand. Bottleneck itself goes by its own. */
export function bottleneckLimiterWith(
  clock: Clock,
  given: Given,
  options: BottleneckLimiterOptions = {},
): BottleneckLimiter {
  requireValid(given, options);
  let { expirationMs = 300_000, ...limits } = options;
  let limit = fillIn(limits);
  const own = isGroup(given) || isBottleneck(given) ? undefined : new Installed(given);
  // Whoever acquires is told; without anybody to tell it would be an unhandled rejection.
  own?.ready().catch(() => {});
  const only: BottleneckLike = own ?? (given as BottleneckLike);
  /** Those that are in Bottleneck. */
  const jobs = new Set<Job>();
  /** A slot is of one weight, and so are those who wait for it: each weight of a key has a bucket. */
  const weights = new Set([1]);
  const nameOf = (key: string, weight: number) => JSON.stringify([key, weight]);

  const namesOf = (key: string) => Array.from(weights, (weight) => nameOf(key, weight));
  const hold = (key: string, until: number) => {
    for (const name of namesOf(key)) buckets.hold(name, until);
  };
  const buckets = new Buckets((name): Bucket<Job> => {
    const [key, weight] = JSON.parse(name) as [string, number];
    const run = async (job: Job, task: () => Promise<void>) => {
      const bottleneck = isGroup(given) ? given.key(key) : only;
      understandRedis7(bottleneck);
      // In one process it would only free the slot of a send that goes on.
      const isShared = bottleneck.datastore === 'redis' || bottleneck.datastore === 'ioredis';
      const expiration = isShared && { expiration: expirationMs };
      jobs.add(job);
      try {
        await bottleneck.schedule({ priority: job.urgency, weight, ...expiration }, task);
      } catch (error) {
        throw explained(error, bottleneck);
      } finally {
        jobs.delete(job);
      }
    };
    const settle = (cost: number) => {
      const bottleneck = isGroup(given) ? given.key(key) : only;
      if (cost !== weight) giveBack(bottleneck, weight - cost).catch(() => {});
    };
    const pacer = new BottleneckPacer({ bucket: () => bucket, run, hold: (until) => hold(key, until), settle });
    const bucket = new Bucket(limit, clock, pacer);
    bucket.heldByPacer(buckets.pausedUntil(nameOf(key, 1)));
    return bucket;
  }, limit);

  return {
    key: options.key,
    priority: options.priority,
    weight: options.weight,
    settle: options.settle,
    acquire(request) {
      const { key, weight = 1 } = request;
      const wrong = wrongWait(request.maxWaitMs, WHOM);
      if (wrong !== undefined) return Promise.reject(wrong);
      // With a weight that is no number Bottleneck would let it wait for ever, and everybody after it.
      if (!Number.isSafeInteger(weight) || weight < 0) {
        return Promise.reject(new TypeError(`weight must be an integer of at least 0, got ${shown(weight)}`));
      }
      weights.add(weight);
      return buckets.acquire({ ...request, key: nameOf(key, weight) });
    },
    pause(key, untilAt) {
      buckets.pause(nameOf(key, 1), untilAt);
    },
    update(changed) {
      const [wanted, settings] = own === undefined ? [changed, {}] : apart(changed);
      requireOptions(wanted);
      const [before, now]: Readonly<Record<string, unknown>>[] = [{ ...options }, { ...wanted }];
      const moved = TELLING.filter((name) => now?.[name] !== undefined && now[name] !== before?.[name]);
      if (moved.length > 0) throw new InvalidPolicyError(moved.map((name) => asBefore(name, now?.[name])));
      const { expirationMs: until, ...others } = wanted;
      limits = LIMIT.merge(limits, others) as typeof limits;
      expirationMs = until ?? expirationMs;
      limit = fillIn(limits);
      buckets.bound(limit);
      // It lets those out who wait; that it could not be told is for the next job to say.
      if (Object.keys(settings).length > 0) Promise.resolve(own?.updateSettings(settings)).catch(() => {});
    },
    stats: () => buckets.stats(),
    async close() {
      await buckets.close();
      if (own === undefined) return;
      const ended = [own.stop(), ...[...jobs].map(({ over }) => over)];
      for (const job of jobs) job.end();
      // A job is over when Redis has taken its slot back, which may take for ever.
      await withTimeout(Promise.allSettled(ended), { ms: CLOSING_MS, clock });
      await own.disconnect(false).catch(() => {});
    },
  };
}

/** A limiter out of Bottleneck, whose numbers can be changed while calls wait. */
export interface BottleneckLimiter extends Limiter {
  /**
   * Other numbers from now on, laid over those that hold: `maxQueue`, `maxWaitMs` and `expirationMs`, for who comes. Of a Bottleneck that was
   * made here also its own settings (`minTime`, `maxConcurrent`, `reservoir` …), by which who waits is let out; one that was handed in is
   * changed by its own `updateSettings`.
   *
   * @throws {InvalidPolicyError} where an option is wrong, or cannot be changed; nothing changes then
   */
  update(
    options: Pick<BottleneckLimiterOptions, 'maxQueue' | 'maxWaitMs' | 'expirationMs'> &
      Omit<Bottleneck.ConstructorOptions, 'maxConcurrent'> & { readonly maxConcurrent?: number | undefined },
  ): void;
}

/** What Bottleneck can be told anew. */
const SETTINGS = [
  'maxConcurrent',
  'minTime',
  'highWater',
  'strategy',
  'penalty',
  'reservoir',
  'reservoirRefreshInterval',
  'reservoirRefreshAmount',
  'reservoirIncreaseInterval',
  'reservoirIncreaseAmount',
  'reservoirIncreaseMaximum',
];

/** Our options, and Bottleneck's settings. */
function apart(options: object): readonly [BottleneckLimiterOptions, Bottleneck.ConstructorOptions] {
  const entries = Object.entries(options ?? {});
  const isSetting = ([name]: [string, unknown]) => SETTINGS.includes(name);
  return [
    Object.fromEntries(entries.filter((each) => !isSetting(each))),
    Object.fromEntries(entries.filter(isSetting)),
  ];
}

/** Puts so much back into its reservoir, or takes it out. One that has none must not get one. */
async function giveBack(bottleneck: BottleneckLike, permits: number): Promise<void> {
  const left = await bottleneck.currentReservoir?.();
  if (typeof left === 'number') await bottleneck.incrementReservoir?.(permits);
}

function missing(): never {
  throw new Error('axios-holdfast/bottleneck needs the package bottleneck, which is not installed: npm i bottleneck');
}

const MEANINGS: readonly [RegExp, LimitError['code'], string][] = [
  [/has been dropped/, 'ERR_LIMIT_QUEUE_FULL', "Bottleneck's highWater was reached"],
  [/timed out/, 'ERR_LIMIT_WAIT_TOO_LONG', 'limit.expirationMs is over, and a chained limiter had no permit'],
  // Whoever stops it chooses the words.
  [/^/, 'ERR_LIMIT_CLOSED', 'the Bottleneck was stopped'],
];

/** Bottleneck tells its errors apart by their words alone. Others, of Redis for instance, stay what they are. */
function explained(error: unknown, bottleneck: BottleneckLike): unknown {
  const { BottleneckError } = bottleneck as { BottleneckError?: typeof Error };
  if (BottleneckError === undefined || !(error instanceof BottleneckError)) return error;
  if (/^Impossible to add a job/.test(error.message)) {
    return new RangeError(`weight: Bottleneck never allows it: ${error.message}`, { cause: error });
  }
  const [, code = 'ERR_LIMIT_CLOSED', words] = MEANINGS.find(([pattern]) => pattern.test(error.message)) ?? [];
  return new LimitError(code, `${words}: ${error.message}`, { cause: error });
}

const isBottleneck = (value: object): value is BottleneckLike => 'schedule' in value;
const isGroup = (value: object): value is BottleneckGroupLike => 'key' in value;

const WHOM = 'Bottleneck';
const OPTIONS = {
  key: LIMIT.checks.key,
  priority: LIMIT.checks.priority,
  weight: LIMIT.checks.weight,
  settle: LIMIT.checks.settle,
  ...fieldsThatWait(WHOM),
  expirationMs: integer(1_000, Number.MAX_SAFE_INTEGER),
};
/** What is Bottleneck's own to say. */
const RATES = {
  ...eachMeans(
    "how fast is for Bottleneck's own minTime, reservoir and maxConcurrent",
    'requests',
    'perMs',
    'windows',
    'maxConcurrent',
  ),
  burst:
    "Bottleneck counts by a reservoir that is filled at fixed times, of which any window may hold twice as many: so it has no burst 'all'",
};
const checkOptions = object(OPTIONS, { names: RATES });
const aBottleneck = must('a Bottleneck, a Bottleneck.Group or the options of one', isRecord, kindOf);
const isTrue = must('true: a job that is dropped has to tell', (value) => value !== false);

function requireValid(given: Given, options: unknown): void {
  const problems: PolicyProblem[] = [];
  required(aBottleneck)(given, 'bottleneck', problems);
  const { limiterOptions, rejectOnDrop } = { ...given } as Bottleneck.ConstructorOptions & {
    limiterOptions?: typeof given;
  };
  isTrue({ rejectOnDrop, ...limiterOptions }.rejectOnDrop, 'bottleneck.rejectOnDrop', problems);
  checkOptions(options, 'limit', problems);
  if (problems.length > 0) throw new InvalidPolicyError(problems);
}

function requireOptions(options: unknown): asserts options is BottleneckLimiterOptions {
  const problems: PolicyProblem[] = [];
  required(checkOptions)(options, 'limit', problems);
  if (problems.length > 0) throw new InvalidPolicyError(problems);
}
