import { LONGEST_MS } from './bounds.ts';
import type { Climb } from './climb.ts';

/** The shortest difference between two stretches that is worth dividing by, in ms. */
const GAP_MS = 300;
const SECOND_MS = 1_000;
/** So much later than it was sent may one arrive, and another sooner, in ms. */
const JITTER_MS = 50;
/** A stretch that lasts so many windows shows their mean; a shorter one may have had a part of one more. */
const LONG = 3;
/** So many times what another stretch admitted shows the same window: in the first climb it may have touched two, later not. */
const SAME = { first: 2, careful: 1.1 };
/**
 * A server that refuses more stretches in a row than this before they are long does not count by a window: a bucket of 50 a second and a burst of
 * 80 looks like 80 in a second at first.
 */
const MOST_SHORT = 4;

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
 * stretch more than twice as long admitted hardly more, it is a window. Its quota is what a short stretch admitted, its length that of
 * the stretch and the pause in whole seconds, since that is how a server names its end: 600 in 2 s, refused for 10.4 s, are 600 in 12 s. Who
 * takes more than that time for no more than that quota shows that the window is longer.
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
  /** What that admits, in requests; Infinity while it is not known. */
  windowCount = Infinity;
  /** How many stretches in a row were too short for such a window. */
  short = 0;
  /** Nothing was sent right before it, so that the server's burst or window was untouched. */
  isFromRest = true;
  /** The shortest of those before. */
  shortest: Measured | undefined;

  /** Counts anew from that instant; so many have been admitted since. */
  begin(at: number, admitted = 0): void {
    this.startedAt = at;
    this.admitted = admitted;
    this.isFromRest = true;
  }

  /** The quota has grown while sending. */
  grown(at: number): void {
    this.begin(at);
    this.isFromRest = false;
    this.windowCount = Infinity;
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
    const times = climb.isCareful ? SAME.careful : SAME.first;
    if (isLonger && isSameCount(stretch, shortest, times)) this.#findWindow(shortest);
    if (this.windowMs > 0) this.#learnWindow(stretch, climb.isCareful);
    const measured = this.#measure(stretch, pausedMs, climb);
    const isShortest = !shortest || sendingMs <= shortest.sendingMs || stretch.admitted <= shortest.admitted;
    if (isShortest && this.isFromRest) this.shortest = stretch;
    climb.refused(measured, isLonger || this.windowMs > 0, this.hitRate, sendingMs, pausedMs);
  }

  #findWindow({ admitted, wholeMs }: Measured): void {
    this.windowMs = Math.max(this.windowMs, wholeSeconds(wholeMs));
    this.windowCount = Math.min(this.windowCount, admitted);
  }

  /** @param isJudged it says something against the window that it was short: the first climb is so steep that it always is. */
  #learnWindow({ admitted, sendingMs }: Measured, isJudged: boolean): void {
    const known = this.windowMs;
    if (admitted <= this.windowCount && this.windowCount < Infinity && sendingMs > known + JITTER_MS) {
      this.windowMs = wholeSeconds(sendingMs + SECOND_MS);
    }
    const isLong = sendingMs >= LONG * this.windowMs;
    if (isLong) this.windowCount = (admitted / sendingMs) * this.windowMs;
    else if (this.isFromRest) this.windowCount = Math.min(this.windowCount, admitted);
    this.short = isLong || !isJudged || this.windowMs > known ? 0 : this.short + 1;
    if (this.short > MOST_SHORT) {
      this.windowMs = this.short = 0;
      this.windowCount = Infinity;
    }
  }

  #measure({ admitted, sendingMs, wholeMs }: Measured, pausedMs: number, climb: Climb): number {
    if (this.windowMs > 0) {
      this.burst = 1;
      return Math.min(admitted / Math.max(sendingMs, this.windowMs), this.windowCount / this.windowMs);
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

/** Hardly more in a far longer time: the server counts by a window, not by a bucket. */
function isSameCount(stretch: Measured, shorter: Measured, times: number): boolean {
  return (
    stretch.sendingMs > 2 * shorter.sendingMs && stretch.admitted > 20 && stretch.admitted <= times * shorter.admitted
  );
}

/** Whole seconds that have passed, one at least, in ms. */
function wholeSeconds(ms: number): number {
  return Math.max(1, Math.floor(ms / SECOND_MS)) * SECOND_MS;
}
