/** How the caller gives a call up: by an AbortSignal or by axios' CancelToken. */
export interface Cancellation {
  /** Whether the call has been given up. */
  readonly requested: boolean;
  /** Calls `listener` once, when the call is given up. Returns the function that removes the listener. */
  subscribe(listener: () => void): () => void;
}
