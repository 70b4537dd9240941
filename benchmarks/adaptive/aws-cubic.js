/**
 * The client-side rate limit of the AWS SDKs' adaptive retry mode, after its description: a token bucket that is switched
 * on by the first refusal; its fill rate follows CUBIC (RFC 9438) with beta 0.7 and a scale of 0.4, and stays below twice
 * the rate that is measured in parts of half a second. In seconds.
 *
 * As published only the request that was refused waits as long as the server says; `pauses` makes everybody wait.
 */
const BETA = 0.7;
const SCALE = 0.4;
const SMOOTH = 0.8;
const SLOWEST = 0.5;
const PART = 0.5;

export class AwsCubic {
  #isOn = false;
  #fillRate = 0;
  #capacity = 0;
  #tokens = 0;
  #filledAt = 0;

  #measured = 0;
  #part = 0;
  #inPart = 0;

  #rateAtRefusal = 0;
  #refusedAt = 0;
  #pausedUntilMs = 0;

  constructor({ pauses }) {
    this.pauses = pauses;
    this.delaysOnlyRefused = !pauses;
  }

  nextAt(nowMs) {
    if (!this.#isOn) return this.#pausedUntilMs;
    this.#fill(nowMs / 1_000);
    const missing = 1 - this.#tokens;
    return Math.max(this.#pausedUntilMs, missing <= 1e-9 ? nowMs : nowMs + (1_000 * missing) / this.#fillRate);
  }

  sent(nowMs) {
    if (!this.#isOn) return;
    this.#fill(nowMs / 1_000);
    this.#tokens -= 1;
  }

  answered(nowMs, _, { throttled, untilAt }) {
    const now = nowMs / 1_000;
    this.#measure(now);
    let rate;
    if (throttled) {
      if (this.pauses) this.#pausedUntilMs = Math.max(this.#pausedUntilMs, untilAt);
      this.#rateAtRefusal = this.#isOn ? Math.min(this.#measured, this.#fillRate) : this.#measured;
      this.#refusedAt = now;
      this.#isOn = true;
      rate = BETA * this.#rateAtRefusal;
    } else {
      const recovery = Math.cbrt((this.#rateAtRefusal * (1 - BETA)) / SCALE);
      rate = SCALE * (now - this.#refusedAt - recovery) ** 3 + this.#rateAtRefusal;
    }
    this.#setRate(now, Math.min(rate, 2 * this.#measured));
  }

  #measure(now) {
    this.#inPart += 1;
    const part = Math.floor(now / PART) * PART;
    if (part <= this.#part) return;
    this.#measured = SMOOTH * (this.#inPart / (part - this.#part)) + (1 - SMOOTH) * this.#measured;
    this.#inPart = 0;
    this.#part = part;
  }

  #setRate(now, rate) {
    this.#fill(now);
    this.#fillRate = Math.max(rate, SLOWEST);
    this.#capacity = Math.max(rate, 1);
    this.#tokens = Math.min(this.#tokens, this.#capacity);
  }

  #fill(now) {
    this.#tokens = Math.min(this.#capacity, this.#tokens + Math.max(0, now - this.#filledAt) * this.#fillRate);
    this.#filledAt = now;
  }
}
