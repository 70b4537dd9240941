/** Who comes before the time that a 429 named. */
export class NamedPauses {
  #inFlightMs;
  /** The latest time that can have been known to whoever arrives now. */
  #until = Number.NEGATIVE_INFINITY;
  /** Named so recently that a request may have been on its way already: [namedAt, until], the oldest first. */
  #recent = [];

  /** Clients measure from when they got the answer, which is later; but their timers may fire a trifle early. */
  static earlyMs = 2;

  constructor(inFlightMs) {
    this.#inFlightMs = inFlightMs;
  }

  name(now, until) {
    this.#recent.push([now, until]);
  }

  isBrokenBy(now) {
    while (this.#recent.length > 0 && this.#recent[0][0] + this.#inFlightMs < now) {
      this.#until = Math.max(this.#until, this.#recent.shift()[1]);
    }
    return now < this.#until - NamedPauses.earlyMs;
  }
}
