/** Counts over the life of an attachment; the last three go up and down. */
export interface Tally {
  calls: number;
  /** HTTP requests. */
  sends: number;
  retries: number;
  /** Sends after a token refresh. */
  replays: number;
  /** Sends that asked again for an answer that was pending. */
  polls: number;
  /** New tokens, also those that another process had refreshed. */
  refreshes: number;
  /** Requests on the wire now, streamed answers until their bodies have ended. */
  inFlight: number;
  /** Calls waiting for the limiter now. */
  queued: number;
  /** Calls waiting for their next retry or poll now. */
  waiting: number;
}

export function emptyTally(): Tally {
  return { calls: 0, sends: 0, retries: 0, replays: 0, polls: 0, refreshes: 0, inFlight: 0, queued: 0, waiting: 0 };
}
