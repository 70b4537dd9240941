import type { Challenge } from './challenge.ts';

/** What a fresh token of the same kind can't cure. */
const INCURABLE: ReadonlySet<string> = new Set([
  // RFC 6750 §3.1
  'insufficient_scope',
  'invalid_request',
  // The proof lacks the server's nonce (RFC 9449 §9).
  'use_dpop_nonce',
  // The user has to sign in again, or by more (RFC 9470 §3).
  'insufficient_user_authentication',
]);

/**
 * Whether the challenges of a 401 leave a chance that a token refresh helps.
 *
 * `false` if the server says that the request lacks a scope or a nonce, is malformed, or that the user must sign in anew, unless another challenge calls the token
 * itself invalid. `true` where the challenges say nothing of the kind, and where there are none.
 */
export function mayRefresh(challenges: readonly Challenge[]): boolean {
  const errors = challenges.map(({ params }) => params.error?.toLowerCase() ?? '');
  return errors.includes('invalid_token') || !errors.some((error) => INCURABLE.has(error));
}
