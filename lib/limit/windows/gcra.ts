import { LateArrivals } from './late-arrivals.ts';
import type { Delay } from './latency-spread.ts';

/** How late a send may leave and still have its slot count from when it was due, in ms: a timer of Node is some ms late. */
const MAX_LATE_MS = 10;
/** And as a share of the window, since as much of the quota is kept free for it. */
const MAX_LATE_SHARE = 0.005;
/** How far the slots may be shifted in each window for requests that arrive late; and after a refusal, which costs far more. */
const MAX_EXCESS_SHARE = 0.004;
const MAX_EXCESS_SHARE_REFUSED = 0.02;
/** And no more than this, in ms: what takes longer is slow to be answered, not to arrive. */
const MAX_EXCESS_MS = 100;

/** So much shorter than a window may a pause be and still be as long, as a share: of a second that is named some ms have gone by. */
const ABOUT = 0.1;

/** What an instant since 1970 may be off in a double, and more, in ms. */
const ROUNDING_MS = 0.01;

/** So many requests in so long. */
export interface LimitWindow {
  /** Requests. From 0.001. */
  readonly requests: number;
  /** The time for them, in ms. From 0.001. */
  readonly perMs: number;
  /**
   * How many may leave at once after a rest. An integer from 1; default 1: evenly spaced. Any sliding `perMs` holds at most
   * `requests + burst − 1`, rounded up.
   *
   * `'all'`: any sliding `perMs` holds at most `requests`, in whatever shape: all of them at once and then none until the window ends. It
   * remembers that many instants for each key, so `requests` is an integer up to 100,000 then (10,000 over Redis).
   */
  readonly burst?: number | 'all' | undefined;
}

/** How many may leave at once after a rest. */
export const burstOf = ({ requests, burst = 1 }: LimitWindow): number => (burst === 'all' ? requests : burst);

/** A send of which it turned out later by how much it was slow. */
interface Slow {
  readonly sentAt: number;
  /** How far the slots had been shifted when it left. */
  readonly shiftMs: number;
  slowMs: number;
}

/** The most that a window ever holds. */
export const mostOf = ({ requests, burst = 1 }: LimitWindow): number =>
  burst === 'all' ? requests : Math.ceil(requests + burst - 1);

/**
 * One window of a limit, by the generic cell rate algorithm (ITU-T I.371). A single number tells when the next send may leave: the
 * instant at which all that has left is paid for, each send with one interval.
 *
 * Slots are absolute and an interval apart: 100 a second are 10.05 ms apart, not 10. The 0.5 % are for timers, which fire late: a send may
 * leave 5 ms after its slot without moving the slots behind it. Without them the sends of a window that began late would be one too many.
 *
 * A server counts when a request arrives. One that arrives late (the first, for which a connection has to be made) begins the server's
 * window later, and the sends one window on would be one too many. So those are shifted by as much: 8 ms late are 3 ms beyond the 5, and the
 * slots a second later are shifted by 3 ms. No shift is more than 0.4 % of the window, or 2 % once a send was refused all the same. A slot
 * that nobody used shifts those behind it, too: who sends less than the window allows pays nothing. The first sends of all are slow, as
 * later ones show: what they were late is due a window after the first of them, so that four processes that begin together, each 30 ms late,
 * are shifted by 30 ms and not by 120.
 *
 * A server that asks for a pause of a second has a limit that refills in about a second. So a pause costs the bursts of windows that
 * are as short as it is, and of no longer one: of 50 a second and 5,000 an hour (burst 5,000), `Retry-After: 1` leaves what is left of
 * the 5,000.
 */
export class Gcra {
  /** Between two slots, in ms. */
  readonly intervalMs: number;
  readonly lateMs: number;
  readonly burst: number;
  /** The most that it ever holds, and so that one send may weigh. */
  readonly most: number;
  /** How far ahead of the clock the slots may be taken, in ms. */
  readonly toleranceMs: number;
  /** The theoretical arrival time: when everything that has left is paid for, on the clock. */
  #paidAt = Number.NEGATIVE_INFINITY;
  /** To where a pause has dropped the burst: no refund goes back behind it. */
  #droppedTo = Number.NEGATIVE_INFINITY;
  /** What was paid for then without that, and how far the slots had been shifted. */
  #undroppedAt = Number.NEGATIVE_INFINITY;
  #undroppedShiftMs = 0;
  #lastSentAt = Number.NEGATIVE_INFINITY;
  /** When a send last left that had waited. */
  #waitedAt = Number.NEGATIVE_INFINITY;
  readonly #window: LimitWindow;
  readonly #lateArrivals = new LateArrivals();
  /** The first send that was answered, how far the slots were shifted by then, and how slow it was, as is known by now. */
  #first: Slow | undefined;
  #excessShare = MAX_EXCESS_SHARE;
  /** How far the slots were shifted since the beginning, by late arrivals, by pauses and by slots that nobody used, in ms. */
  shiftMs = 0;

  constructor(window: LimitWindow) {
    const { requests, perMs } = window;
    this.#window = window;
    this.lateMs = Math.min(MAX_LATE_MS, perMs * MAX_LATE_SHARE);
    this.intervalMs = (perMs + this.lateMs) / requests;
    this.burst = burstOf(window);
    this.most = mostOf(window);
    this.toleranceMs = (this.burst - 1) * this.intervalMs + ROUNDING_MS;
  }

  /** Whether it is as long as that one. */
  isAsLongAs({ perMs }: LimitWindow): boolean {
    return perMs === this.#window.perMs;
  }

  /** Whether it has these numbers. */
  has({ requests, perMs, burst = 1 }: LimitWindow): boolean {
    const own = this.#window;
    return requests === own.requests && perMs === own.perMs && burst === (own.burst ?? 1);
  }

  /**
   * Goes on where the same window was under other numbers: what is still to be paid for is paid at the new rate, and the next waits no longer
   * than the new window. Of 10 a second, 3 are unpaid: at 1 a second the next leaves in a second. What a burst has grown by is there after a
   * rest.
   *
   * @param goesOn that one does as well, so that they may share nothing
   */
  follow(before: Gcra, nowMs: number, _goesOn = false): void {
    if (before.#paidAt > Number.NEGATIVE_INFINITY) {
      const [mostMs, grownBy] = this.owing(before, nowMs);
      this.#paidAt = Math.min(before.paidAt(nowMs, this.intervalMs) + grownBy * this.intervalMs, nowMs + mostMs);
    }
    this.#lastSentAt = before.#lastSentAt;
    this.#excessShare = before.#excessShare;
  }

  /** The instant from which the next send may leave: when all of its weight is due. */
  nextAt(weight = 1): number {
    const aheadMs = this.toleranceMs - (weight - 1) * this.intervalMs;
    this.#shiftTo(this.#lateArrivals.takeDue(this.#paidAt - aheadMs));
    return this.#paidAt - aheadMs;
  }

  /** When all that has left is paid for, if from now on one takes so long. */
  protected paidAt(nowMs: number, intervalMs: number): number {
    const unpaidMs = this.#paidAt - nowMs;
    return unpaidMs > 0 ? nowMs + (unpaidMs / this.intervalMs) * intervalMs : this.#paidAt;
  }

  /** How long it owes at most for what left by that one, and how many more may leave at once than by that. */
  protected owing(before: Gcra, _nowMs: number): readonly [mostMs: number, grownBy: number] {
    return [this.#window.perMs + this.toleranceMs, Math.max(0, this.burst - before.burst)];
  }

  /** Before when one cannot leave that has so many before it. */
  earliest(ahead: number): number {
    return this.nextAt() + ahead * this.intervalMs;
  }

  /**
   * Takes a slot for a send that leaves now. `waited`: a timer let it go, and it would have left when its slot was due, had the timer been on
   * time. So would those that come right after it: at 5,000 a second five slots go by in each ms that a timer is late, and one call after
   * the other uses them all.
   *
   * @returns when all before it is paid for, for `refund`
   */
  take(nowMs: number, weight: number, waited: boolean): number {
    if (waited) this.#waitedAt = nowMs;
    const from = Math.max(this.#paidAt, nowMs - this.#waitedAt <= this.lateMs ? nowMs - this.lateMs : nowMs);
    if (this.#paidAt > Number.NEGATIVE_INFINITY) this.shiftMs += from - this.#paidAt;
    this.#paidAt = from + weight * this.intervalMs;
    this.#lastSentAt = nowMs;
    return from;
  }

  /**
   * Takes back a slot whose send has not left after all. What has been paid for by the time that another left is gone: that one did not have
   * to wait for it.
   *
   * @param from what `take` gave
   * @param sentAt when it was taken
   */
  refund(from: number, weight: number, _sentAt = from): void {
    const costMs = weight * this.intervalMs;
    const unpaidMs = Math.max(0, from + costMs - Math.max(from, this.#lastSentAt));
    this.#paidAt = Math.max(this.#paidAt - unpaidMs, Math.min(this.#paidAt, this.#droppedTo));
  }

  /**
   * What a send really weighed, if it was more or less than it was taken for. More than a window ever holds counts as that: one answer that
   * tells nonsense must not stop the bucket for a year.
   */
  settle(from: number, weight: number, cost: number, sentAt = from): void {
    const counted = Math.min(cost, this.most);
    if (counted < weight) {
      this.refund(from + counted * this.intervalMs, weight - counted, sentAt);
      return;
    }
    const owedMs = (counted - weight) * this.intervalMs;
    // While nobody has left since the burst was dropped, a pause that ends early brings back what had been paid for before that.
    const isDropped = this.#paidAt <= this.#droppedTo;
    if (isDropped) this.#undroppedAt += owedMs;
    this.#paidAt = isDropped ? Math.max(this.#droppedTo, this.#undroppedAt) : this.#paidAt + owedMs;
  }

  /** Whether it is as short as a pause, or a rest of which nothing is known. */
  isAsShortAs(pauseMs: number): boolean {
    return this.#window.perMs <= pauseMs * (1 + ABOUT);
  }

  /** Drops the burst: one send may leave at that instant, the others an interval apart. */
  dropBurst(atMs: number): void {
    // Where it was dropped before, and nobody has sent since, the pause has grown longer: `resume` undoes both.
    if (this.#paidAt > this.#droppedTo) {
      this.#undroppedAt = this.#paidAt;
      this.#undroppedShiftMs = this.shiftMs;
    }
    // The slots may have been shifted by more than the pause has grown.
    this.#droppedTo = Math.max(this.#droppedTo, atMs + this.toleranceMs);
    const paidAt = Math.max(this.#paidAt, this.#droppedTo);
    // Nobody leaves until then, so what arrived late before is made up for.
    if (this.#paidAt > Number.NEGATIVE_INFINITY) this.shiftMs += paidAt - this.#paidAt;
    this.#paidAt = paidAt;
  }

  /** The pause that the burst was dropped for is over before its time: it is dropped from now. */
  resume(nowMs: number): void {
    if (this.#paidAt > this.#droppedTo || this.#droppedTo <= nowMs + this.toleranceMs) return;
    this.#paidAt = this.#undroppedAt;
    this.shiftMs = this.#undroppedShiftMs;
    this.#droppedTo = Number.NEGATIVE_INFINITY;
    this.dropBurst(nowMs);
  }

  /**
   * A send was answered.
   *
   * @param sentAt when it left, and `shiftMs` of then
   * @param excessMs how much longer than others it took
   * @param gainMs how much faster it was than all before it, which so were slower than anybody knew
   */
  answered(sentAt: number, shiftMs: number, { excessMs, gainMs }: Delay): void {
    const excess = this.shiftFor(excessMs);
    if (excess > 0) this.#lateArrivals.note(sentAt + this.#window.perMs, shiftMs + excess);
    this.#first ??= { sentAt, shiftMs, slowMs: 0 };
    if (gainMs > 0) this.#wereSlow(this.#first, sentAt, gainMs);
  }

  /** How far what comes a window later has to be shifted for a send that took so much longer than others. */
  protected shiftFor(excessMs: number): number {
    return Math.max(0, Math.min(excessMs - this.lateMs, this.#excessShare * this.#window.perMs, MAX_EXCESS_MS));
  }

  /** A send was refused for its rate. */
  refused(): void {
    this.#excessShare = MAX_EXCESS_SHARE_REFUSED;
  }

  /** For one who keeps the slots elsewhere: how far they have to be shifted in all by then, in ms. */
  shiftBy(atMs: number): number {
    this.#shiftTo(this.#lateArrivals.takeDue(atMs));
    return this.shiftMs;
  }

  /** One send may leave an interval after that instant, the others an interval apart. */
  continueAfter(atMs: number): void {
    this.dropBurst(atMs + this.intervalMs);
  }

  /** Whether nothing that left is still to be paid for. */
  isFresh(nowMs: number): boolean {
    return this.#paidAt <= nowMs;
  }

  /** All before that one were slower by so much than anybody knew. */
  #wereSlow(first: Slow, sentAt: number, byMs: number): void {
    first.slowMs += byMs;
    const dueAt = first.sentAt + this.#window.perMs;
    if (sentAt < dueAt) this.#lateArrivals.note(dueAt, first.shiftMs + Math.min(first.slowMs, MAX_EXCESS_MS));
    else this.#shiftTo(this.shiftMs + Math.min(byMs, MAX_EXCESS_MS));
  }

  #shiftTo(toMs: number): void {
    const byMs = Math.max(0, toMs - this.shiftMs);
    this.shiftMs += byMs;
    this.#paidAt += byMs;
    // Else it would look as if somebody had left after the burst was dropped, and no probe could end that pause.
    this.#droppedTo += byMs;
    this.#undroppedAt += byMs;
    this.#undroppedShiftMs += byMs;
  }
}
