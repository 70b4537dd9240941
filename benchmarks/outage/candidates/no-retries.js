import { outageOf } from '../outage-of.js';

export const setup = outageOf('no retries', () => {});
