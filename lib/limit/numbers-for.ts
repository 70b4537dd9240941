import { bare, isRecord, object } from '../check.ts';
import type { PolicyProblem } from '../failure/errors.ts';
import { isAdjusted, numbersIn } from './adjusted-limiter.ts';
import { isLimiter, type Limiter } from './limiter.ts';
import { LIMIT, type LimitOptions, type ResolvedLimits } from './options.ts';
import { LIMIT_NAMES } from './other-names.ts';

/** Other numbers for a limiter that was handed in. */
export interface NumbersFor {
  readonly of: Limiter;
  readonly options: LimitOptions;
}

/**
 * The numbers in what an attachment is to have as its `limit`, where it has a limiter that was handed in: they are for that limiter.
 *
 * @param problems what is wrong with them is added
 */
export function numbersFor(
  current: false | ResolvedLimits,
  given: unknown,
  problems: PolicyProblem[],
): NumbersFor | undefined {
  if (!isLimiter(current) || isLimiter(given) || !isRecord(given)) return undefined;
  const names = numbersIn(given);
  if (names.length === 0) return undefined;
  const before = problems.length;
  object(LIMIT.checks, { names: LIMIT_NAMES })(given, 'limit', problems);
  const of = isAdjusted(current) ? current.limiter : current;
  if (typeof of.update !== 'function' && problems.length === before) problems.push(cannotChange(names, given));
  return { of, options: Object.fromEntries(Object.entries(bare(given)).filter(([name]) => names.includes(name))) };
}

function cannotChange(names: readonly string[], value: unknown): PolicyProblem {
  const bound = 'another Limiter, or one that has update(): the numbers of the one that is attached cannot be changed';
  return { path: 'limit', bound, value, message: `limit must be ${bound} (${names.join(', ')})` };
}
