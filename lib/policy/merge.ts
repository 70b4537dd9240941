import { isCredentials } from '../auth/credential-set.ts';
import { isRecord } from '../check.ts';
import { AdjustedLimiter, isLimiter, numbersIn } from '../limit/limiters.ts';
import type { Policy } from './options.ts';
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
  return given.reduce(merge, {});
}

/** Merges two valid policies into a new one that shares no plain object with either. */
export function merge(earlier: Policy, later: Policy): Policy {
  const merged = overlay(earlier, later);
  const [judges, before] = [own(earlier, 'classify'), own(earlier, 'beforeSend')];
  if (judges !== undefined) merged.classify = together(several(own(later, 'classify')), several(judges));
  if (before !== undefined) merged.beforeSend = together(several(before), several(own(later, 'beforeSend')));
  const [first, second] = [own(earlier, 'retry'), own(later, 'retry')];
  if (first && second) {
    const retry = merged.retry as Record<string, unknown>;
    for (const name of HOOKS) {
      const hooks = own(first, name);
      if (hooks !== undefined) retry[name] = together<unknown>(several(hooks), several(own(second, name)));
    }
  }
  const [heard, hears] = [own(earlier, 'on'), own(later, 'on')];
  if (heard !== undefined && hears !== undefined) {
    const on = merged.on as Record<string, unknown>;
    for (const [name, first] of Object.entries(heard)) {
      const second = own(hears, name as keyof typeof hears);
      if (first !== undefined) on[name] = together(several<unknown>(first), several<unknown>(second));
    }
  }
  return merged;
}

/** Those of `retry`. */
const HOOKS = ['onRetry', 'onGiveUp'] as const;

/** Not of a prototype, which somebody else may have polluted. */
const own = <T extends object, K extends keyof T>(options: T, name: K): T[K] | undefined =>
  Object.hasOwn(options, name) ? options[name] : undefined;

/** Both, each once: the attached policy may be laid over itself. */
const together = <T>(first: readonly T[], second: readonly T[]): readonly T[] => [...new Set([...first, ...second])];

/** An option that takes one or several, as several. */
export function several<T>(option: T | readonly T[] | undefined): readonly T[] {
  if (option === undefined) return [];
  return Array.isArray(option) ? option : [option as T];
}

const GROUPS: ReadonlySet<string> = new Set([
  'retry',
  'retryAfter',
  'budget',
  'statuses',
  'poll',
  'idempotency',
  'auth',
  'correlation',
  'limit',
  'breaker',
  'adaptive',
  'on',
]);

/** Whether an option is a group of options. Any other object, a limiter or credentials, is one value. */
export const isGroup = (name: string, value: unknown): value is Record<string, unknown> =>
  GROUPS.has(name) && isRecord(value) && !isLimiter(value) && !isCredentials(value);

function overlay(under: object, over: object): Record<string, unknown> {
  const result: Record<string, unknown> = { ...under };
  for (const [name, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const old = result[name];
    if (isLimiter(old) && isGroup(name, value) && numbersIn(value).length === 0)
      result[name] = new AdjustedLimiter(old, value);
    else if (isGroup(name, value)) result[name] = overlay(isGroup(name, old) ? old : {}, value);
    else result[name] = Array.isArray(value) ? [...value] : value;
  }
  return result;
}
