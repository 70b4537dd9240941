/** @module axios-holdfast/axios-retry */

import {
  type AxiosRetry,
  exponentialDelay,
  isIdempotentRequestError,
  isNetworkError,
  isNetworkOrIdempotentRequestError,
  isRetryableError,
  isSafeRequestError,
  linearDelay,
} from 'axios-retry';
import { register } from './axios-retry/register.ts';
import { systemClock, systemRandom } from './time/clock.ts';

export type { AxiosRetry, IAxiosRetryConfig, IAxiosRetryConfigExtended, IAxiosRetryReturn } from 'axios-retry';
export {
  DEFAULT_OPTIONS,
  exponentialDelay,
  isIdempotentRequestError,
  isNetworkError,
  isNetworkOrIdempotentRequestError,
  isRetryableError,
  isSafeRequestError,
  linearDelay,
  namespace,
  retryAfter,
} from 'axios-retry';

const predicates = {
  isNetworkError,
  isRetryableError,
  isSafeRequestError,
  isIdempotentRequestError,
  isNetworkOrIdempotentRequestError,
};

/**
 * axios-retry's signature on this library's loop: the same options, defaults, ids and per-call `'axios-retry'` config. A call's interceptors
 * and transforms run once, however often it is sent; its body goes out again as it was. What else differs, on purpose, is listed in
 * `docs/migrating.md`.
 *
 * Registering it once more on an instance takes the place of the first time. To eject either of the ids ends it.
 *
 * @param instance the default `axios`, or what `axios.create` gives
 * @param options axios-retry's. A call may have its own under `'axios-retry'` in its config
 * @throws {InvalidPolicyError} where an option is wrong, or there is no such option: all problems at once. A call with wrong options of its
 * own rejects with it
 * @throws {TypeError} where `instance` is no axios instance
 * @throws {Error} where axios-retry itself is registered on the instance, or a policy is attached to it
 *
 * @example
 * import axiosRetry from 'axios-holdfast/axios-retry';
 *
 * axiosRetry(client, { retries: 3, retryDelay: axiosRetry.exponentialDelay });
 * await client.get('/customers', { 'axios-retry': { retries: 5 } });
 */
const axiosRetry: AxiosRetry = Object.assign(
  ((instance, options) =>
    register({ clock: systemClock, random: systemRandom }, instance, options, axiosRetry)) satisfies (
    ...args: Parameters<AxiosRetry>
  ) => ReturnType<AxiosRetry>,
  { ...predicates, exponentialDelay, linearDelay },
);

export default axiosRetry;
