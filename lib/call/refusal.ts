import type { Outcome } from './outcome.ts';
import type { EndReason } from './report.ts';

/** Why a call ends without another send, and what the caller gets. */
export interface Refusal {
  readonly outcome: Outcome;
  readonly why: EndReason;
}
