import { attach } from '../../../dist/index.js';
import { overheadOf } from '../overhead-of.js';
import { policyOfTheCall } from '../policy-of-the-call.js';

export const setup = overheadOf(
  (client) => {
    const attachment = attach(client);
    return () => attachment.close();
  },
  { holdfast: policyOfTheCall },
);
