import { attach, localLimiter } from '../../../dist/index.js';
import { overheadOf } from '../overhead-of.js';

export const setup = overheadOf(
  (client) => {
    const limiter = localLimiter({ requests: 1e9, perMs: 1_000, burst: 1e6 });
    const attachment = attach(client, { limit: limiter });
    return async () => {
      await attachment.close();
      await limiter.close();
    };
  },
  { signal: new AbortController().signal },
);
