import { attach } from 'retry-axios';
import { outageOf } from '../outage-of.js';

/** Three retries are its default, timeouts included. */
export const setup = outageOf('retry-axios', (client) => {
  attach(client);
  client.defaults.raxConfig = { retry: 3 };
});
