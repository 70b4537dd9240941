import { CredentialSet, isCredentials } from '../auth/credential-set.ts';
import type { Credentials, CredentialsOptions } from '../auth/options.ts';
import { passThrough } from '../auth/pass-through.ts';
import { kindOf } from '../check.ts';
import { InvalidPolicyError } from '../failure/errors.ts';
import { systemClock } from '../time/clock.ts';
import { resolve } from './resolve.ts';

/**
 * One credential for several instances: a token that any of them needs is refreshed once for all, by `http` if that is given, else by the
 * instance of the call that began it. `attach(one, { auth })`, `attach(other, { auth })`.
 *
 * Closing an attachment refuses its own calls only; `close()` ends it for all.
 *
 * @throws {InvalidPolicyError} when an option is wrong: all problems at once, under the names that they have in a policy (`auth.refresh`)
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
