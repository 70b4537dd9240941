/** How long the fastest of late is remembered, in ms, and as long again. */
const EPOCH_MS = 60_000;

/** How slow a request was to be answered, in ms. */
export interface Delay {
  /** How much longer than the fastest it took. */
  readonly excessMs: number;
  /** How much faster it was than all before it. */
  readonly gainMs: number;
}

/**
 * How much longer than others an answer took: so much later than others its request may have arrived, by a connection that had
 * to be made first for example.
 */
export class Travel {
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
