import { describe, expect, it } from 'vitest';
import { tokenOf } from '../../lib/auth/token.ts';

describe(tokenOf.name, () => {
  it.each(['t0k3n', 'a', 'two words', '!"~'])('takes the string %j as a token that does not expire', (value) => {
    expect(tokenOf(value)).toEqual({ value });
  });

  it('gives an object as it is, with what else it holds for the refresh', () => {
    for (const token of [
      { value: 'a' },
      { value: 'a', expiresAt: 0 },
      { value: 'a', refreshToken: 'r', scope: 'all' },
    ]) {
      expect(tokenOf(token)).toBe(token);
    }
    expect(tokenOf({ value: 'a', expiresAt: undefined })).toEqual({ value: 'a' });
  });

  it.each([undefined, null, '', 7, {}, [], { value: '' }, { value: null }, { value: ['a'] }])(
    'refuses %j, which is none',
    (given) => {
      expect(() => tokenOf(given)).toThrow(
        new TypeError('a token must be a non-empty string, or { value, expiresAt? }'),
      );
    },
  );

  it.each(['ab\r\nX: y', 'ab\n', '\nab', 'äb', 'bä', 'a\u0000b', 'ab\u007f', '\u001fab', ' ab', 'ab ', ' ', '€'])(
    'refuses %j, which no header holds as it is, and does not quote it',
    (value) => {
      const refusal = new TypeError('a token must be printable ASCII, without blanks around it; this one is not');
      expect(() => tokenOf(value)).toThrow(refusal);
      expect(() => tokenOf({ value })).toThrow(refusal);
    },
  );

  it.each([Number.NaN, Number.POSITIVE_INFINITY, '1767225600000', null, new Date(0)])(
    'refuses an expiry of %s: only a finite number is an instant',
    (expiresAt) => {
      expect(() => tokenOf({ value: 'a', expiresAt })).toThrow(
        new TypeError("a token's expiresAt must be an instant in ms since the epoch"),
      );
    },
  );
});
