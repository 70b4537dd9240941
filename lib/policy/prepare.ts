import type { House } from './house.ts';
import type { Policy } from './options.ts';
import { PreparedPolicy } from './prepared.ts';
import { validate } from './validate.ts';

/**
 * Checks a policy and keeps a copy of it.
 *
 * @throws {InvalidPolicyError} where it is wrong
 */
export function prepare(house: House, policy: Policy): PreparedPolicy {
  const furnished = house.with(policy);
  validate(furnished, policy);
  const copy = furnished.policy.freeze(furnished.policy.merge({}, policy));
  const { auth }: Policy = { auth: undefined, ...policy };
  // The very object: attachments that are given it share one session.
  return new PreparedPolicy(auth ? Object.freeze({ ...copy, auth }) : copy);
}
