import { LONGEST_MS } from './bounds.ts';
import type { Climb } from './climb.ts';

/** The shortest difference between two stretches that is worth dividing by, in ms. */
const GAP_MS = 300;

/** What was admitted while sending, and until the pause after it had ended. */
interface Measured {
  readonly admitted: number;
  readonly sendingMs: number;
  readonly wholeMs: number;
}

/**
 * The stretch, which is what is sent from the end of a pause to the next refusal, and what it shows of the quota.
 *
 * What was admitted says more than the rate that was being sent. A bucket admits its burst and quota · time: 65 in 1 s and 115 in 2 s are a
 * quota of 50 a second and a burst of 15, by the difference of two stretches. A window admits its quota however long the stretch is: where a
 * stretch more than three times as long admitted about the same, it is a window, and the shorter of the two is as long as that.
 *
 * A slow climb through the quota fills the burst before the refusal comes: so the quota is also what the climb must have passed through
 * (`Climb.passedThrough`), where that is more.
 */
export class Stretch {
  startedAt = -Infinity;
  lastSentAt = -Infinity;
  admitted = 0;
  /** It ended with a refusal, at that rate, requests per ms. */
  isHit = false;
  hitRate = Infinity;
  /** All its refusals said that nothing was left. */
  isUsedUp = true;
  /** The server's burst, in requests. */
  burst = 1;
  /** The server's window in ms, if that is what it counts by. */
  windowMs = 0;
  /** The shortest of those before. */
  shortest: Measured | undefined;

  /** Counts anew from that instant; so many have been admitted since. */
  begin(at: number, admitted = 0): void {
    this.startedAt = at;
    this.admitted = admitted;
  }

  /** A probe was admitted, which begins the next stretch. */
  release(probeAt: number): void {
    this.begin(probeAt, 1);
    this.lastSentAt = probeAt;
    this.isHit = false;
    this.isUsedUp = true;
  }

  sent(now: number): void {
    this.lastSentAt = now;
    this.admitted += 1;
  }

  /** A send of it was not admitted, or has not left after all. */
  uncount(sentAt: number): void {
    if (sentAt >= this.startedAt) this.admitted -= 1;
  }

  hit(ratePerMs: number, isUsedUp: boolean): void {
    if (!this.isHit) this.hitRate = ratePerMs;
    this.isHit = true;
    this.isUsedUp &&= isUsedUp;
  }

  /** For how long it has lasted, in ms. */
  get sendingMs(): number {
    return Math.max(0, this.lastSentAt - this.startedAt);
  }

  /** The pause after it has ended with a probe that was admitted: the next climb begins from what it shows. */
  conclude(probeAt: number, climb: Climb): void {
    const { sendingMs, shortest } = this;
    const pausedMs = Math.min(Math.max(1, probeAt - this.startedAt - sendingMs), LONGEST_MS);
    const stretch = { admitted: Math.max(1, this.admitted), sendingMs, wholeMs: sendingMs + pausedMs };
    const isLonger = shortest !== undefined && sendingMs - shortest.sendingMs >= GAP_MS;
    if (isLonger && isSameCount(stretch, shortest)) this.windowMs = Math.min(stretch.wholeMs, shortest.wholeMs);
    const measured = this.#measure(stretch, pausedMs, climb);
    if (!shortest || sendingMs <= shortest.sendingMs || stretch.admitted <= shortest.admitted) this.shortest = stretch;
    climb.refused(measured, isLonger || this.windowMs > 0, this.hitRate, sendingMs, pausedMs);
  }

  #measure({ admitted, sendingMs, wholeMs }: Measured, pausedMs: number, climb: Climb): number {
    if (this.windowMs > 0) {
      this.burst = 1;
      return admitted / Math.max(sendingMs, this.windowMs);
    }
    const { shortest } = this;
    if (shortest === undefined) return admitted / wholeMs;
    // Two points of the line burst + quota · time: their difference is free of the burst.
    const more = sendingMs - shortest.sendingMs;
    const slope = more >= GAP_MS ? (admitted - shortest.admitted) / more : 0;
    const atLeast = Math.max(admitted / wholeMs, slope);
    this.burst = Math.max(1, Math.min(shortest.admitted - atLeast * shortest.sendingMs, atLeast * pausedMs));
    const passedThrough = this.hitRate < Infinity ? climb.passedThrough(this.hitRate, this.burst) : 0;
    return passedThrough >= climb.startRate ? Math.max(atLeast, passedThrough) : atLeast;
  }
}

/** The same count in a far longer time: the server counts by a window, not by a bucket. */
function isSameCount(stretch: Measured, shorter: Measured): boolean {
  return (
    stretch.sendingMs > 3 * shorter.sendingMs &&
    stretch.admitted > 20 &&
    Math.abs(stretch.admitted - shorter.admitted) <= 0.1 * shorter.admitted
  );
}
