/**
 * Finagle's retry budget with its defaults: each call pays in a fifth of a retry, which is worth something for 10 s, and on top of
 * that there is a reserve of 10 retries a second. A retry weighs on the budget for as long.
 *
 * Source: Finagle, RetryBudget and its user guide on clients.
 */
import { SlidingSum } from './sliding-sum.js';

const TTL_MS = 10_000;
const MIN_RETRIES_PER_SECOND = 10;
/** Counted in calls, so that all numbers are whole: a retry costs as much as five calls pay in. */
const COST = 5;
const RESERVE = MIN_RETRIES_PER_SECOND * (TTL_MS / 1_000) * COST;

export class Finagle {
  #balance = new SlidingSum(TTL_MS);

  called(now) {
    this.#balance.add(now, 1);
  }

  failed() {}

  grants(now) {
    if (this.#balance.at(now) + RESERVE < COST) return false;
    this.#balance.add(now, -COST);
    return true;
  }

  succeeded() {}
}
