/**
 * gRPC's retry throttling, with the numbers of its description: every failed send takes a token, every success gives back a
 * tenth, and there are retries while more than half of the 10 tokens are left. One of these for each server name.
 *
 * Source: gRPC proposal A6, Throttling Retry Attempts and Hedged RPCs.
 */
const MOST = 10;
const RATIO = 0.1;

export class Grpc {
  #tokens = MOST;

  called() {}

  failed() {
    this.#tokens = Math.max(0, this.#tokens - 1);
  }

  grants() {
    return this.#tokens > MOST / 2;
  }

  succeeded() {
    this.#tokens = Math.min(MOST, this.#tokens + RATIO);
  }
}
