import type { Clock, Random } from '../time/clock.ts';
import type { Limiter, LimiterStats, Permit, PermitRequest } from './limiter.ts';
import { localLimiterWith } from './local/local-limiter.ts';
import { LIMIT_DEFAULTS, type LimitOptions, type ResolvedLimit } from './options.ts';

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

interface LimitersPorts {
  readonly clock: Clock;
  readonly random: Random;
  storeLost(key: string, error: unknown): void;
}

/** The limiters of one attachment: the one that it makes of its own numbers, which all its calls share, and those that were handed in. */
export class Limiters {
  readonly #own: Limiter;
  readonly #storeLost: (key: string, error: unknown) => void;
  readonly #heard = new WeakSet<Limiter>();
  readonly #stopHearing: (() => void)[] = [];

  /** @param attached what the attachment was given: a call may turn on what it has not */
  constructor(attached: false | Limiter | ResolvedLimit, { clock, random, storeLost }: LimitersPorts) {
    const numbers = attached === false || isLimiter(attached) ? LIMIT_DEFAULTS : attached;
    this.#own = localLimiterWith(clock, { ...numbers, isOwn: true }, random);
    this.#storeLost = storeLost;
  }

  of(limit: Limiter | ResolvedLimit): Limiter {
    if (!isLimiter(limit)) return this.#own;
    const limiter = isAdjusted(limit) ? limit.limiter : limit;
    if (limiter.onStoreLost !== undefined && !this.#heard.has(limiter)) {
      this.#heard.add(limiter);
      this.#stopHearing.push(limiter.onStoreLost(this.#storeLost));
    }
    return limiter;
  }

  /** How many buckets are paused now. */
  paused(): number {
    return this.#own.stats().paused ?? 0;
  }

  /** Closes what was made here; what was handed in may belong to others too. */
  async close(): Promise<void> {
    for (const stop of this.#stopHearing.splice(0)) stop();
    await this.#own.close();
  }
}
