import { headerOf } from '../call/header.ts';
import { parseHttpDate } from './http-date.ts';

/** Azure OpenAI and OpenAI, Azure, AWS. */
const MILLISECOND_FIELDS = ['retry-after-ms', 'x-ms-retry-after-ms', 'x-amz-retry-after'];

/** No wait is longer than this (31,688 years), so that now + wait is still an instant that `Date` can hold. */
const LONGEST_WAIT_MS = 1e15;

/**
 * How long the server asked to wait, in whole ms from now: 0 or more, and always finite. `undefined` when it named no
 * time that can be read; that is no opinion, not a zero.
 *
 * Reads `retry-after-ms`, `x-ms-retry-after-ms` and `x-amz-retry-after` (ms), else `Retry-After` (RFC 9110 §10.2.3) as
 * seconds or as an HTTP-date. A date is read against the response's own `Date`, so that a skewed clock on this side
 * does no harm, and against `nowMs` if there is none; a date in the past is 0. A decimal like Shopify's `2.0` is read,
 * and rounded up to a whole ms; `-1`, `0x10`, `1e3` and other words are not.
 *
 * @param headers AxiosHeaders, a fetch `Headers`, or an object in any letter case. Never throws, whatever it is.
 * @param nowMs the time of day of the client, ms since the epoch: `Date.now()`
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

/** What the server's clock said when it answered, in ms since the epoch: its `Date`, else `nowMs`. */
export function serverTime(headers: unknown, nowMs: number): number {
  const date = headerOf(headers, 'date');
  return (date === undefined ? undefined : parseHttpDate(date, nowMs)) ?? nowMs;
}

/** Digits with an optional fraction, and nothing of what else `Number` takes for a number. */
export function parseDecimal(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : undefined;
}

/** A time to wait: rounded up, never negative, never endless. `undefined` for what is not a number. */
export function wholeMs(ms: number): number | undefined {
  if (Number.isNaN(ms)) return undefined;
  const bounded = Math.min(Math.max(ms, 0), LONGEST_WAIT_MS);
  // 2.007 s are 2007.0000000000002 ms in binary; the error of a product must not be rounded up to a whole ms.
  return Math.ceil(Number(bounded.toPrecision(15)));
}
