/** Every policy that a call may go through, each as it stands in the policy given to `attach`. */
export const POLICIES = {
  retry: { retry: { maxRetries: 3 } },
  statuses: { statuses: { 500: 'retry' } },
  judge: { classify: () => undefined },
  deadline: { deadlineMs: 30_000 },
  'idempotency key': { idempotency: {} },
  token: { auth: { token: () => 'token', refresh: async () => 'another' } },
  limiter: { limit: { requests: 1e9, perMs: 1_000, burst: 1e6 } },
  breaker: { breaker: {} },
  listener: { on: { finished: () => undefined } },
};

export const everything = () => Object.assign({}, ...Object.values(POLICIES));
