import { type Clock, type Random, systemClock, systemRandom } from '../../time/clock.ts';
import type { Limiter } from '../limiter.ts';
import {
  fillIn,
  type LimitOptions,
  leastBurstOf,
  maxWeightOf,
  type ResolvedLimit,
  requireLimit,
  windowsOf,
} from '../options.ts';
import { type Bounds, Bucket } from '../queue/bucket.ts';
import { Buckets } from '../queue/buckets.ts';
import { LocalPacer, type Sent } from './local-pacer.ts';

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
export function localLimiter(options: LimitOptions): Limiter {
  requireLimit(options);
  return localLimiterWith(systemClock, fillIn(options));
}

/** `localLimiter` with clock and chance in the caller's hand, and options that are known to be good. */
export function localLimiterWith(
  clock: Clock,
  options: ResolvedLimit & Pick<Bounds, 'isOwn'>,
  random: Random = systemRandom,
): Buckets<Sent> {
  const windows = windowsOf(options);
  const bounds = { ...options, maxWeight: maxWeightOf(windows), leastBurst: leastBurstOf(windows) };
  const bucket = () => new Bucket(bounds, clock, new LocalPacer(windows, options.adaptive), random);
  return new Buckets(bucket, options);
}
