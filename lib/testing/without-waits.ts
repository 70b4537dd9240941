import { mergePolicies } from '../full.ts';
import type { Policy } from '../policy/options.ts';
import { asWritten, type PreparedPolicy } from '../policy/prepared.ts';

/**
 * A policy for suites that are about something else than waiting: the same, but retries and polls follow at once, also where the server
 * names a time; and no test can spend what another needs: there is no retry budget, no limit, and no circuit breaker.
 *
 * How often a call is retried, what is retried, tokens and hooks stay as they are. So does the deadline.
 *
 * @example
 * attach(client, process.env.NODE_ENV === 'test' ? withoutWaits(policy) : policy);
 */
export function withoutWaits(policy: Policy | PreparedPolicy = {}): Policy {
  const { retry, poll } = asWritten(policy);
  return mergePolicies(policy, {
    ...(retry !== false && {
      retry: { backoff: () => 0, retryAfter: { maxMs: 0, whenLonger: 'clamp', jitterMs: 0 }, budget: false },
    }),
    ...(poll !== false && { poll: { intervalMs: 0 } }),
    limit: false,
    breaker: false,
  });
}
