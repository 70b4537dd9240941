import { attach } from 'retry-axios';
import { httpOf } from '../http-of.js';

export const setup = httpOf((client) => {
  attach(client);
});
