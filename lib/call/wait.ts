/** What a call that is under way is at. */
export type PendingPhase = 'limit' | 'retry-wait' | 'refresh' | 'sending' | 'body' | 'poll';

/** What a call waits for. What costs something to say is said when somebody asks. */
export interface Wait {
  readonly phase: PendingPhase;
  why(): string;
  /** On the clock. */
  until?(): number | undefined;
}

/** What a call waits for that waits for its token. */
export const TOKEN_WAIT: Wait = {
  phase: 'refresh',
  why: () => 'waits for a token: `auth.token` or `auth.refresh` has not settled',
};
