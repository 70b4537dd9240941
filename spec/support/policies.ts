import { AUTH } from '../../lib/auth/options.ts';
import { BREAKER } from '../../lib/breaker/options.ts';
import { CORRELATION } from '../../lib/correlation/options.ts';
import { FULL } from '../../lib/full.ts';
import { IDEMPOTENCY } from '../../lib/idempotency/options.ts';
import { LIMIT } from '../../lib/limit/options.ts';
import type { Policy, ResolvedPolicy } from '../../lib/policy/options.ts';
import type { PreparedPolicy } from '../../lib/policy/prepared.ts';
import { resolve as resolveIn } from '../../lib/policy/resolve.ts';
import { POLL } from '../../lib/poll/options.ts';
import { RETRY } from '../../lib/retry/options.ts';

/** What a policy that says nothing means. */
export const DEFAULT_POLICY: ResolvedPolicy = FULL.policy.defaults;

/** What an option that is on, or is turned on by an object, starts from. */
export const DEFAULTS = {
  ...DEFAULT_POLICY,
  retry: RETRY.defaults,
  poll: POLL.defaults,
  idempotency: IDEMPOTENCY.defaults,
  auth: AUTH.defaults,
  correlation: CORRELATION.defaults,
  limit: LIMIT.defaults,
  breaker: BREAKER.defaults,
};

/** A policy of the main entry, with every default filled in. */
export const resolve = (policy: Policy | PreparedPolicy, attached?: ResolvedPolicy): ResolvedPolicy =>
  resolveIn(FULL, policy, attached);
