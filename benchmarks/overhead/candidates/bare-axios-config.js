/** What axios itself takes for a call with a config, in which nobody is interested: it clones it. */
import { overheadOf } from '../overhead-of.js';
import { policyOfTheCall } from '../policy-of-the-call.js';

export const setup = overheadOf(() => undefined, { holdfast: policyOfTheCall });
