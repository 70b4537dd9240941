import { object } from '../check.ts';
import { InvalidPolicyError, type PolicyProblem } from '../failure/errors.ts';
import { bringing } from '../room.ts';
import { Circuits } from './circuits.ts';
import { BREAKER, BREAKER_ADVICE, type Breaker, type BreakerOptions, type ResolvedBreaker } from './options.ts';
import { BREAKER_ROOM } from './room.ts';

/**
 * A circuit breaker for several instances: what `breaker: { … }` makes for an attachment, to be shared. A server that fails for one of them
 * is left alone by all.
 *
 * @throws {InvalidPolicyError} when an option is wrong, with all problems at once, under the names of a policy (`breaker.openMs`)
 *
 * @example
 * const breaker = circuitBreaker({ failureRatio: 0.3 });
 * attach(orders, { breaker });
 * attach(invoices, { breaker });
 */
export function circuitBreaker(options: BreakerOptions = {}): Breaker {
  const problems: PolicyProblem[] = [];
  object(BREAKER.checks, BREAKER_ADVICE)(options, 'breaker', problems);
  if (problems.length > 0) throw new InvalidPolicyError(problems);
  return bringing(new Circuits(BREAKER.freeze(BREAKER.resolve(false, options) as ResolvedBreaker)), BREAKER_ROOM);
}
