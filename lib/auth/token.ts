import type { Token } from './options.ts';

/**
 * What the caller gives as a token, as one.
 *
 * @throws {TypeError} when it is none, or when its value has characters that no header may hold. The message never shows it.
 */
export function tokenOf(given: unknown): Token {
  const token = typeof given === 'string' ? { value: given } : (given as Token | null | undefined);
  const value: unknown = token?.value;
  if (typeof value !== 'string' || value === '') {
    throw new TypeError('a token must be a non-empty string, or { value, expiresAt? }');
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
