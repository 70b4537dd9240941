import { describe, expect, it } from 'vitest';
import { Announced } from '../../../lib/limit/adaptive/announced.ts';
import type { AdaptiveSend } from '../../../lib/limit/adaptive/rate.ts';
import type { Answer } from '../../../lib/limit/limiter.ts';
import type { Quota } from '../../../lib/limit/quota/headers.ts';

const SECOND = 1_000;
const NOW = Number.NEGATIVE_INFINITY;

/** What was announced, and the hand that moves its time. */
class Subject {
  readonly announced = new Announced();
  now = 0;

  send(weight = 1): AdaptiveSend {
    const stocks = this.announced.sent(weight);
    const [episode, intervalMs] = [0, 0];
    return {
      at: this.now,
      isProbe: false,
      episode,
      held: false,
      ratePerMs: 1,
      weight,
      intervalMs,
      stocks,
      ended: false,
    };
  }

  /** One is sent and answered with that; gives until when nothing is left. */
  hear(quota: Partial<Quota> | undefined, answer: Partial<Answer> = {}, send = this.send()): number | undefined {
    const told = quota === undefined ? undefined : { policies: [], ...quota };
    return this.announced.hear(this.now, { throttled: false, quota: told, ...answer }, send, 0);
  }

  /** When one may leave that takes so many, with none of ours out. */
  freeAt(weight = 1): number {
    return this.announced.freeAt(0, this.now, weight);
  }

  left(name: string): number | undefined {
    const stock = this.announced.stocks.find(({ id, isKnown }) => isKnown && id === name);
    return stock?.remaining;
  }
}

const counters = (...each: readonly (readonly [name: string, remaining: number, resetMs: number])[]) => ({
  counters: each.map(([name, remaining, resetMs]) => ({ name, remaining, resetMs })),
});
const policies = (...each: readonly (readonly [quota: number, windowMs: number, name?: string])[]) => ({
  policies: each.map(([quota, windowMs, name]) => ({ quota, windowMs, name })),
});

describe(Announced.name, () => {
  it.each<[string, Partial<Quota> | undefined, boolean]>([
    ['a rate', policies([60, 60 * SECOND]), true],
    ['how many may be under way', { concurrency: 3 }, true],
    ['what is left', { remaining: 5, resetMs: SECOND }, true],
    ['what is left, and not until when', { remaining: 5 }, false],
    ['nothing', {}, false],
    ['no quota at all', undefined, false],
  ])('is known once an answer tells of %s', (_what, quota, isKnown) => {
    const subject = new Subject();
    expect(subject.announced.isKnown).toBe(false);
    subject.hear(quota);
    expect(subject.announced.isKnown).toBe(isKnown);
  });

  describe('of what is left', () => {
    it.each<[string, boolean, number, number]>([
      ['sends, whatever they weigh', false, 10, 9],
      ['weights', true, 10, 6],
    ])('counts %s', (_what, ofWeights, left, after) => {
      const subject = new Subject();
      subject.announced.ofWeights = ofWeights;
      subject.hear({ remaining: left, resetMs: 60 * SECOND });
      const most = () => {
        let weight = 1;
        while (weight < 20 && subject.freeAt(weight) === NOW) weight += 1;
        return ofWeights ? weight - 1 : subject.announced.stocks[0]?.unsent;
      };
      expect(most()).toBe(left);
      subject.send(4);
      expect(most()).toBe(after);
      subject.announced.notSent(4);
      expect(most()).toBe(left);
      subject.send(4);
      subject.announced.lost(4);
      expect(subject.left('')).toBe(after);
    });

    it('gives back what a send did not cost, and charges what it cost more', () => {
      for (const [cost, unsent] of [
        [1, 9],
        [6, 4],
        [undefined, 6],
      ] as const) {
        const subject = new Subject();
        subject.announced.ofWeights = true;
        subject.hear({ remaining: 10, resetMs: 60 * SECOND });
        subject.hear({ remaining: 9, resetMs: 60 * SECOND }, { cost }, subject.send(4));
        expect(subject.announced.stocks[0]?.unsent).toBe(unsent);
      }
    });

    it('goes by all that are told, and takes an answer that is silent of one for counted there', () => {
      const subject = new Subject();
      subject.hear(counters(['minute', 4, 60 * SECOND], ['day', 2, 9_000 * SECOND]));
      subject.hear(counters(['minute', 3, 60 * SECOND]));
      expect([subject.left('minute'), subject.left('day')]).toEqual([3, 1]);
      subject.hear(undefined);
      expect([subject.left('minute'), subject.left('day')]).toEqual([2, 0]);
      expect(subject.freeAt()).toBeGreaterThan(0);
    });

    it('forgets each at its reset, and gives the last of them with which nothing is known any more', () => {
      const subject = new Subject();
      subject.hear(counters(['second', 4, SECOND], ['minute', 7, 60 * SECOND]));
      expect(subject.announced.endStocks(SECOND - 1)).toBeUndefined();
      expect([subject.left('second'), subject.left('minute')]).toEqual([4, 7]);
      expect(subject.announced.endStocks(SECOND)).toBeUndefined();
      expect([subject.left('second'), subject.left('minute')]).toEqual([undefined, 7]);
      expect(subject.announced.endStocks(60 * SECOND)).toBe(7);
      expect(subject.announced.hasStock).toBe(false);
      expect(subject.announced.endStocks(61 * SECOND)).toBeUndefined();
    });

    it('forgets those that are used up where the server admits all the same', () => {
      const subject = new Subject();
      subject.hear(counters(['minute', 0, 60 * SECOND], ['day', 7, 9_000 * SECOND]));
      subject.announced.refuteUsedUp(5);
      expect([subject.left('minute'), subject.left('day')]).toEqual([undefined, 7]);
    });

    it('knows a pause that lasts until a reset, to the second that is rounded', () => {
      const subject = new Subject();
      const isResetAt = (...ats: readonly (number | undefined)[]) => ats.map((at) => subject.announced.isResetAt(at));
      expect(isResetAt(9_000)).toEqual([false]);
      subject.hear({ remaining: 3, resetMs: 10 * SECOND });
      expect(isResetAt(8_999, 9_000, 99_000, undefined)).toEqual([false, true, true, false]);
      subject.announced.endStocks(10 * SECOND);
      expect(isResetAt(10_000)).toEqual([false]);
    });

    it('gives until when nothing is left, where this answer says so: of several the last', () => {
      const subject = new Subject();
      expect(subject.hear(counters(['a', 0, 5 * SECOND], ['b', 0, 9 * SECOND], ['c', 4, 60 * SECOND]))).toBe(9_000);
      expect(subject.hear(counters(['a', 0, 5 * SECOND], ['c', 3, 60 * SECOND]))).toBe(5_000);
      expect(subject.hear(counters(['c', 2, 60 * SECOND]))).toBeUndefined();
    });

    it('is told by answers that were no refusals, or it explains no refusal', () => {
      const subject = new Subject();
      const isTold = (quota: Partial<Quota>, throttled: boolean) => {
        subject.hear(quota, { throttled });
        return subject.announced.isTold;
      };
      const left = { remaining: 3, resetMs: SECOND };
      expect([isTold(left, true), isTold({}, false), isTold(left, false), isTold({}, true)]).toEqual([
        false,
        false,
        true,
        true,
      ]);
    });

    it.each([
      ['a reset that is now', 5, 0],
      ['so much that nobody could send it', 1_000, 1],
      ['less than nothing', -1, SECOND],
      ['a reset in the past', 5, -1],
    ])('does not believe in %s', (_what, remaining, resetMs) => {
      const subject = new Subject();
      subject.hear({ remaining, resetMs });
      expect(subject.announced.hasStock).toBe(false);
    });

    it('counts whole requests', () => {
      const subject = new Subject();
      subject.hear({ remaining: 5.7, resetMs: SECOND });
      expect(subject.left('')).toBe(5);
    });

    it('remembers eight, and another only where one of those is over', () => {
      const subject = new Subject();
      for (let n = 0; n < 9; n++) subject.hear(counters([`n${n}`, 5, n === 0 ? SECOND : 60 * SECOND]));
      expect(subject.announced.stocks.map(({ id }) => id)).toEqual(['n0', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7']);
      subject.announced.endStocks(SECOND);
      subject.now = SECOND;
      subject.hear(counters(['n8', 5, 60 * SECOND]));
      expect(subject.announced.stocks.map(({ id }) => id)).toEqual(['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8']);
    });
  });

  describe('of how many may be under way', () => {
    it('takes none for one: else nothing would ever leave', () => {
      const subject = new Subject();
      subject.hear({ concurrency: 0 });
      expect(subject.announced.concurrency).toBe(1);
    });

    it('forgets it when quotas are stated without it, or after a minute in which nothing is', () => {
      const subject = new Subject();
      subject.now = 5 * SECOND;
      subject.hear({ concurrency: 3, ...policies([60, 60 * SECOND]) });
      subject.now = 65 * SECOND;
      subject.hear({});
      expect(subject.announced.concurrency).toBe(3);
      subject.now += 1;
      subject.hear({});
      expect(subject.announced.concurrency).toBe(Infinity);
      subject.hear({ concurrency: 3 });
      subject.hear(policies([60, 60 * SECOND]));
      expect(subject.announced.concurrency).toBe(Infinity);
    });
  });

  describe('of a rate', () => {
    it.each([
      ['a quota, less a hundredth', policies([100, 10 * SECOND]), 0.0099, 10 * SECOND],
      ['the lowest of several', policies([100, 10 * SECOND], [50, 10 * SECOND], [90, SECOND]), 0.00495, 10 * SECOND],
      ['one at least of what is more than none', policies([0.5, 10 * SECOND]), 0.000099, 10 * SECOND],
      ['that of a minute where the window is longer', policies([600, 3_600 * SECOND]), 0.0099, 60 * SECOND],
    ])('is %s', (_what, quota, ratePerMs, validMs) => {
      const subject = new Subject();
      subject.hear(quota);
      expect(subject.announced.ratePerMs).toBeCloseTo(ratePerMs, 12);
      expect(subject.announced.validMs).toBe(validMs);
    });

    it.each([
      ['nothing', 0, SECOND],
      ['a window of no length', 5, 0],
      ['so much that nobody could send it', 1_000_000 / 0.99, SECOND],
    ])('is none of %s', (_what, quota, windowMs) => {
      const subject = new Subject();
      subject.hear(policies([quota, windowMs]));
      expect(subject.announced).toMatchObject({ ratePerMs: Infinity, isKnown: false });
    });

    it('holds for two windows in which nothing is stated', () => {
      const subject = new Subject();
      subject.now = SECOND;
      subject.hear(policies([100, 10 * SECOND]));
      subject.now = 21 * SECOND;
      subject.hear({});
      expect(subject.announced.ratePerMs).toBeCloseTo(0.0099, 12);
      subject.now += 1;
      subject.hear({});
      expect(subject.announced).toMatchObject({ ratePerMs: Infinity, statedPerMs: Infinity, validMs: 0 });
    });

    it.each<[string, Partial<Quota>, number]>([
      ['there is no other', { limit: 7, ...policies([100, 10 * SECOND]) }, Infinity],
      ['it has its size', { limit: 100, ...policies([100, 10 * SECOND], [50, SECOND]) }, 0.0495],
      [
        'it has its name',
        {
          counters: [{ name: 'day', remaining: 5, resetMs: SECOND }],
          ...policies([100, 10 * SECOND, 'day'], [50, SECOND, 's']),
        },
        0.0495,
      ],
      ['(none is it)', { limit: 7, ...policies([100, 10 * SECOND, ''], [50, SECOND]) }, 0.0099],
    ])('of the quota that what is left is left of bounds nothing until its reset: %s', (_why, quota, ratePerMs) => {
      const subject = new Subject();
      subject.hear({ remaining: 5, resetMs: SECOND, ...quota });
      expect(subject.announced.ratePerMs).toBeCloseTo(ratePerMs, 12);
      subject.announced.endStocks(SECOND);
      expect(subject.announced.ratePerMs).toBeCloseTo(0.0099, 12);
    });
  });

  describe('of a quota that is divided', () => {
    const of = (key: string, remaining: number, policy = 'user') => ({
      remaining,
      resetMs: 10 * SECOND,
      partition: { policy, key },
    });

    it('hears nothing of other parts until ours is refilled, and takes those sends for not counted', () => {
      const subject = new Subject();
      subject.hear(of('a', 9));
      subject.now = 10 * SECOND - 1;
      expect(subject.hear(of('b', 0))).toBeUndefined();
      expect(subject.announced.stocks[0]).toMatchObject({ remaining: 9, unsent: 9 });
      subject.now += 1;
      subject.announced.endStocks(subject.now);
      expect(subject.hear(of('b', 0))).toBe(20 * SECOND);
    });

    it('hears of ours, and of what is divided otherwise', () => {
      const subject = new Subject();
      subject.hear(of('a', 9));
      subject.hear(of('a', 7));
      expect(subject.left('')).toBe(7);
      subject.hear(of('b', 5, 'team'));
      expect(subject.left('')).toBe(5);
    });

    it('is ours for the window that is stated, where nothing is told to be left', () => {
      const subject = new Subject();
      subject.hear({ ...policies([60, 30 * SECOND]), partition: { policy: 'user', key: 'a' } });
      subject.now = 30 * SECOND - 1;
      expect(subject.hear(of('b', 0))).toBeUndefined();
      subject.now += 1;
      expect(subject.hear(of('b', 0))).toBe(40 * SECOND);
    });
  });
});
