/** Reads what a server tells of its quota: the RateLimit fields of the IETF, and their many cousins in the wild. */
import { headerNames, headerOf } from '../wait/header.ts';
import { serverTime } from '../wait/retry-after.ts';
import { readFields } from './quota-fields.ts';
import { type Counter, REQUESTS, readPolicies, readRateLimit } from './quota-structured.ts';

/** A quota that the server announces, counted in requests. */
export interface QuotaPolicy {
  /** The name that the server gave it. */
  readonly name?: string | undefined;
  /** Requests; at least 0. */
  readonly quota: number;
  /** The time in which they may be used, in ms; more than 0. */
  readonly windowMs?: number | undefined;
}

/**
 * What an answer's headers say of the quota. Where they tell of several (a minute's and a day's, requests and tokens),
 * `limit`, `remaining` and `resetMs` are those of the one that binds: of the used up ones the last to be refilled, else
 * the request quota with the fewest left.
 */
export interface Quota {
  /** The request quotas that were announced, in the server's order; empty if none. */
  readonly policies: readonly QuotaPolicy[];
  /** Requests; absent when what binds is not counted in requests. */
  readonly limit?: number | undefined;
  /** What is left of it; at least 0. More than 0 is no promise. */
  readonly remaining?: number | undefined;
  /** Until it is refilled: whole ms from now, at least 0. */
  readonly resetMs?: number | undefined;
}

/**
 * Reads `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10, and the forms of its earlier
 * drafts), `RateLimit-Limit`, `-Remaining`, `-Reset`, and `X-RateLimit-*` with their relatives at GitHub, OpenAI,
 * Anthropic, Discord and others, whose resets are seconds, an epoch in s or ms, `6m0s`, an HTTP-date or RFC 3339.
 * Instants are read against the response's own `Date`, if it has one.
 *
 * A malformed field is ignored. `undefined` when nothing is left. Never throws; `headers` may be anything.
 *
 * @param nowMs the client's clock, ms since the epoch
 * @param throttled whether the answer refused for rate: then a reset that stands alone can only be the wait
 */
export function readQuota(headers: unknown, nowMs: number, throttled = false): Quota | undefined {
  const names = headerNames(headers).filter((name) => /rate-?limit/i.test(name));
  if (names.length === 0) return undefined;

  const announced = readPolicies(headerOf(headers, 'ratelimit-policy'));
  const told = readFields(headers, names, serverTime(headers, nowMs), throttled);
  const policies = [...announced, ...told.policies]
    .filter(({ unit }) => unit === REQUESTS)
    .map(({ name, quota, windowMs }) => ({ name, quota, windowMs }));
  const binding = bindingOf([...readRateLimit(headerOf(headers, 'ratelimit'), announced), ...told.counters]);
  if (policies.length === 0 && binding === undefined) return undefined;
  return {
    policies,
    limit: binding?.unit === REQUESTS ? binding.limit : undefined,
    remaining: binding?.remaining,
    resetMs: binding?.resetMs,
  };
}

/**
 * The wait that a quota implies for a request that was not served, in ms: the time until it is refilled, when it is used up. With some
 * left the reset is no wait, and nothing can be inferred. Where nothing is said of what is left, the reset of an answer that
 * refused for rate is the wait, unless it is now. `Retry-After` takes precedence.
 */
export function quotaWaitMs({ remaining, resetMs }: Quota, throttled = false): number | undefined {
  if (remaining === undefined) return (throttled && resetMs) || undefined;
  return remaining === 0 ? resetMs : undefined;
}

function bindingOf(counters: readonly Counter[]): Counter | undefined {
  const usedUp = counters.filter(({ remaining }) => remaining === 0);
  if (usedUp.length > 0) return usedUp.reduce((a, b) => ((b.resetMs ?? -1) > (a.resetMs ?? -1) ? b : a));
  const requests = counters.filter(
    ({ unit, limit, remaining, resetMs }) => unit === REQUESTS && (limit ?? remaining ?? resetMs) !== undefined,
  );
  return requests.reduce<Counter | undefined>(
    (a, b) => (a === undefined || (b.remaining ?? Infinity) < (a.remaining ?? Infinity) ? b : a),
    undefined,
  );
}
