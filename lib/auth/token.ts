import { isRecord, kindOf } from '../check.ts';
import type { Token } from './options.ts';

/**
 * Checks what was given as a token, and makes one of a text.
 *
 * @param giver who gave it, for the message
 * @throws {TypeError} when it is none, or no header may hold its value. The message never shows it.
 */
export function tokenOf(given: unknown, giver: 'auth.token' | 'auth.refresh' | 'the token store'): Token {
  const token = typeof given === 'string' ? { value: given } : (given as Token | null | undefined);
  const value: unknown = token?.value;
  if (typeof value !== 'string' || value === '') {
    throw new TypeError(`${giver} must give a non-empty string, or { value, expiresAt? }; it gave ${foundIn(given)}`);
  }
  // axios strips line breaks in silence, and blanks around it; a header that was smuggled in should be refused, not repaired.
  if (!/^[\x20-\x7e]+$/.test(value) || value.trim() !== value) {
    throw new TypeError('a token must be printable ASCII, without blanks around it; this one is not');
  }
  const { expiresAt } = token as { expiresAt?: unknown };
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) {
    throw new TypeError("a token's expiresAt must be an instant in ms since the epoch");
  }
  return token as Token;
}

/** The names of its fields tell what was taken for a token (a whole response, say); their values might be secrets. */
function foundIn(given: unknown): string {
  if (given === '') return 'an empty string';
  const names = isRecord(given) ? Object.keys(given) : [];
  return names.length === 0 ? kindOf(given) : `${kindOf(given)} with ${names.slice(0, 8).join(', ')}`;
}
