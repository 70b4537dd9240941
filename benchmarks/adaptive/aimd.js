/**
 * Additive increase, multiplicative decrease: after a refusal it pauses as long as it is told and goes on at 0.7 of the
 * rate, paced; while it is not refused the rate grows by one request a second every second. Until the first refusal it
 * sends all it has, and the rate is what left in the last second, or since the start if that is nearer.
 */
const DECREASE = 0.7;
/** Requests per ms, each ms. */
const INCREASE = 1e-6;
const SLOWEST = 0.0005;
const SECOND = 1_000;
/** No rate is measured over less, in ms. */
const SHORTEST = 100;

export class Aimd {
  #rate = Infinity;
  #grownAt = 0;
  #dueAt = 0;
  #pausedUntil = 0;
  #cutAt = -Infinity;
  /** Instants of the last second, until the first refusal. */
  #recent = [];

  nextAt() {
    return Math.max(this.#pausedUntil, this.#dueAt);
  }

  sent(now) {
    if (this.#rate === Infinity) {
      this.#recent = this.#recent.filter((at) => at > now - SECOND);
      this.#recent.push(now);
    } else {
      this.#rate += INCREASE * Math.max(0, now - Math.max(this.#grownAt, this.#pausedUntil));
      this.#grownAt = now;
      this.#dueAt = Math.max(this.#dueAt, now - 10) + 1 / this.#rate;
    }
    return now;
  }

  answered(now, sentAt, { throttled, untilAt }) {
    if (!throttled) return;
    this.#pausedUntil = Math.max(this.#pausedUntil, untilAt);
    this.#dueAt = Math.max(this.#dueAt, this.#pausedUntil);
    // What left before the last cut is no reason for another one.
    if (sentAt < this.#cutAt) return;
    const rate = this.#rate === Infinity ? this.#recent.length / this.#recentMs(now) : this.#rate;
    this.#rate = Math.max(SLOWEST, DECREASE * rate);
    this.#cutAt = this.#pausedUntil;
    this.#grownAt = this.#pausedUntil;
  }

  #recentMs(now) {
    return Math.min(SECOND, Math.max(SHORTEST, now - this.#recent[0]));
  }
}
