import { type AttachableInstance, type Attachment, type AttachOptions, type AttachPorts, attachIn } from './attach.ts';
import { AUTH_ROOM } from './auth/room.ts';
import { BREAKER_ROOM } from './breaker/room.ts';
import { LIMIT_ROOM } from './limit/room.ts';
import { House } from './policy/house.ts';
import { merge } from './policy/merge.ts';
import type { Policy } from './policy/options.ts';
import { prepare } from './policy/prepare.ts';
import type { PreparedPolicy } from './policy/prepared.ts';
import { systemClock, systemRandom } from './time/clock.ts';

/** All rooms are loaded: the main entry. */
export const FULL = new House({ auth: AUTH_ROOM, breaker: BREAKER_ROOM, limit: LIMIT_ROOM });

/**
 * Makes every call through an axios instance survive throttling, short outages and lost connections.
 *
 * The instance stays the same: its interceptors, transforms, defaults and adapters go on working, and run once per call.
 * Interceptors that are registered on it before or after make no difference.
 *
 * A cache goes in front: call axios-cache-interceptor's `setupCache` before `attach`. The other way round, an answer from the cache takes
 * a permit too, and fails while a circuit is open.
 *
 * @param instance `axios` itself, or one made by `axios.create`, of this or another copy of axios. What `instance.create()` makes of it is
 * another instance, and not attached
 * @param policy see `Policy`; `{}` by default
 * @param options `{ replace: true }` takes the place of an attachment that is there
 * @throws {InvalidPolicyError} when the policy is wrong: all its problems at once, and nothing is attached
 * @throws {TypeError} when `instance` is no axios instance, or is frozen, or when `options` has a name that is none
 * @throws {Error} when the instance has an attachment already, and `replace` is not set: two loops around each other would multiply the
 * sends
 *
 * @example
 * const client = axios.create({ baseURL: 'https://api.example.com', timeout: 10_000 });
 * const holdfast = attach(client, { deadlineMs: 30_000 });
 * await client.get('/v1/customers'); // as ever
 * console.log(holdfast.stats().retries);
 */
export function attach(
  instance: AttachableInstance,
  policy: Policy | PreparedPolicy = {},
  options: AttachOptions = {},
): Attachment {
  return attachWith({ clock: systemClock, random: systemRandom }, instance, policy, options, attach);
}

/** `attach` with the ports in the caller's hand: for tests. */
export function attachWith(
  ports: AttachPorts,
  instance: AttachableInstance,
  policy: Policy | PreparedPolicy | undefined,
  options?: AttachOptions,
  callee: (...args: never[]) => unknown = attachWith,
): Attachment {
  return attachIn(FULL, ports, instance, policy, options, callee);
}

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
  return merge(FULL, policies);
}

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
  return prepare(FULL, policy);
}
