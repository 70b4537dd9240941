import axiosRetry, { exponentialDelay, isNetworkOrIdempotentRequestError } from 'axios-retry';
import { outageOf } from '../outage-of.js';

/** By default it retries no timeout, and takes the timeout for one of the whole call. */
export const setup = outageOf('axios-retry', (client) => {
  axiosRetry(client, {
    retries: 3,
    retryDelay: exponentialDelay,
    shouldResetTimeout: true,
    retryCondition: (error) => isNetworkOrIdempotentRequestError(error) || error.code === 'ECONNABORTED',
  });
});
