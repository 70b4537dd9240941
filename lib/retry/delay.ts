import type { Verdict } from '../call/verdict.ts';
import { shown } from '../check.ts';
import type { Random } from '../time/clock.ts';
import type { ResolvedRetry } from './options.ts';

/** How long to wait before a retry, or that the server named longer than the policy waits. */
export type Delay = { readonly ms: number; readonly backoff: boolean; readonly namedMs: number } | 'too-long';

/** What a delay rests on. */
export interface Occasion {
  readonly verdict: Verdict;
  /** Retries made so far; in a call that polls, since the last answer that was pending. */
  readonly retries: number;
  /** The last backoff of this call, in ms. */
  readonly previousMs: number;
  /** How long this call has waited because answers to it named so long a wait, in ms. */
  readonly namedMs: number;
  readonly random: Random;
  /** The error of the send, which a mistake in the policy must not hide. */
  readonly error: unknown;
}

/**
 * The wait before a retry: what the server named, never less; else the policy's backoff.
 *
 * `maxMs` bounds the sum of the named waits of a call, so with 60 s a wait of 57 s may be followed by one of 3 s and by none of 10 s.
 *
 * @throws {TypeError} where the backoff gives what is no wait: to guess one would hide the mistake, to wait for none would be a storm
 */
export function delayFor(
  { verdict, retries, previousMs, namedMs, random, error }: Occasion,
  { retryAfter, backoff }: Pick<ResolvedRetry, 'retryAfter' | 'backoff'>,
): Delay {
  const { retryAfterMs } = verdict;
  if (retryAfter !== false && retryAfterMs !== undefined && !Number.isNaN(retryAfterMs)) {
    const { maxMs, whenLonger, jitterMs } = retryAfter;
    if (whenLonger === 'fail' && namedMs + retryAfterMs > maxMs) return 'too-long';
    const named = Math.max(0, Math.min(retryAfterMs, maxMs));
    return { ms: named + Math.floor(random() * jitterMs), backoff: false, namedMs: named };
  }
  const ms: unknown = backoff(Object.freeze({ retry: retries, verdict, previousMs, random }));
  if (typeof ms === 'number' && ms >= 0 && ms < Number.POSITIVE_INFINITY) return { ms, backoff: true, namedMs: 0 };
  const message = `retry.backoff must return a finite number of ms, at least 0, and at once; got ${shown(ms)}`;
  throw new TypeError(message, { cause: error });
}
