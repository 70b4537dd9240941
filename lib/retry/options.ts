import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import type { Call } from '../call/call.ts';
import type { Outcome } from '../call/outcome.ts';
import type { EndReason } from '../call/report.ts';
import type { Verdict } from '../call/verdict.ts';
import { aBoolean, aCount, aFunction, kindOf, methodNames, must, number, oneOf, TURNS_ON } from '../check.ts';
import { type Filled, Group, SEVERAL } from '../group.ts';
import { type Backoff, constantBackoff, exponentialBackoff, linearBackoff } from '../time/backoff.ts';
import { RETRY_NAMES } from './other-names.ts';

/**
 * Which sends are repeated, how often and when. Only what may pass is repeated (a lost connection, a timeout, a 429, a 503 …), and only
 * where a repeat can do no harm.
 *
 * @example
 * attach(client, { retry: { maxRetries: 5, backoff: exponentialBackoff({ capMs: 10_000 }), retryAfter: { maxMs: 120_000 } } });
 */
export interface RetryOptions {
  /**
   * How many retries a call may have: with 3 there are at most 4 sends. An integer from 0, or `Infinity`: then the deadline, the budget and
   * `retryAfter.maxMs` are the bounds. Default 3.
   */
  readonly maxRetries?: number | undefined;
  /**
   * How long to wait before a retry, in ms, where the server named no time. Default `exponentialBackoff()`. Where it gives anything but a
   * finite number of at least 0, the call rejects with a TypeError, whose `cause` is the error of the send.
   */
  readonly backoff?: Backoff | undefined;
  /** What to do about a wait that the server named. On by default; with `false` it is not heeded, and `backoff` says how long to wait. */
  readonly retryAfter?: false | RetryAfterOptions | undefined;
  /**
   * Whether to repeat a request whose repeat could do harm: a POST or PATCH without an idempotency key, or a method that nobody knows.
   * `'when-unapplied'` (default): only if the server has surely done nothing, as after a refused connection or a 429. `'always'`: an order
   * may be placed twice. `'never'`: not even after a 429.
   */
  readonly unsafe?: 'when-unapplied' | 'always' | 'never' | undefined;
  /**
   * More methods whose repeat does no harm, in any letter case. Those that the IANA registry calls idempotent (GET, PUT, DELETE, PROPFIND
   * …) need not be named. Default `[]`.
   */
  readonly idempotentMethods?: readonly string[] | undefined;
  /** Whether a send that timed out is repeated, where a repeat does no harm. Default `true`. */
  readonly timeouts?: boolean | undefined;
  /** Bounds the retries of all calls to an origin together, so that they make no outage worse. On by default. */
  readonly budget?: false | BudgetOptions | undefined;
  /**
   * Runs before the wait for a retry, and may change the config of the further sends. Several run one after the other, at most until the
   * call's deadline. If one throws, the call rejects with that error; its `cause` is the last send's error, unless it has one already.
   */
  readonly onRetry?: OnRetry | readonly OnRetry[] | undefined;
  /**
   * Runs once when a call has failed for good, before its caller hears of it. It does not run where the caller cancelled the call, or where
   * `beforeSend` stopped it and it resolves. It is awaited as `onRetry` is. If it throws, the call rejects with that error, and `failureOf`
   * of it says why the call had failed.
   */
  readonly onGiveUp?: OnGiveUp | readonly OnGiveUp[] | undefined;
}

/** How far a wait that the server named is honoured: by Retry-After, or by the reset of a quota that is used up. */
export interface RetryAfterOptions {
  /**
   * How long the waits that the server named may be in one call, added up, in ms. From 0; default 60,000. Example: after waits of 30 s and
   * 25 s, a `Retry-After: 10` ends the call. Backoff, jitter and the time in a limiter's queue do not count.
   */
  readonly maxMs?: number | undefined;
  /**
   * What happens where the next wait would exceed `maxMs`. `'fail'` (default): the call ends at once. `'clamp'`: each wait is cut to
   * `maxMs`, so that the retry comes earlier than the server asked; then only `maxRetries` and the deadline bound the sum.
   */
  readonly whenLonger?: 'fail' | 'clamp' | undefined;
  /** A random part of this is added to a named wait, in ms, so that not all clients come back at once. Finite, from 0; default 0. */
  readonly jitterMs?: number | undefined;
}

/**
 * A token bucket and a ratio for each key. Both bound retries only: no first send is ever held back.
 *
 * - The bucket: each retry takes tokens. Time brings them back, and so does a call that succeeds: without a retry `refund`, else what its
 *   last retry took. With the defaults 150 retries after transient failures can be made at once, and then one a second. It works as in
 *   AWS's standard retry mode, but is larger.
 * - The ratio: so many retries after transient failures for each call of the last `windowMs`. With 0.1 and 200 calls in a minute these are
 *   20. It is in force only during an outage: while more than half of the last 20 calls have ended in a transient failure, and not before
 *   `failingMs` after the first of these. A call that a retry saved is a success. Cancelled calls, and those older than the window, do not
 *   count.
 *
 * All calls of an attachment share one budget. A call may say `false`, or have a `key` of its own; other numbers are refused.
 */
export interface BudgetOptions {
  /** The tokens in a full bucket. From 0; default 2,100. */
  readonly capacity?: number | undefined;
  /** The tokens that a retry after a transient failure takes; none after an answer below 400 that a judge calls so. From 0; default 14. */
  readonly transientCost?: number | undefined;
  /** The tokens that a retry after throttling takes; none where a limiter paces it. From 0; default 5. */
  readonly throttledCost?: number | undefined;
  /** The tokens that a call brings back if it succeeds without a retry. From 0; default 1. */
  readonly refund?: number | undefined;
  /** The tokens that each second brings. Finite, from 0; default 14. */
  readonly refillPerSecond?: number | undefined;
  /** Retries for each call of the window, while the ratio is in force: 0.1 is one for ten calls. From 0 to 1; default 0.1. */
  readonly ratio?: number | undefined;
  /** The sliding window of the ratio, in ms. From 1,000; default 60,000. */
  readonly windowMs?: number | undefined;
  /** Retries in a window that the ratio allows however few calls there are. From 0; default 5. */
  readonly minRetriesPerWindow?: number | undefined;
  /** For how long most calls must have failed before the ratio is in force, in ms. From 0; default 10,000. */
  readonly failingMs?: number | undefined;
  /** Which budget a retry draws on. Asked of the call, and again of what `beforeSend` made of the send. Default: the origin. */
  readonly key?: ((config: InternalAxiosRequestConfig) => string) | undefined;
}

/**
 * Awaited before the wait for a retry; not before a poll, nor before the send that follows a refresh of the token.
 *
 * @example
 * const onRetry: OnRetry = ({ config, retry }) => void config.headers.set('X-Retry', String(retry));
 */
export type OnRetry = (context: RetryContext) => void | Promise<void>;

/**
 * Awaited once when a call ends without a success, unless its caller cancelled it.
 *
 * @example
 * const onGiveUp: OnGiveUp = ({ call, endedBecause }) => alerts.add(`${call.method} ${call.url}: ${endedBecause}`);
 */
export type OnGiveUp = (context: GiveUpContext) => void | Promise<void>;

/** What `onRetry` is told. Frozen. */
export interface RetryContext extends EndedSend {
  /**
   * What the further sends of this call are made of. Change headers, URL or parameters in place; the config that the caller gets back stays
   * as it was.
   */
  readonly config: InternalAxiosRequestConfig;
  /** Which retry it will be, from 1. In a call that polls it counts from the last pending answer. */
  readonly retry: number;
  /** How long the call will wait, in ms, from when the hooks are done. */
  readonly delayMs: number;
}

/** What `onGiveUp` is told. Frozen. */
export interface GiveUpContext extends EndedSend {
  /** Why the call ends; see `EndReason`. */
  readonly endedBecause: EndReason;
}

/** The last send, and what came of it. */
export interface EndedSend {
  /** The number of the send, from 1; 0 where the call ends before its first. */
  readonly send: number;
  readonly call: Call;
  /** What the outcome means; `undefined` where nobody has judged it. */
  readonly verdict: Verdict | undefined;
  readonly outcome: Outcome;
  /** The server's answer, whether axios resolves or rejects with it; `undefined` where none came. */
  readonly response: AxiosResponse | undefined;
  /** What axios rejected with; `undefined` where it resolves. */
  readonly error: unknown;
}

export type ResolvedRetry = Filled<Omit<RetryOptions, 'retryAfter' | 'budget' | 'onRetry' | 'onGiveUp'>> & {
  readonly onRetry: readonly OnRetry[];
  readonly onGiveUp: readonly OnGiveUp[];
  readonly retryAfter: false | ResolvedRetryAfter;
  readonly budget: false | ResolvedBudget;
};

export type ResolvedRetryAfter = Filled<RetryAfterOptions>;

export type ResolvedBudget = Filled<BudgetOptions, 'key'>;

/** They make a backoff, and are none. */
const BACKOFFS: readonly unknown[] = [exponentialBackoff, linearBackoff, constantBackoff];

const aBackoff = must(
  'a function such as exponentialBackoff()',
  (value) => typeof value === 'function' && !BACKOFFS.includes(value),
  (value) =>
    BACKOFFS.includes(value) ? `${kindOf(value)}: call it, ${(value as { name: string }).name}()` : kindOf(value),
);

const RETRY_AFTER = new Group<RetryAfterOptions, ResolvedRetryAfter>({
  starts: 'on',
  fields: {
    maxMs: [number(0), 60_000],
    whenLonger: [oneOf('fail', 'clamp'), 'fail'],
    jitterMs: [number(0, Number.MAX_SAFE_INTEGER), 0],
  },
  advice: { on: TURNS_ON, number: 'here it is { maxMs }, in ms' },
});

const BUDGET = new Group<BudgetOptions, ResolvedBudget>({
  starts: 'on',
  fields: {
    capacity: [number(0), 2_100],
    transientCost: [number(0), 14],
    throttledCost: [number(0), 5],
    refund: [number(0), 1],
    refillPerSecond: [number(0, Number.MAX_SAFE_INTEGER), 14],
    ratio: [number(0, 1), 0.1],
    windowMs: [number(1_000), 60_000],
    minRetriesPerWindow: [number(0), 5],
    failingMs: [number(0), 10_000],
    key: aFunction,
  },
  advice: { on: TURNS_ON },
  ofCall: { options: ['key'] },
});

/** With both groups on. */
type RetryDefaults = ResolvedRetry & { readonly retryAfter: ResolvedRetryAfter; readonly budget: ResolvedBudget };

export const RETRY = new Group<RetryOptions, RetryDefaults, ResolvedRetry>({
  starts: 'on',
  fields: {
    maxRetries: [aCount(0), 3],
    backoff: [aBackoff, exponentialBackoff()],
    retryAfter: RETRY_AFTER,
    unsafe: [oneOf('when-unapplied', 'always', 'never'), 'when-unapplied'],
    idempotentMethods: [methodNames, []],
    timeouts: [aBoolean, true],
    budget: BUDGET,
    onRetry: [SEVERAL, []],
    onGiveUp: [SEVERAL, []],
  },
  advice: { names: RETRY_NAMES, on: TURNS_ON, number: 'here it is { maxRetries }' },
});
