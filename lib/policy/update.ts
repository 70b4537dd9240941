import { bare, isPlain, isRecord, object } from '../check.ts';
import { InvalidPolicyError, type PolicyProblem } from '../failure/errors.ts';
import { isAdjusted, numbersIn } from '../limit/adjusted-limiter.ts';
import { isLimiter, type Limiter } from '../limit/limiter.ts';
import { LIMIT, type LimitOptions } from '../limit/options.ts';
import { LIMIT_NAMES } from '../limit/other-names.ts';
import type { Policy, ResolvedPolicy } from './options.ts';
import { POLICY } from './policy.ts';
import { asWritten, type PreparedPolicy } from './prepared.ts';
import { validate } from './validate.ts';

/** A policy that takes the place of another. */
export interface Update {
  readonly policy: ResolvedPolicy;
  /** Other numbers for the limiter that was handed in. */
  readonly numbers: { readonly of: Limiter; readonly options: LimitOptions } | undefined;
}

/**
 * Lays a policy over the one that holds, as `mergePolicies` does; what it means together is what has to be right.
 *
 * A limiter that was handed in stays where only numbers are given: they are for that limiter.
 *
 * @throws {InvalidPolicyError} with all problems at once
 */
export function update(current: ResolvedPolicy, given: Policy | PreparedPolicy): Update {
  const written: unknown = asWritten(given);
  if (!isPlain(written)) validate(written);
  const policy = written as Policy;
  const problems: PolicyProblem[] = [];
  const numbers = numbersFor(current.limit, policy.limit, problems);
  const limit = numbers === undefined ? policy.limit : without(numbers.options, policy.limit as LimitOptions);
  const later = { ...policy, limit };
  POLICY.check(POLICY.merge(current, later), '', problems);
  if (problems.length > 0) throw new InvalidPolicyError(problems);
  return { policy: POLICY.freeze(POLICY.resolve(current, later)), numbers };
}

function numbersFor(current: ResolvedPolicy['limit'], given: unknown, problems: PolicyProblem[]): Update['numbers'] {
  if (!isLimiter(current) || isLimiter(given) || !isRecord(given)) return undefined;
  const names = numbersIn(given);
  if (names.length === 0) return undefined;
  const before = problems.length;
  object(LIMIT.checks, { names: LIMIT_NAMES })(given, 'limit', problems);
  const of = isAdjusted(current) ? current.limiter : current;
  if (typeof of.update !== 'function' && problems.length === before) problems.push(cannotChange(names, given));
  return { of, options: Object.fromEntries(Object.entries(bare(given)).filter(([name]) => names.includes(name))) };
}

/** What else is said of it, if anything is. */
function without(numbers: LimitOptions, given: LimitOptions): LimitOptions | undefined {
  const others = Object.entries(given).filter(([name]) => !Object.hasOwn(numbers, name));
  return others.length === 0 ? undefined : Object.fromEntries(others);
}

function cannotChange(names: readonly string[], value: unknown): PolicyProblem {
  const bound = 'another Limiter, or one that has update(): the numbers of the one that is attached cannot be changed';
  return { path: 'limit', bound, value, message: `limit must be ${bound} (${names.join(', ')})` };
}
