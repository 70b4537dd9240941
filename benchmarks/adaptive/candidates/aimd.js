import { Aimd } from '../aimd.js';
import { seedsOf } from '../seeds-of.js';

export const setup = seedsOf(() => new Aimd());
