import { attach } from 'retry-axios';
import { goodputOf } from '../goodput-of.js';

/** It waits as long as Retry-After says, without a jitter of its own. */
export const setup = goodputOf((client) => {
  attach(client);
  client.defaults.raxConfig = { retry: 10 };
});
