import { bringing } from '../../room.ts';
import { systemClock } from '../../time/clock.ts';
import type { Limiter } from '../limiter.ts';
import { fillIn, type LimitOptions, requireLimit } from '../options.ts';
import { LIMIT_ROOM } from '../room.ts';
import { localLimiterWith } from './local-buckets.ts';

/** A limiter whose numbers can be changed while calls wait. */
export interface LocalLimiter extends Limiter {
  /**
   * Other numbers from now on, laid over those that hold: what is left out stays. Who waits is let out by them, keeps its place, and waits no
   * longer than it would have. What has left by the old numbers counts, at the new rate, for up to one window. What a burst has
   * grown by is there after a rest. A limiter that learns begins anew where windows or `adaptive` change. `key`, `priority`, `weight`, `settle` and `quota` stay as they are.
   *
   * @example
   * limit.update({ requests: 10 }); // a second, as before
   *
   * @throws {InvalidPolicyError} where an option is wrong; nothing changes then
   */
  update(options: LimitOptions): void;
}

/**
 * A limiter for the calls of one process: what `limit: { … }` makes for an attachment, to be shared by several. Whoever makes it closes it.
 *
 * @example
 * const limit = localLimiter({ requests: 50, perMs: 1_000, maxConcurrent: 10 });
 * attach(customers, { limit });
 * attach(orders, { limit }); // 50 a second together
 *
 * @throws {InvalidPolicyError} when an option is wrong
 */
export function localLimiter(options: LimitOptions): LocalLimiter {
  requireLimit(options);
  return bringing(localLimiterWith(systemClock, fillIn(options)), LIMIT_ROOM);
}
