/** How long the fastest answer is remembered, in ms, and as long again. */
const EPOCH_MS = 60_000;

/** How slow a request was to be answered, in ms. */
export interface Delay {
  /** How much longer than the fastest it took. */
  readonly excessMs: number;
  /** How much faster it was than all before it. */
  readonly gainMs: number;
}

/**
 * How much longer than the fastest an answer took: so much later its request may have arrived, for a connection that had to be made first
 * for example. The fastest is that of the last one to two minutes, since the way to a server may become longer.
 */
export class LatencySpread {
  #fastestMs = Number.POSITIVE_INFINITY;
  #fastestBeforeMs = Number.POSITIVE_INFINITY;
  #epochAt = Number.NEGATIVE_INFINITY;

  /** Notes how long an answer took, in ms. */
  note(nowMs: number, tookMs: number): Delay {
    if (nowMs - this.#epochAt > EPOCH_MS) {
      this.#epochAt = nowMs;
      this.#fastestBeforeMs = this.#fastestMs;
      this.#fastestMs = Number.POSITIVE_INFINITY;
    }
    const known = Math.min(this.#fastestMs, this.#fastestBeforeMs);
    this.#fastestMs = Math.min(this.#fastestMs, tookMs);
    if (known === Number.POSITIVE_INFINITY) return { excessMs: 0, gainMs: 0 };
    return { excessMs: Math.max(0, tookMs - known), gainMs: Math.max(0, known - tookMs) };
  }
}
