/**
 * The retry quota of the AWS SDKs' standard mode, with the constants of 2026: a bucket of 500 tokens, of which a retry after a
 * transient failure takes 14. A success gives back what its last retry took, and 1 if it had none.
 *
 * Source: AWS SDKs and Tools Reference Guide, Retry behavior.
 */
const CAPACITY = 500;
const COST = 14;
const REFUND = 1;

export class AwsStandard {
  #tokens = CAPACITY;

  called() {}

  failed() {}

  grants() {
    if (this.#tokens < COST) return false;
    this.#tokens -= COST;
    return true;
  }

  succeeded(retry) {
    this.#tokens = Math.min(CAPACITY, this.#tokens + (retry > 0 ? COST : REFUND));
  }
}
