import { describe, expect, it } from 'vitest';
import { Gcra } from '../../../lib/limit/windows/gcra.ts';

const T0 = 1_750_000_000_000;
const none = { excessMs: 0, gainMs: 0 };

/** A hundred a second: slots 10.05 ms apart, 5 ms of lateness. */
const window = (burst = 1) => new Gcra({ requests: 100, perMs: 1_000, burst });

/** Takes every slot as it falls due until the next one is due after `ms`; gives when that is, from T0. */
function takeUntil(gcra: Gcra, ms: number): number {
  while (gcra.nextAt() < T0 + ms) gcra.take(Math.max(T0, gcra.nextAt()), 1, true);
  return gcra.nextAt() - T0;
}

describe(Gcra.name, () => {
  it('gives slots an interval apart, of which the first is now', () => {
    const gcra = window();
    expect(gcra.nextAt()).toBe(Number.NEGATIVE_INFINITY);
    gcra.take(T0, 1, false);
    expect(gcra.nextAt() - T0).toBeCloseTo(10.05, 1);
  });

  it('makes up for lateness, and only where somebody waited', () => {
    const [waited, came] = [window(), window()];
    for (const gcra of [waited, came]) gcra.take(T0, 1, false);
    waited.take(T0 + 14, 1, true);
    came.take(T0 + 14, 1, false);
    expect(waited.nextAt() - T0).toBeCloseTo(20.1, 1);
    expect(came.nextAt() - T0).toBeCloseTo(24.05, 1);
  });

  it('makes up for it also in what comes right after one who waited, which would have been as early', () => {
    const gcra = new Gcra({ requests: 5_000, perMs: 1_000 });
    gcra.take(T0, 1, false);
    // The timer for the second slot is 2 ms late, in which ten slots go by.
    gcra.take(T0 + 2.2, 1, true);
    let more = 0;
    for (; gcra.nextAt() <= T0 + 2.3; more++) gcra.take(T0 + 2.3, 1, false);
    expect(more).toBe(10);
    gcra.take(T0 + 100, 1, false);
    expect(gcra.nextAt()).toBeGreaterThan(T0 + 100.1);
  });

  it('makes up for 5 ms at most', () => {
    const gcra = window();
    gcra.take(T0, 1, false);
    gcra.take(T0 + 500, 1, true);
    expect(gcra.nextAt() - T0).toBeCloseTo(505.05, 1);
  });

  describe('given back a slot', () => {
    it('is as if it had not been taken', () => {
      const gcra = window(3);
      const first = gcra.take(T0, 1, false);
      const second = gcra.take(T0, 2, false);
      gcra.refund(first, 1);
      gcra.refund(second, 2);
      for (let i = 0; i < 3; i++) {
        expect(gcra.nextAt()).toBeLessThanOrEqual(T0);
        gcra.take(T0, 1, false);
      }
      expect(gcra.nextAt()).toBeGreaterThan(T0);
    });

    it('does not give what another did not have to wait for', () => {
      const gcra = window();
      const first = gcra.take(T0, 1, false);
      gcra.take(T0 + 500, 1, false);
      gcra.refund(first, 1);
      expect(gcra.nextAt() - T0).toBeCloseTo(510.05, 1);
    });

    it('has no burst that was dropped meanwhile', () => {
      const gcra = window(5);
      const first = gcra.take(T0, 1, false);
      gcra.dropBurst(T0 + 1_000);
      gcra.refund(first, 1);
      expect(gcra.nextAt() - T0).toBeCloseTo(1_000, 1);
    });
  });

  it('is as short as a pause that is no more than a tenth shorter', () => {
    expect([908, 910, 5_000].map((pauseMs) => window().isAsShortAs(pauseMs))).toEqual([false, true, true]);
  });

  it('is fresh when all that left is paid for', () => {
    const gcra = window();
    expect(gcra.isFresh(T0)).toBe(true);
    gcra.take(T0, 1, false);
    expect(gcra.isFresh(T0 + 10)).toBe(false);
    expect(gcra.isFresh(T0 + 11)).toBe(true);
  });

  it('lets one leave at once and the others evenly when the burst is dropped, or it goes on after another pacer', () => {
    const [spent, follows] = [window(5), window(5)];
    spent.dropBurst(T0);
    follows.continueAfter(T0);
    expect(spent.nextAt() - T0).toBeCloseTo(0, 1);
    expect(follows.nextAt() - T0).toBeCloseTo(10.05, 1);
    spent.take(T0, 1, true);
    expect(spent.nextAt() - T0).toBeCloseTo(10.05, 1);
  });

  describe('for a request that was slow to arrive', () => {
    it.each([1, 5])('moves the slots on a window later, and no sooner, with a burst of %i', (burst) => {
      const gcra = window(burst);
      gcra.take(T0, 1, false);
      gcra.answered(T0, gcra.shiftMs, { excessMs: 8, gainMs: 0 });
      takeUntil(gcra, 985);
      expect(gcra.shiftMs).toBe(0);
      takeUntil(gcra, 1_001);
      // What it was late beyond the 5 ms that every window has to spare.
      expect(gcra.shiftMs).toBeCloseTo(3, 5);
    });

    it('moves them once for all the slow ones of a window', () => {
      const gcra = window();
      for (let i = 0; i < 50; i++) {
        const at = Math.max(T0, gcra.nextAt());
        gcra.take(at, 1, true);
        gcra.answered(at, gcra.shiftMs, { excessMs: 8, gainMs: 0 });
      }
      takeUntil(gcra, 1_600);
      expect(gcra.shiftMs).toBeCloseTo(3, 5);
    });

    it.each([
      ['0.4 % of the window', { requests: 100, perMs: 1_000 }, false, 4],
      ['2 % once a send was refused', { requests: 100, perMs: 1_000 }, true, 20],
      ['a tenth of a second, however long the window', { requests: 100, perMs: 3_600_000 }, true, 100],
    ])('moves them by %s at most', (_what, options, wasRefused, most) => {
      const gcra = new Gcra(options);
      gcra.take(T0, 1, false);
      if (wasRefused) gcra.refused();
      gcra.answered(T0, 0, { excessMs: 60_000, gainMs: 0 });
      expect(gcra.shiftBy(T0 + options.perMs)).toBe(most);
    });

    it('does not move them for what every window has to spare', () => {
      const gcra = window();
      gcra.answered(T0, 0, { excessMs: 5, gainMs: 0 });
      gcra.answered(T0, 0, none);
      expect(gcra.shiftBy(T0 + 5_000)).toBe(0);
    });

    it('moves them at once, by a tenth of a second at most, when it turns out that all before it were slow', () => {
      const gcra = window();
      gcra.take(T0, 1, false);
      const before = gcra.nextAt();
      gcra.answered(T0, 0, { excessMs: 0, gainMs: 30 });
      expect(gcra.nextAt() - before).toBeCloseTo(30, 5);
      gcra.answered(T0, 0, { excessMs: 0, gainMs: 5_000 });
      expect(gcra.nextAt() - before).toBeCloseTo(130, 5);
    });

    it('does not shift them where slots were not used, which shift those behind them', () => {
      const [late, even] = [window(), window()];
      for (const gcra of [late, even]) {
        gcra.take(T0, 1, false);
        if (gcra === late) gcra.answered(T0, 0, { excessMs: 8, gainMs: 0 });
        gcra.take(T0 + 14, 1, false);
        takeUntil(gcra, 1_500);
      }
      expect([late.shiftMs, late.nextAt()]).toEqual([even.shiftMs, even.nextAt()]);
    });

    it('shifts them by the rest where fewer were not used', () => {
      const [late, even] = [window(), window()];
      for (const gcra of [late, even]) {
        gcra.take(T0, 1, false);
        if (gcra === late) gcra.answered(T0, 0, { excessMs: 8, gainMs: 0 });
        gcra.take(T0 + 12, 1, false);
        takeUntil(gcra, 1_500);
      }
      expect(late.shiftMs - even.shiftMs).toBeCloseTo(3 - 1.95, 2);
    });

    it('still owes it where it falls due while a send is late', () => {
      const gcra = window();
      gcra.take(T0, 1, false);
      gcra.answered(T0 - 3, 0, { excessMs: 8, gainMs: 0 });
      takeUntil(gcra, 990);
      expect(gcra.shiftMs).toBe(0);
      // Its slot lay at 994.95, what is owed falls due at 997.
      gcra.take(T0 + 998, 1, true);
      takeUntil(gcra, 1_100);
      expect(gcra.shiftMs).toBeCloseTo(3, 5);
    });
  });
});
