import type { Clock } from '../wait/clock.ts';
import type { Limiter } from './limiter.ts';
import { localLimiterWith } from './local.ts';
import type { ResolvedLimit } from './options.ts';

/** Whether it is a limiter, and not the numbers for one. */
export const isLimiter = (limit: unknown): limit is Limiter =>
  typeof (limit as Partial<Limiter> | null | undefined)?.acquire === 'function';

/** The limiters that one attachment makes: calls that are given the same numbers share one. */
export class Limiters {
  readonly #clock: Clock;
  readonly #byNumbers = new Map<string, Limiter>();
  /** Nearly every call comes with the attached policy's own. */
  #last: { readonly options: ResolvedLimit; readonly limiter: Limiter } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  of(limit: Limiter | ResolvedLimit): Limiter {
    if (isLimiter(limit)) return limit;
    if (this.#last?.options === limit) return this.#last.limiter;
    const numbers = JSON.stringify(limit);
    const limiter = this.#byNumbers.get(numbers) ?? localLimiterWith(this.#clock, limit);
    this.#byNumbers.set(numbers, limiter);
    this.#last = { options: limit, limiter };
    return limiter;
  }

  /** How many buckets are paused now. */
  paused(): number {
    let paused = 0;
    for (const limiter of this.#byNumbers.values()) paused += limiter.stats().paused ?? 0;
    return paused;
  }

  /** Closes what was made here; what was handed in may belong to others too. */
  async close(): Promise<void> {
    for (const limiter of this.#byNumbers.values()) await limiter.close();
  }
}
