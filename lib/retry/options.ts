import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import type { Call } from '../call/call.ts';
import type { Outcome } from '../call/outcome.ts';
import type { EndReason } from '../call/report.ts';
import type { Verdict } from '../call/verdict.ts';
import { aBoolean, aCount, aFunction, kindOf, methodNames, must, number, oneOf, TURNS_ON } from '../check.ts';
import { type Filled, Group, SEVERAL } from '../group.ts';
import { type Backoff, constantBackoff, exponentialBackoff, linearBackoff } from '../time/backoff.ts';
import { RETRY_NAMES } from './other-names.ts';

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

/** Awaited before the wait for a retry; not for a poll or a replay after a refresh. If it throws, the call rejects with that. */
export type OnRetry = (context: RetryContext) => void | Promise<void>;

/** Awaited once when a call ends otherwise than with a success, unless the caller gave it up. */
export type OnGiveUp = (context: GiveUpContext) => void | Promise<void>;

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
