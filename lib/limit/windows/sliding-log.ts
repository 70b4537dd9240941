import { type Departure, Departures } from './departures.ts';
import { Gcra, type LimitWindow } from './gcra.ts';
import type { Delay } from './latency-spread.ts';

/**
 * One window that holds its requests in whatever shape: all of them at once, and then none until it ends. It remembers when each send left:
 * of 5 a second the sixth leaves a second, and the margin, after the first has left; later by as much as the first may have arrived late.
 *
 * Beside that it is the window of a full burst, which alone would let nearly twice as many leave within one window. That one bounds nothing
 * more as long as no burst was dropped; after a pause it has the sends leave evenly, as it does everywhere.
 */
export class SlidingLog extends Gcra {
  /** The window and its margin, in ms. */
  readonly #spanMs: number;
  #departures = new Departures();
  /** From when it remembers all that counts: it may have gone on from a window that remembered nothing. */
  #wholeAt = Number.NEGATIVE_INFINITY;

  constructor(window: LimitWindow) {
    super(window);
    this.#spanMs = window.perMs + this.lateMs;
  }

  /** What has left is counted still. But a window of another kind has noted none: so it goes on evenly, and has no burst yet. */
  override follow(before: Gcra, nowMs: number, goesOn = false): void {
    super.follow(before, nowMs);
    if (before instanceof SlidingLog) {
      this.#departures = goesOn ? before.#departures.copy() : before.#departures;
      this.#wholeAt = before.#wholeAt;
      return;
    }
    this.#wholeAt = nowMs + this.#spanMs;
    this.dropBurst(Math.max(nowMs, super.nextAt(this.most)));
  }

  /** As if that had been so when they left, too. */
  protected override paidAt(nowMs: number, intervalMs: number): number {
    let remembered = Number.NEGATIVE_INFINITY;
    for (const { at, weight } of this.#departures) remembered = Math.max(remembered, at) + weight * intervalMs;
    return Math.max(super.paidAt(nowMs, intervalMs), remembered);
  }

  protected override owing(before: Gcra, nowMs: number): readonly [number, number] {
    if (!(before instanceof SlidingLog)) return [super.owing(before, nowMs)[0], 0];
    // Of what it remembers it owes nothing besides.
    return [nowMs < before.#wholeAt ? this.#spanMs : 0, 0];
  }

  override nextAt(weight = 1): number {
    return Math.max(super.nextAt(weight), this.#freeAt(weight));
  }

  override earliest(ahead: number): number {
    return Math.max(super.earliest(ahead), this.#freeAt(1) + Math.floor(ahead / this.most) * this.#spanMs);
  }

  override take(nowMs: number, weight: number, waited: boolean): number {
    this.#forget(nowMs);
    this.#departures.add(nowMs, weight);
    return super.take(nowMs, weight, waited);
  }

  override refund(from: number, weight: number, sentAt = from): void {
    super.refund(from, weight, sentAt);
    this.#departures.charge(sentAt, -weight);
  }

  override settle(from: number, weight: number, cost: number, sentAt = from): void {
    super.settle(from, weight, cost, sentAt);
    // What it cost less has been refunded.
    this.#departures.charge(sentAt, Math.max(0, Math.min(cost, this.most) - weight));
  }

  override answered(sentAt: number, shiftMs: number, delay: Delay): void {
    super.answered(sentAt, shiftMs, delay);
    // Those before it took so much longer than it seemed.
    if (delay.gainMs > 0) for (const departure of this.#departures) departure.excessMs += delay.gainMs;
    const departure = this.#departures.of(sentAt);
    if (departure !== undefined) departure.excessMs = Math.max(departure.excessMs, delay.excessMs);
  }

  override isFresh(nowMs: number): boolean {
    this.#forget(nowMs);
    return this.#departures.weight <= 0 && super.isFresh(nowMs);
  }

  /** From when there is room for so much. */
  #freeAt(weight: number): number {
    let missing = this.#departures.weight + weight - this.most;
    let at = Number.NEGATIVE_INFINITY;
    if (missing <= 0) return at;
    for (const departure of this.#departures) {
      at = Math.max(at, this.#endOf(departure));
      missing -= departure.weight;
      if (missing <= 0) break;
    }
    return at;
  }

  /** When it is counted no more. */
  #endOf({ at, excessMs }: Departure): number {
    return at + this.shiftFor(excessMs) + this.#spanMs;
  }

  #forget(nowMs: number): void {
    this.#departures.forget((departure) => this.#endOf(departure) <= nowMs);
  }
}
