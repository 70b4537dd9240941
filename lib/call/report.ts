import type { DecisionKind } from './decision.ts';
import type { Spent } from './spent.ts';
import type { VerdictKind } from './verdict.ts';

/** Why a call that failed was not sent (again). */
export type EndReason =
  | 'not-retryable'
  | 'retries-exhausted'
  | 'budget-empty'
  | 'deadline'
  | 'wait-too-long'
  | 'unsafe-method'
  | 'body-not-replayable'
  | 'refresh-failed'
  | 'still-unauthorized'
  | 'cancelled'
  | 'limited'
  | 'circuit-open'
  | 'disabled'
  | 'still-pending'
  | 'stopped';

/** One HTTP request of a call. Holds no header, no body and no query, so it can be logged as it is. */
export interface SendRecord {
  /** Instant, ms since the epoch. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** Time spent waiting for the limiter's permit before this send. */
  readonly queuedMs: number;
  /** Time spent until there was a token for this send; `undefined` without `auth`. */
  readonly refreshMs?: number | undefined;
  readonly status?: number | undefined;
  /** The code of axios or of the network, for instance `ECONNRESET`. */
  readonly code?: string | undefined;
  readonly verdict: VerdictKind;
  readonly decision: DecisionKind;
  /** The wait that followed, when the decision was `retry` or `poll`. */
  readonly delayMs?: number | undefined;
  /** What was asked, where that is another request than the call's own: a poll of what a Location names. Origin and path. */
  readonly polled?: string | undefined;
}

/** The finished story of a call. Plain data: `JSON.stringify` works on it and shows no secret. Durations and instants are whole ms. */
export interface Report extends Spent {
  readonly id: string;
  readonly method: string;
  /** Origin and path. Never the query, the fragment or a password. */
  readonly url: string;
  readonly startedAt: number;
  readonly elapsedMs: number;
  readonly sends: readonly SendRecord[];
  /** Sends that asked again for an answer that was pending. */
  readonly polls: number;
  readonly endedBecause: 'success' | EndReason;
}
