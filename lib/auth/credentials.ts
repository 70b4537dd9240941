import { kindOf } from '../check.ts';
import { InvalidPolicyError, type PolicyProblem } from '../failure/errors.ts';
import { bringing } from '../room.ts';
import { systemClock } from '../time/clock.ts';
import { CredentialSet, isCredentials } from './credential-set.ts';
import { AUTH, type Credentials, type CredentialsOptions } from './options.ts';
import { passThrough } from './pass-through.ts';
import { AUTH_ROOM } from './room.ts';

/**
 * One credential for several instances: the token is refreshed once for all of them, by the instance `http`, or where none is given by that of
 * the call that needs it first.
 *
 * To close an attachment refuses the calls of that attachment only; `close()` of the credentials refuses those of all.
 *
 * @throws {InvalidPolicyError} where an option is wrong, with all problems at once, under the names of a policy (`auth.refresh`)
 * @throws {TypeError} where it is given what `credentials()` has made
 *
 * @example
 * const auth = credentials({ token: () => session.accessToken, refresh: ({ http }) => http.post('/token').then(({ data }) => data.token) });
 * attach(orders, { auth });
 * attach(invoices, { auth });
 */
export function credentials(options: CredentialsOptions): Credentials {
  const { http, ...auth }: CredentialsOptions = { http: undefined, ...options };
  const problems: PolicyProblem[] = [];
  AUTH.check(auth, 'auth', problems);
  if (http !== undefined && typeof http?.request !== 'function') {
    const bound = 'an axios instance';
    problems.push({
      path: 'auth.http',
      bound,
      value: http,
      message: `auth.http must be ${bound}, got ${kindOf(http)}`,
    });
  }
  if (problems.length > 0) throw new InvalidPolicyError(problems);
  const resolved = AUTH.resolve(false, auth);
  if (isCredentials(resolved)) throw new TypeError('credentials() needs options');
  const made = new CredentialSet(AUTH.freeze(resolved), { clock: systemClock, http: http && passThrough(http) });
  return bringing(made, AUTH_ROOM);
}
