import axiosRetry, { exponentialDelay } from 'axios-retry';
import { fleetOf } from '../fleet-of.js';

export const setup = fleetOf(import.meta.url);

/** `exponentialDelay` never waits less than Retry-After says. */
export function equip(client) {
  axiosRetry(client, { retries: 10, retryDelay: exponentialDelay });
}
