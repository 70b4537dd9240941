/** A log of admissions: at most so many in any stretch of `perMs`. */
export class SlidingWindow {
  #quota;
  /** Times of admissions; those before `#oldest` have left the window. Cut now and then, so that a request costs O(1) on average. */
  #log = [];
  #oldest = 0;

  constructor(quota) {
    this.#quota = quota;
  }

  /** 0 where the request is admitted, else the ms until one is, if nobody else comes. */
  take(now) {
    if (this.#room(now) < 1) return this.#msUntilOne(now);
    this.#log.push(now);
    return 0;
  }

  standing(now) {
    const remaining = Math.max(0, Math.floor(this.#room(now)));
    return { remaining, resetMs: remaining > 0 ? 0 : this.#msUntilOne(now) };
  }

  change(quota) {
    this.#quota = quota;
  }

  #room(now) {
    while (this.#oldest < this.#log.length && this.#log[this.#oldest] + this.#quota.perMs <= now) this.#oldest += 1;
    if (this.#oldest > 1_000 && this.#oldest > this.#log.length / 2) {
      this.#log = this.#log.slice(this.#oldest);
      this.#oldest = 0;
    }
    return this.#quota.requests - (this.#log.length - this.#oldest);
  }

  /** After a cut of the quota, more than one has to leave the window before the next may come. */
  #msUntilOne(now) {
    return this.#log[this.#log.length - Math.floor(this.#quota.requests)] + this.#quota.perMs - now;
  }
}
