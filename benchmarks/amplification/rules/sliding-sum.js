/** The sum of what was added in the last so many ms. */
export class SlidingSum {
  #windowMs;
  #entries = [];
  #gone = 0;
  #sum = 0;

  constructor(windowMs) {
    this.#windowMs = windowMs;
  }

  add(now, amount) {
    this.#entries.push({ now, amount });
    this.#sum += amount;
  }

  at(now) {
    while (this.#gone < this.#entries.length && this.#entries[this.#gone].now <= now - this.#windowMs) {
      this.#sum -= this.#entries[this.#gone].amount;
      this.#gone += 1;
    }
    if (this.#gone > 1_000) {
      this.#entries = this.#entries.slice(this.#gone);
      this.#gone = 0;
    }
    return this.#sum;
  }
}
