import type { Challenge } from './challenge.ts';

/** What a fresh token of the same kind can't cure (RFC 6750 §3.1). */
const INCURABLE: ReadonlySet<string> = new Set(['insufficient_scope', 'invalid_request']);

/**
 * Whether the challenges of a 401 leave a chance that a token refresh helps.
 *
 * `false` if the server says that the request lacks a scope or is malformed, unless another challenge calls the token
 * itself invalid. `true` where the challenges say nothing of the kind, and where there are none.
 */
export function mayRefresh(challenges: readonly Challenge[]): boolean {
  const errors = challenges.map(({ params }) => params.error?.toLowerCase() ?? '');
  return errors.includes('invalid_token') || !errors.some((error) => INCURABLE.has(error));
}
