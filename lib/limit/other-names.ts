/**
 * What axios-rate-limit, Bottleneck, p-queue, p-throttle, express-rate-limit, rate-limiter-flexible and limiter call the options
 * of a limit. Data for the messages about wrong names.
 */
const OTHERS: { readonly [ours: string]: readonly string[] } = {
  requests: ['maxRequests', 'max', 'limit', 'intervalCap', 'tokensPerInterval', 'points', 'reservoir'],
  'perMs, in ms': ['perMilliseconds', 'windowMs', 'interval', 'duration', 'reservoirRefreshInterval'],
  'requests, with perMs: 1_000': ['maxRPS', 'rps', 'qps', 'rate', 'perSecond', 'requestsPerSecond'],
  'perMs, with requests: 1': ['minTime'],
  maxConcurrent: ['concurrency', 'maxConcurrency', 'maxConcurrentRequests'],
  maxQueue: ['highWater', 'maxQueueSize', 'queueSize', 'queueLimit'],
  'maxWaitMs, in ms': ['timeout', 'queueTimeout', 'maxWait'],
};

/** In `limit`, in a window, and in the options of an engine. */
export const LIMIT_NAMES: { readonly [name: string]: string } = Object.fromEntries(
  Object.entries(OTHERS).flatMap(([ours, names]) => names.map((name) => [name, `here it is ${ours}`])),
);
