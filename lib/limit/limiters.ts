import { ByNumbers } from '../model/by-numbers.ts';
import type { Clock } from '../wait/clock.ts';
import type { Limiter } from './limiter.ts';
import { localLimiterWith } from './local.ts';
import type { ResolvedLimit } from './options.ts';

/** Whether it is a limiter, and not the numbers for one. */
export const isLimiter = (limit: unknown): limit is Limiter =>
  typeof (limit as Partial<Limiter> | null | undefined)?.acquire === 'function';

/** The limiters that one attachment makes: calls that are given the same numbers share one. */
export class Limiters {
  readonly #made: ByNumbers<ResolvedLimit, Limiter>;

  constructor(clock: Clock) {
    this.#made = new ByNumbers((limit) => localLimiterWith(clock, limit));
  }

  of(limit: Limiter | ResolvedLimit): Limiter {
    return isLimiter(limit) ? limit : this.#made.of(limit);
  }

  /** How many buckets are paused now. */
  paused(): number {
    return this.#made.all().reduce((paused, limiter) => paused + (limiter.stats().paused ?? 0), 0);
  }

  /** Closes what was made here; what was handed in may belong to others too. */
  async close(): Promise<void> {
    for (const limiter of this.#made.all()) await limiter.close();
  }
}
