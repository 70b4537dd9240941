/** The times at which a quota is refilled, in every form that vendors send them. */
import { parseHttpDate, utcInstant } from '../../time/http-date.ts';
import { parseDecimal, wholeMs } from '../../time/retry-after.ts';

/** A number from here on is an epoch in seconds (2001), then in ms (1973), in µs and in ns: nobody waits 31 years for a quota. */
const EPOCH_SECONDS = 1e9;
const EPOCH_MS = 1e11;
const EPOCH_MICROSECONDS = 1e14;
const EPOCH_NANOSECONDS = 1e17;

/** A delay of more than so many windows, and of more than an hour, is absurd in seconds: it is in ms. */
const MANY_WINDOWS = 10;
const HOUR_MS = 3_600_000;

const NUMBER = '(\\d+(?:\\.\\d+)?)';
/** Go prints each unit at most once, the largest first. */
const DURATION = new RegExp(
  `^(?=\\d)(?:${NUMBER}h)?(?:${NUMBER}m)?(?:${NUMBER}s)?(?:${NUMBER}ms)?(?:${NUMBER}[uµ]s)?(?:${NUMBER}ns)?$`,
);
const DURATION_UNITS_MS = [3_600_000, 60_000, 1_000, 1, 1e-3, 1e-6];

/** Also without seconds, as Jira has it, and with the name of the zone, as Ruby prints it. */
const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)? ?(?:[Zz]|UTC|GMT|([+-])(\d\d):?(\d\d))$/;

/**
 * The wait that a reset field means, in whole ms: seconds, an epoch in seconds, ms, µs or ns, a duration as Go prints it
 * (`6m0s`), an HTTP-date or an RFC 3339 time. 600000 beside a limit per minute are ms: nobody waits a week for the next minute.
 *
 * @param serverNow ms since the epoch
 * @param windowMs of the quota, if it is known
 */
export function parseReset(value: string | undefined, serverNow: number, windowMs = Infinity): number | undefined {
  if (value === undefined) return undefined;
  const number = parseDecimal(value);
  if (number !== undefined) {
    if (number >= EPOCH_SECONDS) return wholeMs(epochMs(number) - serverNow);
    const ms = number * 1_000;
    return wholeMs(ms > Math.max(MANY_WINDOWS * windowMs, HOUR_MS) ? number : ms);
  }
  const duration = parseDuration(value);
  if (duration !== undefined) return wholeMs(duration);
  const at = parseHttpDate(value, serverNow) ?? parseRfc3339(value);
  return at === undefined ? undefined : wholeMs(at - serverNow);
}

function epochMs(number: number): number {
  if (number < EPOCH_MS) return number * 1_000;
  if (number < EPOCH_MICROSECONDS) return number;
  return number < EPOCH_NANOSECONDS ? number / 1e3 : number / 1e6;
}

/** Whether a reset field is a bare number that is too small for an epoch. */
export function isBareDelay(value: string): boolean {
  const number = parseDecimal(value);
  return number !== undefined && number < EPOCH_SECONDS;
}

function parseDuration(value: string): number | undefined {
  const [, ...amounts] = DURATION.exec(value) ?? [];
  if (amounts.length === 0) return undefined;
  return DURATION_UNITS_MS.reduce((total, unitMs, i) => total + Number(amounts[i] ?? 0) * unitMs, 0);
}

function parseRfc3339(value: string): number | undefined {
  const [, year, month, day, hour, minute, second = '0', fraction = '0', sign, zoneHour = '0', zoneMinute = '0'] =
    RFC_3339.exec(value) ?? [];
  const at = utcInstant(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  if (at === undefined) return undefined;
  const offsetMs = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000;
  return at + Number(fraction) * 1_000 - (sign === '-' ? -offsetMs : offsetMs);
}
