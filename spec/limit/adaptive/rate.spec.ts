import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ADAPTIVE_DEFAULTS, AdaptiveRate, type AdaptiveSend } from '../../../lib/limit/adaptive/rate.ts';
import type { Answer } from '../../../lib/limit/limiter.ts';
import type { Quota } from '../../../lib/limit/quota/headers.ts';
import type { LimitWindow } from '../../../lib/limit/windows/gcra.ts';

const SECOND = 1_000;
const T0 = 1_750_000_000_000;
const WELCOME: Answer = { throttled: false };

const refusal = (untilAt?: number): Answer => ({ throttled: true, untilAt });
const stated = (quota: number, windowMs?: number): Quota => ({ policies: [{ quota, windowMs }] });
const left = (remaining: number, resetMs: number): Quota => ({ policies: [], remaining, resetMs });
const telling = (quota: Quota): Answer => ({ throttled: false, quota });

/** A rate and the hand that moves its time; `now` is ms since T0. */
class Subject {
  readonly rate: AdaptiveRate;
  now = 0;

  constructor({ capPerMs, ...options }: { capPerMs?: number; startConcurrency?: number; headers?: boolean } = {}) {
    const windows = capPerMs === undefined ? [] : [{ requests: capPerMs * SECOND, perMs: SECOND }];
    this.rate = new AdaptiveRate({ ...ADAPTIVE_DEFAULTS, ...options }, windows);
  }

  /** How long the next send has to wait, in ms. */
  get waitMs(): number {
    return this.rate.nextAt(T0 + this.now) - (T0 + this.now);
  }

  /** Requests per second. */
  get perSecond(): number {
    return this.rate.ratePerMs * SECOND;
  }

  /** Lets the time pass until the next may leave, in whole ms like a timer. */
  wait(): void {
    this.now += Math.ceil(this.waitMs);
  }

  send(): AdaptiveSend {
    if (this.waitMs > 0) throw new Error(`may not leave for another ${this.waitMs} ms`);
    return this.rate.sent(T0 + this.now);
  }

  /** All that may leave at once. */
  sendAll(): AdaptiveSend[] {
    const sends: AdaptiveSend[] = [];
    while (this.waitMs <= 0 && sends.length < 1_000) sends.push(this.send());
    return sends;
  }

  answer(send: AdaptiveSend, answer: Answer = WELCOME): void {
    this.rate.answered(T0 + this.now, send, answer);
  }

  refuse(send: AdaptiveSend, forMs: number): void {
    this.answer(send, refusal(T0 + this.now + forMs));
  }

  lose(send: AdaptiveSend): void {
    this.rate.lost(T0 + this.now, send);
  }

  drop(send: AdaptiveSend): void {
    this.rate.dropped(T0 + this.now, send);
  }

  /** Sends as soon as it may; each is answered after 20 ms, by `judge`, before the next leaves if need be. */
  run(ms: number, judge: () => Answer = () => WELCOME): number {
    const end = this.now + ms;
    const out: { at: number; send: AdaptiveSend }[] = [];
    let sent = 0;
    while (this.now <= end) {
      const next = out[0]?.at ?? Infinity;
      const leaves = this.now + Math.ceil(this.waitMs);
      this.now = Math.min(next, leaves);
      if (this.now > end) break;
      if (next <= leaves) this.answer((out.shift() as { send: AdaptiveSend }).send, judge());
      else {
        out.push({ at: this.now + 20, send: this.send() });
        sent += 1;
      }
    }
    this.now = end;
    for (const { send } of out) this.answer(send);
    return sent;
  }
}

/** Has met one refusal: ten admitted in a second, a pause of one more, and the probe's welcome. */
function chastened(options?: ConstructorParameters<typeof Subject>[0]): Subject {
  const subject = new Subject(options);
  for (let i = 0; i < 10; i++) {
    subject.answer(subject.send());
    subject.now += 100;
  }
  subject.refuse(subject.send(), SECOND);
  subject.now += SECOND;
  subject.answer(subject.send());
  return subject;
}

describe('while nothing is known', () => {
  it('sends so many at once, and waits for an answer then', () => {
    const subject = new Subject();
    expect(subject.sendAll()).toHaveLength(8);
    // But not for ever: the process that waits for them may have been killed.
    expect(subject.waitMs).toBe(10_000);
    expect(subject.rate).toMatchObject({ ratePerMs: Infinity, hasLearnt: false });
  });

  it('sends one more at once with every two that are admitted', () => {
    const subject = new Subject({ startConcurrency: 2 });
    const [first, second] = subject.sendAll();
    subject.answer(first as AdaptiveSend);
    subject.answer(second as AdaptiveSend);
    expect(subject.sendAll()).toHaveLength(3);
  });

  it('gives the place of a lost send to the next, and learns nothing from it', () => {
    const subject = new Subject({ startConcurrency: 2 });
    const [first] = subject.sendAll();
    subject.lose(first as AdaptiveSend);
    expect(subject.sendAll()).toHaveLength(1);
  });

  it('takes a send that was dropped for one that never was: it is not counted, and the next takes its turn', () => {
    const subject = chastened();
    subject.wait();
    subject.drop(subject.send());
    expect(subject.waitMs).toBe(0);
    expect(JSON.parse(subject.rate.save())).toMatchObject({ stretch: { admitted: 1 }, inFlight: 0 });
    const open = new Subject({ startConcurrency: 1 });
    open.drop(open.send());
    expect(open.sendAll()).toHaveLength(1);
  });

  it('counts the end of a send once, whoever tells it twice', () => {
    const subject = new Subject({ startConcurrency: 2 });
    const [first] = subject.sendAll();
    subject.lose(first as AdaptiveSend);
    subject.lose(first as AdaptiveSend);
    subject.answer(first as AdaptiveSend);
    expect(subject.sendAll()).toHaveLength(1);
  });
});

describe('a refusal', () => {
  it('pauses until the named instant, and one probe leaves then', () => {
    const subject = new Subject();
    const [first] = subject.sendAll();
    subject.refuse(first as AdaptiveSend, 5 * SECOND);
    expect(subject.waitMs).toBe(5 * SECOND);
    expect(subject.rate.hasLearnt).toBe(true);

    subject.now += 5 * SECOND;
    expect(subject.sendAll()).toHaveLength(1);
    expect(subject.waitMs).toBeGreaterThan(0);
  });

  it('never shortens a pause by arriving late', () => {
    const subject = new Subject();
    const [first, second] = subject.sendAll() as [AdaptiveSend, AdaptiveSend];
    subject.refuse(first, 5 * SECOND);
    subject.now += 100;
    subject.refuse(second, SECOND);
    expect(subject.waitMs).toBe(4_900);
  });

  it('pauses again when it arrives while the probe is out', () => {
    const subject = new Subject();
    const [first, second] = subject.sendAll() as [AdaptiveSend, AdaptiveSend];
    subject.refuse(first, SECOND);
    subject.now += SECOND;
    const probe = subject.send();
    subject.refuse(second, SECOND);
    subject.answer(probe);
    expect(subject.waitMs).toBe(SECOND);
  });

  it('of an earlier episode pauses, and teaches nothing', () => {
    const subject = chastened();
    const before = subject.perSecond;
    subject.wait();
    const out = subject.send();
    subject.rate.pause(T0 + subject.now, T0 + subject.now + SECOND);
    subject.wait();
    subject.answer(subject.send());

    subject.refuse(out, 2 * SECOND);
    expect(subject.waitMs).toBe(2 * SECOND);
    subject.wait();
    subject.answer(subject.send());
    expect(subject.perSecond).toBe(before);
  });

  it.each([
    ['no time', undefined],
    ['a time that has passed', T0 - SECOND],
    ['no instant', Number.NaN],
    ['an instant that never comes', Infinity],
  ])('with %s waits 1 s, 2 s, 4 s … up to a minute', (_, untilAt) => {
    const subject = new Subject();
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      subject.answer(subject.send(), refusal(untilAt));
      waits.push(subject.waitMs / SECOND);
      subject.wait();
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  it('is followed by a pace: what was admitted, over the time and the pause, less a hundredth', () => {
    const subject = chastened();
    expect(subject.perSecond).toBeCloseTo((0.99 * 10) / 2, 6);
    expect(subject.waitMs).toBeCloseTo(2_000 / 9.9, 3);
    expect(subject.sendAll()).toHaveLength(0);
  });

  it('is followed by a climb, which doubles the rate within 0.35 s of pace until the next', () => {
    const subject = chastened();
    const before = subject.perSecond;
    subject.run(2 * SECOND);
    expect(subject.perSecond).toBeGreaterThan(4 * before);
  });

  it('takes no more than three tenths of what was learnt', () => {
    const subject = chastened();
    let admits = 200;
    const judge = () => (admits-- > 0 ? WELCOME : refusal(T0 + subject.now + SECOND));
    while (subject.waitMs < SECOND / 2) subject.run(100, judge);
    subject.wait();
    subject.answer(subject.send());
    const learnt = subject.perSecond;

    subject.wait();
    const second = subject.send();
    subject.refuse(second, SECOND);
    subject.now += SECOND;
    subject.answer(subject.send());
    expect(subject.perSecond).toBeCloseTo(0.7 * 0.99 * learnt, 6);
  });
});

describe('a probe', () => {
  it('that is lost is followed by the next after a second, however slow the pace', () => {
    const subject = new Subject({ capPerMs: 1 / 10_000 });
    subject.refuse(subject.send(), SECOND);
    subject.now += SECOND;
    const probe = subject.send();
    subject.now += 100;
    subject.lose(probe);
    expect(subject.waitMs).toBe(900);
    subject.now += 900;
    subject.answer(subject.send());
    expect(subject.waitMs).toBeGreaterThan(10 * SECOND);
  });

  it('that was dropped is followed by the next at once', () => {
    const subject = chastened();
    subject.rate.pause(T0 + subject.now, T0 + subject.now + SECOND);
    subject.now += SECOND;
    subject.drop(subject.send());
    expect(subject.waitMs).toBe(0);
    subject.answer(subject.send());
    expect(subject.waitMs).toBeGreaterThan(0);
  });

  it('whose end is never told is followed by the next', () => {
    const subject = chastened();
    subject.rate.pause(T0 + subject.now, T0 + subject.now + SECOND);
    for (let i = 0; i < 5; i++) {
      subject.wait();
      subject.send();
      expect(subject.waitMs).toBeLessThanOrEqual(60 * SECOND);
    }
  });

  it('that is refused prolongs the pause', () => {
    const subject = chastened();
    subject.rate.pause(T0 + subject.now, T0 + subject.now + SECOND);
    subject.now += SECOND;
    subject.refuse(subject.send(), 3 * SECOND);
    expect(subject.waitMs).toBe(3 * SECOND);
  });
});

describe('a pause from outside', () => {
  it('lets one probe out at its end, and begins anew with so many at once', () => {
    const subject = new Subject();
    for (let i = 0; i < 20; i++) subject.answer(subject.send());
    subject.rate.pause(T0, T0 + SECOND);
    expect(subject.waitMs).toBe(SECOND);
    subject.now += SECOND;
    const [probe, ...others] = subject.sendAll();
    expect(others).toEqual([]);
    subject.answer(probe as AdaptiveSend);
    expect(subject.sendAll()).toHaveLength(8);
  });

  it('changes nothing of the rate', () => {
    const subject = chastened();
    const before = subject.perSecond;
    subject.rate.pause(T0 + subject.now, T0 + subject.now + SECOND);
    subject.now += SECOND;
    subject.answer(subject.send());
    expect(subject.perSecond).toBe(before);
    expect(subject.waitMs).toBeCloseTo(SECOND / before, 3);
  });

  it('is what an answer asks for that names a time and is no refusal', () => {
    const subject = new Subject();
    subject.answer(subject.send(), { throttled: false, untilAt: T0 + SECOND });
    expect(subject.waitMs).toBe(SECOND);
    expect(subject.rate.ratePerMs).toBe(Infinity);
  });

  it.each([Number.NaN, Infinity, -Infinity, T0])('until %s is none', (untilAt) => {
    const subject = new Subject();
    subject.rate.pause(T0, untilAt);
    expect(subject.waitMs).toBe(0);
  });
});

describe('numbers of the user', () => {
  it('let a burst leave at once, and hold every window', () => {
    const rate = new AdaptiveRate(ADAPTIVE_DEFAULTS, [
      { requests: 10, perMs: SECOND, burst: 5 },
      { requests: 60, perMs: 60 * SECOND, burst: 20 },
    ]);
    const at: number[] = [];
    for (let now = 0; at.length < 25; now++) {
      for (; rate.nextAt(T0 + now) <= T0 + now; rate.sent(T0 + now)) at.push(now);
    }
    expect(at.filter((each) => each === 0)).toHaveLength(5);
    expect(at.filter((each) => each <= SECOND)).toHaveLength(14);
    // The burst of the minute is spent by 1.6 s; then it is one a second.
    expect(Number(at[24]) - Number(at[23])).toBeGreaterThan(990);
  });

  it('set the pace from the first send on, instead of so many at once', () => {
    const subject = new Subject({ capPerMs: 0.05 });
    expect(subject.sendAll().length).toBeLessThanOrEqual(2);
    expect(subject.run(10 * SECOND)).toBeLessThanOrEqual(501);
    expect(subject.perSecond).toBe(50);
    expect(subject.rate.hasLearnt).toBe(false);
  });

  it('are never climbed past', () => {
    const subject = chastened({ capPerMs: 0.012 });
    expect(subject.perSecond).toBeLessThan(12);
    subject.run(300 * SECOND);
    expect(subject.perSecond).toBe(12);
  });
});

describe('numbers of the user, by weight', () => {
  const window = { requests: 10, perMs: SECOND, burst: 10 };
  const made = (...windows: readonly LimitWindow[]) => new AdaptiveRate(ADAPTIVE_DEFAULTS, windows);
  const dueMs = (rate: AdaptiveRate, weight = 1, at = T0) => rate.nextAt(at, false, weight) - at;

  it('are charged what a send cost more, though no more than a window ever holds, and given back what it cost less', () => {
    const paid = (weight: number, cost: number) => {
      const rate = made(window);
      rate.answered(T0, rate.sent(T0, false, weight), { throttled: false, cost });
      return dueMs(rate, 10);
    };
    expect(paid(5, 5)).toBeCloseTo(5 * 100.5, 1);
    expect(paid(5, 9)).toBeCloseTo(9 * 100.5, 1);
    expect(paid(5, 2)).toBeCloseTo(2 * 100.5, 1);
    expect(paid(5, 1e9)).toBeCloseTo(19 * 100.5, 1);
  });

  it('give back what was dropped, and what left within another they count as well', () => {
    const rate = made(window);
    const dropped = rate.sent(T0, false, 9);
    expect(rate.nextAt(T0, true, 2) - T0).toBeCloseTo(100.5, 1);
    rate.dropped(T0, dropped);
    rate.dropped(T0, dropped);
    expect(dueMs(rate, 10)).toBe(0);
    expect(JSON.parse(rate.save())).toMatchObject({ inFlight: 0, outWeight: 0 });
  });

  it('let no burst leave after a pause of their length that a refusal asked for, and leave it to longer ones', () => {
    const hour = { requests: 5_000, perMs: 3_600 * SECOND, burst: 100 };
    const rate = made(window, hour);
    rate.answered(T0, rate.sent(T0), refusal(T0 + SECOND));
    rate.answered(T0 + SECOND, rate.sent(T0 + SECOND), WELCOME);
    const { paidAt } = JSON.parse(rate.save());
    expect(paidAt[0] - T0 - SECOND).toBeCloseTo(9 * 100.5, 0);
    expect(paidAt[1] - T0 - SECOND).toBeLessThan(2 * 720.1);
  });

  it('pay at their own rate what is unpaid by others that were saved, and no more than they hold', () => {
    const saved = (count: number) => {
      const rate = made(window);
      for (let i = 0; i < count; i++) rate.sent(T0);
      return rate.save();
    };
    const unpaid = (count: number, given: LimitWindow, at = T0) => {
      const rate = made(given);
      rate.restore(saved(count), at);
      return Number(rate.paidAt[0]) - at;
    };
    const slower = { requests: 1, perMs: SECOND, burst: 5 };
    expect(unpaid(3, window)).toBeCloseTo(3 * 100.5, 1);
    expect(unpaid(3, slower)).toBeCloseTo(3 * 1_005, 0);
    expect(unpaid(9, slower)).toBeCloseTo(5 * 1_005, 0);
    // All of it is paid by then.
    expect(unpaid(3, slower, T0 + SECOND)).toBeLessThan(0);
    expect(JSON.parse(made(slower).save()).intervals).toEqual([1_005]);
  });

  it('begin anew where nothing was saved of them', () => {
    const rate = made(window);
    rate.sent(T0);
    rate.restore(JSON.stringify({ ...JSON.parse(made().save()), paidAt: undefined, intervals: undefined }));
    expect(rate.paidAt).toEqual([-Infinity]);
    expect(dueMs(rate, 10)).toBe(0);
  });
});

describe('a pause that is over before its time', () => {
  it('lets one probe leave at once, and the others when that is admitted', () => {
    const subject = new Subject();
    subject.rate.pause(T0, T0 + 60 * SECOND);
    subject.now = 5 * SECOND;
    subject.rate.resume(T0 + subject.now);
    const [probe, ...others] = subject.sendAll();
    expect(others).toEqual([]);
    subject.answer(probe as AdaptiveSend);
    expect(subject.sendAll()).toHaveLength(8);
  });

  it('is none that has ended already', () => {
    const subject = new Subject();
    subject.rate.pause(T0, T0 + SECOND);
    subject.now = 5 * SECOND;
    subject.rate.resume(T0 + subject.now);
    expect(subject.rate.pausedUntil).toBe(T0 + SECOND);
  });
});

describe('sends within others', () => {
  it('wait for no other to end, but for a pause and for the pace', () => {
    const subject = new Subject({ startConcurrency: 1 });
    subject.send();
    const nestedMs = () => subject.rate.nextAt(T0 + subject.now, true) - (T0 + subject.now);
    expect([subject.waitMs, nestedMs()]).toEqual([10 * SECOND, 0]);
    subject.rate.pause(T0, T0 + SECOND);
    expect(nestedMs()).toBe(SECOND);
    const slow = chastened();
    expect(slow.rate.nextAt(T0 + slow.now, true) - (T0 + slow.now)).toBeCloseTo(slow.waitMs, 6);
  });
});

describe('headers', () => {
  it('that state a quota set the pace at once, less a hundredth, by the smallest, and it is not climbed past', () => {
    const subject = new Subject();
    const both = telling({ policies: [{ quota: 100, windowMs: SECOND }, ...stated(60, 2_000).policies] });
    subject.answer(subject.send(), both);
    expect(subject.perSecond).toBeCloseTo(0.99 * 30, 9);
    subject.run(60 * SECOND, () => both);
    expect(subject.perSecond).toBeCloseTo(0.99 * 30, 9);
  });

  it('are not doubted for a refusal of what left before they were heard', () => {
    const subject = new Subject();
    const [first, second] = subject.sendAll() as [AdaptiveSend, AdaptiveSend];
    subject.answer(first, telling(stated(60, 60 * SECOND)));
    subject.refuse(second, SECOND);
    subject.wait();
    subject.answer(subject.send(), telling(stated(60, 60 * SECOND)));
    expect(subject.perSecond).toBeCloseTo(0.99, 9);
  });

  it('that tell what is left let it leave at once, and nothing more until the reset', () => {
    const subject = new Subject();
    subject.answer(subject.send(), telling(left(100, 10 * SECOND)));
    expect(subject.sendAll()).toHaveLength(100);
    expect(subject.waitMs).toBe(10 * SECOND);
    // Of the time after it nothing is known.
    subject.now += 10 * SECOND;
    expect(subject.waitMs).toBe(0);
    expect(subject.rate.hasLearnt).toBe(false);
  });

  it('that told what is left let no more leave at once after the reset until they tell it again', () => {
    const subject = new Subject();
    subject.answer(subject.send(), telling(left(3, 10 * SECOND)));
    subject.now += 10 * SECOND;
    const [first] = subject.sendAll();
    expect(subject.waitMs).toBe(10 * SECOND);
    subject.answer(first as AdaptiveSend, telling(left(99, 10 * SECOND)));
    expect(subject.sendAll()).toHaveLength(97);
  });

  it('that tell what is left say more than the quota that they state, and that holds again after the reset', () => {
    const subject = new Subject();
    const both = telling({
      ...stated(100, 10 * SECOND),
      limit: 100,
      ...left(50, 2 * SECOND),
      ...{ policies: stated(100, 10 * SECOND).policies },
    });
    subject.answer(subject.send(), both);
    expect(subject.sendAll()).toHaveLength(50);
    subject.now += 2 * SECOND;
    expect(subject.waitMs).toBe(0);
    expect(subject.perSecond).toBeCloseTo(9.9, 9);
  });

  it('that state a quota besides the one of which they tell what is left set the pace by that', () => {
    const subject = new Subject();
    const policies = [
      { name: 'minute', quota: 100, windowMs: 60 * SECOND },
      { name: 'second', quota: 5, windowMs: SECOND },
    ];
    subject.answer(subject.send(), telling({ policies, limit: 100, remaining: 99, resetMs: 60 * SECOND }));
    expect(subject.perSecond).toBeCloseTo(0.99 * 5, 9);
  });

  it('that tell of a minute and of a day are both obeyed, also after the reset of one', () => {
    const subject = new Subject();
    const counters = (minute: number, day: number) => [
      { name: 'minute', limit: 60, remaining: minute, resetMs: 60 * SECOND - subject.now },
      { name: 'day', limit: 1_000, remaining: day, resetMs: 9_000 * SECOND - subject.now },
    ];
    const both = (minute: number, day: number) => telling({ policies: [], counters: counters(minute, day) });
    subject.answer(subject.send(), both(4, 7));
    expect(subject.sendAll()).toHaveLength(4);
    subject.now += 60 * SECOND;
    expect(subject.sendAll()).toHaveLength(3);
    expect(subject.waitMs).toBe(60 * SECOND);
  });

  it('that bound how many may be under way bound that, and no rate', () => {
    const subject = new Subject();
    const [first, ...others] = subject.sendAll();
    subject.answer(first as AdaptiveSend, telling({ policies: [], concurrency: 3 }));
    expect(subject.waitMs).toBe(60 * SECOND);
    for (const send of others) subject.answer(send);
    expect(subject.sendAll()).toHaveLength(3);
    // It is gone when the server states others without it, or none for a minute.
    subject.now += 61 * SECOND;
    subject.answer(subject.send());
    expect(subject.sendAll().length).toBeGreaterThan(3);
  });

  it('of another part of a divided quota are not ours, until ours has been refilled', () => {
    const subject = new Subject();
    const of = (key: string, remaining: number) =>
      telling({ ...left(remaining, 60 * SECOND), partition: { policy: 'user', key } });
    subject.answer(subject.send(), of('a', 90));
    subject.answer(subject.send(), of('b', 0));
    expect(subject.waitMs).toBe(0);
    subject.now += 60 * SECOND;
    subject.answer(subject.send(), of('b', 0));
    expect(subject.waitMs).toBe(60 * SECOND);
  });

  it('that tell what is left are still obeyed when all of it was written out and read back', () => {
    const subject = new Subject({ capPerMs: 5 });
    const sends = [subject.send()];
    subject.now += 20;
    const quota: Quota = { ...left(9, 10 * SECOND), partition: { policy: 'user', key: 'a' }, concurrency: 50 };
    subject.answer(sends[0] as AdaptiveSend, telling(quota));
    const other = new Subject({ capPerMs: 5 });
    other.rate.restore(subject.rate.save());
    other.now = subject.now;
    expect(JSON.parse(other.rate.save())).toEqual(JSON.parse(subject.rate.save()));
    let leave = 0;
    for (; other.waitMs < SECOND && leave < 100; leave++) {
      other.wait();
      other.send();
    }
    expect(leave).toBe(9);
  });

  it('do not spread a long window evenly: a thousand a day may be used by the minute', () => {
    const subject = new Subject();
    subject.answer(subject.send(), telling(stated(1_000, 86_400 * SECOND)));
    expect(subject.perSecond).toBeCloseTo(16.5, 9);
  });

  it('that tell that nothing is left pause until the reset, and teach nothing', () => {
    const subject = new Subject();
    subject.answer(subject.send(), telling(left(0, 3 * SECOND)));
    expect(subject.waitMs).toBe(3 * SECOND);
    subject.now += 3 * SECOND;
    subject.answer(subject.send(), telling(left(99, 10 * SECOND)));
    expect(subject.sendAll()).toHaveLength(99);
    expect(subject.perSecond).toBe(Infinity);
  });

  it('that tell that nothing is left pause until the earliest reset that was told', () => {
    const subject = new Subject();
    const [first, last] = [subject.send(), subject.send()];
    subject.answer(first, telling(left(1, 3 * SECOND)));
    subject.now += 400;
    subject.answer(last, telling(left(0, 3 * SECOND)));
    expect(subject.waitMs).toBe(2_600);
  });

  it('are outdone by Retry-After', () => {
    const subject = new Subject();
    subject.answer(subject.send(), { ...refusal(T0 + SECOND), quota: left(0, 30 * SECOND) });
    expect(subject.waitMs).toBe(SECOND);
  });

  it('name the time of a refusal that has no Retry-After', () => {
    const subject = new Subject();
    subject.answer(subject.send(), { throttled: true, quota: left(0, 30 * SECOND) });
    expect(subject.waitMs).toBe(30 * SECOND);
  });

  it.each([
    ['that nothing is left', { throttled: true, quota: left(0, SECOND) }],
    ['only when to come back, and that is at the reset', refusal(T0 + 2 * SECOND)],
  ])('explain a refusal that says %s: it is no rate that was too high', (_, answer) => {
    const subject = new Subject();
    subject.answer(subject.send(), telling(left(2, 2 * SECOND)));
    subject.now += SECOND;
    subject.answer(subject.send(), answer);
    subject.now += SECOND;
    subject.answer(subject.send(), telling(left(100, 10 * SECOND)));
    // One or two are kept back, for whoever has used it up.
    expect(subject.sendAll().length).toBeGreaterThanOrEqual(98);
    expect(subject.perSecond).toBe(Infinity);
  });

  it('explain the refusals of the first burst when the first success tells them', () => {
    const subject = new Subject();
    const [admitted, ...refused] = subject.sendAll() as [AdaptiveSend, ...AdaptiveSend[]];
    for (const send of refused) subject.answer(send, { throttled: true, quota: left(0, SECOND) });
    subject.answer(admitted, telling(left(0, SECOND)));
    subject.now += SECOND;
    subject.answer(subject.send(), telling(left(100, 10 * SECOND)));
    expect(subject.sendAll()).toHaveLength(100);
  });

  it('that come with refusals only explain nothing: the quota is learnt', () => {
    const subject = new Subject();
    const [admitted, ...refused] = subject.sendAll() as [AdaptiveSend, ...AdaptiveSend[]];
    subject.answer(admitted);
    for (const send of refused) subject.answer(send, { throttled: true, quota: left(0, SECOND) });
    subject.now += SECOND;
    subject.answer(subject.send());
    expect(subject.perSecond).toBeLessThan(10);
  });

  it('are not believed to say that nothing is left when the server admits all the same', () => {
    const subject = new Subject();
    subject.answer(subject.send(), { ...refusal(T0 + SECOND), quota: left(0, 30 * SECOND) });
    subject.now += SECOND;
    subject.answer(subject.send());
    expect(subject.waitMs).toBeLessThan(2 * SECOND);
  });

  it('are forgotten after two windows without them, and the climb goes on from there', () => {
    const subject = new Subject();
    subject.answer(subject.send(), telling(stated(20, 2 * SECOND)));
    subject.run(4 * SECOND);
    expect(subject.perSecond).toBeCloseTo(9.9, 9);
    subject.run(SECOND);
    expect(subject.perSecond).toBeGreaterThan(9.8);
    expect(subject.perSecond).toBeLessThan(9.9);
    subject.run(30 * SECOND);
    expect(subject.perSecond).toBeGreaterThan(9.85);
    expect(subject.perSecond).toBeLessThan(10);
  });

  it('are not heard where the user does not want it', () => {
    const subject = new Subject({ headers: false });
    subject.answer(subject.send(), telling({ ...stated(60, 60 * SECOND), ...left(0, 60 * SECOND) }));
    expect(subject.waitMs).toBe(0);
    expect(subject.rate.ratePerMs).toBe(Infinity);
  });

  it.each([
    ['a quota of nothing', stated(0, SECOND)],
    ['a quota without a window', stated(100)],
    ['a quota beyond measure', stated(1e15, SECOND)],
    ['a quota that is no number', stated(Number.NaN, SECOND)],
    ['a quota less than nothing', stated(-5, SECOND)],
    ['a window of nothing', stated(5, 0)],
    ['an absurd rest', left(1e15, 2 * SECOND)],
    ['a rest that is no number', left(Number.NaN, 5 * SECOND)],
    ['a reset that is no number', left(5, Number.NaN)],
  ])('with %s are not believed', (_, quota) => {
    const subject = new Subject();
    subject.answer(subject.send(), telling(quota));
    expect(subject.rate.ratePerMs).toBe(Infinity);
    expect(subject.sendAll()).toHaveLength(9);
  });

  it('never set a pace slower than about one a minute', () => {
    const subject = new Subject();
    subject.answer(subject.send(), telling(stated(1, 1e15)));
    expect(subject.waitMs).toBeLessThan(61 * SECOND);
  });
});

/** What may happen to a rate, in any order. */
type Event =
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'pause'; readonly ms: number }
  | { readonly kind: 'send' }
  | { readonly kind: 'lose'; readonly which: number }
  | { readonly kind: 'answer'; readonly which: number; readonly answer: Answer; readonly forMs: number | undefined };

const odd = fc.oneof(fc.nat(200), fc.double(), fc.constantFrom(0, -1, 1e15, Infinity, Number.NaN));
const someQuota: fc.Arbitrary<Quota> = fc.record({
  policies: fc.array(fc.record({ quota: odd, windowMs: fc.option(odd, { nil: undefined }) }), { maxLength: 2 }),
  remaining: fc.option(odd, { nil: undefined }),
  resetMs: fc.option(fc.nat(100_000), { nil: undefined }),
});
const someEvent: fc.Arbitrary<Event> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(3_000) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('send' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), which: fc.nat() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      which: fc.nat(),
      forMs: fc.option(fc.integer({ min: -1_000, max: 100_000 }), { nil: undefined }),
      answer: fc.record({ throttled: fc.boolean(), quota: fc.option(someQuota, { nil: undefined }) }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('pause' as const), ms: fc.integer({ min: -5_000, max: 5_000 }) }),
  },
);

describe('whatever happens', () => {
  it('the next instant is a time, the rate more than 0, nothing leaves before a named time, and nothing stalls', () => {
    const some = fc.tuple(fc.array(someEvent, { maxLength: 120 }), fc.constantFrom(undefined, 0.01, 5));
    fc.assert(
      fc.property(some, ([events, capPerMs]) => {
        const subject = new Subject(capPerMs === undefined ? {} : { capPerMs });
        const out: AdaptiveSend[] = [];
        let namedAt = -Infinity;
        const take = (which: number) => out.splice(which % Math.max(1, out.length), 1)[0];
        for (const event of events) {
          switch (event.kind) {
            case 'wait':
              subject.now += event.ms;
              break;
            case 'send':
              if (subject.waitMs === 0) out.push(subject.send());
              break;
            case 'pause':
              namedAt = Math.max(namedAt, subject.now + event.ms);
              subject.rate.pause(T0 + subject.now, T0 + subject.now + event.ms);
              break;
            case 'lose': {
              const send = take(event.which);
              if (send !== undefined) subject.lose(send);
              break;
            }
            case 'answer': {
              const send = take(event.which);
              if (send === undefined) break;
              const untilAt = event.forMs === undefined ? undefined : subject.now + event.forMs;
              namedAt = Math.max(namedAt, untilAt ?? -Infinity);
              subject.answer(send, { ...event.answer, untilAt: untilAt === undefined ? undefined : T0 + untilAt });
            }
          }
          expect(subject.waitMs).not.toBeNaN();
          expect(subject.waitMs).toBeGreaterThanOrEqual(Math.max(0, namedAt - subject.now - 1e-3));
          expect(subject.rate.ratePerMs).toBeGreaterThan(1 / 200_000);
        }
        // Once all are answered and every pause is over, the next may leave within two minutes.
        for (const send of out) subject.answer(send);
        expect(subject.waitMs).toBeLessThanOrEqual(Math.max(120_000, namedAt - subject.now));
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});

/** Numbers in [0, 1) that are the same every time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** What a server admitted and refused, second by second. */
interface Seen {
  readonly admitted: number[];
  readonly refused: number[];
}

/** Whether it admits one that arrives then, in ms; they come in order. */
type Server = (at: number) => boolean;

/** The leaky bucket of nginx with a burst of 5. */
function nginx(perSecondAt: (second: number) => number): Server {
  let [excess, filledAt] = [0, 0];
  return (at) => {
    const filled = Math.max(0, excess - (perSecondAt(Math.floor(at / SECOND)) / SECOND) * (at - filledAt) + 1);
    if (filled > 5) return false;
    [excess, filledAt] = [filled, at];
    return true;
  };
}

/** Tokens: so many at once, and 50 a second. */
function tokens(burst: number): Server {
  let [left, filledAt] = [burst, 0];
  return (at) => {
    left = Math.min(burst, left + 0.05 * (at - filledAt));
    filledAt = at;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}

/** So many from one full window to the next; the first has begun `phaseMs` ago. */
function fixedWindow(requests: number, windowMs: number, phaseMs: number): Server {
  const counts = new Map<number, number>();
  return (at) => {
    const window = Math.floor((at + phaseMs) / windowMs);
    const count = counts.get(window) ?? 0;
    if (count < requests) counts.set(window, count + 1);
    return count < requests;
  };
}

/**
 * A closed loop of 32 workers: 5 to 30 ms each way, timers up to 2 ms late, in steps of one millisecond. Whoever is refused is told to wait
 * for so many ms.
 */
function simulate(seed: number, seconds: number, server: Server, tellsMs: (at: number) => number = () => SECOND): Seen {
  const random = seeded(seed);
  const rate = new AdaptiveRate(ADAPTIVE_DEFAULTS);
  const seen: Seen = { admitted: new Array<number>(seconds).fill(0), refused: new Array<number>(seconds).fill(0) };
  const agenda = new Map<number, (() => void)[]>();
  const arrival = (from: number, act: (at: number) => void) => {
    const at = from + 5 + Math.floor(26 * random());
    agenda.set(at, [...(agenda.get(at) ?? []), () => act(at)]);
  };
  let [idle, wakeAt] = [32, 0];

  const admits = (at: number): boolean => {
    const second = Math.min(Math.floor(at / SECOND), seconds - 1);
    const isAdmitted = server(at);
    const counted = isAdmitted ? seen.admitted : seen.refused;
    counted[second] = Number(counted[second]) + 1;
    return isAdmitted;
  };

  for (let now = 0; now < seconds * SECOND; now++) {
    const acts = agenda.get(now) ?? [];
    agenda.delete(now);
    for (const act of acts) act();
    if (acts.length === 0 && now < wakeAt) continue;
    while (idle > 0 && rate.nextAt(now) <= now) {
      const send = rate.sent(now);
      idle -= 1;
      arrival(now, (asked) => {
        const isAdmitted = admits(asked);
        arrival(asked, (back) => {
          idle += 1;
          rate.answered(back, send, isAdmitted ? WELCOME : refusal(back + tellsMs(asked)));
        });
      });
    }
    const nextAt = rate.nextAt(now);
    if (nextAt > now) wakeAt = Math.ceil(nextAt) + Math.floor(2 * random());
  }
  return seen;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
const mean = (numbers: readonly number[]) => sum(numbers) / numbers.length;

/** What was admitted and refused between two seconds, relative to the quota and to all requests. */
function between({ admitted, refused }: Seen, from: number, to: number, perSecond: number) {
  const [good, bad] = [sum(admitted.slice(from, to)), sum(refused.slice(from, to))];
  return { goodput: good / (perSecond * (to - from)), refused: bad / (good + bad) };
}

describe('what comes of it', () => {
  const endsInMs = (at: number) => 12_000 - ((at + 3_000) % 12_000);
  const inWholeSeconds = (at: number) => SECOND * Math.ceil(endsInMs(at) / SECOND);

  // Chance and servers are the same every time, so this holds to the send: whoever changes a number sees what it does, for better or worse.
  it.each<[string, string, () => Server, ((at: number) => number)?]>([
    ['50 a second', '802-6 5736-7, 796-11 5712-12, 803-7 5688-9', () => nginx(() => 50)],
    [
      '50, for half a minute 25',
      '802-6 3698-11, 796-11 3665-15, 803-7 3712-11',
      () => nginx((second) => (second >= 40 && second < 70 ? 25 : 50)),
    ],
    ['50, then 90', '802-6 7104-11, 796-11 7290-13, 803-7 7230-11', () => nginx((second) => (second < 40 ? 50 : 90))],
    ['two a second', '43-9 242-11, 43-12 242-14, 42-9 244-11', () => nginx(() => 2)],
    ['50, a burst of 15', '865-13 5760-15, 861-14 5758-16, 860-14 5756-16', () => tokens(15)],
    ['50, a burst of 80', '1045-37 6034-39, 1043-38 6031-40, 1043-38 6031-40', () => tokens(80)],
    ['100 in 1 s', '1705-41 11310-43, 1612-36 11151-39, 1707-43 11317-45', () => fixedWindow(100, SECOND, 300)],
    [
      '600 in 12 s',
      '1200-34 6117-48, 1200-31 6065-44, 1200-36 6064-52',
      () => fixedWindow(600, 12_000, 3_000),
      inWholeSeconds,
    ],
  ])('against %s is for three seeds, admitted - refused, in 20 s and in 120 s: %s', (_, expected, server, tellsMs) => {
    const figures = [7, 8, 9].map((seed) => {
      const { admitted, refused } = simulate(seed, 120, server(), tellsMs);
      return [20, 120].map((end) => `${sum(admitted.slice(0, end))}-${sum(refused.slice(0, end))}`).join(' ');
    });
    expect(figures.join(', ')).toBe(expected);
  });
});

describe('against a server of 50 requests a second', () => {
  const seeds = [1, 2, 3, 4, 5, 6];

  it('uses nine tenths of the first minute, with few refusals, and 0.97 from then on, with hardly one', () => {
    const steady = seeds.map((seed) =>
      simulate(
        seed,
        180,
        nginx(() => 50),
      ),
    );
    const cold = steady.map((seen) => between(seen, 0, 60, 50));
    expect(mean(cold.map(({ goodput }) => goodput))).toBeGreaterThan(0.9);
    expect(Math.max(...cold.map(({ refused }) => refused))).toBeLessThan(0.02);
    for (const seen of steady) {
      const warm = between(seen, 60, 180, 50);
      expect(warm.goodput).toBeGreaterThan(0.97);
      expect(warm.refused).toBeLessThan(0.005);
    }
  });

  it('finds a quota that was halved within ten seconds, and one that has grown back within a minute', () => {
    for (const seed of seeds) {
      const seen = simulate(
        seed,
        220,
        nginx((second) => (second >= 60 && second < 120 ? 25 : 50)),
      );
      expect(between(seen, 70, 110, 25).goodput).toBeGreaterThan(0.9);
      expect(between(seen, 180, 220, 50).goodput).toBeGreaterThan(0.9);
    }
  });
});

describe('against a server that counts by a window', () => {
  const phases = [0, 150, 300, 500, 700, 930];

  it('of 100 in a second uses eight tenths of the first minute, and nine tenths from then on', () => {
    const seen = phases.map((phase) => simulate(phase, 180, fixedWindow(100, SECOND, phase)));
    const cold = seen.map((each) => between(each, 0, 60, 100));
    const warm = seen.map((each) => between(each, 60, 180, 100));
    expect(mean(cold.map(({ goodput }) => goodput))).toBeGreaterThan(0.86);
    expect(mean(warm.map(({ goodput }) => goodput))).toBeGreaterThan(0.93);
    expect(mean(cold.map(({ refused }) => refused))).toBeLessThan(0.01);
    expect(mean(warm.map(({ refused }) => refused))).toBeLessThan(0.001);
  });

  it('of 600 in 12 s finds how long it is, though the pause names its end in whole seconds', () => {
    for (const phase of phases) {
      const endsInMs = (at: number) => 12_000 - ((at + 10 * phase) % 12_000);
      const tellsMs = (at: number) => SECOND * Math.ceil(endsInMs(at) / SECOND);
      const seen = simulate(phase, 180, fixedWindow(600, 12_000, 10 * phase), tellsMs);
      expect(between(seen, 60, 180, 50).goodput).toBeGreaterThan(0.9);
    }
  });
});

describe('against a server with a burst of more than a second of its quota', () => {
  it('does not take it for a window of that size for long', () => {
    for (const burst of [50, 80, 100]) {
      const seen = simulate(burst, 180, tokens(burst));
      expect(between(seen, 60, 180, 50).goodput).toBeGreaterThan(0.95);
      expect(between(seen, 60, 180, 50).refused).toBeLessThan(0.003);
    }
  });
});
