import { attach } from 'retry-axios';
import { overheadOf } from '../overhead-of.js';

export const setup = overheadOf((client) => {
  attach(client);
});
