import { isRecord } from './check.ts';
import { DEFAULT_POLICY, DEFAULTS } from './defaults.ts';
import { GROUPS, merge, several } from './merge.ts';
import type { Policy, ResolvedPolicy } from './options.ts';
import { validate } from './validate.ts';

/**
 * A policy laid over a resolved one, with every default filled in, frozen all the way down.
 *
 * @throws {InvalidPolicyError}
 */
export function resolve(policy: Policy, base: ResolvedPolicy = DEFAULT_POLICY): ResolvedPolicy {
  validate(policy);
  // A group that is turned on by an object starts from the defaults, also where the base has it off.
  const { retry, idempotency } = policy;
  const started: Policy = {
    ...base,
    ...(retry && !base.retry && { retry: DEFAULTS.retry }),
    ...(retry &&
      retry.budget &&
      base.retry &&
      !base.retry.budget && { retry: { ...base.retry, budget: DEFAULTS.retry.budget } }),
    ...(idempotency && !base.idempotency && { idempotency: DEFAULTS.idempotency }),
  };
  const merged = merge(started, policy) as ResolvedPolicy;
  const on = Object.fromEntries(Object.entries(merged.on).map(([name, heard]) => [name, several<unknown>(heard)]));
  return freeze({ ...merged, on: on as ResolvedPolicy['on'] });
}

/** Groups and lists only: a limiter that is written as a plain object holds state of its own. */
function freeze<T extends object>(options: T): T {
  for (const [name, value] of Object.entries(options)) {
    if (GROUPS.has(name) ? isRecord(value) : Array.isArray(value)) freeze(value as object);
  }
  return Object.freeze(options);
}
