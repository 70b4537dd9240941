/**
 * What an outcome means.
 *
 * | kind           | meaning                                          | what the loop does with it by default     |
 * | -------------- | ------------------------------------------------ | ----------------------------------------- |
 * | `success`      | a 2xx                                            | finishes                                  |
 * | `pending`      | the server is well and has not finished          | asks again, at the named pace; see `poll` |
 * | `throttled`    | the server refused for rate; nothing was applied | retries any method, after the named time  |
 * | `transient`    | may pass; whether it was applied is not known    | retries if a repeat is harmless           |
 * | `unauthorized` | the credential was refused; nothing was applied  | refreshes and replays once, given `auth`  |
 * | `permanent`    | a repeat would end the same way                  | ends the call                             |
 * | `cancelled`    | the caller gave up                               | ends the call, never sends again          |
 */
export type VerdictKind =
  | 'success'
  | 'pending'
  | 'throttled'
  | 'transient'
  | 'unauthorized'
  | 'permanent'
  | 'cancelled';

/** A judge's finding about one outcome. */
export interface Verdict {
  readonly kind: VerdictKind;
  /** Why, in a few words for a log line. Never put a secret here: it is shown in reports and summaries. */
  readonly reason?: string | undefined;
  /** How long the server asked to wait, in ms from now. */
  readonly retryAfterMs?: number | undefined;
  /** `true` when the send provably had no effect, so that any method may be repeated. */
  readonly unapplied?: boolean | undefined;
  /**
   * `true` for what no repeat can change: no retry, no poll, no refresh, no pause of the limiter's bucket, whatever the kind. A 429 that means
   * "no credit left" stays `throttled`, and the call ends at once.
   */
  readonly final?: boolean | undefined;
  /**
   * `true` has a call that ends with this answer reject, although `validateStatus` lets it through: with an AxiosError that carries the
   * response. For a 200 that holds an error. Whether it is retried first is up to `kind`.
   */
  readonly reject?: boolean | undefined;
  /**
   * `true` has a call that ends with this answer resolve with it, although `validateStatus` refuses it: a 404 that means "none". Without
   * an answer it says nothing. A verdict can't both accept and reject.
   */
  readonly accept?: boolean | undefined;
}

/** A verdict as the loop goes by it. */
export interface Judgement extends Verdict {
  /** The policy calls this answer `unauthorized`, by a judge or in `statuses`, whatever the challenges of the answer say. */
  readonly explicit?: boolean | undefined;
}
