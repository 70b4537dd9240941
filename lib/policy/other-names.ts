/**
 * What is called something else here: the options of axios-retry, retry-axios, got, ky and p-retry, those of opossum and
 * other breakers, and our own in the wrong group. Data for the messages of `validate`, where a mere "not an option" would leave people to search.
 */

type Names = { readonly [name: string]: string };

/** Every one of these names means the same. */
const all = (words: string, ...names: readonly string[]): Names =>
  Object.fromEntries(names.map((name) => [name, words]));

const hereItIs = (ours: string, ...names: readonly string[]): Names => all(`here it is ${ours}`, ...names);

/** Wherever somebody may put the options of another library: at the top of a policy, and in `retry`. */
const ELSEWHERE: Names = {
  ...hereItIs('retry.maxRetries', 'retries', 'maxRetry', 'noResponseRetries', 'retryCount', 'maxRetryAttempts'),
  ...hereItIs('retry.maxRetries, which is one less', 'attempts', 'maxAttempts', 'numOfAttempts'),
  ...hereItIs(
    'retry.backoff, as constantBackoff(ms), linearBackoff() or exponentialBackoff()',
    'delay',
    'retryDelay',
    'calculateDelay',
    'backoffType',
    'retryBackoff',
  ),
  ...hereItIs('retry.backoff: exponentialBackoff({ baseMs })', 'minTimeout', 'minDelay', 'initialDelay', 'baseMs'),
  ...hereItIs(
    'retry.backoff: exponentialBackoff({ capMs })',
    'maxTimeout',
    'maxDelay',
    'maxRetryDelay',
    'backoffLimit',
    'capMs',
  ),
  ...hereItIs('retry.backoff: exponentialBackoff({ factor })', 'factor', 'backoffFactor', 'retryDelayMultiplier'),
  ...hereItIs('retry.backoff: exponentialBackoff({ jitter })', 'jitter', 'noise', 'randomize'),
  ...hereItIs(
    'classify, a judge of your own, or statuses',
    'retryCondition',
    'retryIf',
    'retryOn',
    'shouldRetry',
    'validateResponse',
    'errorCodes',
  ),
  ...hereItIs("statuses, as in { 500: 'retry' }", 'statusCodes', 'statusCodesToRetry', 'retryStatusCodes'),
  ...hereItIs('retry.unsafe: whether POST and PATCH are repeated too', 'methods', 'httpMethodsToRetry', 'retryMethods'),
  ...hereItIs('retry.retryAfter.maxMs, in ms', 'maxRetryAfter'),
  ...hereItIs('retry.retryAfter, which is honoured with any status', 'checkRetryAfter', 'afterStatusCodes'),
  ...hereItIs('retry.timeouts', 'retryOnTimeout'),
  ...all('each send has the whole timeout of axios; deadlineMs bounds the call', 'shouldResetTimeout'),
  ...all("timeout is axios' own and bounds one send; deadlineMs bounds the call", 'timeout', 'totalTimeout'),
  ...hereItIs('beforeSend, which runs before every send', 'hooks', 'beforeRetry', 'beforeRequest'),
  ...hereItIs('retry.onRetry', 'onRetryAttempt', 'onFailedAttempt'),
  ...hereItIs('retry.onGiveUp', 'onMaxRetryTimesExceeded'),
  ...hereItIs('on.finished, or failureOf(error)', 'onError', 'onFailure'),
};

/** Our own, by the group that they belong in. */
const GROUPS: { readonly [group: string]: readonly string[] } = {
  retry: ['maxRetries', 'backoff', 'retryAfter', 'unsafe', 'timeouts', 'budget', 'onRetry', 'onGiveUp'],
  poll: ['intervalMs'],
  limit: ['requests', 'perMs', 'burst', 'windows', 'maxConcurrent', 'maxQueue', 'maxWaitMs', 'priority', 'adaptive'],
  auth: ['token', 'refresh', 'apply', 'origins', 'store'],
  breaker: ['failureRatio', 'minimumThroughput', 'openMs'],
};

const OURS: Names = Object.assign(
  {},
  ...Object.entries(GROUPS).flatMap(([group, names]) => names.map((name) => hereItIs(`${group}.${name}`, name))),
);

/** At the top of a policy. */
export const POLICY_NAMES: Names = {
  ...ELSEWHERE,
  ...OURS,
  ...hereItIs('retry', 'raxConfig', 'axios-retry', 'axiosRetry'),
  ...hereItIs('limit', 'rateLimit', 'rateLimiter', 'throttle'),
  ...hereItIs('breaker', 'circuitBreaker', 'circuit'),
  ...all('it is an option of attach: attach(instance, policy, { replace: true })', 'replace'),
};

/** In `retry`. */
export const RETRY_NAMES: Names = {
  ...ELSEWHERE,
  ...hereItIs('retry.maxRetries', 'limit', 'retry', 'count', 'max'),
  ...all(
    'it is an option of the policy itself, beside retry',
    'statuses',
    'classify',
    'deadlineMs',
    'idempotency',
    'body',
    'beforeSend',
    'poll',
    'on',
  ),
};

/** In `breaker`. */
export const BREAKER_NAMES: Names = {
  ...hereItIs(
    'breaker.failureRatio, from 0 to 1',
    'errorThresholdPercentage',
    'failureRateThreshold',
    'errorThreshold',
    'threshold',
  ),
  ...hereItIs(
    'breaker.minimumThroughput, or breaker.failureRatio: a count alone opens no circuit',
    'failureThreshold',
    'maxFailures',
    'failures',
  ),
  ...hereItIs('breaker.minimumThroughput', 'volumeThreshold', 'minimumNumberOfCalls', 'minimumRps'),
  ...hereItIs('breaker.windowMs', 'rollingCountTimeout', 'samplingDuration', 'slidingWindowSize', 'duration'),
  ...hereItIs(
    'breaker.openMs',
    'resetTimeout',
    'halfOpenAfter',
    'breakDuration',
    'cooldown',
    'cooldownMs',
    'cooldownPeriod',
    'recoveryTimeout',
    'waitDurationInOpenState',
  ),
  ...hereItIs('breaker.isFailure', 'errorFilter', 'shouldTrip'),
  ...all("timeout is axios' own and bounds one send; deadlineMs bounds the call", 'timeout'),
};

/** In `on`. */
export const EVENTS: Names = {
  ...all('did you mean finished?', 'error', 'failed', 'failure', 'success', 'end'),
  ...all('did you mean sent?', 'request', 'send'),
  ...all('did you mean answered?', 'response', 'answer'),
};
