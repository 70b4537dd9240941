import { bare } from '../check.ts';
import type { House } from './house.ts';
import type { Policy } from './options.ts';
import { asWritten, type PreparedPolicy } from './prepared.ts';
import { validate } from './validate.ts';

/**
 * One policy out of several, the later laid over the earlier.
 *
 * @throws {InvalidPolicyError} where one of them is wrong
 */
export function merge(house: House, policies: readonly (Policy | PreparedPolicy | undefined)[]): Policy {
  const furnished = house.with(...policies);
  const given = policies.filter((policy) => policy !== undefined).map(asWritten);
  for (const policy of given) validate(furnished, policy);
  const merged = given.reduce<Policy>((earlier, later) => furnished.policy.merge(earlier, later), {});
  // Attachments share a session by the very object that it was written as. One that was laid over another is nobody's object.
  const written = new Set(given.map((policy) => bare(policy).auth).filter((auth) => auth !== undefined));
  const [auth] = written;
  return written.size === 1 ? { ...merged, auth } : merged;
}
