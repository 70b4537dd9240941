import { AwsCubic } from '../aws-cubic.js';
import { seedsOf } from '../seeds-of.js';

export const setup = seedsOf(() => new AwsCubic({ pauses: false }));
