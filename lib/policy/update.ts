import { isPlain } from '../check.ts';
import { InvalidPolicyError, type PolicyProblem } from '../failure/errors.ts';
import type { NumbersFor } from '../limit/numbers-for.ts';
import type { LimitOptions } from '../limit/options.ts';
import type { House } from './house.ts';
import type { Policy, ResolvedPolicy } from './options.ts';
import { asWritten, type PreparedPolicy } from './prepared.ts';
import { validate } from './validate.ts';

/** A policy that takes the place of another. */
export interface Update {
  readonly policy: ResolvedPolicy;
  /** Other numbers for the limiter that was handed in. */
  readonly numbers: NumbersFor | undefined;
}

/**
 * Lays a policy over the one that holds, as `mergePolicies` does; what it means together is what has to be right.
 *
 * A limiter that was handed in stays where only numbers are given: they are for that limiter.
 *
 * @throws {InvalidPolicyError} with all problems at once
 */
export function update(house: House, current: ResolvedPolicy, given: Policy | PreparedPolicy): Update {
  const written: unknown = asWritten(given);
  if (!isPlain(written)) validate(house, written);
  const policy = written as Policy;
  const problems: PolicyProblem[] = [];
  const numbers = house.rooms.limit?.numbersFor(current.limit, policy.limit, problems);
  const limit = numbers === undefined ? policy.limit : without(numbers.options, policy.limit as LimitOptions);
  const later = { ...policy, limit };
  house.policy.check(house.policy.merge(current, later), '', problems);
  if (problems.length > 0) throw new InvalidPolicyError(problems);
  return { policy: house.policy.freeze(house.policy.resolve(current, later)), numbers };
}

/** What else is said of it, if anything is. */
function without(numbers: LimitOptions, given: LimitOptions): LimitOptions | undefined {
  const others = Object.entries(given).filter(([name]) => !Object.hasOwn(numbers, name));
  return others.length === 0 ? undefined : Object.fromEntries(others);
}
