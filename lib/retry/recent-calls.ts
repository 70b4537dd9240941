/** By how many calls the health of a server is judged. */
const RECENT = 20;

/** Whether most of the last 20 calls failed, and since when. What is older than the window is forgotten. */
export class RecentCalls {
  readonly #windowMs: number;
  /** A ring: when each ended, whether it failed, and when it met its first failure; on the clock. */
  readonly #endedAt = new Array<number>(RECENT).fill(0);
  readonly #failed = new Array<boolean>(RECENT).fill(false);
  readonly #failingFrom = new Array<number>(RECENT).fill(0);
  #oldest = 0;
  #known = 0;
  #failures = 0;
  #failingSince: number | undefined;

  /** @param windowMs from when on a call is forgotten */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** @param failingFrom when a call that failed met its first failure: its retries may have taken a while */
  add(failed: boolean, nowMs: number, failingFrom: number): void {
    this.#forgetOld(nowMs);
    if (this.#known === RECENT) this.#drop();
    const place = (this.#oldest + this.#known) % RECENT;
    this.#endedAt[place] = nowMs;
    this.#failed[place] = failed;
    this.#failingFrom[place] = failingFrom;
    this.#known += 1;
    if (failed) this.#failures += 1;
    this.#look(nowMs);
  }

  /**
   * Since when the server has failed, where more than half of them have been failures without a break; `undefined` where they are
   * not.
   */
  failingSince(nowMs: number): number | undefined {
    this.#forgetOld(nowMs);
    return this.#failingSince;
  }

  /** One by one, since the few that are left may say something else than those that follow: that is a break. */
  #forgetOld(nowMs: number): void {
    while (this.#known > 0) {
      const endedAt = Number(this.#endedAt[this.#oldest]);
      if (nowMs - endedAt < this.#windowMs) return;
      this.#drop();
      this.#look(endedAt + this.#windowMs);
    }
  }

  #drop(): void {
    if (this.#failed[this.#oldest]) this.#failures -= 1;
    this.#oldest = (this.#oldest + 1) % RECENT;
    this.#known -= 1;
  }

  #look(nowMs: number): void {
    if (this.#failures * 2 > this.#known) this.#failingSince ??= this.#failingInARowFrom(nowMs);
    else this.#failingSince = undefined;
  }

  /**
   * When the failures in a row began that the last calls ended with. That they are the most is seen late: a client of one call
   * a second that was well sees it after eleven of them, and each has been retried for seconds by then.
   */
  #failingInARowFrom(nowMs: number): number {
    let from = nowMs;
    for (let n = this.#known - 1; n >= 0; n--) {
      const place = (this.#oldest + n) % RECENT;
      if (!this.#failed[place]) break;
      from = Math.min(from, Number(this.#failingFrom[place]));
    }
    return from;
  }
}
