import { attach } from '../../../dist/index.js';
import { overheadOf } from '../overhead-of.js';

export const setup = overheadOf((client) => {
  let finished = 0;
  const attachment = attach(client, {
    retry: { maxRetries: 3 },
    statuses: { 500: 'retry' },
    classify: () => undefined,
    deadlineMs: 30_000,
    idempotency: {},
    auth: { token: () => 'token', refresh: async () => 'another' },
    limit: { requests: 1e9, perMs: 1_000, burst: 1e6 },
    breaker: {},
    on: {
      finished: () => {
        finished += 1;
      },
    },
  });
  return async () => {
    await attachment.close();
    if (finished === 0) throw new Error('no call went through the policies: nothing was measured');
  };
});
