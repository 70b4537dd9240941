import type { EndReason } from './report.ts';

/**
 * What an outcome means.
 *
 * | kind           | meaning                                              | what the loop does by default                      |
 * | -------------- | ---------------------------------------------------- | -------------------------------------------------- |
 * | `success`      | a 2xx                                                | ends the call                                      |
 * | `pending`      | the server is well and has not finished              | asks again, as often as the server says; see `poll` |
 * | `throttled`    | too many requests; nothing was applied               | retries any method, after the wait that it names   |
 * | `transient`    | may go well next time; may have been applied         | retries where a repeat is harmless                 |
 * | `unauthorized` | the credential was refused; nothing was applied      | refreshes the token and sends once more, given `auth` |
 * | `permanent`    | a repeat would end the same way                      | ends the call                                      |
 * | `cancelled`    | the caller gave up                                   | ends the call                                      |
 */
export type VerdictKind =
  | 'success'
  | 'pending'
  | 'throttled'
  | 'transient'
  | 'unauthorized'
  | 'permanent'
  | 'cancelled';

/**
 * What one outcome means, as a judge of `classify` or the built-in rules say it.
 *
 * @example
 * const classify: Classifier = ({ status, api }) =>
 *   status === 409 && api?.code === 'locked' ? { kind: 'transient', reason: 'locked', unapplied: true } : undefined;
 */
export interface Verdict {
  readonly kind: VerdictKind;
  /** Why, in a few words for a log line. Never put a secret here: it is shown in reports and summaries. */
  readonly reason?: string | undefined;
  /** How long the server asks to wait, in ms from now; at least 0. */
  readonly retryAfterMs?: number | undefined;
  /** `true` where the send certainly had no effect, so that any method may be repeated. */
  readonly unapplied?: boolean | undefined;
  /**
   * `true` where no repeat can help, whatever the kind: no retry, no poll, no refresh, and no pause for the other calls of the limiter.
   * So a 429 that means "no credit left" stays `throttled`, and the call ends at once.
   */
  readonly final?: boolean | undefined;
  /**
   * `true`: a call that ends with this answer rejects, although `validateStatus` lets the answer through. It rejects with an AxiosError
   * that carries the response. For a 200 that holds an error. Whether it is retried first depends on `kind`.
   */
  readonly reject?: boolean | undefined;
  /**
   * `true`: a call that ends with this answer resolves with it, although `validateStatus` refuses it. For a 404 that means "none".
   * Without an answer it has no effect. Together with `reject` it is an error.
   */
  readonly accept?: boolean | undefined;
}

/** A verdict, and where it comes from. */
export interface Judgement extends Verdict {
  /** A judge or `statuses` says that this answer is `unauthorized`. Then its challenges are not asked whether a refresh can help. */
  readonly explicit?: boolean | undefined;
  /** Whoever wrote the judge has said that this request is to be repeated, whatever its method. */
  readonly vouched?: boolean | undefined;
  /** Why there is no retry: a judge of ours counts and times them itself. */
  readonly ends?: EndReason | undefined;
}
