import axiosRetry from '../../../dist/axios-retry.js';
import { overheadOf } from '../overhead-of.js';

export const setup = overheadOf((client) => {
  axiosRetry(client);
});
