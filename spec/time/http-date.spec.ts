import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHttpDate, utcInstant } from '../../lib/time/http-date.ts';
import vectors from '../vectors/http-date.json' with { type: 'json' };

const NOW = Date.UTC(2024, 7, 18);

describe(parseHttpDate.name, () => {
  it.each(vectors.cases)('reads $value as $iso', ({ value, iso }) => {
    const at = parseHttpDate(value, NOW);
    expect(at === undefined ? null : new Date(at).toISOString()).toBe(iso);
  });

  it('does not ask for the right weekday, because the date stands without it', () => {
    expect(parseHttpDate('Tue, 21 Oct 2015 07:28:00 GMT', NOW)).toBe(Date.UTC(2015, 9, 21, 7, 28));
  });

  it('reads the leap second of RFC 9110 as the first second of the next day, and no other second 60', () => {
    expect(parseHttpDate('Sat, 31 Dec 2016 23:59:60 GMT', NOW)).toBe(Date.UTC(2017, 0, 1));
    expect(parseHttpDate('Sat, 31 Dec 2016 12:59:60 GMT', NOW)).toBeUndefined();
  });

  it('reads four digits of a year as they stand', () => {
    expect(parseHttpDate('Sun, 06 Nov 0094 08:49:37 GMT', NOW)).toBe(Date.parse('0094-11-06T08:49:37Z'));
  });

  it.each([
    ['2024-08-18', 'Thursday, 18-Aug-74 00:00:00 GMT', '2074-08-18'],
    ['2024-08-18', 'Saturday, 18-Aug-74 00:00:01 GMT', '1974-08-18'],
    ['1999-12-31', 'Saturday, 01-Jan-00 00:00:00 GMT', '2000-01-01'],
    ['2060-01-01', 'Friday, 01-Jan-05 00:00:00 GMT', '2105-01-01'],
    ['2060-01-01', 'Friday, 01-Jan-50 00:00:00 GMT', '2050-01-01'],
    ['2080-01-01', 'Tuesday, 29-Feb-00 00:00:00 GMT', '2000-02-29'],
  ])('takes an RFC 850 year, at %s, for the latest that is at most 50 years ahead: %s', (now, value, expected) => {
    const at = parseHttpDate(value, Date.parse(now));
    expect(new Date(at ?? Number.NaN).toISOString().slice(0, 10)).toBe(expected);
  });

  it('reads back every instant that toUTCString writes', () => {
    const anyInstant = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) / 1_000 }).map((seconds) => seconds * 1_000);
    fc.assert(fc.property(anyInstant, (at) => parseHttpDate(new Date(at).toUTCString(), NOW) === at));
  });

  it('never throws, and gives undefined or a finite number, for any string and any clock', () => {
    const any = fc.oneof(fc.string(), fc.constantFrom(...vectors.cases.map((c) => c.value)));
    fc.assert(
      fc.property(any, fc.double(), (value, now) => {
        const at = parseHttpDate(value, now);
        return at === undefined || Number.isFinite(at);
      }),
    );
  });
});

describe(utcInstant.name, () => {
  it.each([
    [2025, 1, 29, 0, 0, 0],
    [2024, 12, 1, 0, 0, 0],
    [2024, 0, 0, 0, 0, 0],
    [2024, 0, 1, 24, 0, 0],
    [2024, 0, 1, 0, 60, 0],
    [2024, 0, 1, 0, 0, 60],
    [2016, 11, 31, 23, 58, 60],
    [2016, 11, 31, 23, 59, 61],
    [Number.NaN, 0, 1, 0, 0, 0],
  ])('has no instant for %d-%d-%d %d:%d:%d', (...parts) => {
    expect(utcInstant(...parts)).toBeUndefined();
  });
});
