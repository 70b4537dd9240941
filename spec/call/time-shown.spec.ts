import { describe, expect, it } from 'vitest';
import { durationOf, timeOf, wholeMs } from '../../lib/call/time-shown.ts';

describe('time as it is shown', () => {
  it.each([
    [0.4, 0],
    [0.5, 1],
    [1_000, 1_000],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ])('%d ms are %d whole ones', (ms, whole) => {
    expect(wholeMs(ms)).toBe(whole);
  });

  it.each([
    [0, '0 ms'],
    [350.4, '350 ms'],
    [999.4, '999 ms'],
    [999.6, '1.0 s'],
    [1_000, '1.0 s'],
    [12_350, '12.3 s'],
  ])('a duration of %d ms is %s', (ms, shown) => {
    expect(durationOf(ms)).toBe(shown);
  });

  it.each([
    [Date.UTC(2026, 0, 1, 12, 0, 1, 250), '12:00:01.250Z'],
    [Date.UTC(2026, 0, 1, 12, 0, 1, 250) + 0.2, '12:00:01.251Z'],
    [Number.POSITIVE_INFINITY, '00:00:00.000Z'],
  ])('an instant of %d is %s', (at, shown) => {
    expect(timeOf(at)).toBe(shown);
  });
});
