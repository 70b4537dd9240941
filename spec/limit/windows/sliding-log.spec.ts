import { describe, expect, it } from 'vitest';
import type { Gcra, LimitWindow } from '../../../lib/limit/windows/gcra.ts';
import { SlidingLog } from '../../../lib/limit/windows/sliding-log.ts';
import { windowOf, windowsAfter } from '../../../lib/limit/windows/window.ts';

const T0 = 1_750_000_000_000;
const none = { excessMs: 0, gainMs: 0 };
/** Ten in a second, and 5 ms of margin, in whatever shape. */
const TEN = { requests: 10, perMs: 1_000, burst: 'all' } as const;
const EVENLY = { requests: 10, perMs: 1_000 };

/** When the next may leave, from T0. */
const next = (window: Gcra, weight?: number) => Math.round(window.nextAt(weight) - T0);

/** What goes on from a window under other numbers. */
const windowAfter = (before: Gcra, window: LimitWindow, nowMs: number): Gcra =>
  windowsAfter([before], [], [window], nowMs)[0] as Gcra;

/** One that has let so many leave, each so long after T0. */
function sent(...after: readonly number[]): SlidingLog {
  const log = new SlidingLog(TEN);
  for (const ms of after) log.take(T0 + ms, 1, false);
  return log;
}
const tenAt = (ms: number) => Array.from({ length: 10 }, () => ms);

describe(windowOf.name, () => {
  it("remembers each send where the burst is 'all', and only then", () => {
    expect(windowOf(TEN)).toBeInstanceOf(SlidingLog);
    expect(windowOf(EVENLY)).not.toBeInstanceOf(SlidingLog);
    expect(windowOf({ ...EVENLY, burst: 10 })).not.toBeInstanceOf(SlidingLog);
  });
});

describe(windowsAfter.name, () => {
  it.each([
    [TEN, { ...TEN }],
    [EVENLY, { ...EVENLY, burst: 1 }],
    [
      { ...EVENLY, burst: 3 },
      { ...EVENLY, burst: 3 },
    ],
  ])('is the same window under the same numbers: %o', (before, after) => {
    const window = windowOf(before);
    expect(windowAfter(window, after, T0)).toBe(window);
  });

  it.each([
    [TEN, { ...TEN, requests: 11 }],
    [TEN, { ...TEN, perMs: 999 }],
    [TEN, EVENLY],
    [EVENLY, { ...EVENLY, burst: 2 }],
    [EVENLY, TEN],
  ])('is another under others: %o, then %o', (before, after) => {
    const window = windowOf(before);
    expect(windowAfter(window, after, T0)).not.toBe(window);
  });

  it('pays what is unpaid at the new rate, and for no longer than the new window', () => {
    const before = windowOf({ ...EVENLY, burst: 10 });
    before.take(T0, 3, false);
    // Three intervals of 1,005 ms are more than its second.
    expect(next(windowAfter(before, { requests: 1, perMs: 1_000 }, T0))).toBe(1_000);
    expect(next(windowAfter(before, { requests: 20, perMs: 1_000 }, T0))).toBe(151);
    // By then one of them is paid.
    expect(next(windowAfter(before, { requests: 20, perMs: 1_000 }, T0 + 100.5))).toBe(201);
  });

  it('owes nothing where nothing has left', () => {
    expect(windowAfter(windowOf(EVENLY), { requests: 1, perMs: 1_000 }, T0).nextAt()).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe(SlidingLog.name, () => {
  it('has the first ten leave at once, and the eleventh when the first is over', () => {
    const log = sent(...tenAt(0).slice(1));
    expect(log.nextAt()).toBeLessThanOrEqual(T0);
    log.take(T0, 1, false);
    expect(next(log)).toBe(1_005);
  });

  it('lets each leave a window after the one ten before it', () => {
    const log = sent(0, 100, 200, 300, 400, 500, 600, 700, 800, 900);
    expect(next(log)).toBe(1_005);
    log.take(T0 + 1_005, 1, true);
    expect(next(log)).toBe(1_105);
  });

  it('has a weight wait until there is room for all of it', () => {
    const log = new SlidingLog(TEN);
    log.take(T0, 4, false);
    log.take(T0 + 100, 5, false);
    expect(log.nextAt(1)).toBeLessThanOrEqual(T0 + 100);
    expect([2, 5, 6, 10].map((weight) => next(log, weight))).toEqual([1_005, 1_005, 1_105, 1_105]);
  });

  it('tells before when one cannot leave that has so many before it: a window later for each ten', () => {
    const log = sent(...tenAt(0));
    expect([0, 9, 10, 19, 20].map((ahead) => Math.round(log.earliest(ahead) - T0))).toEqual([
      1_005, 1_910, 2_010, 2_915, 3_015,
    ]);
  });

  it('counts a send that never left not at all', () => {
    const log = new SlidingLog(TEN);
    const from = log.take(T0, 6, false);
    const other = log.take(T0 + 10, 4, false);
    log.refund(other, 4, T0 + 10);
    expect(log.nextAt(4)).toBeLessThanOrEqual(T0 + 10);
    expect(next(log, 5)).toBe(1_005);
    log.refund(from, 6, T0);
    expect(log.nextAt(10)).toBeLessThanOrEqual(T0 + 10);
  });

  it.each([
    ['more', 5, 5],
    ['less', 1, 9],
    ['as much', 3, 7],
    ['more than a window ever holds', 1e9, 0],
  ])('counts what a send cost from when it left: %s than it was taken for', (_what, cost, left) => {
    const log = new SlidingLog(TEN);
    const from = log.take(T0, 3, false);
    log.settle(from, 3, cost, T0);
    const later = T0 + 900;
    if (left > 0) expect(log.nextAt(left)).toBeLessThanOrEqual(later);
    expect(next(log, left + 1)).toBe(1_005);
  });

  describe('for a request that was slow to arrive', () => {
    it('counts it for as much longer, beyond the margin', () => {
      const log = sent(...tenAt(0));
      log.answered(T0, log.shiftMs, { excessMs: 8, gainMs: 0 });
      expect(next(log)).toBe(1_008);
      // The slowest of those that left at one instant.
      log.answered(T0, log.shiftMs, { excessMs: 6, gainMs: 0 });
      expect(next(log)).toBe(1_008);
      log.answered(T0, log.shiftMs, none);
      expect(next(log)).toBe(1_008);
    });

    it('counts none longer that left at another time', () => {
      const log = sent(0, ...tenAt(50).slice(1));
      log.answered(T0 + 50, log.shiftMs, { excessMs: 8, gainMs: 0 });
      log.answered(T0 + 25, log.shiftMs, { excessMs: 8, gainMs: 0 });
      expect([next(log), next(log, 2)]).toEqual([1_005, 1_058]);
    });

    it('counts all before one that was faster for as much longer', () => {
      const log = sent(0, ...tenAt(20).slice(1));
      log.answered(T0, log.shiftMs, none);
      log.answered(T0 + 20, log.shiftMs, { excessMs: 0, gainMs: 8 });
      expect([next(log), next(log, 2)]).toEqual([1_008, 1_028]);
    });
  });

  describe('is fresh', () => {
    it('when nothing that left counts', () => {
      expect(new SlidingLog(TEN).isFresh(T0)).toBe(true);
      const log = sent(0);
      expect([500, 1_004, 1_005].map((ms) => log.isFresh(T0 + ms))).toEqual([false, false, true]);
    });

    it('when none of it left after all', () => {
      const log = new SlidingLog(TEN);
      log.refund(log.take(T0, 2, false), 2, T0);
      expect(log.isFresh(T0)).toBe(true);
    });

    it('not after a pause, as long as it goes on evenly', () => {
      const log = new SlidingLog(TEN);
      log.dropBurst(T0);
      expect([0, 904, 905].map((ms) => log.isFresh(T0 + ms))).toEqual([false, false, true]);
    });
  });

  describe('under new numbers', () => {
    it('counts what has left', () => {
      const [more, fewer] = [12, 4].map((requests) => windowAfter(sent(...tenAt(0)), { ...TEN, requests }, T0)) as [
        Gcra,
        Gcra,
      ];
      expect(more.nextAt(2)).toBeLessThanOrEqual(T0);
      expect([next(more, 3), next(fewer)]).toEqual([1_005, 1_005]);
      expect(next(windowAfter(sent(...tenAt(0)), { ...TEN, perMs: 200 }, T0))).toBe(201);
    });

    it('goes on evenly where the numbers before had another shape, and has no burst yet', () => {
      const before = windowOf(EVENLY);
      before.take(T0, 1, false);
      const log = windowAfter(before, TEN, T0);
      expect(next(log)).toBe(100);
      log.take(T0 + 101, 1, true);
      expect(next(log)).toBe(201);
    });

    it('has one leave now and the others evenly where nothing had left', () => {
      const log = windowAfter(windowOf(EVENLY), TEN, T0);
      expect(next(log)).toBe(0);
      log.take(T0, 1, false);
      expect(next(log)).toBe(101);
    });
  });
});
