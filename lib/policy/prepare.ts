import type { Policy } from './options.ts';
import { POLICY } from './policy.ts';
import { PreparedPolicy } from './prepared.ts';
import { validate } from './validate.ts';

/**
 * Prepares a policy that many calls are given in their `holdfast`: it is checked now, and laid over the attached policy once for each
 * attachment. A plain policy means the same, but it is checked and laid over at each call.
 *
 * It keeps a copy: later changes to `policy` have no effect. `attach`, `mergePolicies` and the defaults of an instance take it too. But axios
 * merges the `holdfast` of a call with that of the instance's defaults only where both are plain objects; else the call's stands alone.
 *
 * @throws {InvalidPolicyError} where the policy is wrong, with all problems at once. What only a call is refused for (numbers of its own
 * for a limiter that all calls share) is told at the call
 *
 * @example
 * const quick = preparePolicy({ deadlineMs: 500, retry: { maxRetries: 1 } });
 * await client.get('/suggestions', { holdfast: quick });
 */
export function preparePolicy(policy: Policy): PreparedPolicy {
  validate(policy);
  const copy = POLICY.freeze(POLICY.merge({}, policy));
  const { auth }: Policy = { auth: undefined, ...policy };
  // The very object: attachments that are given it share one session.
  return new PreparedPolicy(auth ? Object.freeze({ ...copy, auth }) : copy);
}
