import { attach } from '../../../dist/index.js';
import { outageOf } from '../outage-of.js';

export const setup = outageOf('holdfast, breaker', (client) => {
  attach(client, { breaker: {} });
});
