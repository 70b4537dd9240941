import { isCredentials } from '../auth/credential-set.ts';
import type { ResolvedAuth } from '../auth/options.ts';
import { isRecord } from '../check.ts';
import { InvalidPolicyError } from '../failure/errors.ts';
import { isLimiter, numbersIn } from '../limit/limiters.ts';
import { fillIn } from '../limit/options.ts';
import { DEFAULT_POLICY, DEFAULTS } from './defaults.ts';
import { isGroup, merge, several } from './merge.ts';
import type { Policy, ResolvedPolicy, ResolvedRetry, RetryOptions } from './options.ts';
import { validate } from './validate.ts';

/**
 * A policy laid over a resolved one, with every default filled in, frozen all the way down.
 *
 * @throws {InvalidPolicyError}
 */
export function resolve(policy: Policy, base: ResolvedPolicy = DEFAULT_POLICY): ResolvedPolicy {
  validate(policy);
  if (isLimiter(base.limit)) requireNoNumbers(policy);
  const merged = merge(switchedOn(policy, base), policy) as ResolvedPolicy;
  const on = Object.fromEntries(Object.entries(merged.on).map(([name, heard]) => [name, several<unknown>(heard)]));
  const { limit } = merged;
  return freeze({
    ...merged,
    limit: limit === false || isLimiter(limit) ? limit : fillIn(limit),
    on: on as ResolvedPolicy['on'],
  });
}

/** A call that names numbers where a limiter was handed in would go round it, and nobody would know. */
function requireNoNumbers({ limit }: Policy): void {
  if (!isRecord(limit) || isLimiter(limit)) return;
  const bound =
    'left out where a Limiter is attached: a call may name a key, a priority and maxWaitMs, or another Limiter';
  const problems = numbersIn(limit).map((name) => {
    const path = `limit.${name}`;
    return { path, bound, value: limit[name as keyof typeof limit], message: `${path} must be ${bound}` };
  });
  if (problems.length > 0) throw new InvalidPolicyError(problems);
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

/**
 * Frozen, and without a prototype: what a policy leaves out is asked for at every call, and a prototype that somebody else has polluted
 * must not speak for it. Groups and lists only: a limiter that is written as a plain object holds state of its own.
 */
function freeze<T extends object>(options: T): T {
  for (const [name, value] of Object.entries(options)) {
    if (isGroup(name, value) || Array.isArray(value)) freeze(value as object);
  }
  // Reflect: what others hold too, as our own defaults, may be frozen by now.
  if (!Array.isArray(options)) Reflect.setPrototypeOf(options, null);
  return Object.freeze(options);
}
