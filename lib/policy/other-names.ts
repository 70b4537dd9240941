import { eachMeans, hereItIs, type Names } from '../check.ts';
import { ELSEWHERE } from '../retry/other-names.ts';

/** Data for the messages about wrong names, where a mere "not an option" would leave people to search. */

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
  ...eachMeans('it is an option of attach: attach(instance, policy, { replace: true })', 'replace'),
};

/** In `on`. */
export const EVENTS: Names = {
  ...eachMeans('did you mean finished?', 'error', 'failed', 'failure', 'success', 'end'),
  ...eachMeans('did you mean sent?', 'request', 'send'),
  ...eachMeans('did you mean answered?', 'response', 'answer'),
};
