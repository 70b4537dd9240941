import type { AxiosError, AxiosHeaders, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import type { CredentialSet } from '../auth/credential-set.ts';
import type { AuthOptions, Credentials, ResolvedAuth } from '../auth/options.ts';
import type { Call } from '../call/call.ts';
import type { EventName, Listener } from '../call/events.ts';
import type { Outcome } from '../call/outcome.ts';
import type { EndReason } from '../call/report.ts';
import type { Verdict } from '../call/verdict.ts';
import type { ApiError } from '../failure/api-error.ts';
import type { Limiter } from '../limit/limiter.ts';
import type { LimitOptions, ResolvedLimit } from '../limit/options.ts';
import type { Log } from '../observe/log.ts';
import type { Backoff } from '../time/backoff.ts';

/**
 * What `attach` is given, and what a single call may override in its config's `holdfast`.
 *
 * Plain readonly data and functions. Every option may be left out, and an explicit `undefined` is the same as leaving it
 * out. The defaults stand in `defaults.ts`.
 */
export interface Policy {
  /** Retrying of what may pass. On by default; `false` sends every call once. */
  readonly retry?: false | RetryOptions | undefined;
  /**
   * What a status means here, overriding the built-in table: `retry` (subject to whether a repeat is harmless), `fail`
   * at once, `refresh` the token, or `pending`: the server has not finished, ask again (see `poll`). For instance `{ 500: 'retry' }`. Keys are statuses from 100 to 999 and ranges: `503` goes before
   * `'50x'`, and that before `'5xx'`. A range holds for all of it: `{ '4xx': 'fail' }` ends a 401 and a 429 as well.
   */
  readonly statuses?: StatusRules | undefined;
  /** A judge of your own, or several; the first that has an opinion decides. */
  readonly classify?: Classifier | readonly Classifier[] | undefined;
  /**
   * How a `pending` answer is asked for again, as a judge or `statuses: { 202: 'pending' }` has it. `false`: such an answer is a success.
   *
   * With a `Location` (or `Operation-Location`) the further sends are GETs of it, without body, idempotency key and, at another origin,
   * credentials. Else a method that is idempotent is sent again. A POST or PATCH never is: without a Location its answer is what the
   * call resolves with. A poll takes a permit; it costs no retry and no budget, and the breaker does not hear of it. `maxRetries` counts
   * anew after each pending answer.
   */
  readonly poll?: false | PollOptions | undefined;
  /**
   * Bounds the whole call, in ms: queueing, waiting, refreshing, all sends, and the body of a streamed answer; axios' `timeout` goes on
   * bounding one send.
   * Above 0; default `Infinity`.
   */
  readonly deadlineMs?: number | undefined;
  /** An idempotency key for calls that are not idempotent by method. Off by default; `{}` turns it on. */
  readonly idempotency?: false | IdempotencyOptions | undefined;
  /**
   * Makes a body afresh for every send after the first, where the call's own can be read only once (a stream, the
   * `form-data` package). It gives what goes on the wire: `transformRequest` is not run on it. If it throws, the call
   * rejects with what it threw.
   */
  readonly body?: ((config: InternalAxiosRequestConfig) => unknown) | undefined;
  /**
   * A token on every send, refreshed once for everybody. Off by default; a call can turn it off with `false`. What `credentials()` makes
   * can be given to several instances.
   */
  readonly auth?: false | AuthOptions | Credentials | undefined;
  /** One id for all sends of a call, for the server's logs. Off by default; `{}` turns it on. */
  readonly correlation?: false | CorrelationOptions | undefined;
  /**
   * What every send has to pass first. Off by default: nothing waits in line, and a 429 delays only its own call. All calls of an
   * attachment share one limiter; pass the same `Limiter` to several instances to share it among them. A call may say `false`, lay a
   * `key`, `priority` or `maxWaitMs` over it, or bring another `Limiter`; numbers of its own are refused. In a config's
   * `holdfast` a limiter has to be a class instance: axios clones plain objects.
   */
  readonly limit?: false | LimitOptions | Limiter | undefined;
  /** Stops sending to a server that fails, for a while. Off by default; `{}` turns it on. */
  readonly breaker?: false | BreakerOptions | undefined;
  /**
   * Changes a send just before it leaves: to sign it, stamp it, or send it elsewhere. Where that changes a key, limiter, budget and
   * breaker go by the new one: the permit is dropped, and one of that place taken. It is not run again then.
   */
  readonly beforeSend?: BeforeSend | readonly BeforeSend[] | undefined;
  /** Listeners by event name; `'*'` hears every event, with its `name`. Never awaited; one that throws or rejects breaks nothing. */
  readonly on?: { readonly [E in EventName | '*']?: Listener<E> | readonly Listener<E>[] | undefined } | undefined;
  /**
   * A line for each event: how long after its call began, which call, what happens and why. `'retries'` tells of retries, pauses,
   * refreshes, budget, breaker and calls that are given up, `'all'` of everything: on stderr under Node, else on the console. A `Logger`
   * is told everything, by level. Default `false`. `NODE_DEBUG=holdfast` in the environment does `'all'` without a line of code. A
   * logger that throws breaks nothing.
   */
  readonly log?: false | Log | undefined;
}

export type StatusRule = 'retry' | 'fail' | 'refresh' | 'pending';

type Digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** `'5xx'` is 500 to 599, `'52x'` 520 to 529. */
export type StatusRange = `${Exclude<Digit, 0>}${'x' | Digit}x`;

export type StatusRules = { readonly [status: number]: StatusRule | undefined } & {
  readonly [R in StatusRange]?: StatusRule | undefined;
};

/**
 * A judge of the caller's own, asked before the built-in rules, of every outcome: `({ status }) => status === 403 ? { kind:
 * 'throttled' } : undefined` reads a 403 that axios rejects as well as one that `validateStatus` lets through.
 *
 * `undefined` means no opinion. It may give a promise, which is waited for no longer than the call may last. If it throws, or gives
 * anything else (a TypeError says what), the call rejects.
 */
export type Classifier = (evidence: Evidence) => Verdict | undefined | Promise<Verdict | undefined>;

/** What a judge is shown. Frozen; what takes work to make is made when it is read, and once for all judges. */
export interface Evidence {
  /** The server's answer, whether axios resolves it or rejects with it; its `data` is the raw body. `undefined` where none came. */
  readonly response?: AxiosResponse | undefined;
  /** Of the answer. */
  readonly status?: number | undefined;
  /** Of the answer: `headers.get('x-should-retry')`, in any letter case. Empty where none came. */
  readonly headers: InstanceType<typeof AxiosHeaders>;
  /**
   * What the caller will see as `response.data`: what `transformResponse` makes of the body. As a rule parsed JSON; a stream
   * stays one, unread. `undefined` where there is no answer, or `transformResponse` throws. Typed as axios types it.
   */
  readonly data: AxiosResponse['data'];
  /** Whatever the adapter rejected with; as a rule an AxiosError, but none of its fields is sure. */
  readonly error?: Partial<AxiosError> | undefined;
  /** As the adapter gave it. `outcome.response` is there only where axios resolves. */
  readonly outcome: Outcome;
  /** The error that the body holds, if it is of a known shape: see `readApiError`. Also of a 200 that carries one. */
  readonly api?: ApiError | undefined;
  readonly call: Call;
  /**
   * How long the answer asks to wait, in ms: its Retry-After, or from 400 up the reset of a used-up quota. A verdict to retry without a
   * `retryAfterMs` of its own gets what the headers say, whatever the status.
   */
  readonly retryAfterMs?: number | undefined;
}

/**
 * Runs before every send, since axios' request interceptors run once per call. `config` is this send's own copy: change
 * headers, URL or parameters as you like; the caller's config stays as it was. `send` counts from 1; `last` is what the send before it
 * came to, whose answer may hold a nonce, and `undefined` on the first.
 *
 * It gives nothing, or `false`: then nothing more is sent, and the call ends with `last`; before the first send, as if the caller had
 * cancelled it. It may be asynchronous. If it throws, nothing is sent and the call rejects with what it threw. A call that it makes takes no permit of
 * the same limiter (in Node; elsewhere it could wait for the one that its own call holds).
 */
export type BeforeSend = (argument: {
  readonly config: InternalAxiosRequestConfig;
  readonly send: number;
  readonly call: Call;
  readonly last: Outcome | undefined;
  // biome-ignore lint/suspicious/noConfusingVoidType: a function that gives nothing fits `void` only
}) => void | false | Promise<void | false>;

/** What `onRetry` is told. Frozen. */
export interface RetryContext extends EndedSend {
  /**
   * What the sends to come are made of. Change headers, URL or parameters in place: that holds for all further sends of this call, and
   * does not show on the config that the caller gets back.
   */
  readonly config: InternalAxiosRequestConfig;
  /** Which retry it will be, from 1; in a call that polls, since the last answer that was pending. */
  readonly retry: number;
  /** How long it will be waited for, in ms, from when the hooks are done. */
  readonly delayMs: number;
}

/** What `onGiveUp` is told. Frozen. */
export interface GiveUpContext extends EndedSend {
  readonly endedBecause: EndReason;
}

/** The send that something follows from, and what it came to. */
export interface EndedSend {
  /** Its number, from 1; 0 where the call ends before its first. */
  readonly send: number;
  readonly call: Call;
  /** `undefined` where nothing has been judged. */
  readonly verdict: Verdict | undefined;
  readonly outcome: Outcome;
  /** The server's answer, whether axios resolves it or rejects with it. */
  readonly response: AxiosResponse | undefined;
  /** What axios rejected with. */
  readonly error: unknown;
}

/** Awaited before the wait for a retry; not for a poll or a replay after a refresh. If it throws, the call rejects with that. */
export type OnRetry = (context: RetryContext) => void | Promise<void>;

/** Awaited once when a call ends otherwise than with a success, unless the caller gave it up. */
export type OnGiveUp = (context: GiveUpContext) => void | Promise<void>;

export interface RetryOptions {
  /**
   * N retries are N + 1 sends. An integer from 0, or `Infinity`: then the deadline, the budget and `retryAfter.maxMs` bound them.
   * Default 3.
   */
  readonly maxRetries?: number | undefined;
  /**
   * The wait before a retry where the server named none. Default `exponentialBackoff()`. If it gives anything but a finite number of
   * at least 0, the call rejects with a TypeError that says so; the send's own error is its `cause`.
   */
  readonly backoff?: Backoff | undefined;
  /** How a wait that the server named is honoured; `false` takes no notice of it and waits by `backoff`. */
  readonly retryAfter?: false | RetryAfterOptions | undefined;
  /**
   * POST and PATCH without an idempotency key (and other methods not known to be idempotent): repeat them
   * `'when-unapplied'` (default: only when the server provably did nothing), `'always'`, or `'never'`.
   */
  readonly unsafe?: 'when-unapplied' | 'always' | 'never' | undefined;
  /**
   * Methods whose repeat is harmless too, in any letter case, beside those that the IANA registry calls idempotent (GET, PUT,
   * PROPFIND, REPORT …). Default `[]`.
   */
  readonly idempotentMethods?: readonly string[] | undefined;
  /** Retry a send that timed out, if a repeat is harmless. Default `true`. */
  readonly timeouts?: boolean | undefined;
  /** Bounds retries over all calls to one origin, so that an outage is not made worse. On by default. */
  readonly budget?: false | BudgetOptions | undefined;
  /**
   * Runs before the wait for a retry, and may change what the sends to come are made of. Several run in order, and no longer than the
   * call may last. If one throws, the call rejects with that; its `cause` is the last error, unless it has one.
   */
  readonly onRetry?: OnRetry | readonly OnRetry[] | undefined;
  /**
   * Runs once when a call has failed for good, before its caller hears of it; not where the caller cancelled it, nor where `beforeSend` stopped it and it
   * resolves. As `onRetry`, it is awaited, and what it throws the call rejects with; `failureOf` of that says why the call had failed.
   */
  readonly onGiveUp?: OnGiveUp | readonly OnGiveUp[] | undefined;
}

export interface RetryAfterOptions {
  /**
   * How long a call waits because answers to it name so long a wait, all of them together, in ms. From 0; default 60,000. Backoff,
   * jitter and time in a limiter's queue do not count.
   */
  readonly maxMs?: number | undefined;
  /**
   * A wait that would pass that ends the call at once (`'fail'`, default). With `'clamp'` each wait is cut to `maxMs`, which is earlier
   * than the server asked, and their sum is bounded by `maxRetries` and the deadline only.
   */
  readonly whenLonger?: 'fail' | 'clamp' | undefined;
  /** Up to so many ms are added to the named wait, at random; it is never shortened. Finite, from 0; default 0. */
  readonly jitterMs?: number | undefined;
}

/**
 * A token bucket and a ratio, per key. Both bound retries only: a first send is never held back.
 *
 * - The bucket: a retry takes a cost. Time, calls that succeed without a retry, and the last retry of a call that succeeds fill it
 *   again. As in AWS's standard retry mode, but larger: 150 retries after transient failures at once, then one a second.
 * - The ratio bounds retries after transient failures in a sliding window. It is in force only while more than half of the last 20
 *   calls that ended have ended in a transient failure, and only `failingMs` after the first failure of the calls in a row that
 *   made it so. A retried call that succeeded is a success; cancelled calls do not count, nor do calls older than the window.
 *
 * All calls of an attachment share one budget. A call may say `false`, or have a `key` of its own; other numbers are refused.
 */
export interface BudgetOptions {
  /** Tokens in a full bucket. From 0; default 2,100. */
  readonly capacity?: number | undefined;
  /** What a retry after a transient failure takes. From 0; default 14. */
  readonly transientCost?: number | undefined;
  /** What a retry after throttling takes; nothing where a limiter paces it. From 0; default 5. */
  readonly throttledCost?: number | undefined;
  /** What a call that succeeded without a retry gives back. From 0; default 1. */
  readonly refund?: number | undefined;
  /** Tokens that a second brings. Finite, from 0; default 14. */
  readonly refillPerSecond?: number | undefined;
  /** Retries per call in the window while the ratio is in force. From 0 to 1; default 0.1. */
  readonly ratio?: number | undefined;
  /** The ratio's sliding window, in ms. From 1,000; default 60,000. */
  readonly windowMs?: number | undefined;
  /** Retries that the ratio always allows in a window. From 0; default 5. */
  readonly minRetriesPerWindow?: number | undefined;
  /** For how long most calls have to fail before the ratio is in force, in ms. From 0; default 10,000. */
  readonly failingMs?: number | undefined;
  /** Which budget a retry draws on: asked of the call, and again of what `beforeSend` made of the send. Default: the origin. */
  readonly key?: ((config: InternalAxiosRequestConfig) => string) | undefined;
}

/**
 * A circuit per key. It opens when enough sends fail: no answer (a lost connection, a timeout), or a 5xx but 501 and 505. Everything
 * below 500 is an answer, and counts as one, whatever a judge makes of it. While it is open, calls end at once with a
 * `CircuitOpenError`, or, if they have been answered before, with that answer, and `circuit-open`. Then one send goes out as a probe: if
 * that is no failure, the circuit closes.
 *
 * A deadline or an `AbortSignal.timeout()` counts as a timeout, unless the send had less time than it had waited before and the server
 * answers others. All calls of an attachment share its circuits. A call may say `false`, or have a `key` or an `isFailure` of its own; other numbers are
 * refused.
 */
export interface BreakerOptions {
  /** The part of the sends in the window that has to fail. Above 0, at most 1; default 0.5. */
  readonly failureRatio?: number | undefined;
  /** And so many sends there have to be in it. An integer from 1; default 20. */
  readonly minimumThroughput?: number | undefined;
  /** The sliding window, in ms. From 100 to 2³¹−1; default 10,000. */
  readonly windowMs?: number | undefined;
  /** How long it stays open before a probe, in ms. Above 0, at most 2³¹−1; default 5,000. */
  readonly openMs?: number | undefined;
  /** Which circuit a send goes through: asked of the call, and again of what `beforeSend` made of it. Default: the origin. */
  readonly key?: ((config: InternalAxiosRequestConfig) => string) | undefined;
  /**
   * Whether a send shows that the server is ill. Asked first, with what a judge of `classify` is shown; `undefined` means no opinion.
   * Not asked where the caller has given up. If it throws, or gives anything else, the call rejects.
   */
  readonly isFailure?: ((evidence: Evidence) => boolean | undefined) | undefined;
}

export interface PollOptions {
  /** The wait before a poll where neither Retry-After nor a judge names one, in ms. Finite, from 0; default 1,000. */
  readonly intervalMs?: number | undefined;
  /**
   * How long a call may poll, from its first pending answer to its last poll, in ms. Above 0; default 600,000. A poll that would be later
   * ends the call: it rejects with the last answer, `still-pending`.
   */
  readonly maxMs?: number | undefined;
}

export interface IdempotencyOptions {
  /** The header that carries the key. A value that the caller has set wins. Default `Idempotency-Key`. */
  readonly header?: string | undefined;
  /** The methods that get a key, in any letter case. Default `['post', 'patch']`. */
  readonly methods?: readonly string[] | undefined;
  /** Makes a key: printable ASCII. Default: a random UUID, bare; some servers want it as a quoted string. */
  readonly generate?: (() => string) | undefined;
  /**
   * `'never'` (default): one key for all sends of the call. `'after-response'`: the same while no response
   * has come, a new one after any; a send that was answered is then repeated only if it was provably not applied.
   */
  readonly renew?: 'never' | 'after-response' | undefined;
}

export interface CorrelationOptions {
  /** The header that carries the id. A value that the caller has set wins. Default `X-Correlation-ID`. */
  readonly header?: string | undefined;
  /** Makes an id: printable ASCII. Default: a random UUID. */
  readonly generate?: (() => string) | undefined;
}

/** A policy with every default filled in, frozen. It is a `Policy` again. */
export interface ResolvedPolicy extends Policy {
  readonly retry: false | ResolvedRetry;
  readonly statuses: StatusRules;
  readonly classify: readonly Classifier[];
  readonly poll: false | ResolvedPoll;
  readonly deadlineMs: number;
  readonly idempotency: false | ResolvedIdempotency;
  readonly auth: false | ResolvedAuth | CredentialSet;
  readonly correlation: false | ResolvedCorrelation;
  readonly limit: false | ResolvedLimit | Limiter;
  readonly breaker: false | ResolvedBreaker;
  readonly beforeSend: readonly BeforeSend[];
  readonly on: { readonly [E in EventName | '*']?: readonly Listener<E>[] };
  readonly log: false | Log;
}

type Filled<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

export type ResolvedPoll = Filled<PollOptions>;

export type ResolvedRetry = Filled<Omit<RetryOptions, 'retryAfter' | 'budget' | 'onRetry' | 'onGiveUp'>> & {
  readonly onRetry: readonly OnRetry[];
  readonly onGiveUp: readonly OnGiveUp[];
  readonly retryAfter: false | ResolvedRetryAfter;
  readonly budget: false | ResolvedBudget;
};

export type ResolvedRetryAfter = Filled<RetryAfterOptions>;

export type ResolvedBudget = Filled<Omit<BudgetOptions, 'key'>> & Pick<BudgetOptions, 'key'>;

export type ResolvedBreaker = Filled<Omit<BreakerOptions, 'key' | 'isFailure'>> &
  Pick<BreakerOptions, 'key' | 'isFailure'>;

export type ResolvedIdempotency = Filled<Omit<IdempotencyOptions, 'generate'>> & Pick<IdempotencyOptions, 'generate'>;

export type ResolvedCorrelation = Filled<Omit<CorrelationOptions, 'generate'>> & Pick<CorrelationOptions, 'generate'>;
