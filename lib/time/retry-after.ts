import { headerOf } from '../call/header.ts';
import { parseHttpDate } from './http-date.ts';

/** Headers that name a wait in ms: of OpenAI (and Azure OpenAI), Azure and AWS. */
const MILLISECOND_FIELDS = ['retry-after-ms', 'x-ms-retry-after-ms', 'x-amz-retry-after'];

/** No wait is longer than this (31,688 years), so that now + wait is still an instant that `Date` can hold. */
const LONGEST_WAIT_MS = 1e15;

/**
 * How long the server asks to wait, in whole ms from now: finite, at least 0. `undefined` where it names no wait that can be read; that is
 * no opinion, and not a zero. Never throws.
 *
 * The first of these that can be read counts: `retry-after-ms`, `x-ms-retry-after-ms`, `x-amz-retry-after` (all in ms), and `Retry-After`
 * (RFC 9110 §10.2.3), which has seconds or an HTTP-date. The wait until a date is counted from the response's own `Date`, so that a wrong
 * clock on this side does no harm; without one, from `nowMs`. A date in the past gives 0. A decimal such as Shopify's `2.0` is read, and
 * rounded up to whole ms. `-1`, `0x10`, `1e3` and words are not read.
 *
 * @param headers AxiosHeaders, a fetch `Headers`, or a plain object with names in any letter case
 * @param nowMs the time of day here, in ms since the epoch: `Date.now()`
 *
 * @example
 * parseRetryAfter({ 'Retry-After': '120' }, Date.now()); // 120_000
 * parseRetryAfter({ date: 'Wed, 21 Oct 2026 07:28:00 GMT', 'retry-after': 'Wed, 21 Oct 2026 07:28:30 GMT' }, Date.now()); // 30_000
 */
export function parseRetryAfter(headers: unknown, nowMs: number): number | undefined {
  for (const field of MILLISECOND_FIELDS) {
    const ms = parseDecimal(headerOf(headers, field));
    if (ms !== undefined) return wholeMs(ms);
  }
  const value = headerOf(headers, 'retry-after');
  if (value === undefined) return undefined;
  const seconds = parseDecimal(value);
  if (seconds !== undefined) return wholeMs(seconds * 1_000);
  const serverNow = serverTime(headers, nowMs);
  const at = parseHttpDate(value, serverNow);
  return at === undefined ? undefined : wholeMs(at - serverNow);
}

/** The time of day of the server when it answered, in ms since the epoch: its `Date`, else `nowMs`. */
export function serverTime(headers: unknown, nowMs: number): number {
  const date = headerOf(headers, 'date');
  return (date === undefined ? undefined : parseHttpDate(date, nowMs)) ?? nowMs;
}

/** The number that digits with an optional fraction make. What else `Number` reads (`1e3`, `0x10`, blanks) is none. */
export function parseDecimal(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : undefined;
}

/** A wait in whole ms: rounded up, at least 0, finite. `undefined` for NaN. */
export function wholeMs(ms: number): number | undefined {
  if (Number.isNaN(ms)) return undefined;
  const bounded = Math.min(Math.max(ms, 0), LONGEST_WAIT_MS);
  // In binary, 2.007 s are 2007.0000000000002 ms: that error must not be rounded up to a whole ms.
  return Math.ceil(Number(bounded.toPrecision(15)));
}
