/** What an attachment counts over its life. The last three say how it is now, so they go up and down. */
export interface Counters {
  calls: number;
  /** HTTP requests: the first of each call, retries, replays and polls. */
  sends: number;
  retries: number;
  /** Sends after a token refresh. */
  replays: number;
  /** Sends that asked again for an answer that was `pending`. */
  polls: number;
  /** New tokens, also those that another process has refreshed. */
  refreshes: number;
  /** Requests that are under way now; a streamed answer counts until its body has ended. */
  inFlight: number;
  /** Calls that wait for the limiter now. */
  queued: number;
  /** Calls that wait for their next retry or poll now. */
  waiting: number;
}

export function zeroCounters(): Counters {
  return { calls: 0, sends: 0, retries: 0, replays: 0, polls: 0, refreshes: 0, inFlight: 0, queued: 0, waiting: 0 };
}
