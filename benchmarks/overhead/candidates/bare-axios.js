import { overheadOf } from '../overhead-of.js';

export const setup = overheadOf(() => undefined);
