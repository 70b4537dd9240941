import { describe, expect, it } from 'vitest';
import { Climb } from '../../../lib/limit/adaptive/climb.ts';

const SECOND = 1_000;
/** No further. */
const CAP = 1_000;

/** Estimated at 49 a second and refused at 53, after 100 s and with a pause of one. */
function careful(): Climb {
  const climb = new Climb();
  climb.refused(0.049, true, 0.053, 100 * SECOND, SECOND);
  return climb;
}

/** So many are admitted that were held back, `everyMs`, at that rate. Gives when one proves that the quota has grown, or `undefined`. */
function admitted(climb: Climb, count: number, { perMs = 0.06, from = 0, everyMs = 20, windowMs = 0, burst = 1 } = {}) {
  for (let i = 0; i < count; i++) {
    if (climb.grow(from + i * everyMs, perMs, CAP, burst, windowMs)) return from + i * everyMs;
  }
  return undefined;
}

describe(Climb.name, () => {
  it('doubles in 0.35 of the pause, to no ceiling, while one stretch alone has shown the quota', () => {
    const climb = new Climb();
    climb.refused(0.049, false, 0.053, 100 * SECOND, 2 * SECOND);
    expect(climb).toMatchObject({ isCareful: false, ceiling: Infinity });
    expect(climb.ratePerMs).toBeCloseTo(0.99 * 0.049, 12);
    expect(climb.slope).toBeCloseTo(Math.LN2 / 700, 12);
  });

  it('goes once it is careful from a hundredth below the estimate to a quarter of the way back to what was refused', () => {
    const climb = careful();
    expect(climb.ratePerMs).toBeCloseTo(0.0485, 4);
    expect(climb.ceiling).toBeCloseTo(0.05, 12);
    // 3.07 % in 50 pauses, as twice the calm stretch would be longer.
    expect(climb.slope).toBeCloseTo(0.0307 / 50_000, 9);
  });

  it.each([
    ['two pauses over its share, so that under-use costs about as much as a pause', SECOND, 16_900],
    ['twice as long as the calm stretch before, where that is more', 20 * SECOND, 40_000],
    ['50 pauses at most', 900 * SECOND, 50_000],
  ])('takes %s', (_what, sendingMs, climbMs) => {
    const climb = new Climb();
    climb.refused(0.049, true, 0.07, sendingMs, SECOND);
    const share = climb.ceiling / climb.ratePerMs - 1;
    expect(share / climb.slope / climbMs).toBeCloseTo(1, 2);
  });

  it('goes up by a hundredth at least, however near the refused rate is', () => {
    const climb = new Climb();
    climb.refused(0.053, true, 0.053, SECOND, SECOND);
    expect(climb.ceiling / climb.ratePerMs).toBeCloseTo(1 / 0.99, 9);
  });

  it('stays below what is told elsewhere, and keeps what it had learnt where that is less', () => {
    const climb = careful();
    for (let i = 0; i < 100_000; i++) climb.grow(i, 0.049, 0.0495, 1, 0);
    expect(climb.ratePerMs).toBe(0.0495);
    climb.grow(100_000, 0.03, 0.03, 1, 0);
    expect(climb.ratePerMs).toBe(0.0495);
  });

  describe('takes the quota for grown', () => {
    it('when more is admitted above the ceiling than two bursts and three requests', () => {
      // Of 60 a second a sixth is above 50: 5 and 9 of them are exceeded by the 31st and the 55th.
      expect(admitted(careful(), 200)).toBe(30 * 20);
      expect(admitted(careful(), 200, { burst: 3 })).toBe(54 * 20);
      expect(admitted(careful(), 200, { perMs: 0.05 })).toBeUndefined();
    });

    it('but not within a window, which may have room for all of that', () => {
      expect(admitted(careful(), 200, { from: 7_000, windowMs: 3 * SECOND })).toBe(7_000 + 3 * SECOND);
    });

    it('by what comes after a rest, as the burst of the server is full again then', () => {
      const climb = careful();
      expect(admitted(climb, 30)).toBeUndefined();
      climb.rested(SECOND);
      expect(admitted(climb, 30, { from: SECOND })).toBeUndefined();
      expect(admitted(climb, 1, { from: 2 * SECOND })).toBe(2 * SECOND);
    });

    it('and climbs four times as fast above the ceiling, and again with each proof, up to the steepest', () => {
      const climb = careful();
      const { slope } = climb;
      climb.grow(0, 0.06, CAP, 1, 0);
      expect(climb.slope / slope).toBeCloseTo(4, 9);
      admitted(climb, 31);
      expect(climb.slope / slope).toBeCloseTo(16, 9);
      // What was proven to be gone is the least that the next estimate may be, and the next ceiling is the rate of now.
      expect(climb).toMatchObject({ proven: expect.closeTo(0.05, 12), ceiling: climb.ratePerMs });
      for (let i = 0; i < 4; i++) admitted(climb, 200, { perMs: 10 });
      expect(climb).toMatchObject({ slope: climb.steepest, ceiling: Infinity });
    });
  });
});
