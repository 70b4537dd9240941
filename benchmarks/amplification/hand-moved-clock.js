/** A clock that jumps to the next timer as soon as everything has been done that can be done without time passing. */
export class HandMovedClock {
  #now = Date.UTC(2026, 0, 1);
  #timers = new Set();

  now() {
    return this.#now;
  }

  wall() {
    return this.#now;
  }

  /** As the library's clock: gives the function that takes the timer back. */
  after(ms, fire) {
    const timer = { at: this.#now + Math.max(0, ms), fire };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves on until the promise has settled; gives what it settled to. */
  async runUntil(promise) {
    let settled = false;
    const done = () => {
      settled = true;
    };
    promise.then(done, done);
    for (;;) {
      await promisesSettled();
      if (settled) return promise;
      const next = this.#next();
      if (next === undefined) throw new Error('nothing is under way, and the end has not come');
      this.#timers.delete(next);
      this.#now = next.at;
      next.fire();
    }
  }

  /**
   * Puts itself, and a source of randomness, in the place of the process's own: packages know no other. Gives the
   * function that undoes it.
   */
  install(random) {
    const { setTimeout, clearTimeout } = globalThis;
    const { now } = Date;
    const { random: ownRandom } = Math;
    globalThis.setTimeout = (fire, ms = 0, ...values) => this.after(ms, () => fire(...values));
    globalThis.clearTimeout = (takeBack) => takeBack?.();
    Date.now = () => Math.floor(this.#now);
    Math.random = random;
    return () => {
      Object.assign(globalThis, { setTimeout, clearTimeout });
      Date.now = now;
      Math.random = ownRandom;
    };
  }

  /** Of two at the same time, the one that was set first. There are never more than a few hundred. */
  #next() {
    let next;
    for (const timer of this.#timers) if (next === undefined || timer.at < next.at) next = timer;
    return next;
  }
}

/** Immediates come after all promises that can settle. */
const promisesSettled = () => new Promise((resolve) => setImmediate(resolve));
