import type { DecisionKind } from './decision.ts';
import type { Spent } from './spent.ts';
import type { VerdictKind } from './verdict.ts';

/** Why a call that failed was not sent (again). */
export type EndReason =
  /** A repeat would end the same way: the verdict is `permanent` or `final`, no refresh can help a 401, or code of the policy threw. */
  | 'not-retryable'
  /** `retry.maxRetries` retries have been made. */
  | 'retries-exhausted'
  /** `retry.budget` refused the retry; `failure.budget` has the numbers. */
  | 'budget-empty'
  /** `deadlineMs` is over, or the next send could not be made before it is. */
  | 'deadline'
  /** The server asks for a longer wait than `retry.retryAfter.maxMs` leaves. */
  | 'wait-too-long'
  /** The send may have been applied, and to repeat this method may apply it twice. See `retry.unsafe`. */
  | 'unsafe-method'
  /** The body is a stream that has been read, and the policy has no `body` to make it anew. */
  | 'body-not-replayable'
  /** `auth.refresh` failed. */
  | 'refresh-failed'
  /** The server refused a fresh token too. */
  | 'still-unauthorized'
  /** The caller gave the call up, by its signal or CancelToken. */
  | 'cancelled'
  /** The limiter refused the send; the error's `code` says why. */
  | 'limited'
  /** `breaker` let nothing through. A call that has an answer already keeps it. */
  | 'circuit-open'
  /** The policy says `retry: false`, or the call is not looked after: `holdfast: false`, or another instance. */
  | 'disabled'
  /** The server had not finished after `poll.maxMs`. */
  | 'still-pending'
  /** `beforeSend` gave `false`. */
  | 'stopped';

/** One HTTP request of a call. Holds no header, no body and no query, so it can be logged as it is. */
export interface SendRecord {
  /** When the request left: an instant, in ms since the epoch. */
  readonly startedAt: number;
  /** From then until it was answered or failed, in ms. */
  readonly durationMs: number;
  /** How long it had waited for the limiter's permit before, in ms. */
  readonly queuedMs: number;
  /** How long it had waited for a token before, in ms; `undefined` without `auth`. */
  readonly refreshMs?: number | undefined;
  /** Of the answer; `undefined` where none came. */
  readonly status?: number | undefined;
  /** The code of axios or of the network, for instance `ECONNRESET`. */
  readonly code?: string | undefined;
  readonly verdict: VerdictKind;
  readonly decision: DecisionKind;
  /** The wait that followed, in ms, where the decision was `retry` or `poll`. */
  readonly delayMs?: number | undefined;
  /** Origin and path of what was asked, where that is not the call's own URL: a poll asks what a `Location` names. */
  readonly polled?: string | undefined;
}

/**
 * The whole story of a call that has ended. Frozen plain data: `JSON.stringify` works on it and shows no secret. Durations are whole ms,
 * instants whole ms since the epoch.
 */
export interface Report extends Spent {
  /** Unique within this process. */
  readonly id: string;
  /** Upper case, for instance `POST`. */
  readonly method: string;
  /** Origin and path. Never the query, the fragment or a password. */
  readonly url: string;
  /** When the call began. */
  readonly startedAt: number;
  /** How long it took in all. */
  readonly elapsedMs: number;
  /** Every HTTP request that was made, in order. */
  readonly sends: readonly SendRecord[];
  /** How many of them asked again for an answer that was `pending`. */
  readonly polls: number;
  readonly endedBecause: 'success' | EndReason;
}
