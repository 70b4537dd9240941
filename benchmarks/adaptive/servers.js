/**
 * The servers. Each has
 *
 *   ask(now)      0 if it admits a request, else the Retry-After, in whole seconds from 1
 *   quota?(now)   what its RateLimit headers say, in the form of lib/limit/quota/headers.ts
 *   perMs         the quota, requests per ms; may be changed
 */

const retryAfter = (ms) => Math.max(1, Math.ceil(ms / 1_000));

/** A bucket of so many tokens. */
class Bucket {
  #tokens;
  #at = 0;

  constructor({ perMs, burst }) {
    this.perMs = perMs;
    this.burst = burst;
    this.#tokens = burst;
  }

  ask(now) {
    this.#tokens = Math.min(this.burst, this.#tokens + (now - this.#at) * this.perMs);
    this.#at = now;
    if (this.#tokens < 1) return retryAfter((1 - this.#tokens) / this.perMs);
    this.#tokens -= 1;
    return 0;
  }
}

/** The leaky bucket of nginx with `nodelay`: whole milliseconds, thousandths of a request, one request beyond the burst. */
class Nginx {
  #excess = 0;
  #at = 0;

  constructor({ perMs, burst }) {
    this.perMs = perMs;
    this.burst = burst;
  }

  ask(now) {
    const at = Math.floor(now);
    const excess = Math.max(0, this.#excess - Math.floor(1_000 * this.perMs * (at - this.#at)) + 1_000);
    const allowed = 1_000 * this.burst;
    if (excess > allowed) return retryAfter((excess - allowed) / (1_000 * this.perMs));
    this.#excess = excess;
    this.#at = at;
    return 0;
  }
}

/** So many in any window: the instants of all that were admitted are kept. */
class SlidingWindow {
  #admitted = [];
  #oldest = 0;

  constructor({ perMs, windowMs }) {
    this.perMs = perMs;
    this.windowMs = windowMs;
  }

  ask(now) {
    const log = this.#admitted;
    while (log[this.#oldest] <= now - this.windowMs) this.#oldest += 1;
    const excess = log.length - this.#oldest - Math.round(this.perMs * this.windowMs);
    if (excess >= 0) return retryAfter(log[this.#oldest + excess] + this.windowMs - now);
    log.push(now);
    return 0;
  }
}

/** So many from one full window to the next, which begins anywhere. */
class FixedWindow {
  #window = -1;
  #admitted = 0;

  constructor({ perMs, windowMs, phase }) {
    this.perMs = perMs;
    this.windowMs = windowMs;
    this.phaseMs = phase * windowMs;
  }

  ask(now) {
    if (this.remaining(now) === 0) return retryAfter(this.endsInMs(now));
    this.#admitted += 1;
    return 0;
  }

  get limit() {
    return Math.round(this.perMs * this.windowMs);
  }

  remaining(now) {
    const window = Math.floor((now + this.phaseMs) / this.windowMs);
    if (window !== this.#window) [this.#window, this.#admitted] = [window, 0];
    return Math.max(0, this.limit - this.#admitted);
  }

  endsInMs(now) {
    return this.windowMs - ((now + this.phaseMs) % this.windowMs);
  }
}

/** A fixed window that tells what is left of it, and until when in whole seconds. */
class Telling extends FixedWindow {
  quota(now) {
    const remaining = this.remaining(now);
    return { policies: [], limit: this.limit, remaining, resetMs: 1_000 * Math.ceil(this.endsInMs(now) / 1_000) };
  }
}

/** A bucket that states its quota, as so many in a minute. */
class Stating extends Bucket {
  quota() {
    return { policies: [{ quota: 60_000 * this.perMs, windowMs: 60_000 }] };
  }
}

export const servers = {
  bucket: Bucket,
  nginx: Nginx,
  sliding: SlidingWindow,
  fixed: FixedWindow,
  telling: Telling,
  stating: Stating,
};
