import { ByUse } from '../model/by-use.ts';
import type { VerdictKind } from '../model/verdict.ts';
import type { ResolvedBudget } from '../policy/options.ts';
import { SlidingCount } from './sliding-count.ts';

/** How many sends back the health of a server is judged by. */
const RECENT = 20;

/**
 * Bounds retries, so that a struggling server is not finished off by its clients: an outage makes every call fail, and
 * unbounded retries multiply the load just then. First sends are never held back.
 *
 * Two bounds, since each has a hole that the other closes. The bucket (AWS's standard mode) costs nothing at ordinary
 * failure rates, but a fleet of small clients each comes with a full one; the ratio stops those, but if it were always
 * in force it would cost success at 20 % random failure, so it bites only while nearly everything fails.
 */
export class RetryBudget {
  readonly #accounts: ByUse<Account>;

  constructor(options: ResolvedBudget) {
    this.#accounts = new ByUse((key) => new Account(key, options));
  }

  account(key: string): Account {
    return this.#accounts.of(key);
  }

  /** The balance of every key, in tokens. */
  balances(): { [key: string]: number } {
    return Object.fromEntries(this.#accounts.all().map(({ key, balance }) => [key, balance]));
  }
}

/** The budget of one key. */
export class Account {
  readonly key: string;
  balance: number;
  readonly #options: ResolvedBudget;
  /** Outcomes of the last sends as bits, the newest lowest: 1 is a success. */
  #recent = 0;
  #known = 0;
  readonly #calls: SlidingCount;
  readonly #retries: SlidingCount;

  constructor(key: string, options: ResolvedBudget) {
    this.key = key;
    this.balance = options.capacity;
    this.#options = options;
    this.#calls = new SlidingCount(options.windowMs);
    this.#retries = new SlidingCount(options.windowMs);
  }

  /** Counts a call that went out, for the ratio. */
  called(nowMs: number): void {
    this.#calls.add(nowMs);
  }

  /**
   * Takes note of how a send went. Only a success or a transient failure says whether the server is well: one that
   * throttles or rejects is answering.
   */
  sent(kind: VerdictKind): void {
    if (kind !== 'success' && kind !== 'transient') return;
    this.#recent = ((this.#recent << 1) | (kind === 'success' ? 1 : 0)) & (2 ** RECENT - 1);
    if (this.#known < RECENT) this.#known += 1;
  }

  /** What a retry after this would take; `undefined` if the budget does not allow it. */
  afford(kind: VerdictKind, nowMs: number): number | undefined {
    const cost = kind === 'throttled' ? this.#options.throttledCost : this.#options.transientCost;
    if (cost > this.balance) return undefined;
    return kind === 'transient' && this.#failing() && this.#ratioReached(nowMs) ? undefined : cost;
  }

  /** Takes a retry's cost; gives what gives it back, should that retry never leave. */
  withdraw(cost: number, kind: VerdictKind, nowMs: number): () => void {
    this.balance -= cost;
    const counted = kind === 'transient' ? this.#retries.add(nowMs) : undefined;
    return () => {
      this.balance = Math.min(this.#options.capacity, this.balance + cost);
      if (counted !== undefined) this.#retries.takeBack(counted);
    };
  }

  /** Gives back what a call's last retry took, or the refund where it needed none. */
  succeeded(cost: number | undefined): void {
    const { capacity, refund } = this.#options;
    if (this.balance < capacity) this.balance = Math.min(capacity, this.balance + (cost ?? refund));
  }

  #failing(): boolean {
    let successes = 0;
    for (let bits = this.#recent; bits !== 0; bits &= bits - 1) successes += 1;
    return successes * 2 < this.#known;
  }

  #ratioReached(nowMs: number): boolean {
    const { ratio, minRetriesPerWindow } = this.#options;
    return this.#retries.in(nowMs) + 1 > Math.max(minRetriesPerWindow, ratio * this.#calls.in(nowMs));
  }
}
