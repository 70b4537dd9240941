import { Arrears } from './late-arrivals.ts';
import type { Delay } from './latency-spread.ts';

/** How late a send may leave and still have its slot count from when it was due, in ms: a timer of Node is some ms late. */
const MAX_LATE_MS = 10;
/** And as a share of the window, since it is paid for with as much of the quota. */
const MAX_LATE_SHARE = 0.005;
/** What may be given of each window for requests that take longer to arrive than others; and after a refusal, which costs far more. */
const MAX_EXCESS_SHARE = 0.004;
const MAX_EXCESS_SHARE_REFUSED = 0.02;
/** And no more than this, in ms: what takes longer is slow to be answered, not to arrive. */
const MAX_EXCESS_MS = 100;

/** How much longer than a pause a window may be and still be one as short, as a share of it: a second that is named is one just gone by. */
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
   */
  readonly burst?: number | undefined;
}

/**
 * One window of a limit, by the generic cell rate algorithm (ITU-T I.371): a single number, the instant at which the window
 * would be empty again, tells when the next send may leave.
 *
 * Slots lie an interval apart and are absolute: a timer that fires late does not move the slots behind it, as long as it is no
 * more than `lateMs` late. So the interval is longer than `perMs / requests` by a hair (0.5 % at most): else the sends of a window
 * that began late would be one too many.
 *
 * A server counts when a request arrives. If one is slow to arrive (the first, for which a connection has to be made), those
 * that follow come closer together than they left, and the server counts one too many. So the slots a window behind it are moved
 * on, by what its answer was late: at most 0.4 % of the window, and once a send was refused all the same, 2 %.
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
  /** How far ahead of the clock the slots may be taken, in ms. */
  readonly toleranceMs: number;
  /** The theoretical arrival time: when everything that has left is paid for, on the clock. */
  #paidAt = Number.NEGATIVE_INFINITY;
  /** Below which it does not come back by a slot that is given back: the burst was spent. */
  #spentTo = Number.NEGATIVE_INFINITY;
  /** What was paid for then without that. */
  #unspentAt = Number.NEGATIVE_INFINITY;
  /** When the last send left. */
  #lastAt = Number.NEGATIVE_INFINITY;
  readonly #perMs: number;
  readonly #arrears = new Arrears();
  #excessShare = MAX_EXCESS_SHARE;
  /** How far the slots were moved on since the beginning, in ms. */
  movedMs = 0;

  constructor({ requests, perMs, burst = 1 }: LimitWindow) {
    this.#perMs = perMs;
    this.lateMs = Math.min(MAX_LATE_MS, perMs * MAX_LATE_SHARE);
    this.intervalMs = (perMs + this.lateMs) / requests;
    this.burst = burst;
    this.toleranceMs = (burst - 1) * this.intervalMs + ROUNDING_MS;
  }

  /** The instant from which the next send may leave. */
  nextAt(): number {
    this.#moveTo(this.#arrears.takeDue(this.#paidAt - this.toleranceMs));
    return this.#paidAt - this.toleranceMs;
  }

  /**
   * Takes a slot for a send that leaves now. `waited`: it would have left when the slot was due, had the timer been on time.
   *
   * @returns when all before it is paid for, for `giveBack`
   */
  take(nowMs: number, weight: number, waited: boolean): number {
    // After a rest there is nothing to make up for.
    if (this.#paidAt < nowMs - this.lateMs) this.#arrears.takeDue(nowMs);
    const from = Math.max(this.#paidAt, waited ? nowMs - this.lateMs : nowMs);
    this.#paidAt = from + weight * this.intervalMs;
    this.#lastAt = nowMs;
    return from;
  }

  /**
   * Gives back the slot of a send that has not left after all. What has been paid for by the time that another left is gone: that
   * one did not have to wait for it.
   */
  giveBack(from: number, weight: number): void {
    const costMs = weight * this.intervalMs;
    const unpaidMs = Math.max(0, from + costMs - Math.max(from, this.#lastAt));
    this.#paidAt = Math.max(this.#paidAt - unpaidMs, Math.min(this.#paidAt, this.#spentTo));
  }

  /** Whether it is as short as a pause, or a rest of which nothing is known. */
  isAsShortAs(pauseMs: number): boolean {
    return this.#perMs <= pauseMs * (1 + ABOUT);
  }

  /** Spends the burst: one send may leave at that instant, the others an interval apart. */
  spend(atMs: number): void {
    // What has been spent already is spent still: of a pause that grows longer the whole is taken back at once.
    if (this.#paidAt > this.#spentTo) this.#unspentAt = this.#paidAt;
    // The slots may have been moved on by more than the pause was prolonged.
    this.#spentTo = Math.max(this.#spentTo, atMs + this.toleranceMs);
    this.#paidAt = Math.max(this.#paidAt, this.#spentTo);
  }

  /** The pause that the burst was spent for is over before its time: it is spent from now. */
  resume(nowMs: number): void {
    if (this.#paidAt > this.#spentTo || this.#spentTo <= nowMs + this.toleranceMs) return;
    this.#paidAt = this.#unspentAt;
    this.#spentTo = Number.NEGATIVE_INFINITY;
    this.spend(nowMs);
  }

  /**
   * A send was answered.
   *
   * @param sentAt when it left, and `movedMs` of then
   * @param excessMs how much longer than others it took
   * @param gainMs how much faster it was than all before it, which so were slower than anybody knew
   */
  answered(sentAt: number, movedMs: number, { excessMs, gainMs }: Delay): void {
    const excess = Math.min(excessMs - this.lateMs, this.#excessShare * this.#perMs, MAX_EXCESS_MS);
    if (excess > 0) this.#arrears.owe(sentAt + this.#perMs, movedMs + excess);
    if (gainMs > 0) this.#moveTo(this.movedMs + Math.min(gainMs, MAX_EXCESS_MS));
  }

  /** A send was refused for its rate. */
  refused(): void {
    this.#excessShare = MAX_EXCESS_SHARE_REFUSED;
  }

  /** Moves the slots on that are due by then, for one who keeps them elsewhere; gives how far they were moved in all, in ms. */
  movedBy(atMs: number): number {
    this.#moveTo(this.#arrears.takeDue(atMs));
    return this.movedMs;
  }

  /** One send may leave an interval after that instant, the others an interval apart. */
  follow(atMs: number): void {
    this.spend(atMs + this.intervalMs);
  }

  /** Whether nothing that left is still to be paid for. */
  isFresh(nowMs: number): boolean {
    return this.#paidAt <= nowMs;
  }

  #moveTo(toMs: number): void {
    const byMs = Math.max(0, toMs - this.movedMs);
    this.movedMs += byMs;
    this.#paidAt += byMs;
    // Else it would look as if somebody had left after the burst was spent, and no probe could end that pause.
    this.#spentTo += byMs;
    this.#unspentAt += byMs;
  }
}
