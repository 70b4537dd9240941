import axiosRetry from 'axios-retry';
import { httpOf } from '../http-of.js';

export const setup = httpOf((client) => {
  axiosRetry(client);
});
