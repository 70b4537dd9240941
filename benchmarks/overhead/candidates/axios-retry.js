import axiosRetry from 'axios-retry';
import { overheadOf } from '../overhead-of.js';

export const setup = overheadOf((client) => {
  axiosRetry(client);
});
