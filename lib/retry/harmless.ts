import type { Judgement } from '../call/verdict.ts';
import type { ResolvedRetry } from './options.ts';

/** What the IANA HTTP Method Registry calls idempotent (RFC 9110 §9.2.2): sent twice, they do what they do when sent once. */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY', 'PRI'],
  // WebDAV and what builds on it: RFC 3253, 3648, 3744, 4437, 4791, 4918, 5323, 5842.
  ...['ACL', 'BASELINE-CONTROL', 'BIND', 'CHECKIN', 'CHECKOUT', 'COPY', 'LABEL', 'MERGE', 'MKACTIVITY', 'MKCALENDAR'],
  ...['MKCOL', 'MKREDIRECTREF', 'MKWORKSPACE', 'MOVE', 'ORDERPATCH', 'PROPFIND', 'PROPPATCH', 'REBIND', 'REPORT'],
  ...['SEARCH', 'UNBIND', 'UNCHECKOUT', 'UPDATE', 'UPDATEREDIRECTREF', 'VERSION-CONTROL'],
  // RFC 2068.
  ...['LINK', 'UNLINK'],
]);

/** Whether sending a request with this method twice does what sending it once does. Upper case. */
export const isIdempotent = (method: string): boolean => IDEMPOTENT.has(method);

/** The same, by the registry or because the policy names the method. */
export const isIdempotentHere = (method: string, retry: false | Pick<ResolvedRetry, 'idempotentMethods'>): boolean =>
  isIdempotent(method) || (retry !== false && retry.idempotentMethods.some((each) => each.toUpperCase() === method));

/** What bears on whether sending a request once more could do harm. */
export interface Repeat {
  /** Upper case. */
  readonly method: string;
  /** Whether the repeat will carry the same idempotency key as the send before it. */
  readonly sameKey: boolean;
  readonly verdict: Judgement;
}

/**
 * Whether a repeat is harmless: by its method, by its key, because the server provably did nothing (it throttled,
 * refused, or was never reached), or because the policy says so.
 */
export function isHarmless(
  { method, sameKey, verdict }: Repeat,
  retry: false | Pick<ResolvedRetry, 'idempotentMethods'>,
  unsafe: ResolvedRetry['unsafe'],
): boolean {
  if (isIdempotentHere(method, retry) || sameKey || verdict.vouched) return true;
  if (unsafe !== 'when-unapplied') return unsafe === 'always';
  return verdict.unapplied ?? (verdict.kind === 'throttled' || verdict.kind === 'unauthorized');
}
