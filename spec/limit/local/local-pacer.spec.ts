import { describe, expect, it } from 'vitest';
import { LocalPace } from '../../../lib/limit/local/local-pacer.ts';
import { fillIn, type LimitOptions, windowsOf } from '../../../lib/limit/options.ts';

const T0 = 1_750_000_000_000;
const FREE = Number.NEGATIVE_INFINITY;

function made(options: LimitOptions = {}) {
  const limit = fillIn(options);
  return new LocalPace(windowsOf(limit), limit.adaptive);
}

describe(LocalPace.name, () => {
  it.each<[LimitOptions, number]>([
    [{}, 0],
    [{ requests: 10, perMs: 1_000 }, 100.5],
    [{ requests: 10, perMs: 1_000, windows: [{ requests: 60, perMs: 60_000 }] }, 1_000.17],
  ])('has the longest interval of its windows: %j', (options, intervalMs) => {
    expect(made(options).intervalMs).toBeCloseTo(intervalMs, 1);
  });

  it.each<[LimitOptions, number]>([
    [{}, Number.POSITIVE_INFINITY],
    [{ requests: 10, perMs: 1_000 }, 1],
    // An interval of half a millisecond: what is due in two.
    [{ requests: 2_000, perMs: 1_000 }, 4],
    [{ requests: 2_000, perMs: 1_000, burst: 8 }, 8],
    [{ requests: 2_000, perMs: 1_000, windows: [{ requests: 10_000, perMs: 60_000, burst: 3 }] }, 3],
  ])('lets a burst leave in one turn, or what is due in two milliseconds: %j', (options, atOnce) => {
    expect(made(options).atOnce).toBe(atOnce);
  });

  it('goes by its windows, and not by startConcurrency, where it has both windows and a quota to learn', () => {
    const pace = made({ adaptive: { startConcurrency: 1 }, requests: 100, perMs: 1_000 });
    pace.leave(T0, 1, false);
    expect(pace.nextAt(T0) - T0).toBeCloseTo(10, 0);
  });

  describe('paused', () => {
    it('lets nothing leave before the end, and without a burst then', () => {
      const pace = made({ requests: 10, perMs: 1_000, burst: 5 });
      pace.pause(T0, T0 + 1_500);
      expect([pace.pausedUntil(), pace.earliest(T0, 0)]).toEqual([T0 + 1_500, T0 + 1_500]);
      expect(pace.nextAt(T0)).toBe(T0 + 1_500);
      pace.leave(T0 + 1_500, 1, true);
      expect(pace.nextAt(T0 + 1_500) - T0).toBeCloseTo(1_600.5, 0);
    });

    it.each([
      [909, 4],
      [910, 0],
      [3_600_000, 0],
    ])('for %i ms leaves %i of the four that could leave besides, of a window of a second', (pauseMs, left) => {
      const pace = made({ requests: 10, perMs: 1_000, burst: 5 });
      const end = T0 + pauseMs;
      pace.pause(T0, end);
      pace.leave(end, 1, true);
      let more = 0;
      for (; pace.nextAt(end) <= end; more++) pace.leave(end, 1, true);
      expect(more).toBe(left);
    });

    it.each([T0 - 1, T0])('is not by an instant that is over: %d', (untilAt) => {
      const pace = made();
      pace.pause(T0, untilAt);
      expect(pace.pausedUntil()).toBe(FREE);
      for (let i = 0; i < 3; i++) pace.leave(T0, 1, false);
      expect(pace.nextAt(T0)).toBe(FREE);
    });

    it('goes on at its rate, whatever is out, where one is known', () => {
      const pace = made({ requests: 1_000, perMs: 1_000 });
      pace.pause(T0, T0 + 500);
      for (let i = 0; i < 5; i++) pace.leave(T0 + 500 + 2 * i, 1, true);
      expect(pace.nextAt(T0 + 510)).toBeLessThanOrEqual(T0 + 510);
    });
  });

  describe('told of an answer', () => {
    const burst = { requests: 10, perMs: 1_000, burst: 5 };

    it('that names a time, is paused until then', () => {
      const pace = made(burst);
      pace.answered(T0, pace.leave(T0, 1, false), { throttled: true, untilAt: T0 + 700 });
      expect(pace.pausedUntil()).toBe(T0 + 700);
    });

    it.each([undefined, T0 - 1, T0])('that was refused without a time to come (%s), gives up the burst', (untilAt) => {
      const pace = made(burst);
      pace.answered(T0, pace.leave(T0, 1, false), { throttled: true, untilAt });
      expect(pace.pausedUntil()).toBe(FREE);
      pace.leave(T0, 1, false);
      expect(pace.nextAt(T0) - T0).toBeCloseTo(100.5, 0);
    });

    it.each([undefined, T0 - 1])('that was not refused (until %s), keeps the burst', (untilAt) => {
      const pace = made(burst);
      pace.answered(T0, pace.leave(T0, 1, false), { throttled: false, untilAt });
      expect(pace.nextAt(T0)).toBeLessThan(T0);
    });

    it('twice, heeds the first', () => {
      const pace = made(burst);
      const sent = pace.leave(T0, 1, false);
      pace.answered(T0, sent, { throttled: false });
      pace.answered(T0, sent, { throttled: true, untilAt: T0 + 700 });
      expect(pace.pausedUntil()).toBe(FREE);
    });

    /** How far the slots of a window later have moved, in ms, for one send that took 200 ms longer than the others. */
    const movedFor = (throttled: boolean) => {
      const [slow, even] = [made({ requests: 100, perMs: 1_000 }), made({ requests: 100, perMs: 1_000 })];
      const end = [slow, even].map((pace) => {
        for (let i = 0; i < 150; i++) {
          const at = Math.max(T0, pace.nextAt(T0));
          const sent = pace.leave(at, 1, true);
          pace.answered(at + (pace === slow && i === 10 ? 201 : 1), sent, { throttled: throttled && i === 5 });
        }
        return pace.nextAt(T0);
      });
      return Number(end[0]) - Number(end[1]);
    };

    it('that was slow, leaves 0.4 % of the window to it; once a send was refused, 2 %', () => {
      expect(movedFor(false)).toBeCloseTo(4, 0);
      expect(movedFor(true)).toBeCloseTo(20, 0);
    });
  });

  it('learns that a send is lost which ended without an answer, and only that one', () => {
    const pace = made({ adaptive: { startConcurrency: 2 } });
    const [lost, answered] = [pace.leave(T0, 1, false), pace.leave(T0, 1, false)];
    expect(pace.nextAt(T0)).toBeGreaterThan(T0 + 5);
    pace.ended(T0 + 5, lost);
    expect(pace.nextAt(T0 + 5)).toBeLessThanOrEqual(T0 + 5);
    pace.leave(T0 + 5, 1, false);
    pace.answered(T0 + 5, answered, { throttled: false });
    pace.ended(T0 + 5, answered);
    // One was lost, one is out, one was answered, which makes room for another: two more, and no third.
    for (let i = 0; i < 2; i++) {
      expect(pace.nextAt(T0 + 5)).toBeLessThanOrEqual(T0 + 5);
      pace.leave(T0 + 5, 1, false);
    }
    expect(pace.nextAt(T0 + 5)).toBeGreaterThan(T0 + 5);
  });

  describe('going on where another has stopped', () => {
    it('keeps an interval from its last send, and has no burst', () => {
      const pace = made({ requests: 10, perMs: 1_000, burst: 5 });
      pace.follow(T0, T0 - 20);
      expect(pace.nextAt(T0) - T0).toBeCloseTo(80.5, 0);
      pace.leave(T0 + 81, 1, true);
      expect(pace.nextAt(T0) - T0).toBeCloseTo(181, 0);
    });

    it.each([
      ['is left of a long window where it was heard of lately', 30_000, 3],
      ['was there is gone where the window has passed since', 60_000, 0],
      ['was there is gone where nothing was ever heard', Number.POSITIVE_INFINITY, 0],
    ])('what %s', (_what, agoMs, left) => {
      const pace = made({ requests: 10, perMs: 60_000, burst: 5 });
      // Three may leave at once: the slot of the first fell due two intervals ago.
      pace.follow(T0, T0 - 20, { at: [T0 - 12_005], heardAt: T0 - agoMs });
      let more = 0;
      for (; pace.nextAt(T0) <= T0; more++) pace.leave(T0, 1, false);
      expect(more).toBe(left);
    });

    it('begins at once where that has sent nothing, without a burst too', () => {
      const pace = made({ requests: 10, perMs: 1_000, burst: 5 });
      pace.follow(T0, FREE);
      expect(pace.nextAt(T0) - T0).toBeCloseTo(0, 1);
      pace.leave(T0, 1, true);
      expect(pace.nextAt(T0) - T0).toBeCloseTo(100.5, 0);
    });
  });

  it('tells the earliest for one that has others before it, by every window', () => {
    const pace = made({ requests: 10, perMs: 1_000, windows: [{ requests: 5, perMs: 1_000 }] });
    pace.leave(T0, 1, false);
    expect(pace.earliest(T0, 0) - T0).toBeCloseTo(201, 0);
    expect(pace.earliest(T0, 3) - T0).toBeCloseTo(201 + 3 * 201, 0);
  });

  describe('is as new', () => {
    it('when every window is paid for', () => {
      const pace = made({ requests: 10, perMs: 1_000, windows: [{ requests: 60, perMs: 60_000 }] });
      pace.leave(T0, 1, false);
      expect([pace.isFresh(T0 + 500), pace.isFresh(T0 + 1_005)]).toEqual([false, true]);
    });

    it('when its pause is over', () => {
      const pace = made();
      pace.pause(T0, T0 + 500);
      expect([pace.isFresh(T0 + 499), pace.isFresh(T0 + 500)]).toEqual([false, true]);
    });

    it('not once it has learnt', () => {
      const pace = made({ adaptive: true });
      pace.answered(T0, pace.leave(T0, 1, false), { throttled: true });
      expect(pace.isFresh(T0 + 3_600_000)).toBe(false);
    });
  });
});
