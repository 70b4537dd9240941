import { describe, expect, it } from 'vitest';
import { tokenOf } from '../../lib/auth/token.ts';

describe(tokenOf.name, () => {
  it.each(['t0k3n', 'a', 'two words', '!"~'])('takes the string %j as a token that does not expire', (value) => {
    expect(tokenOf(value, 'auth.token')).toEqual({ value });
  });

  it('gives an object as it is, with what else it holds for the refresh', () => {
    for (const token of [
      { value: 'a' },
      { value: 'a', expiresAt: 0 },
      { value: 'a', refreshToken: 'r', scope: 'all' },
    ]) {
      expect(tokenOf(token, 'auth.token')).toBe(token);
    }
    expect(tokenOf({ value: 'a', expiresAt: undefined }, 'auth.token')).toEqual({ value: 'a' });
  });

  it.each([undefined, null, '', 7, {}, [], { value: '' }, { value: null }, { value: ['a'] }])(
    'refuses %j, which is none',
    (given) => {
      expect(() => tokenOf(given, 'auth.refresh')).toThrow(
        /^auth\.refresh must give a non-empty string, or \{ value, expiresAt\? \}; it gave /,
      );
    },
  );

  it.each<[unknown, string]>([
    [undefined, 'undefined'],
    ['', 'an empty string'],
    [{ access_token: 's3cret', expires_in: 60 }, 'an object with access_token, expires_in'],
    [{ status: 200, data: { value: 's3cret' } }, 'an object with status, data'],
    [Promise.resolve('s3cret'), 'a promise: await it?'],
  ])('says what %o was, and no value of it', (given, found) => {
    expect(() => tokenOf(given, 'auth.token')).toThrow(new RegExp(`; it gave ${found.replace('?', '\\?')}$`));
  });

  it.each(['ab\r\nX: y', 'ab\n', '\nab', 'äb', 'bä', 'a\u0000b', 'ab\u007f', '\u001fab', ' ab', 'ab ', ' ', '€'])(
    'refuses %j, which no header holds as it is, and does not quote it',
    (value) => {
      const refusal = new TypeError('a token must be printable ASCII, without blanks around it; this one is not');
      expect(() => tokenOf(value, 'auth.token')).toThrow(refusal);
      expect(() => tokenOf({ value }, 'auth.token')).toThrow(refusal);
    },
  );

  it.each([Number.NaN, Number.POSITIVE_INFINITY, '1767225600000', null, new Date(0)])(
    'refuses an expiry of %s: only a finite number is an instant',
    (expiresAt) => {
      expect(() => tokenOf({ value: 'a', expiresAt }, 'auth.token')).toThrow(
        new TypeError("a token's expiresAt must be an instant in ms since the epoch"),
      );
    },
  );
});
