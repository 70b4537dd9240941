import { freeze } from './freeze.ts';
import { merge } from './merge.ts';
import type { Policy } from './options.ts';
import { PreparedPolicy } from './prepared.ts';
import { validate } from './validate.ts';

/**
 * A policy that many calls are given, checked now and not at each call: `const quick = preparePolicy({ deadlineMs: 500 })`, then
 * `client.get(url, { holdfast: quick })`. There, and among an instance's defaults, it means what the plain policy means: it is laid over
 * the attached one, but only once for each attachment. `attach` and `mergePolicies` take it too.
 *
 * It keeps a copy: what is later changed in the object that it was made of does not show. axios merges a plain `holdfast` of a call with
 * that of the instance's defaults, but not where one of them is prepared: then the call's stands alone.
 *
 * @throws {InvalidPolicyError} when the policy is wrong: all its problems at once. What only a call is refused for, as numbers of its own
 * for a limiter that all calls share, is told at the call
 */
export function preparePolicy(policy: Policy): PreparedPolicy {
  validate(policy);
  const copy = freeze(merge({}, policy));
  const { auth }: Policy = { auth: undefined, ...policy };
  // The very object: attachments that are given it share one session.
  return new PreparedPolicy(auth ? Object.freeze({ ...copy, auth }) : copy);
}
