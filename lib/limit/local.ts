import { type Clock, systemClock } from '../wait/clock.ts';
import { Buckets } from './buckets.ts';
import type { Limiter } from './limiter.ts';
import { LocalPace, type Sent } from './local-pace.ts';
import { fillIn, type LimitOptions, type ResolvedLimit, requireLimit, windowsOf } from './options.ts';
import { Turnstile } from './turnstile.ts';

/**
 * A limiter for the calls of one process: what `limit: { … }` makes for an attachment, to be shared by several.
 *
 * @throws {InvalidPolicyError} when an option is wrong
 */
export function localLimiter(options: LimitOptions): Limiter {
  requireLimit(options);
  return localLimiterWith(systemClock, fillIn(options));
}

/** `localLimiter` with the clock in the caller's hand, and options that are known to be good. */
export function localLimiterWith(clock: Clock, options: ResolvedLimit): Buckets<Sent> {
  const bucket = () => new Turnstile(options, clock, new LocalPace(windowsOf(options), options.adaptive));
  return new Buckets(bucket, options);
}
