import { InvalidPolicyError } from '../failure/errors.ts';
import type { House } from './house.ts';
import { numbersOfItsOwn } from './numbers-of-its-own.ts';
import type { Policy, ResolvedPolicy } from './options.ts';
import { asWritten, type PreparedPolicy } from './prepared.ts';
import { validate } from './validate.ts';

/**
 * A policy with every default filled in, frozen all the way down; of a call, laid over the one that is attached.
 *
 * @throws {InvalidPolicyError}
 */
export function resolve(house: House, given: Policy | PreparedPolicy, attached?: ResolvedPolicy): ResolvedPolicy {
  const policy = asWritten(given);
  const { policy: group } = house;
  validate(house, policy);
  const resolved = group.freeze(group.resolve(attached ?? group.defaults, policy));
  const problems = attached === undefined ? [] : numbersOfItsOwn(group, policy, resolved, attached);
  if (problems.length > 0) throw new InvalidPolicyError(problems);
  return resolved;
}
