import type { Policy } from './options.ts';
import { POLICY } from './policy.ts';
import { asWritten, type PreparedPolicy } from './prepared.ts';
import { validate } from './validate.ts';

/**
 * Makes one policy out of several, as if they had been written in one place.
 *
 * The later one wins, option by option, also inside of `retry`, `statuses` and the other groups. An explicit `undefined` is no opinion.
 * `false` turns a group off, and a later object turns it on again.
 *
 * Functions that can stand side by side are all kept, each once. Of judges (`classify`), the later policy's are asked first. Of `beforeSend`,
 * `onRetry` and `onGiveUp`, the earlier policy's run first. Every listener hears its event.
 *
 * @throws {InvalidPolicyError} where one of them is wrong
 *
 * @example
 * attach(client, mergePolicies(partnerApi(), { deadlineMs: 30_000, retry: { maxRetries: 5 } }));
 */
export function mergePolicies(...policies: readonly (Policy | PreparedPolicy | undefined)[]): Policy {
  const given = policies.filter((policy) => policy !== undefined).map(asWritten);
  for (const policy of given) validate(policy);
  return given.reduce<Policy>((earlier, later) => POLICY.merge(earlier, later), {});
}
