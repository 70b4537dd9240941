import type { Verdict } from '../model/verdict.ts';
import type { RetryOptions } from '../policy/options.ts';

/** RFC 9110 §9.2.2, and QUERY, which is safe by its own definition. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY']);

/** Whether sending a request with this method twice does what sending it once does. Upper case. */
export const isIdempotent = (method: string): boolean => IDEMPOTENT.has(method);

/** What bears on whether sending a request once more could do harm. */
export interface Repeat {
  /** Upper case. */
  readonly method: string;
  /** Whether the repeat will carry the same idempotency key as the send before it. */
  readonly sameKey: boolean;
  readonly verdict: Verdict;
  readonly unsafe: NonNullable<RetryOptions['unsafe']>;
}

/**
 * Whether a repeat is harmless: by its method, by its key, because the server provably did nothing (it throttled,
 * refused, or was never reached), or because the policy says so.
 */
export function isHarmless({ method, sameKey, verdict, unsafe }: Repeat): boolean {
  if (isIdempotent(method) || sameKey) return true;
  if (unsafe !== 'when-unapplied') return unsafe === 'always';
  return verdict.unapplied ?? (verdict.kind === 'throttled' || verdict.kind === 'unauthorized');
}
