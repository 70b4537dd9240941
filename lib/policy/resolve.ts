import { InvalidPolicyError } from '../failure/errors.ts';
import { DEFAULT_POLICY } from './defaults.ts';
import { numbersOfItsOwn } from './numbers-of-its-own.ts';
import type { Policy, ResolvedPolicy } from './options.ts';
import { POLICY } from './policy.ts';
import { asWritten, type PreparedPolicy } from './prepared.ts';
import { validate } from './validate.ts';

/**
 * A policy with every default filled in, frozen all the way down; of a call, laid over the one that is attached.
 *
 * @throws {InvalidPolicyError}
 */
export function resolve(given: Policy | PreparedPolicy, attached?: ResolvedPolicy): ResolvedPolicy {
  const policy = asWritten(given);
  validate(policy);
  const resolved = POLICY.freeze(POLICY.resolve(attached ?? DEFAULT_POLICY, policy));
  const problems = attached === undefined ? [] : numbersOfItsOwn(policy, resolved, attached);
  if (problems.length > 0) throw new InvalidPolicyError(problems);
  return resolved;
}
