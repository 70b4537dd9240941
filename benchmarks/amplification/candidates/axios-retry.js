import axiosRetry, { exponentialDelay } from 'axios-retry';
import { amplificationOf } from '../amplification-of.js';

export const setup = amplificationOf((client, { retries }) => {
  axiosRetry(client, { retries, retryDelay: exponentialDelay });
});
