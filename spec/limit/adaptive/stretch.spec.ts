import { describe, expect, it } from 'vitest';
import { Climb } from '../../../lib/limit/adaptive/climb.ts';
import { Stretch } from '../../../lib/limit/adaptive/stretch.ts';

type Lived = readonly [admitted: number, sendingMs: number, pausedMs: number];

/** Stretch after stretch: so many are admitted in so many ms, then one is refused, and a probe is admitted after the pause. */
function lived(...stretches: readonly Lived[]) {
  const [stretch, climb] = [new Stretch(), new Climb()];
  let now = 0;
  const live = (admitted: number, sendingMs: number, pausedMs: number) => {
    for (let left = admitted - stretch.admitted; left > 0; left--) stretch.sent(now + sendingMs - (left - 1));
    stretch.hit(0.06, false);
    now += sendingMs + pausedMs;
    stretch.conclude(now, climb);
    stretch.release(now);
  };
  stretch.begin(0);
  for (const each of stretches) live(...each);
  return { stretch, climb, live, grown: () => stretch.grown(now) };
}

describe(Stretch.name, () => {
  it('shows the quota and the burst of a bucket by the difference of two: 65 in 1 s and 115 in 2 s are 50 a second and 15', () => {
    const { stretch, climb } = lived([65, 1_000, 1_000], [115, 2_000, 1_000]);
    expect(climb).toMatchObject({ isCareful: true, ratePerMs: expect.closeTo(0.99 * 0.05, 9) });
    expect(stretch).toMatchObject({ burst: expect.closeTo(15, 9), windowMs: 0 });
  });

  it('shows no more than one alone where two are about as long', () => {
    const { climb } = lived([65, 1_000, 1_000], [70, 1_299, 1_000]);
    expect(climb.isCareful).toBe(false);
    expect(climb.ratePerMs).toBeCloseTo((0.99 * 70) / 2_299, 9);
  });

  it('is compared with the shortest, or the one that admitted least', () => {
    const shortest = (...stretches: readonly Lived[]) => {
      const { admitted, sendingMs } = lived(...stretches).stretch.shortest ?? {};
      return [admitted, sendingMs];
    };
    expect(shortest([65, 1_000, 1_000], [70, 800, 1_000])).toEqual([70, 800]);
    expect(shortest([65, 1_000, 1_000], [60, 1_200, 1_000])).toEqual([60, 1_200]);
    expect(shortest([65, 1_000, 1_000], [70, 1_200, 1_000])).toEqual([65, 1_000]);
  });

  describe('that admits hardly more in more than twice the time', () => {
    const same = [
      [600, 2_000, 10_400],
      [610, 4_100, 8_300],
    ] as const;

    it('shows a window: 600 in 2 s, refused for 10.4 s, are 600 in 12 s', () => {
      const { stretch, climb } = lived(...same);
      expect(stretch).toMatchObject({ windowMs: 12_000, windowCount: 600, burst: 1 });
      expect(climb.ratePerMs).toBeCloseTo(0.99 * 0.05, 9);
    });

    it('shows none where so few are admitted that a burst explains it, or the time is not twice as long', () => {
      expect(lived([15, 2_000, 10_400], [16, 4_100, 8_300]).stretch.windowMs).toBe(0);
      expect(lived([600, 2_000, 10_400], [610, 3_900, 8_300]).stretch.windowMs).toBe(0);
    });

    it.each([
      [12_040, 12_000],
      [12_980, 13_000],
      [13_010, 14_000],
    ])('is of a longer window where no more than its quota is admitted in %i ms: %i', (sendingMs, windowMs) => {
      const { stretch, live } = lived(...same);
      live(590, sendingMs, 1_000);
      expect(stretch.windowMs).toBe(windowMs);
    });

    it('shows by a long one the mean of its windows, and by a short one from rest what a window holds at most', () => {
      const { stretch, live, grown } = lived(...same);
      live(2_400, 40_000, 1_000);
      expect(stretch.windowCount).toBe(720);
      live(590, 2_000, 10_000);
      expect(stretch.windowCount).toBe(590);
      // What was sent before the quota had grown counts in the same window.
      grown();
      live(300, 2_000, 10_000);
      expect(stretch.windowCount).toBe(Infinity);
    });

    it('shows none any more once five in a row were refused before it was long', () => {
      const { stretch, live } = lived(...same);
      for (let times = 0; times < 4; times++) live(601, 2_000, 10_000);
      expect(stretch.windowMs).toBe(12_000);
      live(601, 2_000, 10_000);
      expect(stretch).toMatchObject({ windowMs: 0, windowCount: Infinity });
    });
  });

  it('counts what was admitted since it began', () => {
    const stretch = new Stretch();
    stretch.begin(100);
    stretch.sent(110);
    stretch.uncount(99);
    expect(stretch.admitted).toBe(1);
    stretch.uncount(110);
    expect(stretch.admitted).toBe(0);
  });

  it('is used up where all of its refusals said so', () => {
    const stretch = new Stretch();
    const isUsedUp = (...said: readonly boolean[]) => {
      stretch.release(0);
      for (const each of said) stretch.hit(0.05, each);
      return stretch.isUsedUp;
    };
    expect([isUsedUp(true, true), isUsedUp(true, false), isUsedUp(false, true), isUsedUp(true)]).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  it('was refused at the rate of its first refusal: the others left by then', () => {
    const stretch = new Stretch();
    stretch.release(0);
    stretch.hit(0.05, false);
    stretch.hit(0.04, false);
    expect(stretch).toMatchObject({ isHit: true, hitRate: 0.05 });
  });
});
