import { KeyedCache } from '../call/keyed-cache.ts';
import type { RefusedRetry } from '../call/refused-retry.ts';
import type { VerdictKind } from '../call/verdict.ts';
import { SlidingCount } from '../time/sliding-count.ts';
import type { ResolvedBudget } from './options.ts';
import { RecentCalls } from './recent-calls.ts';

/**
 * Bounds retries, so that a struggling server is not finished off by its clients: an outage makes every call fail, and
 * unbounded retries multiply the load just then. First sends are never held back.
 *
 * Two rules, since each has a hole that the other closes. The bucket (as in AWS's standard mode) is large enough for a burst of
 * calls that all fail once, and refills with time; but a fleet of small clients each comes with a full one. The ratio stops
 * those; but nobody can tell a blink from an outage at once, so it is in force only after most calls have failed for a while.
 */
export class RetryBudget {
  readonly #accounts: KeyedCache<Account>;

  constructor(options: ResolvedBudget) {
    this.#accounts = new KeyedCache((key) => new Account(key, options));
  }

  account(key: string): Account {
    return this.#accounts.of(key);
  }

  /** The balance of every key, in tokens. */
  balances(nowMs: number): { [key: string]: number } {
    return Object.fromEntries(this.#accounts.all().map((account) => [account.key, account.balance(nowMs)]));
  }
}

/** The budget of one key. */
export class Account {
  readonly key: string;
  readonly #options: ResolvedBudget;
  #balance: number;
  /** Up to when the bucket has been refilled, on the clock. */
  #refilledAt = 0;
  readonly #recent: RecentCalls;
  readonly #calls: SlidingCount;
  readonly #retries: SlidingCount;

  constructor(key: string, options: ResolvedBudget) {
    this.key = key;
    this.#options = options;
    this.#balance = options.capacity;
    this.#recent = new RecentCalls(options.windowMs);
    this.#calls = new SlidingCount(options.windowMs);
    this.#retries = new SlidingCount(options.windowMs);
  }

  /** In tokens. */
  balance(nowMs: number): number {
    this.#refill(nowMs);
    return this.#balance;
  }

  /** Counts a call that went out, for the ratio. */
  called(nowMs: number): void {
    this.#calls.add(nowMs);
  }

  /**
   * Takes note of how a call ended, for the ratio: a retried call that succeeded is a success.
   *
   * @param failingFrom when a call that failed met its first failure
   */
  ended(failed: boolean, nowMs: number, failingFrom = nowMs): void {
    this.#recent.add(failed, nowMs, failingFrom);
  }

  /** What a retry after this takes. */
  costOf(kind: VerdictKind): number {
    return kind === 'throttled' ? this.#options.throttledCost : this.#options.transientCost;
  }

  /** Why a retry that takes so much is not allowed; `undefined` where it is. */
  refusal(kind: VerdictKind, cost: number, nowMs: number): RefusedRetry | undefined {
    if (cost > this.balance(nowMs)) return this.#refused('bucket', cost, nowMs);
    const bound = kind === 'transient' && this.#isOutage(nowMs);
    return bound && this.#retries.in(nowMs) + 1 > this.#allowed(nowMs)
      ? this.#refused('ratio', cost, nowMs)
      : undefined;
  }

  /** Takes a retry's cost; gives what gives it back, should that retry never leave. */
  withdraw(kind: VerdictKind, cost: number, nowMs: number): () => void {
    this.#balance = this.balance(nowMs) - cost;
    const counted = kind === 'transient' ? this.#retries.add(nowMs) : undefined;
    return () => {
      this.#deposit(cost);
      if (counted !== undefined) this.#retries.takeBack(counted);
    };
  }

  /** Gives back what a call's last retry took, or the refund where it needed none. */
  succeeded(cost: number | undefined): void {
    this.#deposit(cost ?? this.#options.refund);
  }

  #deposit(tokens: number): void {
    const { capacity } = this.#options;
    if (this.#balance < capacity) this.#balance = Math.min(capacity, this.#balance + tokens);
  }

  /** Adds what time has brought, in whole tokens; what is left of one goes on growing. */
  #refill(nowMs: number): void {
    const { capacity, refillPerSecond } = this.#options;
    const elapsedMs = nowMs - this.#refilledAt;
    const tokens = Math.floor((elapsedMs * refillPerSecond) / 1_000);
    if (this.#balance >= capacity) this.#refilledAt = nowMs;
    else if (tokens > 0) {
      this.#deposit(tokens);
      this.#refilledAt += (tokens * 1_000) / refillPerSecond;
    }
  }

  #isOutage(nowMs: number): boolean {
    const since = this.#recent.failingSince(nowMs);
    return since !== undefined && nowMs - since >= this.#options.failingMs;
  }

  #allowed(nowMs: number): number {
    const { ratio, minRetriesPerWindow } = this.#options;
    return Math.max(minRetriesPerWindow, ratio * this.#calls.in(nowMs));
  }

  #refused(rule: RefusedRetry['rule'], cost: number, nowMs: number): RefusedRetry {
    const { capacity, windowMs } = this.#options;
    return {
      rule,
      retries: this.#retries.in(nowMs),
      calls: this.#calls.in(nowMs),
      balance: this.#balance,
      cost,
      capacity,
      allowed: Math.floor(this.#allowed(nowMs)),
      windowMs,
    };
  }
}
