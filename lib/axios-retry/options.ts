import { DEFAULT_OPTIONS, type IAxiosRetryConfig, namespace } from 'axios-retry';
import { aBoolean, aFunction, type Check, eachMeans, isPlain, isRecord, must, object } from '../check.ts';
import { InvalidPolicyError, type PolicyProblem } from '../failure/errors.ts';
import { POLICY_OPTIONS } from '../policy/options.ts';

/** axios-retry's options, with its defaults filled in. */
export type RetryOptions = Required<IAxiosRetryConfig>;

const anything: Check = () => {};

const OPTIONS: { readonly [name in keyof RetryOptions]: Check } = {
  retries: must('a number', (value) => typeof value === 'number' && !Number.isNaN(value)),
  shouldResetTimeout: aBoolean,
  retryCondition: aFunction,
  retryDelay: aFunction,
  onRetry: aFunction,
  onMaxRetryTimesExceeded: aFunction,
  validateResponse: must('a function or null', (value) => value === null || typeof value === 'function'),
};

/** What stands in a config that has been through a call. Each call begins anew, so it means nothing. */
const STATE = { retryCount: anything, lastRequestTime: anything };

const NAMES = Object.keys(OPTIONS);
const names = {
  ...eachMeans('it is an option of attach(instance, policy)', ...POLICY_OPTIONS),
  ...eachMeans('did you mean retries?', 'retry', 'maxRetries', 'attempts'),
};
const check = object({ ...OPTIONS, ...STATE }, { names });

/**
 * Options laid over others. `undefined` is no opinion.
 *
 * @param given what the caller wrote, or the state of an earlier call, as `client.request(error.config)` has it
 * @throws {InvalidPolicyError} with all problems at once
 */
export function optionsOf(given: unknown, base: RetryOptions = DEFAULT_OPTIONS): RetryOptions {
  if (given === undefined || given === null) return base;
  const options = isRecord(given) && !isPlain(given) ? entriesOf(given) : given;
  const problems: PolicyProblem[] = [];
  check(options, namespace, problems);
  if (problems.length > 0) throw new InvalidPolicyError(problems);
  return { ...base, ...entriesOf(options as Partial<RetryOptions>) };
}

/** The options among the fields of an object. */
function entriesOf(given: { readonly [name: string]: unknown } | Partial<RetryOptions>): Partial<RetryOptions> {
  return Object.fromEntries(
    Object.entries(given).filter(([name, value]) => NAMES.includes(name) && value !== undefined),
  );
}
