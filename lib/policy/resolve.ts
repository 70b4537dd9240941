import { isCredentials } from '../auth/credential-set.ts';
import type { ResolvedAuth } from '../auth/options.ts';
import { isRecord, shown } from '../check.ts';
import { InvalidPolicyError, type PolicyProblem } from '../failure/errors.ts';
import { isLimiter } from '../limit/limiters.ts';
import { fillIn } from '../limit/options.ts';
import type { ResolvedBudget, ResolvedRetry, RetryOptions } from '../retry/options.ts';
import { DEFAULT_POLICY, DEFAULTS } from './defaults.ts';
import { freeze } from './freeze.ts';
import { merge, several } from './merge.ts';
import type { Policy, ResolvedPolicy } from './options.ts';
import { asWritten, type PreparedPolicy } from './prepared.ts';
import { validate } from './validate.ts';

/**
 * A policy with every default filled in, frozen all the way down; of a call, laid over the one that is attached.
 *
 * @throws {InvalidPolicyError}
 */
export function resolve(given: Policy | PreparedPolicy, attached?: ResolvedPolicy): ResolvedPolicy {
  const policy = asWritten(given);
  validate(policy);
  const base = attached ?? DEFAULT_POLICY;
  const merged = merge(switchedOn(policy, base), policy) as ResolvedPolicy;
  const on = Object.fromEntries(Object.entries(merged.on).map(([name, heard]) => [name, several<unknown>(heard)]));
  const { limit } = merged;
  const resolved = freeze({
    ...merged,
    limit: limit === false || isLimiter(limit) ? limit : fillIn(limit),
    on: on as ResolvedPolicy['on'],
  });
  if (attached !== undefined) requireSameNumbers(policy, attached, resolved);
  return resolved;
}

/** What a call may say of a thing that all calls share: who goes where, for how long, and what counts. Not its numbers. */
const OWN: ReadonlySet<string> = new Set(['key', 'priority', 'maxWaitMs', 'isFailure']);

/**
 * All calls of an attachment share its limiter, its budget and its circuits. A call with numbers of its own would go round them, and
 * nobody would know. The attached policy may be laid over itself, so the same numbers are none of its own.
 */
function requireSameNumbers(policy: Policy, attached: ResolvedPolicy, resolved: ResolvedPolicy): void {
  const { limit, retry, breaker }: Policy = { ...GROUPS_OFF, limit: undefined, ...policy };
  const { budget = undefined } = isRecord(retry) ? { budget: undefined, ...retry } : {};
  const problems = [
    ...numbersOfItsOwn('limit', limit, resolved.limit, attached.limit || DEFAULTS.limit),
    ...numbersOfItsOwn('retry.budget', budget, budgetOf(resolved), budgetOf(attached) || DEFAULTS.retry.budget),
    ...numbersOfItsOwn('breaker', breaker, resolved.breaker, attached.breaker || DEFAULTS.breaker),
  ];
  if (problems.length > 0) throw new InvalidPolicyError(problems);
}

const budgetOf = ({ retry }: ResolvedPolicy): ResolvedBudget | false => (retry === false ? false : retry.budget);

function numbersOfItsOwn(group: string, said: unknown, own: object | false, given: object): readonly PolicyProblem[] {
  if (!isRecord(said) || isLimiter(said)) return [];
  const instead = group === 'limit' ? 'make a localLimiter once, and give it as limit' : 'give it to attach';
  const bound = `left out on a call, or as it is attached: ${instead}`;
  return Object.entries(said).flatMap(([name, value]) => {
    if (value === undefined || OWN.has(name) || isSame(name, own, given)) return [];
    const path = `${group}.${name}`;
    return [{ path, bound, value, message: `${path} must be ${bound}; got ${shown(value)}` }];
  });
}

/** Whether both have the same there, however it was written. A limiter that was handed in has no numbers. */
function isSame(name: string, own: object | false, given: object): boolean {
  if (isLimiter(given)) return false;
  const [ours, theirs]: { readonly [name: string]: unknown }[] = [{ ...own }, { ...given }];
  return JSON.stringify(ours?.[name]) === JSON.stringify(theirs?.[name]);
}

const GROUPS_OFF = {
  retry: undefined,
  poll: undefined,
  idempotency: undefined,
  auth: undefined,
  correlation: undefined,
  breaker: undefined,
};

/** The base, with the defaults in every group that is off there and that the policy turns on. */
function switchedOn(policy: Policy, base: ResolvedPolicy): Policy {
  const { retry, poll, idempotency, auth, correlation, breaker }: Policy = { ...GROUPS_OFF, ...policy };
  const ground: { -readonly [K in keyof Policy]: Policy[K] } = { ...base };
  if (isRecord(poll) && !base.poll) ground.poll = DEFAULTS.poll;
  if (isRecord(idempotency) && !base.idempotency) ground.idempotency = DEFAULTS.idempotency;
  if (isRecord(correlation) && !base.correlation) ground.correlation = DEFAULTS.correlation;
  if (isRecord(breaker) && !base.breaker) ground.breaker = DEFAULTS.breaker;
  // What is missing here, `refresh`, the policy has to bring; it has been validated.
  if (isRecord(auth) && (!base.auth || isCredentials(base.auth)))
    ground.auth = DEFAULTS.auth as unknown as ResolvedAuth;
  if (isRecord(retry)) ground.retry = base.retry ? withGroupsOn(retry, base.retry) : DEFAULTS.retry;
  return ground;
}

/** The base, with the defaults of what is off there and what these options turn on. */
function withGroupsOn(options: RetryOptions, base: ResolvedRetry): ResolvedRetry {
  const turnsOn = (name: 'retryAfter' | 'budget') =>
    base[name] === false && Object.hasOwn(options, name) && isRecord(options[name]);
  if (!turnsOn('retryAfter') && !turnsOn('budget')) return base;
  const { retryAfter, budget } = DEFAULTS.retry;
  return {
    ...base,
    retryAfter: turnsOn('retryAfter') ? retryAfter : base.retryAfter,
    budget: turnsOn('budget') ? budget : base.budget,
  };
}
