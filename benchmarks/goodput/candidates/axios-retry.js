import axiosRetry, { exponentialDelay } from 'axios-retry';
import { goodputOf } from '../goodput-of.js';

/** `exponentialDelay` never waits less than Retry-After says. */
export const setup = goodputOf((client) => {
  axiosRetry(client, { retries: 10, retryDelay: exponentialDelay });
});
