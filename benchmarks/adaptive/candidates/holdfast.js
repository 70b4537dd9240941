import { ADAPTIVE_DEFAULTS, AdaptiveRate } from '../../../build/limit/adaptive/rate.js';
import { seedsOf } from '../seeds-of.js';

export const setup = seedsOf(() => new AdaptiveRate(ADAPTIVE_DEFAULTS));
