/** Counts anew in every window. Windows follow the process' clock, so a client starts somewhere within one. */
export class FixedWindow {
  #quota;
  #window = -1;
  #taken = 0;

  constructor(quota) {
    this.#quota = quota;
  }

  /** 0 where the request is admitted, else the ms until the next window. */
  take(now) {
    const { remaining, resetMs } = this.standing(now);
    if (remaining < 1) return resetMs;
    this.#taken += 1;
    return 0;
  }

  standing(now) {
    const { requests, perMs } = this.#quota;
    const window = Math.floor(now / perMs);
    if (window !== this.#window) {
      this.#window = window;
      this.#taken = 0;
    }
    return { remaining: Math.max(0, Math.floor(requests - this.#taken)), resetMs: (window + 1) * perMs - now };
  }

  /** What has been taken stays taken until the window of the new length ends. */
  change(quota, now) {
    this.#quota = quota;
    this.#window = Math.floor(now / quota.perMs);
  }
}
