import { attach } from '../../../dist/index.js';
import { outageOf } from '../outage-of.js';

export const setup = outageOf('holdfast', (client) => {
  attach(client);
});
