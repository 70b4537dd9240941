/**
 * What nginx does for `limit_req zone=… burst=… nodelay`: the arithmetic of ngx_http_limit_req_module.c, in whole ms and
 * thousandths of a request. A request that is refused leaves no trace.
 */
export class LeakyBucket {
  #quota;
  /** In thousandths of a request; `undefined` until the first one, which always passes. */
  #excess;
  #at;

  constructor(quota) {
    this.#quota = quota;
  }

  /** 0 where the request is admitted, else the ms until one is, if nobody else comes. */
  take(now) {
    const at = Math.floor(now);
    const excess = this.#excess === undefined ? 0 : Math.max(0, this.#leaked(at) + 1_000);
    const over = excess - this.#quota.burst * 1_000;
    if (over > 0) return over / this.#thousandthsPerMs();
    this.#excess = excess;
    this.#at = at;
    return 0;
  }

  standing(now) {
    const excess = this.#excess === undefined ? -1_000 : this.#leaked(Math.floor(now));
    const room = this.#quota.burst * 1_000 - excess;
    const resetMs = Math.max(0, 1_000 - room) / this.#thousandthsPerMs();
    return { remaining: Math.max(0, Math.floor(room / 1_000)), resetMs };
  }

  change(quota, now) {
    if (this.#excess !== undefined) {
      this.#excess = Math.max(0, this.#leaked(Math.floor(now)));
      this.#at = Math.floor(now);
    }
    this.#quota = quota;
  }

  #leaked(at) {
    return this.#excess - Math.trunc(this.#thousandthsPerMs() * (at - this.#at));
  }

  #thousandthsPerMs() {
    return (this.#quota.requests * 1_000) / this.#quota.perMs;
  }
}
