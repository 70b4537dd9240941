import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Stock, type StockMark, type Told } from '../../../lib/limit/adaptive/stock.ts';

const T0 = 1_750_000_000_000;
const RTT = 20;
const NOW = Number.NEGATIVE_INFINITY;

/** A stock, those of ours that are out, and the hand that moves the time; `now` is ms since T0. */
class Subject {
  stock = new Stock('');
  now = 0;
  out = 0;
  lastSentAt = NOW;

  /** When the next may leave, in ms since T0; `NOW`: at once. */
  get freeAt(): number {
    return this.stock.freeAt(this.out, T0 + this.lastSentAt) - T0;
  }

  send(): { at: number; mark: StockMark } {
    this.out += 1;
    this.lastSentAt = this.now;
    return { at: this.now, mark: this.stock.sent() };
  }

  sendAll(): { at: number; mark: StockMark }[] {
    const sends: { at: number; mark: StockMark }[] = [];
    while (this.freeAt <= this.now && sends.length < 1_000) sends.push(this.send());
    return sends;
  }

  answer({ at, mark }: { at: number; mark: StockMark }, remaining: number, resetMs = 60_000, limit = 100): void {
    this.out -= 1;
    const told: Told = { id: '', limit, remaining, resetMs };
    this.stock.hear(T0 + this.now, told, T0 + at, mark, this.out);
  }

  /** One send after another, each answered a round trip later. */
  exchange(...told: readonly number[]): void {
    for (const remaining of told) {
      const send = this.send();
      this.now += RTT;
      this.answer(send, remaining, 60_000 - this.now);
    }
  }
}

describe(Stock.name, () => {
  it('lets anybody leave while nothing is known', () => {
    expect(new Subject().freeAt).toBe(NOW);
  });

  it('lets all leave at once that are left, and the next at the reset', () => {
    const subject = new Subject();
    subject.exchange(40);
    expect(subject.sendAll()).toHaveLength(40);
    expect(subject.freeAt).toBe(60_000);
  });

  it('takes off what is out, as the server may not have counted it yet', () => {
    const subject = new Subject();
    const [first, ...others] = Array.from({ length: 8 }, () => subject.send());
    subject.now += RTT;
    subject.answer(first as (typeof others)[0], 99);
    expect(subject.sendAll()).toHaveLength(99 - 7);
  });

  it('is not led astray by answers out of order', () => {
    const subject = new Subject();
    subject.exchange(99);
    const sends = Array.from({ length: 10 }, () => subject.send());
    for (const [i, send] of [...sends.entries()].reverse()) subject.answer(send, 98 - i);
    expect(subject.sendAll()).toHaveLength(89);
  });

  it('counts a send that ended without a word, and not one that did not take place', () => {
    const subject = new Subject();
    subject.exchange(10);
    for (let i = 0; i < 3; i++) subject.send();
    subject.out -= 1;
    subject.stock.endedUntold();
    subject.out -= 2;
    subject.stock.notSent();
    subject.stock.notSent();
    expect(subject.sendAll()).toHaveLength(9);
  });

  it('trusts no number that does not fall: what was left once may leave once', () => {
    const subject = new Subject();
    subject.exchange(10, 10, 10, 10);
    expect(subject.sendAll()).toHaveLength(7);
    expect(subject.freeAt).toBeGreaterThan(59_000);
  });

  it('keeps twice back what others took during the last round trip, and lets it leave evenly up to the reset', () => {
    const subject = new Subject();
    // One of ours, and three of theirs.
    subject.exchange(60, 56);
    expect(subject.sendAll()).toHaveLength(50);
    // From 40 ms on six evenly: 59,960 / 7.
    expect(subject.freeAt).toBeCloseTo(40 + 59_960 / 7, 2);
    subject.now = Math.ceil(subject.freeAt);
    subject.send();
    expect(subject.freeAt).toBeCloseTo(subject.now + (60_000 - subject.now) / 6, 2);
  });

  it('keeps one back at least for as long as others are there, and after the reset until they are seen to have gone', () => {
    const subject = new Subject();
    subject.exchange(60, 58, 57, 56);
    expect(subject.sendAll()).toHaveLength(55);
    subject.now = 60_000;
    subject.out = 0;
    subject.stock.forget(T0 + subject.now);
    const again = subject.send();
    subject.answer(again, 99);
    expect(subject.sendAll()).toHaveLength(98);
    subject.now = 120_000;
    subject.out = 0;
    subject.stock.forget(T0 + subject.now);
    subject.answer(subject.send(), 99);
    expect(subject.sendAll()).toHaveLength(99);
  });

  it('does not take its own that are out for others', () => {
    const subject = new Subject();
    subject.exchange(99);
    const sends = Array.from({ length: 30 }, () => subject.send());
    // All thirty had been counted when the first was answered.
    for (const send of sends) subject.answer(send, 69);
    expect(subject.sendAll()).toHaveLength(69);
  });

  it('goes by the earliest reset that was told: seconds are rounded up', () => {
    const subject = new Subject();
    const [a, b] = [subject.send(), subject.send()];
    subject.answer(a, 99, 60_000);
    subject.now += 400;
    subject.answer(b, 98, 60_000);
    expect(subject.stock.resetAt - T0).toBe(60_000);
    const c = subject.send();
    subject.answer(c, 97, 59_000);
    expect(subject.stock.resetAt - T0).toBe(59_400);
  });

  it('begins anew when the number rises, and when the limit is another', () => {
    const subject = new Subject();
    subject.exchange(3, 98);
    expect(subject.stock.remaining).toBe(98);
    // 48 of 50 are no sign that others took 49.
    const send = subject.send();
    subject.answer(send, 48, 60_000, 50);
    expect(subject.sendAll()).toHaveLength(48);
  });

  it('hears nothing of an answer to a send that left before the reset and was answered after it', () => {
    const subject = new Subject();
    subject.exchange(5);
    const late = subject.send();
    subject.now = 60_000;
    subject.stock.forget(T0 + subject.now);
    subject.answer(late, 0);
    expect(subject.stock.isKnown).toBe(false);
    subject.exchange(99);
    expect(subject.stock.remaining).toBe(99);
  });

  it('hears nothing of a late answer of the window before, by its reset', () => {
    const subject = new Subject();
    subject.exchange(5);
    const late = subject.send();
    subject.now = 59_000;
    // The reset had been told too late.
    const send = subject.send();
    subject.answer(send, 99);
    subject.answer(late, 4, 1_000);
    expect(subject.stock.remaining).toBe(98);
    expect(subject.stock.isUsedUp).toBe(false);
  });

  it('is another where the reset is told to be far later, though less is left of it', () => {
    const subject = new Subject();
    subject.exchange(40);
    subject.now = 5_000;
    const before = subject.send();
    subject.answer(before, 30, 120_000);
    expect(subject.stock).toMatchObject({ remaining: 30, taken: 0, resetAt: T0 + 125_000 });
  });

  it('that was told wrong is forgotten at once: what leaves from then on begins another, before its reset too', () => {
    const subject = new Subject();
    subject.exchange(0);
    const early = subject.send();
    subject.now = 1_000;
    subject.stock.forget(T0 + subject.now);
    expect(subject.freeAt).toBe(NOW);
    const next = subject.send();
    subject.answer(early, 3);
    expect(subject.stock.isKnown).toBe(false);
    subject.answer(next, 7);
    expect(subject.stock).toMatchObject({ isKnown: true, remaining: 7 });
  });

  it('lets one that takes several leave where so many are left', () => {
    const subject = new Subject();
    subject.exchange(5);
    const freeAt = (takes: number) => subject.stock.freeAt(0, T0 + subject.lastSentAt, takes) - T0;
    expect([freeAt(5), freeAt(6)]).toEqual([NOW, 60_000]);
  });

  it('takes those that ended without a word for ours, and for nobody else that draws on it', () => {
    const subject = new Subject();
    subject.exchange(20);
    for (let times = 0; times < 4; times++) {
      subject.send();
      subject.out -= 1;
      subject.stock.endedUntold();
    }
    subject.exchange(15);
    expect(subject.stock).toMatchObject({ taken: 0, keptBack: 0 });
    expect(subject.sendAll()).toHaveLength(15);
  });

  it('believes in no reset that is more than a day away', () => {
    const subject = new Subject();
    subject.answer(subject.send(), 0, 1e15);
    expect(subject.stock.resetAt - T0).toBe(86_400_000);
  });

  it('lets one leave in a minute where it has lost count', () => {
    const subject = new Subject();
    subject.answer(subject.send(), 2, 3_600_000);
    expect(subject.sendAll()).toHaveLength(2);
    expect(subject.freeAt).toBe(60_000);
  });

  it('against a server that we alone draw on never sends one too many, in whatever order answers come', () => {
    const order = fc.array(fc.nat({ max: 50 }), { maxLength: 200 });
    fc.assert(
      fc.property(order, fc.integer({ min: 1, max: 60 }), fc.boolean(), (picks, limit, isTextual) => {
        const subject = new Subject();
        let left = limit;
        const arriving: { at: number; mark: StockMark }[] = [];
        const answering: { send: { at: number; mark: StockMark }; told: number }[] = [];
        const arrive = (which: number) => {
          const [send] = arriving.splice(which % arriving.length, 1);
          left -= 1;
          expect(left).toBeGreaterThanOrEqual(0);
          if (send !== undefined) answering.push({ send, told: left });
        };
        arriving.push(subject.send());
        arrive(0);
        for (const pick of picks) {
          if (answering.length > 0 && pick % 3 === 0) {
            const [answer] = answering.splice(pick % answering.length, 1);
            if (answer !== undefined) subject.answer(answer.send, answer.told);
          } else if (arriving.length > 0 && pick % 3 === 1) arrive(pick);
          else if (subject.stock.isKnown) arriving.push(...subject.sendAll());
          subject.now += 1;
          if (isTextual) subject.stock = Object.assign(new Stock(''), JSON.parse(JSON.stringify(subject.stock)));
        }
        while (arriving.length > 0) arrive(0);
        for (const { send, told } of answering) subject.answer(send, told);
        // And all that are left may leave.
        if (subject.stock.isKnown) expect(subject.sendAll()).toHaveLength(left);
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});
