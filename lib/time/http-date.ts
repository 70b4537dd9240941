const DAYS = 'Mon|Tue|Wed|Thu|Fri|Sat|Sun';
const DAYS_IN_FULL = 'Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday';
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH = `(?<month>${MONTHS.join('|')})`;
const TIME = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)';

const IMF_FIXDATE = new RegExp(`^(?:${DAYS}), (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`);
const RFC_850 = new RegExp(`^(?:${DAYS_IN_FULL}), (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`);
const ASCTIME = new RegExp(`^(?:${DAYS}) ${MONTH} (?<day>\\d\\d| \\d) ${TIME} (?<year>\\d{4})$`);

/**
 * The instant that an HTTP-date names, in ms since the epoch: IMF-fixdate, RFC 850 and asctime (RFC 9110 §5.6.7),
 * always in UTC. Anything else is `undefined`.
 *
 * Not `Date.parse`: that reads asctime as local time, `50` as 1950, and takes `foo 1` for a date. The weekday must be
 * one, but need not be the right one: the date stands without it.
 *
 * @param nowMs decides the century of an RFC 850 year: the latest that is at most 50 years ahead
 */
export function parseHttpDate(value: string, nowMs: number): number | undefined {
  const fixed = (IMF_FIXDATE.exec(value) ?? ASCTIME.exec(value))?.groups;
  if (fixed) return instantOf(fixed, Number(fixed.year));

  const dated = RFC_850.exec(value)?.groups;
  if (!dated) return undefined;
  const horizon = new Date(nowMs);
  const latestYear = horizon.getUTCFullYear() + 50;
  horizon.setUTCFullYear(latestYear);
  const latestCentury = Math.floor(latestYear / 100) * 100;
  return [latestCentury, latestCentury - 100]
    .map((century) => instantOf(dated, century + Number(dated.year)))
    .find((at) => at !== undefined && at <= horizon.getTime());
}

/**
 * The instant of a date and time in UTC, in ms since the epoch; `undefined` where the calendar or the clock has no such
 * moment. `month` counts from 0. A leap second (23:59:60) is the first of the next day, as RFC 9110 allows it.
 */
export function utcInstant(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  const leapSecond = hour === 23 && minute === 59 && second === 60;
  if (hour > 23 || minute > 59 || (second > 59 && !leapSecond)) return undefined;
  // Not `Date.UTC`, which takes the years 0 to 99 for 1900 to 1999.
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  // A day that the month has not lies in another month.
  return date.getUTCMonth() === month ? date.setUTCHours(hour, minute, second) : undefined;
}

function instantOf(part: Record<string, string>, year: number): number | undefined {
  const month = MONTHS.indexOf(String(part.month));
  return utcInstant(year, month, Number(part.day), Number(part.hour), Number(part.minute), Number(part.second));
}
