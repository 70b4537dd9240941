/** The caller's way of giving a call up, whether it is a signal or a CancelToken. */
export interface Cancellation {
  readonly requested: boolean;
  /** Calls `listener` once when it is requested; gives the function that takes the listener away again. */
  subscribe(listener: () => void): () => void;
}
