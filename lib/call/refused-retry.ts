/** What the retry budget stood at when it refused a retry. */
export interface BudgetState {
  /** `bucket`: too few tokens are left. `ratio`: most calls have been failing for a while, and enough of them were retried. */
  readonly rule: 'bucket' | 'ratio';
  /** Retries after transient failures in the window. */
  readonly retries: number;
  /** Calls in the window. */
  readonly calls: number;
  /** Tokens left in the bucket. */
  readonly balance: number;
}

/** A named wait that the call would not wait, or a pause of its bucket that another's answer named, with the numbers of that moment. */
export interface RefusedWait {
  /** How long the call had waited because the server named so long a wait, in ms. */
  readonly waitedMs: number;
  /** How long it may, all such waits together, in ms. */
  readonly maxMs: number;
  /** How long the bucket was to be paused, where that was it, in ms. */
  readonly pausedMs?: number | undefined;
}

/** A retry that the budget refused, with the numbers that did it. */
export interface RefusedRetry extends BudgetState {
  /** What the retry would have taken, in tokens. */
  readonly cost: number;
  /** Tokens in a full bucket. */
  readonly capacity: number;
  /** Retries that the ratio allows in a window now. */
  readonly allowed: number;
  readonly windowMs: number;
}
