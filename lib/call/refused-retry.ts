/** The numbers of the retry budget at the moment in which it refused a retry. */
export interface BudgetState {
  /**
   * Which of its two rules refused. `bucket`: fewer tokens are left than a retry costs. `ratio`: most calls have been failing for a while,
   * and as many retries as that allows have been made in the window. See `retry.budget`.
   */
  readonly rule: 'bucket' | 'ratio';
  /** Retries after transient failures, in the window of the ratio (a minute by default). */
  readonly retries: number;
  /** Calls in that window. */
  readonly calls: number;
  /** Tokens that were left in the bucket. */
  readonly balance: number;
}

/**
 * A wait that was too long for the call, with the numbers of that moment: the server named it in an answer to this call, or in an answer to
 * another call, which paused the bucket that both share.
 */
export interface RefusedWait {
  /** How long the call had already waited because answers named a wait, in ms. */
  readonly waitedMs: number;
  /** How long all such waits of a call may take together, in ms: `retry.retryAfter.maxMs`. */
  readonly maxMs: number;
  /** How long the bucket was still paused, in ms; `undefined` where the call's own answer named the wait. */
  readonly pausedMs?: number | undefined;
}

/** A retry that the budget refused, with all numbers that led to it. */
export interface RefusedRetry extends BudgetState {
  /** What the retry would have cost, in tokens. */
  readonly cost: number;
  /** Tokens in a full bucket. */
  readonly capacity: number;
  /** Retries that the ratio allowed in its window at that moment. */
  readonly allowed: number;
  /** The window of the ratio, in ms. */
  readonly windowMs: number;
}
