import axios from 'axios';
import { credentials, InvalidPolicyError } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import type { RefreshContext } from '../../lib/auth/options.ts';
import { NOTHING, quiet } from '../support/credentials.ts';

const refresh = async () => 'fresh';

describe(credentials.name, () => {
  it('are refused with all that is wrong with them, under the names of a policy', () => {
    const make = () => credentials({ token: 'secret', refresh: undefined, http: {} } as never);
    expect(make).toThrow(InvalidPolicyError);
    expect(make).toThrow(
      'auth.token must be a function, got a string; auth.refresh must be a function, got nothing; auth.http must be an axios instance, got an object',
    );
    for (const http of [null, false, 'axios']) {
      expect(() => credentials({ refresh, http } as never)).toThrow('auth.http must be an axios instance');
    }
  });

  it('are made of options, not of other credentials', () => {
    expect(() => credentials(credentials({ refresh }) as never)).toThrow(new TypeError('credentials() needs options'));
  });

  it('start from the defaults, and cannot be changed by what they were made of', () => {
    const options = { refresh, refreshAheadMs: 5, neverRefreshOn: ['a'] };
    const made = credentials(options) as ReturnType<typeof credentials> & { options: object };
    options.neverRefreshOn.push('b');
    expect(made.options).toMatchObject({ refreshAheadMs: 5, refreshTimeoutMs: 30_000, neverRefreshOn: ['a'] });
    expect(Object.isFrozen(made.options)).toBe(true);
  });

  it('are refreshed by their own instance, else by that of the call that begins it', async () => {
    const [own, ofCall] = [axios.create(), axios.create()];
    const askedBy = async (http?: typeof own) => {
      let context: RefreshContext | undefined;
      const made = credentials({
        token: () => 'old',
        refresh: async (given) => {
          context = given;
          return 'fresh';
        },
        ...(http && { http }),
      }) as unknown as import('../../lib/auth/credential-set.ts').CredentialSet;
      await made.of('').replace('old', NOTHING, { ...quiet, http: ofCall });
      return context?.http;
    };
    expect(await askedBy()).toBe(ofCall);
    own.defaults.baseURL = 'https://own.example';
    expect((await askedBy(own))?.getUri({ url: '/token' })).toBe('https://own.example/token');
  });
});
