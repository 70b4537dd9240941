/**
 * What an outcome means.
 *
 * | kind           | meaning                                          | what the loop does with it by default     |
 * | -------------- | ------------------------------------------------ | ----------------------------------------- |
 * | `success`      | a 2xx                                            | finishes                                  |
 * | `throttled`    | the server refused for rate; nothing was applied | retries any method, after the named time  |
 * | `transient`    | may pass; whether it was applied is not known    | retries if a repeat is harmless           |
 * | `unauthorized` | the credential was refused; nothing was applied  | refreshes and replays once, given `auth`  |
 * | `permanent`    | a repeat would end the same way                  | ends the call                             |
 * | `cancelled`    | the caller gave up                               | ends the call, never sends again          |
 */
export type VerdictKind = 'success' | 'throttled' | 'transient' | 'unauthorized' | 'permanent' | 'cancelled';

/** A judge's finding about one outcome. */
export interface Verdict {
  readonly kind: VerdictKind;
  /** Why, in a few words for a log line. Never put a secret here: it is shown in reports and summaries. */
  readonly reason?: string | undefined;
  /** How long the server asked to wait, in ms from now. */
  readonly retryAfterMs?: number | undefined;
  /** `true` when the send provably had no effect, so that any method may be repeated. */
  readonly unapplied?: boolean | undefined;
}
