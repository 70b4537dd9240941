/** Fills evenly, up to `burst`; each request takes one token. */
export class TokenBucket {
  #quota;
  #tokens;
  #filledAt;

  constructor(quota, now) {
    this.#quota = quota;
    this.#tokens = quota.burst;
    this.#filledAt = now;
  }

  /** 0 where the request is admitted, else the ms until there is a token, if nobody else takes it. */
  take(now) {
    this.#fill(now);
    if (this.#tokens < 1) return this.#msUntilOne();
    this.#tokens -= 1;
    return 0;
  }

  standing(now) {
    this.#fill(now);
    return { remaining: Math.floor(this.#tokens), resetMs: this.#msUntilOne() };
  }

  change(quota, now) {
    this.#fill(now);
    this.#quota = quota;
    this.#tokens = Math.min(this.#tokens, quota.burst);
  }

  #fill(now) {
    const { requests, perMs, burst } = this.#quota;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) * requests) / perMs);
    this.#filledAt = now;
  }

  #msUntilOne() {
    return (Math.max(0, 1 - this.#tokens) * this.#quota.perMs) / this.#quota.requests;
  }
}
