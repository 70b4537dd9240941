/** @module axios-holdfast/core */

import { type AttachableInstance, type Attachment, type AttachOptions, attachIn } from './attach.ts';
import { House } from './policy/house.ts';
import { merge } from './policy/merge.ts';
import type { Policy } from './policy/options.ts';
import { prepare } from './policy/prepare.ts';
import type { PreparedPolicy } from './policy/prepared.ts';
import { systemClock, systemRandom } from './time/clock.ts';

export type { AttachableInstance, Attachment, AttachOptions, CloseOptions, Stats } from './attach.ts';
export { credentials } from './auth/credentials.ts';
export { circuitBreaker } from './breaker/circuit-breaker.ts';
export { EVENT_NAMES } from './call/events.ts';
export { mostSpecific, readApiError } from './failure/api-error.ts';
export { parseChallenges } from './failure/challenge.ts';
export {
  CircuitOpenError,
  InvalidPolicyError,
  isHoldfastError,
  LimitError,
  TokenRefreshError,
} from './failure/errors.ts';
export { type Failure, failureOf, reportOf } from './failure/failure.ts';
export { localLimiter } from './limit/local/local-limiter.ts';
export type { Policy, ResolvedPolicy } from './policy/options.ts';
export type { PreparedPolicy } from './policy/prepared.ts';
export { constantBackoff, exponentialBackoff, linearBackoff } from './time/backoff.ts';
export { parseRetryAfter } from './time/retry-after.ts';

/** Limiter, session and circuit breaker come with the values that a policy brings. */
const CORE = new House({});

/**
 * `attach`, as of the main entry, for where every kilobyte counts. `limit`, `auth` and `breaker` are values here, and a bundle has only
 * those that are made: a plain object is refused. But over a value that the attached policy has, a call may lay options of its own.
 *
 * @throws {InvalidPolicyError} when the policy is wrong: all its problems at once, and nothing is attached
 * @throws {TypeError} when `instance` is no axios instance, or is frozen, or when there is no such option
 * @throws {Error} when something is attached to it already, unless that is to be replaced
 *
 * @example
 * attach(client, {
 *   limit: localLimiter({ requests: 50, perMs: 1_000 }),
 *   auth: credentials({ token: () => session.accessToken, refresh }),
 *   breaker: circuitBreaker(),
 * });
 */
export function attach(
  instance: AttachableInstance,
  policy: Policy | PreparedPolicy = {},
  options: AttachOptions = {},
): Attachment {
  return attachIn(CORE, { clock: systemClock, random: systemRandom }, instance, policy, options, attach);
}

/**
 * `mergePolicies`, as of the main entry. Options of `limit`, `auth` and `breaker` can be laid only over a value that one of the policies has.
 *
 * @throws {InvalidPolicyError} where one of them is wrong
 */
export function mergePolicies(...policies: readonly (Policy | PreparedPolicy | undefined)[]): Policy {
  return merge(CORE, policies);
}

/**
 * `preparePolicy`, as of the main entry. `limit`, `auth` and `breaker` are values here, too.
 *
 * @throws {InvalidPolicyError} where the policy is wrong, with all problems at once
 */
export function preparePolicy(policy: Policy): PreparedPolicy {
  return prepare(CORE, policy);
}
