import { AUTH_DEFAULTS } from '../auth/options.ts';
import { BREAKER_DEFAULTS } from '../breaker/options.ts';
import { CLASSIFY_DEFAULTS } from '../classify/options.ts';
import { CORRELATION_DEFAULTS } from '../correlation/options.ts';
import { IDEMPOTENCY_DEFAULTS } from '../idempotency/options.ts';
import { LIMIT_DEFAULTS } from '../limit/options.ts';
import { POLL_DEFAULTS } from '../poll/options.ts';
import { RETRY_DEFAULTS } from '../retry/options.ts';
import type { ResolvedPolicy } from './options.ts';

/** What an option that is on, or is turned on by an object, starts from. The README's table is checked against it. */
export const DEFAULTS = {
  retry: RETRY_DEFAULTS,
  ...CLASSIFY_DEFAULTS,
  poll: POLL_DEFAULTS,
  deadlineMs: Number.POSITIVE_INFINITY,
  idempotency: IDEMPOTENCY_DEFAULTS,
  auth: AUTH_DEFAULTS,
  correlation: CORRELATION_DEFAULTS,
  limit: LIMIT_DEFAULTS,
  breaker: BREAKER_DEFAULTS,
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
