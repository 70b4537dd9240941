import { httpOf } from '../http-of.js';

export const setup = httpOf(() => undefined);
