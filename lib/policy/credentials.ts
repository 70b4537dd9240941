import { CredentialSet, isCredentials } from '../auth/credential-set.ts';
import type { Credentials, CredentialsOptions } from '../auth/options.ts';
import { passThrough } from '../auth/pass-through.ts';
import { kindOf } from '../check.ts';
import { InvalidPolicyError } from '../failure/errors.ts';
import { systemClock } from '../time/clock.ts';
import { resolve } from './resolve.ts';

/**
 * One credential for several instances: the token is refreshed once for all of them, by the instance `http`, or where none is given by that of
 * the call that needs it first.
 *
 * To close an attachment refuses the calls of that attachment only; `close()` of the credentials refuses those of all.
 *
 * @throws {InvalidPolicyError} where an option is wrong, with all problems at once, under the names of a policy (`auth.refresh`)
 *
 * @example
 * const auth = credentials({ token: () => session.accessToken, refresh: ({ http }) => http.post('/token').then(({ data }) => data.token) });
 * attach(orders, { auth });
 * attach(invoices, { auth });
 */
export function credentials(options: CredentialsOptions): Credentials {
  const { http, ...auth }: CredentialsOptions = { http: undefined, ...options };
  const resolved = resolve({ auth }).auth;
  if (resolved === false || isCredentials(resolved)) throw new TypeError('credentials() needs options');
  if (http !== undefined && typeof http?.request !== 'function') {
    const bound = 'an axios instance';
    const message = `auth.http must be ${bound}, got ${kindOf(http)}`;
    throw new InvalidPolicyError([{ path: 'auth.http', bound, value: http, message }]);
  }
  return new CredentialSet(resolved, { clock: systemClock, http: http && passThrough(http) });
}
