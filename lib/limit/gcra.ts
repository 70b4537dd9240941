/** How late a send may leave and still have its slot count from when it was due, in ms: a timer of Node is some ms late. */
const MAX_LATE_MS = 10;
/** And as a share of the window, since it is paid for with as much of the quota. */
const MAX_LATE_SHARE = 0.005;

/** So many requests in so long. */
export interface LimitWindow {
  /** Requests. Above 0. */
  readonly requests: number;
  /** The time for them, in ms. Above 0. */
  readonly perMs: number;
  /**
   * How many may leave at once after a rest. An integer from 1; default 1: evenly spaced. Any sliding `perMs` holds at most
   * `requests + burst − 1`.
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
 */
export class Gcra {
  /** Between two slots, in ms. */
  readonly intervalMs: number;
  readonly lateMs: number;
  readonly burst: number;
  /** How far ahead of the clock the slots may be taken, in ms. */
  readonly toleranceMs: number;
  /** The theoretical arrival time: when everything that has left is paid for, ms since the epoch. */
  #paidAt = Number.NEGATIVE_INFINITY;

  constructor({ requests, perMs, burst = 1 }: LimitWindow) {
    this.lateMs = lateMsOf(perMs);
    this.intervalMs = (perMs + this.lateMs) / requests;
    this.burst = burst;
    this.toleranceMs = (burst - 1) * this.intervalMs;
  }

  /** The instant from which the next send may leave. */
  nextAt(): number {
    return this.#paidAt - this.toleranceMs;
  }

  /** Takes a slot for a send that leaves now. `waited`: it would have left when the slot was due, had the timer been on time. */
  take(nowMs: number, weight: number, waited: boolean): void {
    this.#paidAt = Math.max(this.#paidAt, waited ? nowMs - this.lateMs : nowMs) + weight * this.intervalMs;
  }

  /** Spends the burst: one send may leave at that instant, the others an interval apart. */
  spend(atMs: number): void {
    this.#paidAt = Math.max(this.#paidAt, atMs + this.toleranceMs);
  }

  /** Whether nothing that left is still to be paid for. */
  isFresh(nowMs: number): boolean {
    return this.#paidAt <= nowMs;
  }

  /** The clock was set: every instant moves along. */
  shift(byMs: number): void {
    this.#paidAt += byMs;
  }
}

export const lateMsOf = (perMs: number): number => Math.min(MAX_LATE_MS, perMs * MAX_LATE_SHARE);
