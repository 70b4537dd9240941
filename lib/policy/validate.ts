import { checkAuth } from '../auth/options.ts';
import { checkBreaker } from '../breaker/options.ts';
import { EVENT_NAMES } from '../call/events.ts';
import { aFunction, functions, must, number, object, orFalse } from '../check.ts';
import { checkClassify, checkStatuses } from '../classify/options.ts';
import { checkCorrelation } from '../correlation/options.ts';
import { InvalidPolicyError, type PolicyProblem } from '../failure/errors.ts';
import { checkIdempotency } from '../idempotency/options.ts';
import { checkLimitOrLimiter } from '../limit/given.ts';
import { checkPoll } from '../poll/options.ts';
import { checkRetry } from '../retry/options.ts';
import type { Policy } from './options.ts';
import { EVENTS, POLICY_NAMES } from './other-names.ts';

const log = must(
  "false, 'retries', 'all' or a logger with debug(), info() and warn()",
  (value) => value === false || value === 'retries' || value === 'all' || isLogger(value),
);

const isLogger = (value: unknown): boolean =>
  ['debug', 'info', 'warn'].every(
    (level) => typeof (value as { [level: string]: unknown } | null)?.[level] === 'function',
  );

const policy = object(
  {
    retry: orFalse(checkRetry),
    statuses: checkStatuses,
    classify: checkClassify,
    poll: orFalse(checkPoll),
    deadlineMs: number(0, Number.POSITIVE_INFINITY, { above: true }),
    idempotency: orFalse(checkIdempotency),
    auth: orFalse(checkAuth),
    correlation: orFalse(checkCorrelation),
    body: aFunction,
    limit: orFalse(checkLimitOrLimiter),
    breaker: orFalse(checkBreaker),
    beforeSend: functions,
    on: object(Object.fromEntries([...EVENT_NAMES, '*'].map((name) => [name, functions])), {
      names: EVENTS,
      all: 'the events',
    }),
    log,
  },
  { names: POLICY_NAMES },
);

/**
 * @throws {InvalidPolicyError} with every problem at once, each with its path, what is allowed there, and what was found.
 */
export function validate(value: unknown): asserts value is Policy {
  const problems: PolicyProblem[] = [];
  // `undefined` is no opinion everywhere but here.
  policy(value ?? null, '', problems);
  if (problems.length > 0) throw new InvalidPolicyError(problems);
}
