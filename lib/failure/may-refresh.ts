import type { Challenge } from './challenge.ts';

/** What a fresh token of the same kind can't help. */
const BEYOND_REFRESH: ReadonlySet<string> = new Set([
  // The token lacks rights, or the request is malformed (RFC 6750 §3.1).
  'insufficient_scope',
  'invalid_request',
  // The proof lacks the server's nonce (RFC 9449 §9).
  'use_dpop_nonce',
  // The user has to sign in again, or with a second factor (RFC 9470 §3).
  'insufficient_user_authentication',
]);

/**
 * Whether a token refresh may help after a 401 with these challenges.
 *
 * `false` where one of them names a reason that no fresh token removes: a missing scope or nonce, a malformed request, a user who has to
 * sign in again. `true` where none does, where there are none, and where another one says that the token itself is invalid.
 */
export function mayRefresh(challenges: readonly Challenge[]): boolean {
  const errors = challenges.map(({ params }) => params.error?.toLowerCase() ?? '');
  return errors.includes('invalid_token') || !errors.some((error) => BEYOND_REFRESH.has(error));
}
