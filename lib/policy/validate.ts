import { required } from '../check.ts';
import { InvalidPolicyError, type PolicyProblem } from '../failure/errors.ts';
import type { House } from './house.ts';
import type { Policy } from './options.ts';

/**
 * @throws {InvalidPolicyError} with every problem at once, each with its path, what is allowed there, and what was found.
 */
export function validate({ policy }: House, value: unknown): asserts value is Policy {
  const problems: PolicyProblem[] = [];
  // `undefined` is no opinion everywhere but here.
  required(policy.check)(value, '', problems);
  if (problems.length > 0) throw new InvalidPolicyError(problems);
}
