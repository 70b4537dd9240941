import type { AxiosInstance } from 'axios';
import { originOf } from '../call/address.ts';
import { InvalidPolicyError } from '../failure/errors.ts';
import { Authenticators, type AuthenticatorsPorts } from './authenticators.ts';
import { type BeginnerPorts, beginnerOf } from './beginner.ts';
import { type CredentialSet, isCredentials } from './credential-set.ts';
import { AUTH, type AuthOptions, type Credentials, type ResolvedAuth } from './options.ts';

/** What is lent by the attachment. */
type AuthPorts = BeginnerPorts & Pick<AuthenticatorsPorts, 'clock' | 'queue'>;

type Attached = false | ResolvedAuth | CredentialSet;

/** All that a policy's `auth` needs: its options, and what an attachment makes of them. */
export const AUTH_ROOM = { name: 'auth', options: AUTH, open, update, requireOrigins } as const;

/**
 * @param written the policy as it was given: attachments share a session where they were given the very same `auth`
 * @throws {InvalidPolicyError} where nobody could ever see the token
 */
function open(
  lent: AuthPorts,
  attached: { readonly auth: Attached },
  written: { readonly auth?: false | AuthOptions | Credentials | undefined },
): Authenticators {
  const { axios, clock, queue } = lent;
  const { auth } = attached;
  requireOrigins(auth, axios);
  const authenticators = new Authenticators({
    clock,
    queue,
    beginner: beginnerOf(lent),
    baseUrl: () => axios.defaults?.baseURL,
  });
  // Not before it is known to be right, since others may share them.
  if (auth !== false && !isCredentials(auth)) authenticators.join(auth, written.auth || auth, originsOf(auth, axios));
  return authenticators;
}

/** Who may see the token, as one text; empty where nobody may. */
function originsOf({ origins }: ResolvedAuth, axios: AxiosInstance): string {
  return String(origins ?? originOf({ baseURL: axios.defaults?.baseURL ?? '' }));
}

/**
 * The attachment has another policy.
 *
 * @param written what its `auth` was given as
 */
function update(
  authenticators: Authenticators,
  axios: AxiosInstance,
  [before, auth]: readonly [Attached, Attached],
  written: false | AuthOptions | Credentials | undefined,
): void {
  if (auth === false || isCredentials(auth)) return;
  // Options that were laid over others are nobody's object.
  const isWhole = before === false || isCredentials(before);
  authenticators.update(before, auth, (isWhole && written) || auth, originsOf(auth, axios));
}

/** Without either, no call would ever carry the token, and nobody would know why. */
function requireOrigins(auth: Attached, axios: AxiosInstance): void {
  const options = isCredentials(auth) ? auth.options : auth;
  if (options === false || options.origins !== undefined || originsOf(options, axios) !== '') return;
  const bound = "given where the instance has no baseURL: a list of origins, or 'any' where all its URLs are your own";
  const message = `auth.origins must be ${bound}; it says who may see the token`;
  throw new InvalidPolicyError([{ path: 'auth.origins', bound, value: undefined, message }]);
}
