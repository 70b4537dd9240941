/** Reads what a server tells of its quota: the RateLimit fields of the IETF, and their many cousins in the wild. */

import { headerNames, headerOf } from '../../call/header.ts';
import type { Clock } from '../../time/clock.ts';
import { serverTime } from '../../time/retry-after.ts';
import { readFields } from './fields.ts';
import {
  CONCURRENT_REQUESTS,
  type Counter,
  type Policy,
  partOf,
  REQUESTS,
  readPolicies,
  readRateLimit,
} from './structured.ts';

/** The unit of a quota of bytes. */
const BYTES = 'content-bytes';

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
  /** Where the server tells what is left of several request quotas: all of them. */
  readonly counters?: readonly QuotaCounter[] | undefined;
  /** How many requests may be under way at once (`qu="concurrent-requests"`). */
  readonly concurrency?: number | undefined;
  /** What is left is counted as weights are, as a reader of one's own (`limit.quota`) tells it; headers count sends. */
  readonly ofWeights?: boolean | undefined;
  /** Where the server divides its quota (`pk`): the part that this request was counted in. */
  readonly partition?: Partition | undefined;
}

/** What is left of one of several quotas. */
export interface QuotaCounter {
  /** Of the policy, or as the headers' names have it. */
  readonly name: string;
  readonly limit?: number | undefined;
  readonly remaining: number;
  readonly resetMs: number;
}

/** One part of a quota that a server divides, by the customer for example. */
export interface Partition {
  /** The name of the policy. */
  readonly policy: string;
  /** Nobody's business but to be compared. */
  readonly key: string;
}

/**
 * Reads `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10, and the forms of its earlier
 * drafts), `RateLimit-Limit`, `-Remaining`, `-Reset`, and `X-RateLimit-*` with their relatives at GitHub, OpenAI,
 * Anthropic, Discord and others, whose resets are seconds, an epoch in s or ms, `6m0s`, an HTTP-date or RFC 3339.
 * Instants are read against the response's own `Date`, if it has one.
 *
 * Of a quota that the server divides only the part of this request counts, which the `pk` of its RateLimit names. How many bytes
 * are left is not our affair, and how many requests may be under way is no stock.
 *
 * A malformed field is ignored. `undefined` when nothing is left. Never throws; `headers` may be anything.
 *
 * @param clock the client's, for an answer without a `Date`
 * @param throttled whether the answer refused for rate: then a reset that stands alone can only be the wait
 */
export function readQuota(headers: unknown, clock: Pick<Clock, 'wall'>, throttled = false): Quota | undefined {
  const names = headerNames(headers).filter((name) => /rate-?limit/i.test(name));
  if (names.length === 0) return undefined;

  const announced = readPolicies(headerOf(headers, 'ratelimit-policy'));
  const structured = readRateLimit(headerOf(headers, 'ratelimit'), announced);
  const longestMs = announced.reduce((longest, { windowMs = 0 }) => Math.max(longest, windowMs), 0);
  const told = readFields(headers, names, serverTime(headers, clock.wall()), throttled, longestMs || undefined);
  const ours = [...partsOfOurs(announced, structured), ...told.policies];
  const policies = ours
    .filter(({ unit }) => unit === REQUESTS)
    .map(({ name, quota, windowMs }) => ({ name, quota, windowMs }));
  const concurrency = ours.reduce(
    (least, { unit, quota }) => (unit === CONCURRENT_REQUESTS ? Math.min(least, quota) : least),
    Infinity,
  );
  const counters = [...structured, ...told.counters].filter(
    // How many are under way is no stock, and bytes that are used up stop no request but one that was refused for them.
    ({ unit }) => unit !== CONCURRENT_REQUESTS && (throttled || unit !== BYTES),
  );
  const binding = bindingOf(counters);
  if (policies.length === 0 && concurrency === Infinity && binding === undefined) return undefined;
  const several = counters.filter(({ unit }) => unit === REQUESTS).flatMap(counted);
  return {
    policies,
    limit: binding?.unit === REQUESTS ? binding.limit : undefined,
    remaining: binding?.remaining,
    resetMs: binding?.resetMs,
    counters: several.length > 1 && binding?.unit === REQUESTS ? several : undefined,
    concurrency: concurrency < Infinity ? concurrency : undefined,
    partition: partitionOf([...(binding ? [binding] : []), ...ours]),
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

/** Without the parts of a divided quota in which the request was not counted, by what is told to be left of it. */
function partsOfOurs(policies: readonly Policy[], counters: readonly Counter[]): readonly Policy[] {
  const divided = counters.filter(({ partition }) => partition !== undefined);
  const names = new Set(divided.map(({ name }) => name));
  const parts = new Set(divided.map(({ name, partition }) => partOf(name, partition)));
  const isOurs = ({ name, partition }: Policy) =>
    partition === undefined || !names.has(name) || parts.has(partOf(name, partition));
  return policies.filter(isOurs);
}

function partitionOf(quotas: readonly Pick<Counter, 'name' | 'partition'>[]): Partition | undefined {
  const divided = quotas.find(({ partition }) => partition !== undefined);
  return divided && { policy: String(divided.name), key: String(divided.partition) };
}

function counted({ name = '', limit, remaining, resetMs }: Counter): readonly QuotaCounter[] {
  return remaining === undefined || resetMs === undefined ? [] : [{ name, limit, remaining, resetMs }];
}

function bindingOf(counters: readonly Counter[]): Counter | undefined {
  const usedUp = counters.filter(({ remaining }) => remaining === 0);
  if (usedUp.length > 0) return usedUp.reduce((a, b) => ((b.resetMs ?? -1) > (a.resetMs ?? -1) ? b : a));
  const requests = counters.filter(
    ({ unit, limit, remaining, resetMs }) => unit === REQUESTS && (limit ?? remaining ?? resetMs) !== undefined,
  );
  return requests.reduce<Counter | undefined>((a, b) => (a === undefined || bindsMore(b, a) ? b : a), undefined);
}

/** Less is left of it; or as much is, and it says until when: one quota may be told twice, by other names, and only once in full. */
function bindsMore({ remaining = Infinity, resetMs }: Counter, than: Counter): boolean {
  const other = than.remaining ?? Infinity;
  return remaining < other || (remaining === other && resetMs !== undefined && than.resetMs === undefined);
}
