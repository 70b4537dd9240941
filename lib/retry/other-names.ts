import { eachMeans, hereItIs, type Names } from '../check.ts';

/**
 * What axios-retry, retry-axios, got, ky and p-retry call the options here. Data for the messages about wrong names, which may stand
 * anywhere: at the top of a policy, and in `retry`.
 */
export const ELSEWHERE: Names = {
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
  ...eachMeans('each send has the whole timeout of axios; deadlineMs bounds the call', 'shouldResetTimeout'),
  ...eachMeans("timeout is axios' own and bounds one send; deadlineMs bounds the call", 'timeout', 'totalTimeout'),
  ...hereItIs('beforeSend, which runs before every send', 'hooks', 'beforeRetry', 'beforeRequest'),
  ...hereItIs('retry.onRetry', 'onRetryAttempt', 'onFailedAttempt'),
  ...hereItIs('retry.onGiveUp', 'onMaxRetryTimesExceeded'),
  ...hereItIs('on.finished, or failureOf(error)', 'onError', 'onFailure'),
};

/** In `retry`. */
export const RETRY_NAMES: Names = {
  ...ELSEWHERE,
  ...hereItIs('retry.maxRetries', 'limit', 'retry', 'count', 'max'),
  ...eachMeans(
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
