import { bearer } from '../auth/bearer.ts';
import type { ResolvedAuth } from '../auth/options.ts';
import { LIMIT_DEFAULTS } from '../limit/options.ts';
import { exponentialBackoff } from '../time/backoff.ts';
import type {
  ResolvedBreaker,
  ResolvedBudget,
  ResolvedCorrelation,
  ResolvedIdempotency,
  ResolvedPolicy,
  ResolvedPoll,
  ResolvedRetry,
  ResolvedRetryAfter,
} from './options.ts';

/** The one place where defaults stand. The README's table is checked against it. */

const budget: ResolvedBudget = {
  capacity: 2_100,
  transientCost: 14,
  throttledCost: 5,
  refund: 1,
  refillPerSecond: 14,
  ratio: 0.1,
  windowMs: 60_000,
  minRetriesPerWindow: 5,
  failingMs: 10_000,
};

const retry: ResolvedRetry & { readonly retryAfter: ResolvedRetryAfter; readonly budget: ResolvedBudget } = {
  maxRetries: 3,
  backoff: exponentialBackoff(),
  retryAfter: { maxMs: 60_000, whenLonger: 'fail', jitterMs: 0 },
  unsafe: 'when-unapplied',
  idempotentMethods: [],
  timeouts: true,
  budget,
  onRetry: [],
  onGiveUp: [],
};

/** What an option that is on, or is turned on by an object, starts from. */
export const DEFAULTS = {
  retry,
  statuses: {},
  classify: [],
  poll: { intervalMs: 1_000, maxMs: 600_000 } satisfies ResolvedPoll,
  deadlineMs: Number.POSITIVE_INFINITY,
  idempotency: { header: 'Idempotency-Key', methods: ['post', 'patch'], renew: 'never' } satisfies ResolvedIdempotency,
  auth: {
    apply: bearer,
    refreshAheadMs: 120_000,
    refreshTimeoutMs: 30_000,
    neverRefreshOn: [],
    retry: { retries: 2, minTimeout: 200 },
  } satisfies Omit<ResolvedAuth, 'refresh'>,
  correlation: { header: 'X-Correlation-ID' } satisfies ResolvedCorrelation,
  limit: LIMIT_DEFAULTS,
  breaker: {
    failureRatio: 0.5,
    minimumThroughput: 20,
    windowMs: 10_000,
    openMs: 5_000,
  } satisfies ResolvedBreaker,
  beforeSend: [],
  on: {},
  log: false,
} as const;

/** What a policy that says nothing means. */
export const DEFAULT_POLICY: ResolvedPolicy = {
  ...DEFAULTS,
  idempotency: false,
  auth: false,
  correlation: false,
  limit: false,
  breaker: false,
};
