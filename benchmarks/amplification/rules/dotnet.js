/**
 * The retry budget of .NET 11 (a preview) with its defaults: in a sliding window of 10 s, as many retries as a tenth of the
 * requests, rounded down, and one at least; no bound while there are fewer than 10 requests in the window.
 *
 * Source: Microsoft Learn, HttpRetryBudgetOptions in Microsoft.Extensions.Http.Resilience.
 */
import { SlidingSum } from './sliding-sum.js';

const WINDOW_MS = 10_000;
const RATIO = 0.1;
const BOUND_FROM = 10;

export class DotNet {
  #requests = new SlidingSum(WINDOW_MS);
  #retries = new SlidingSum(WINDOW_MS);

  called(now) {
    this.#requests.add(now, 1);
  }

  failed() {}

  grants(now) {
    const requests = this.#requests.at(now);
    const most = requests < BOUND_FROM ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(RATIO * requests));
    if (this.#retries.at(now) >= most) return false;
    this.#retries.add(now, 1);
    return true;
  }

  succeeded() {}
}
