import { describe, expect, it } from 'vitest';
import { AUTH } from '../../lib/auth/options.ts';
import type { PolicyProblem } from '../../lib/failure/errors.ts';

/** What is wrong with these options, of a session that can be refreshed. */
function wrongIn(options: object): readonly string[] {
  const problems: PolicyProblem[] = [];
  AUTH.check({ refresh: async () => 'fresh', ...options }, 'auth', problems);
  return problems.map(({ message }) => message);
}

const ORIGINS = "auth.origins must be an array of origins such as 'https://api.example.com', or 'any', got";

describe('the options of auth', () => {
  it('need a refresh: without one a policy would only write a token, as an interceptor does', () => {
    expect(wrongIn({ refresh: undefined, token: () => 'a' })).toEqual(['auth.refresh must be a function, got nothing']);
    expect(wrongIn({})).toEqual([]);
  });

  it.each([['any'], [[]], [['https://api.example.com', 'http://127.0.0.1:8080']]])('take %j for origins', (origins) => {
    expect(wrongIn({ origins })).toEqual([]);
  });

  it.each<[unknown, string]>([
    ['https://api.example.com', 'a string'],
    [
      ['https://api.example.com', 'https://u:secret@b.example/v1'],
      "a string in it that is none: its origin is 'https://b.example'",
    ],
    [['https://api.example.com/'], "a string in it that is none: its origin is 'https://api.example.com'"],
    [['api.example.com'], 'a string in it that is none'],
    [['file:///etc'], 'a string in it that is none'],
    [['null'], 'a string in it that is none'],
    [[new URL('https://b.example')], "an instance of URL in it that is none: its origin is 'https://b.example'"],
    [[7], '7 in it that is none'],
  ])('take no %j for origins, and show no more of a URL than its origin', (origins, found) => {
    expect(wrongIn({ origins })).toEqual([`${ORIGINS} ${found}`]);
  });

  it.each<[object, string]>([
    [{ store: {} }, 'auth.store must be a TokenStore, got an object'],
    [{ store: { refresh: 'soon' } }, 'auth.store must be a TokenStore, got an object'],
    [{ store: () => {} }, 'auth.store must be a TokenStore, got the function store'],
    [{ neverRefreshOn: ['ok', 7] }, 'auth.neverRefreshOn must be an array of strings, got 7 in it'],
    [{ refreshTimeoutMs: 0 }, 'auth.refreshTimeoutMs must be a number above 0, got 0'],
    [{ refreshAheadMs: -1 }, 'auth.refreshAheadMs must be a number of at least 0, got -1'],
    [{ retry: false }, 'auth.retry must be a plain object, got false'],
  ])('refuse %j', (options, message) => {
    expect(wrongIn(options)).toEqual([message]);
  });

  it('take a store, codes on which there is no refresh, and a refresh that may take for ever', () => {
    const store = { refresh: async () => ({ value: 'a', generation: 1 }) };
    expect(
      wrongIn({ store, neverRefreshOn: ['invalid_scope'], refreshTimeoutMs: Infinity, refreshAheadMs: 0 }),
    ).toEqual([]);
  });
});
