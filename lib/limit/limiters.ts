import { ByNumbers } from '../model/by-numbers.ts';
import type { Clock, Random } from '../wait/clock.ts';
import type { Limiter, LimiterStats, Permit, PermitRequest } from './limiter.ts';
import { localLimiterWith } from './local.ts';
import { type LimitOptions, type ResolvedLimit, windowsOf } from './options.ts';

/** Whether it is a limiter, and not the numbers for one. */
export const isLimiter = (limit: unknown): limit is Limiter =>
  typeof (limit as Partial<Limiter> | null | undefined)?.acquire === 'function';

/** Whether a send may have to wait for another's end, and so for the one that makes it. */
export const waitsForOthers = (limit: Limiter | ResolvedLimit): boolean =>
  isLimiter(limit) || limit.maxConcurrent < Number.POSITIVE_INFINITY || limit.adaptive !== false;

/** What a policy may say about a limiter that was handed in: who goes where, and for how long. Not how fast. */
const ADJUSTABLE: ReadonlySet<string> = new Set(['key', 'priority', 'maxWaitMs']);

/** The options that cannot be laid over a limiter that was handed in. */
export const numbersIn = (options: LimitOptions): readonly string[] =>
  Object.entries(options).flatMap(([name, value]) => (value === undefined || ADJUSTABLE.has(name) ? [] : [name]));

/** On every `AdjustedLimiter`; registered, so that a second copy of this package sees it too. */
const ADJUSTED = Symbol.for('axios-holdfast.adjusted-limiter');
const isAdjusted = (limit: Limiter): limit is AdjustedLimiter => ADJUSTED in limit;

/** A limiter that was handed in, under somebody's own key, priority or patience. */
export class AdjustedLimiter implements Limiter {
  readonly [ADJUSTED] = true;
  readonly limiter: Limiter;
  readonly key: Limiter['key'];
  readonly priority: Limiter['priority'];
  readonly maxWaitMs: number | undefined;

  constructor(under: Limiter, { key, priority, maxWaitMs }: LimitOptions) {
    const before = isAdjusted(under) ? under : undefined;
    this.limiter = before?.limiter ?? under;
    this.key = key ?? under.key;
    this.priority = priority ?? under.priority;
    this.maxWaitMs = maxWaitMs ?? before?.maxWaitMs;
  }

  acquire(request: PermitRequest): Permit | Promise<Permit> {
    return this.limiter.acquire(request);
  }

  pause(key: string, untilAt: number): void {
    this.limiter.pause(key, untilAt);
  }

  close(): Promise<void> {
    return this.limiter.close();
  }

  stats(): LimiterStats {
    return this.limiter.stats();
  }
}

/** The limiters of one attachment. Of those that it makes, calls that are given the same numbers share one. */
export class Limiters {
  readonly #made: ByNumbers<ResolvedLimit, Limiter>;
  readonly #storeLost: (key: string, error: unknown) => void;
  readonly #heard = new WeakSet<Limiter>();
  readonly #stopHearing: (() => void)[] = [];

  constructor(clock: Clock, random: Random, storeLost: (key: string, error: unknown) => void) {
    this.#made = new ByNumbers((limit) => localLimiterWith(clock, limit, random), numbersOf);
    this.#storeLost = storeLost;
  }

  of(limit: Limiter | ResolvedLimit): Limiter {
    if (!isLimiter(limit)) return this.#made.of(limit);
    const limiter = isAdjusted(limit) ? limit.limiter : limit;
    if (limiter.onStoreLost !== undefined && !this.#heard.has(limiter)) {
      this.#heard.add(limiter);
      this.#stopHearing.push(limiter.onStoreLost(this.#storeLost));
    }
    return limiter;
  }

  /** How many buckets are paused now. */
  paused(): number {
    return this.#made.all().reduce((paused, limiter) => paused + (limiter.stats().paused ?? 0), 0);
  }

  /** Closes what was made here; what was handed in may belong to others too. */
  async close(): Promise<void> {
    for (const stop of this.#stopHearing.splice(0)) stop();
    for (const limiter of this.#made.all()) await limiter.close();
  }
}

/** However they were written. How long somebody waits is not the limiter's affair but the call's. */
function numbersOf(limit: ResolvedLimit): unknown {
  const { maxConcurrent, maxQueue, adaptive } = limit;
  const windows = windowsOf(limit).map(({ requests, perMs, burst = 1 }) => [requests, perMs, burst]);
  return [windows, maxConcurrent, maxQueue, adaptive];
}
