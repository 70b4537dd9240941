import fc from 'fast-check';
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

  describe('paused, which drops the burst', () => {
    /** Burst 5: four slots of 10.05 ms may be taken ahead. */
    const next = (gcra: Gcra) => Math.round(gcra.nextAt() - T0);

    it('counts the pause as slots that nobody used, once somebody has left', () => {
      const [used, fresh] = [window(), window()];
      used.take(T0, 1, false);
      for (const gcra of [used, fresh]) gcra.dropBurst(T0 + 2_000);
      expect(used.shiftMs).toBeCloseTo(2_000 - 10.05, 0);
      expect(fresh.shiftMs).toBe(0);
    });

    it('owes nothing any more for what arrived late before', () => {
      const gcra = window();
      gcra.take(T0, 1, false);
      gcra.answered(T0, gcra.shiftMs, { excessMs: 8, gainMs: 0 });
      gcra.dropBurst(T0 + 2_000);
      expect(gcra.nextAt() - T0).toBeCloseTo(2_000, 3);
    });

    it('goes on at once, without a burst, when the pause ends before its time, however often it has grown', () => {
      const gcra = window(5);
      gcra.take(T0, 1, false);
      gcra.dropBurst(T0 + 1_000);
      gcra.dropBurst(T0 + 2_000);
      gcra.resume(T0 + 100);
      expect(next(gcra)).toBe(100);
      gcra.take(T0 + 100, 1, false);
      expect(next(gcra)).toBe(110);
    });

    it('is not resumed when it is over, however lately', () => {
      const gcra = window(5);
      gcra.dropBurst(T0 + 1_000);
      gcra.resume(T0 + 1_020);
      expect(next(gcra)).toBe(1_000);
    });

    it('is not resumed once somebody has left since', () => {
      const gcra = window(5);
      gcra.dropBurst(T0 + 1_000);
      gcra.take(T0 + 500, 1, false);
      gcra.resume(T0 + 600);
      expect(next(gcra)).toBe(1_010);
    });

    it('is as long as it was told for a send that turns out to have cost more, or as that has to be paid', () => {
      const [longer, shorter] = [window(10), window(10)];
      for (const [gcra, pauseMs] of [
        [longer, 5_000],
        [shorter, 200],
      ] as const) {
        const from = gcra.take(T0, 1, false);
        gcra.dropBurst(T0 + pauseMs);
        gcra.settle(from, 1, 100);
      }
      // Of 100 that were taken ten are the burst: the next but for them.
      expect([next(longer), next(shorter)]).toEqual([5_000, 915]);
    });

    it('is resumed where it turns out meanwhile that requests arrived late, and what was owed is so much later', () => {
      const gcra = window();
      gcra.take(T0, 50, false);
      gcra.answered(T0, 0, none);
      gcra.dropBurst(T0 + 5_000);
      gcra.answered(T0 + 1_000, gcra.shiftMs, { excessMs: 0, gainMs: 30 });
      expect(next(gcra)).toBe(5_030);
      gcra.resume(T0 + 100);
      expect(gcra.shiftMs).toBe(30);
      expect(next(gcra)).toBe(532);
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
    expect(gcra.isFresh(T0 + gcra.intervalMs)).toBe(true);
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

    it('moves them a window after the first, by a tenth of a second at most, when it turns out that the first were slow', () => {
      const gcra = window();
      gcra.take(T0, 1, false);
      gcra.answered(T0, 0, none);
      gcra.answered(T0 + 100, 0, { excessMs: 0, gainMs: 20 });
      gcra.answered(T0 + 200, 0, { excessMs: 0, gainMs: 10 });
      expect(gcra.shiftBy(T0 + 999)).toBe(0);
      expect(gcra.shiftBy(T0 + 1_000)).toBe(30);
      const slow = window();
      slow.answered(T0, 0, none);
      slow.answered(T0 + 100, 0, { excessMs: 0, gainMs: 5_000 });
      expect(slow.shiftBy(T0 + 1_000)).toBe(100);
    });

    it('moves them at once, by a tenth of a second at most, when all in a window were slow', () => {
      const gcra = window();
      gcra.answered(T0, 0, none);
      gcra.answered(T0 + 1_000, 0, { excessMs: 0, gainMs: 30 });
      expect(gcra.shiftMs).toBe(30);
      gcra.answered(T0 + 1_000, 0, { excessMs: 0, gainMs: 5_000 });
      expect(gcra.shiftMs).toBe(130);
    });

    it('moves them once for the first of several processes that begin together', () => {
      const fleet = [window(), window(), window(), window()];
      let shiftMs = 0;
      for (const gcra of fleet) {
        gcra.answered(T0, 0, none);
        gcra.shiftMs = shiftMs;
        gcra.answered(T0 + 100, shiftMs, { excessMs: 0, gainMs: 30 });
        shiftMs = gcra.shiftBy(T0 + 1_000);
      }
      expect(shiftMs).toBe(30);
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

describe(`the weights of ${Gcra.name}`, () => {
  const due = (gcra: Gcra, weight: number) => gcra.nextAt(weight) - T0;

  it('are due when the last of their slots is', () => {
    const gcra = window(10);
    expect(gcra.nextAt(10)).toBe(Number.NEGATIVE_INFINITY);
    gcra.take(T0, 10, false);
    expect(due(gcra, 1)).toBeCloseTo(10.05, 1);
    expect(due(gcra, 4)).toBeCloseTo(40.2, 1);
    expect(due(gcra, 10)).toBeCloseTo(100.5, 1);
    gcra.take(gcra.nextAt(4), 4, true);
    expect(due(gcra, 1)).toBeCloseTo(50.25, 1);
  });

  it('of more than a burst wait for as much before them as they leave free after them', () => {
    const gcra = window(2);
    gcra.take(T0, 2, false);
    expect(due(gcra, 5)).toBeCloseTo(50.25, 1);
    gcra.take(T0 + 50.25, 5, false);
    expect(due(gcra, 1)).toBeCloseTo(50.25 + 40.2, 1);
  });

  it('never put more into any window than it holds', () => {
    const weights = fc.array(fc.record({ weight: fc.integer({ min: 1, max: 30 }), restMs: fc.nat(2_000) }));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 }), weights, (requests, burst, all) => {
        const gcra = new Gcra({ requests, perMs: 1_000, burst });
        const sent: { at: number; weight: number }[] = [];
        let now = T0;
        for (const { weight, restMs } of all.filter((each) => each.weight <= gcra.most)) {
          if (restMs > 1_000) now += restMs;
          now = Math.max(now, gcra.nextAt(weight));
          gcra.take(now, weight, false);
          sent.push({ at: now, weight });
        }
        for (const { at } of sent) {
          const held = sent.filter((each) => each.at >= at && each.at < at + 1_000);
          expect(held.reduce((sum, { weight }) => sum + weight, 0)).toBeLessThanOrEqual(gcra.most);
        }
      }),
    );
  });

  describe('settled', () => {
    it('cost what they would have, had it been known', () => {
      for (const cost of [0, 1, 3, 7, 10]) {
        const [known, settled] = [window(10), window(10)];
        if (cost > 0) known.take(T0, cost, false);
        const from = settled.take(T0, 5, false);
        settled.settle(from, 5, cost);
        expect(settled.nextAt() - T0).toBeCloseTo(Math.max(known.nextAt() - T0, -90.45), 1);
      }
    });

    it('give back nothing that others did not have to wait for', () => {
      const gcra = window(10);
      const from = gcra.take(T0, 10, false);
      // By then half of it has filled again.
      gcra.take(T0 + 50.25, 1, false);
      gcra.settle(from, 10, 1);
      expect(due(gcra, 10)).toBeCloseTo(50.25 + 10.05, 1);
    });

    it('charge no more than a window ever holds', () => {
      const gcra = window(10);
      gcra.settle(gcra.take(T0, 1, false), 1, 1e12);
      expect(due(gcra, 1)).toBeCloseTo(100 * 10.05, 0);
    });

    it.each([3, 200])('are still owed after a pause that ended early: %i', (cost) => {
      const [plain, paused] = [window(10), window(10)];
      for (const gcra of [plain, paused]) {
        const from = gcra.take(T0, 1, false);
        if (gcra === paused) gcra.dropBurst(T0 + 5_000);
        gcra.settle(from, 1, cost);
        if (gcra === paused) gcra.resume(T0);
      }
      expect(due(paused, 1)).toBeGreaterThanOrEqual(Math.max(0, due(plain, 1)) - 0.1);
      expect(due(paused, 1)).toBeLessThanOrEqual(Math.max(0, due(plain, 1)) + 0.1);
    });
  });
});
