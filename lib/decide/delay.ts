import type { Verdict } from '../model/verdict.ts';
import type { ResolvedRetry } from '../policy/options.ts';
import { exponentialBackoff } from '../wait/backoff.ts';
import type { Random } from '../wait/clock.ts';

/** How long to wait, or that the server named longer than the policy sits out. */
export type Delay = { readonly ms: number; readonly backoff: boolean } | 'too-long';

const FALLBACK = exponentialBackoff();

/** The wait before a retry: what the server named, never less; else the policy's backoff. */
export function delayFor(
  verdict: Verdict,
  retry: number,
  previousMs: number,
  { retryAfter, backoff }: Pick<ResolvedRetry, 'retryAfter' | 'backoff'>,
  random: Random,
): Delay {
  const { retryAfterMs } = verdict;
  if (retryAfterMs !== undefined && !Number.isNaN(retryAfterMs)) {
    if (retryAfterMs > retryAfter.maxMs && retryAfter.whenLonger === 'fail') return 'too-long';
    const named = Math.max(0, Math.min(retryAfterMs, retryAfter.maxMs));
    return { ms: named + Math.floor(random() * retryAfter.jitterMs), backoff: false };
  }
  const context = Object.freeze({ retry, verdict, previousMs, random });
  const ms = backoff(context);
  // A backoff of the caller's that miscounts must not turn into a retry storm.
  return { ms: ms >= 0 && ms < Number.POSITIVE_INFINITY ? ms : FALLBACK(context), backoff: true };
}
