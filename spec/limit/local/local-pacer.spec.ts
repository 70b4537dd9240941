import { describe, expect, it } from 'vitest';
import { LocalPacer } from '../../../lib/limit/local/local-pacer.ts';
import { fillIn, type LimitOptions, windowsOf } from '../../../lib/limit/options.ts';

const T0 = 1_750_000_000_000;
const FREE = Number.NEGATIVE_INFINITY;
const UNKNOWN = { at: [], heardAt: FREE };

function made(options: LimitOptions = {}, before?: ConstructorParameters<typeof LocalPacer>[2]) {
  const limit = fillIn(options);
  return new LocalPacer(windowsOf(limit), limit.adaptive, before);
}

describe(LocalPacer.name, () => {
  it.each<[LimitOptions, number]>([
    [{}, 0],
    [{ requests: 10, perMs: 1_000 }, 100.5],
    [{ requests: 10, perMs: 1_000, windows: [{ requests: 60, perMs: 60_000 }] }, 1_000.17],
  ])('has the longest interval of its windows: %j', (options, intervalMs) => {
    expect(made(options).intervalMs()).toBeCloseTo(intervalMs, 1);
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
    const pacer = made({ adaptive: { startConcurrency: 1 }, requests: 100, perMs: 1_000 });
    pacer.send(T0, 1, false);
    expect(pacer.nextAt(T0) - T0).toBeCloseTo(10, 0);
  });

  describe('paused', () => {
    it('lets one leave at the end, and then no burst', () => {
      const pacer = made({ requests: 10, perMs: 1_000, burst: 5 });
      pacer.paused(T0, T0 + 1_500);
      expect(pacer.nextAt(T0)).toBeCloseTo(T0 + 1_500, 1);
      pacer.send(T0 + 1_500, 1, true);
      expect(pacer.nextAt(T0 + 1_500) - T0).toBeCloseTo(1_600.5, 0);
    });

    it.each([
      [909, 4],
      [910, 0],
      [3_600_000, 0],
    ])('for %i ms leaves %i of the four that could leave besides, of a window of a second', (pauseMs, left) => {
      const pacer = made({ requests: 10, perMs: 1_000, burst: 5 });
      const end = T0 + pauseMs;
      pacer.paused(T0, end);
      pacer.send(end, 1, true);
      let more = 0;
      for (; pacer.nextAt(end) <= end; more++) pacer.send(end, 1, true);
      expect(more).toBe(left);
    });

    it('goes on at its rate, whatever is out, where one is known', () => {
      const pacer = made({ requests: 1_000, perMs: 1_000 });
      pacer.paused(T0, T0 + 500);
      for (let i = 0; i < 5; i++) pacer.send(T0 + 500 + 2 * i, 1, true);
      expect(pacer.nextAt(T0 + 510)).toBeLessThanOrEqual(T0 + 510);
    });
  });

  describe('told of an answer', () => {
    const burst = { requests: 10, perMs: 1_000, burst: 5 };

    it('that was refused, gives until when to pause where it learns that itself', () => {
      const answer = { throttled: true, untilAt: T0 + 700 };
      const [fixed, learning] = [made(burst), made({ ...burst, adaptive: true })].map((pacer) =>
        pacer.answered(T0, pacer.send(T0, 1, false), answer),
      );
      expect([fixed, learning]).toEqual([undefined, T0 + 700]);
    });

    it.each([undefined, T0 - 1, T0])('that was refused without a time to come (%s), gives up the burst', (untilAt) => {
      const pacer = made(burst);
      pacer.answered(T0, pacer.send(T0, 1, false), { throttled: true, untilAt });
      pacer.send(T0, 1, false);
      expect(pacer.nextAt(T0) - T0).toBeCloseTo(100.5, 0);
    });

    it('that was refused until an instant to come, gives up nothing before it hears of the pause: it may be a short one', () => {
      const pacer = made(burst);
      pacer.answered(T0, pacer.send(T0, 1, false), { throttled: true, untilAt: T0 + 300 });
      pacer.paused(T0, T0 + 300);
      expect(pacer.nextAt(T0 + 300)).toBeLessThan(T0);
    });

    it.each([undefined, T0 - 1])('that was not refused (until %s), keeps the burst', (untilAt) => {
      const pacer = made(burst);
      pacer.answered(T0, pacer.send(T0, 1, false), { throttled: false, untilAt });
      expect(pacer.nextAt(T0)).toBeLessThan(T0);
    });

    it('twice, heeds the first', () => {
      const pacer = made(burst);
      const sent = pacer.send(T0, 1, false);
      pacer.answered(T0, sent, { throttled: false });
      pacer.answered(T0, sent, { throttled: true });
      expect(pacer.nextAt(T0)).toBeLessThan(T0);
    });

    /** How far the slots of a window later are shifted, in ms, for one send that took 200 ms longer than the others. */
    const shiftFor = (throttled: boolean) => {
      const [slow, even] = [made({ requests: 100, perMs: 1_000 }), made({ requests: 100, perMs: 1_000 })];
      const end = [slow, even].map((pacer) => {
        for (let i = 0; i < 150; i++) {
          const at = Math.max(T0, pacer.nextAt(T0));
          const sent = pacer.send(at, 1, true);
          pacer.answered(at + (pacer === slow && i === 10 ? 201 : 1), sent, { throttled: throttled && i === 5 });
        }
        return pacer.nextAt(T0);
      });
      return Number(end[0]) - Number(end[1]);
    };

    it('that was slow, leaves 0.4 % of the window to it; once a send was refused, 2 %', () => {
      expect(shiftFor(false)).toBeCloseTo(4, 0);
      expect(shiftFor(true)).toBeCloseTo(20, 0);
    });

    it('that was slow, is known to be by new numbers too: they tell of no other way', () => {
      const old = made({ requests: 100, perMs: 1_000 });
      old.answered(T0 + 1, old.send(T0, 1, true), { throttled: false });
      const [slow, even] = [201, 1].map((ms) => {
        const pacer = made({ requests: 200, perMs: 1_000 }, { own: old, nowMs: T0 + 1 });
        pacer.answered(T0 + 10 + ms, pacer.send(T0 + 10, 1, true), { throttled: false });
        for (let i = 1; i < 250; i++) pacer.send(Math.max(T0 + 10, pacer.nextAt(T0)), 1, true);
        return pacer.nextAt(T0);
      });
      expect(Number(slow) - Number(even)).toBeCloseTo(4, 0);
    });
  });

  it('learns that a send is lost which ended without an answer, and only that one', () => {
    const pacer = made({ adaptive: { startConcurrency: 2 } });
    const [lost, answered] = [pacer.send(T0, 1, false), pacer.send(T0, 1, false)];
    expect(pacer.nextAt(T0)).toBeGreaterThan(T0 + 5);
    pacer.ended(T0 + 5, lost);
    expect(pacer.nextAt(T0 + 5)).toBeLessThanOrEqual(T0 + 5);
    pacer.send(T0 + 5, 1, false);
    pacer.answered(T0 + 5, answered, { throttled: false });
    pacer.ended(T0 + 5, answered);
    // One was lost, one is out, one was answered, which makes room for another: two more, and no third.
    for (let i = 0; i < 2; i++) {
      expect(pacer.nextAt(T0 + 5)).toBeLessThanOrEqual(T0 + 5);
      pacer.send(T0 + 5, 1, false);
    }
    expect(pacer.nextAt(T0 + 5)).toBeGreaterThan(T0 + 5);
  });

  describe('going on where another has stopped', () => {
    it('keeps an interval from its last send, and has no burst', () => {
      const pacer = made({ requests: 10, perMs: 1_000, burst: 5 });
      pacer.continueAfter(T0, T0 - 20, UNKNOWN);
      expect(pacer.nextAt(T0) - T0).toBeCloseTo(80.5, 0);
      pacer.send(T0 + 81, 1, true);
      expect(pacer.nextAt(T0) - T0).toBeCloseTo(181, 0);
    });

    it.each([
      ['is left of a long window where it was heard of lately', 30_000, 3],
      ['was there is gone where the window has passed since', 60_000, 0],
      ['was there is gone where nothing was ever heard', Number.POSITIVE_INFINITY, 0],
    ])('what %s', (_what, agoMs, left) => {
      const pacer = made({ requests: 10, perMs: 60_000, burst: 5 });
      // Three may leave at once: the slot of the first fell due two intervals ago.
      pacer.continueAfter(T0, T0 - 20, { at: [T0 - 12_005], heardAt: T0 - agoMs });
      let more = 0;
      for (; pacer.nextAt(T0) <= T0; more++) pacer.send(T0, 1, false);
      expect(more).toBe(left);
    });

    it('keeps an interval of a window without a burst, whatever was heard of it: the others may have used the slot', () => {
      const pacer = made({ requests: 10, perMs: 60_000 });
      pacer.continueAfter(T0, T0 - 20, { at: [T0 - 12_005], heardAt: T0 - 2_000 });
      expect(pacer.nextAt(T0) - T0).toBeCloseTo(5_981, 0);
    });

    it('drops the burst of a window of which nothing was heard, though something was of another', () => {
      const windows = [{ requests: 10, perMs: 60_000, burst: 5 }];
      const pacer = made({ requests: 20, perMs: 60_000, burst: 5, windows });
      pacer.continueAfter(T0, T0 - 20, { at: [T0 - 12_005], heardAt: T0 - 2_000 });
      expect(pacer.nextAt(T0) - T0).toBeCloseTo(5_981, 0);
    });

    it('begins at once where that has sent nothing, without a burst too', () => {
      const pacer = made({ requests: 10, perMs: 1_000, burst: 5 });
      pacer.continueAfter(T0, FREE, UNKNOWN);
      expect(pacer.nextAt(T0) - T0).toBeCloseTo(0, 1);
      pacer.send(T0, 1, true);
      expect(pacer.nextAt(T0) - T0).toBeCloseTo(100.5, 0);
    });
  });

  it.each<[LimitOptions, boolean, boolean]>([
    [{}, false, false],
    [{ requests: 10, perMs: 1_000 }, false, true],
    [{ windows: [{ requests: 10, perMs: 1_000 }] }, false, true],
    [{ adaptive: true }, true, false],
    [{ adaptive: true, requests: 10, perMs: 1_000 }, true, true],
  ])('tells of %j that it learns: %s, and knows how fast to go on: %s', (options, learns, hasWindows) => {
    expect(made(options)).toMatchObject({ learns, hasWindows });
  });

  it('tells the earliest for one that has others before it, by every window', () => {
    const pacer = made({ requests: 10, perMs: 1_000, windows: [{ requests: 5, perMs: 1_000 }] });
    pacer.send(T0, 1, false);
    expect(pacer.earliest(T0, 0) - T0).toBeCloseTo(201, 0);
    expect(pacer.earliest(T0, 3) - T0).toBeCloseTo(201 + 3 * 201, 0);
  });

  describe('is as new', () => {
    it('when every window is paid for', () => {
      const pacer = made({ requests: 10, perMs: 1_000, windows: [{ requests: 60, perMs: 60_000 }] });
      pacer.send(T0, 1, false);
      expect([pacer.isFresh(T0 + 500), pacer.isFresh(T0 + 1_005)]).toEqual([false, true]);
    });

    it('not once it has learnt', () => {
      const pacer = made({ adaptive: true });
      pacer.answered(T0, pacer.send(T0, 1, false), { throttled: true });
      expect(pacer.isFresh(T0 + 3_600_000)).toBe(false);
    });
  });

  describe('that learns, and is given windows', () => {
    const limit = { adaptive: true, requests: 10, perMs: 1_000, burst: 10 };
    const due = (pacer: LocalPacer, weight: number) => pacer.nextAt(T0, 1, weight) - T0;

    it('holds them by weight, and gives back what was dropped', () => {
      const pacer = made(limit);
      const heavy = pacer.send(T0, 8, false);
      expect(due(pacer, 2)).toBe(0);
      expect(due(pacer, 3)).toBeCloseTo(100.5, 1);
      pacer.dropped(T0, heavy);
      expect(due(pacer, 10)).toBe(0);
    });

    it.each([
      [3, 1, 0],
      [3, 8, 100.5],
    ])('settles what weighed %i and cost %i', (weight, cost, dueMs) => {
      const pacer = made(limit);
      pacer.answered(T0, pacer.send(T0, weight, false), { throttled: false, cost });
      expect(due(pacer, 3)).toBeCloseTo(dueMs, 1);
    });
  });
});
