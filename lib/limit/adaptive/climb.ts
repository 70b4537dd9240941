import { MARGIN } from './bounds.ts';

const SECOND_MS = 1_000;

/** The first climb doubles the rate in this part of a pause: a faster one overshoots more, a slower one wastes the time. */
const DOUBLING = 0.35;
/** No refusal leaves less than this part of the rate: an unlucky one must not destroy what was learnt. */
const KEEP = 0.7;
/** A climb from estimate to ceiling takes at most so many pauses, so that learning costs about 2 % of the time. */
const PAUSES_PER_CLIMB = 50;
/** How often a calm stretch may be as long as the one before, and under-use as costly as the pause that it avoids. */
const PATIENCE = 2;
/** The part of the gap between the estimate and the refused rate that is tried again: the estimate may be low. */
const REACH = 0.25;
/** So many times faster is the climb above the ceiling, and again with each proof that the ceiling is gone. */
const PUSH = 4;
/** How many requests above the ceiling two bursts leave unexplained, by the jitter of the way alone. */
const JITTER = 3;

/**
 * The rate that was learnt, and how it grows until the next refusal.
 *
 * The first climb is fast: the rate doubles in a third of a pause, so that the second refusal comes soon. After that it climbs slowly from a
 * hundredth below the estimate to the ceiling, a quarter of the way back to the rate that was refused: so slowly that under-use costs
 * about one pause, and each calm stretch may last twice the last. Estimated at 49 a second and refused at 53, it climbs from 48.5 to 50.
 *
 * What is admitted above the ceiling is counted. When it is more than two bursts explain, the quota has grown: the ceiling goes, and the climb
 * quickens.
 *
 * What is known stands in public fields, here and in the other parts of the rate: a fleet shares it as text.
 */
export class Climb {
  /** What was learnt, requests per ms; Infinity until the first refusal. */
  ratePerMs = Infinity;
  /** The rate above which a refusal is expected. */
  ceiling = Infinity;
  /** The relative growth of the rate per ms, while the limiter sets the pace. */
  slope = 0;
  /** The most that it may be: each refusal says so anew. */
  steepest = 0;
  /** Enough is known to be careful: the first climb is over. */
  isCareful = false;
  /** The rate at which it began. */
  startRate = 0;
  /** Whether sends above the ceiling were admitted, since when, and how many more than it allows. */
  isAbove = false;
  passedAt = 0;
  excess = 0;
  /** A ceiling that was proven to be gone. */
  proven = 0;

  /**
   * A send was admitted that the limiter had held back: dr/dt = slope · r.
   *
   * @param capPerMs no further
   * @returns whether that proves that the quota has grown
   */
  grow(now: number, sentPerMs: number, capPerMs: number, burst: number, windowMs: number): boolean {
    const rate = this.ratePerMs;
    if (rate < capPerMs) this.ratePerMs = Math.min(rate * (1 + Math.min(1, this.slope / rate)), capPerMs);
    if (sentPerMs <= this.ceiling) return false;

    if (!this.isAbove) {
      this.isAbove = true;
      this.passedAt = now;
      this.#quicken();
    }
    this.excess += 1 - this.ceiling / sentPerMs;
    const isExplained = this.excess <= 2 * burst + JITTER || now - this.passedAt < windowMs;
    if (!isExplained) this.#dropCeiling();
    return !isExplained;
  }

  /** After a pause that was no refusal the server's burst has filled again, so that what was counted explains nothing. */
  rested(now: number): void {
    this.startRate = this.ratePerMs;
    this.excess = 0;
    this.passedAt = now;
  }

  /**
   * A refusal has come at that rate, and the sends until then show a quota.
   *
   * @param isSure two stretches of different length have shown it
   */
  refused(measured: number, isSure: boolean, hitRate: number, sendingMs: number, pausedMs: number): void {
    const floor = Math.max(this.proven, this.isCareful ? KEEP * this.startRate : 0);
    this.proven = this.excess = 0;
    this.isAbove = false;
    this.isCareful ||= isSure;
    this.#from(Math.min(hitRate, Math.max(measured, floor)), hitRate, sendingMs, pausedMs);
  }

  /** The headers that stated that rate have vanished: it was good until now, and is where the climb begins. */
  fromStated(ratePerMs: number, sendingMs: number): void {
    this.isCareful = true;
    this.#from(ratePerMs, ratePerMs, sendingMs, SECOND_MS);
  }

  /** The quota through which the climb must have passed to fill that burst just where the refusal came, at `hitRate`. By bisection. */
  passedThrough(hitRate: number, burst: number): number {
    // What fills a burst is the climb from the quota on, less what the quota drains.
    const filled = (quota: number) => (hitRate - quota - quota * Math.log(hitRate / quota)) / this.slope;
    let low = hitRate / 10;
    let high = hitRate;
    for (let i = 0; i < 40; i++) {
      const middle = (low + high) / 2;
      if (filled(middle) > burst) low = middle;
      else high = middle;
    }
    return low;
  }

  #quicken(): void {
    this.slope = Math.min(PUSH * this.slope, this.steepest);
  }

  #dropCeiling(): void {
    this.proven = this.ceiling;
    this.#quicken();
    this.ceiling = this.slope < this.steepest ? this.ratePerMs : Infinity;
    this.excess = 0;
    this.isAbove = false;
    this.startRate = this.ratePerMs;
  }

  #from(estimate: number, hitRate: number, sendingMs: number, pausedMs: number): void {
    const rate = (1 - MARGIN) * estimate;
    this.ratePerMs = this.startRate = rate;
    // Scaled by the pause, since that is what a climb that fails costs.
    this.steepest = Math.LN2 / (DOUBLING * Math.max(SECOND_MS, pausedMs));
    if (!this.isCareful) {
      this.ceiling = Infinity;
      this.slope = this.steepest;
      return;
    }
    // A hundredth at least, by the margin. A least climb in requests, a tenth of one in each pause, was tried: eight processes that share nothing share
    // a little more evenly (0.35 instead of 0.27), but a bucket of one in two seconds is refused 6.3 % instead of 2.4 %, and those eight 0.92 %
    // instead of 0.83 %.
    const climb = (estimate + REACH * (hitRate - estimate)) / rate - 1;
    const climbMs = Math.min(
      Math.max((PATIENCE * pausedMs) / climb, PATIENCE * sendingMs),
      PAUSES_PER_CLIMB * pausedMs,
    );
    this.ceiling = rate * (1 + climb);
    this.slope = Math.min(this.steepest, climb / climbMs);
  }
}
