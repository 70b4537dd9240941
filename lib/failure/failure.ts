import { isAxiosError, isCancel } from 'axios';
import type { CallState } from '../call/call.ts';
import { callOf } from '../call/call-of.ts';
import { headerOf } from '../call/header.ts';
import type { LiveCall } from '../call/live-call.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import type { BudgetState, RefusedRetry } from '../call/refused-retry.ts';
import type { EndReason, Report } from '../call/report.ts';
import type { Spent } from '../call/spent.ts';
import { wholeMs } from '../call/time-shown.ts';
import { type ApiError, readApiError, readOwnError } from './api-error.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { codeOf, fieldsOf, isTimeout } from './code.ts';
import { isHoldfastError } from './errors.ts';
import { faultOf } from './fault.ts';
import { correlationIdIn, idsOf, requestIdIn } from './ids.ts';
import { summaryOf } from './summary.ts';

/** What kind of failure a call ended with: the first thing to switch on. */
export type FailureKind =
  /** Too many requests: a 429, or what the policy calls `throttled`. */
  | 'throttled'
  /** The server, or a gateway before it, could not serve: a 5xx, or what the policy calls `transient`. */
  | 'unavailable'
  /** The server had not finished when the polling ended. */
  | 'pending'
  /** The credential was refused: a 401, or what the policy calls `unauthorized`. */
  | 'unauthorized'
  /** The server will not do it: any other status, or an answer that `validateStatus` or a judge refused. */
  | 'rejected'
  /** No usable answer came: the connection was refused, reset or broken off, there is no such host, the redirects never end. */
  | 'network'
  /** No answer came in time. */
  | 'timeout'
  /**
   * It happened in this process: a file or a stream could not be read, an option is wrong, a function of the policy threw, an adapter gave an
   * error without a code, a bug.
   */
  | 'local'
  /** The caller gave the call up. */
  | 'cancelled'
  /** The limiter refused a send. */
  | 'limited'
  /** The circuit breaker let nothing through. */
  | 'circuit-open'
  /** The token could not be refreshed. */
  | 'refresh-failed';

/** Why a call failed, in one place. Frozen. It holds no header, no token and no query; but see `api`. Durations are in whole ms. */
export interface Failure extends Spent {
  readonly kind: FailureKind;
  /** Of the answer that the call ended with; `undefined` where there is none. */
  readonly status?: number | undefined;
  /** Of the error, for instance `ECONNRESET`: axios' code, or the network's own where axios hides that behind `ERR_NETWORK`. */
  readonly code?: string | undefined;
  /** The error in the answer's body, where it is of a known shape: see `readApiError`. As the server sent it, so not redacted. */
  readonly api?: ApiError | undefined;
  /** What the answer's `WWW-Authenticate` asks for; `[]` where it asks for nothing. */
  readonly challenges: readonly Challenge[];
  /** How long the server asks to wait; that wait was not made. */
  readonly retryAfterMs?: number | undefined;
  /** Why there was no further send. */
  readonly endedBecause: EndReason;
  /** Where the call ended as `budget-empty`: which rule of the retry budget refused, and by what numbers. */
  readonly budget?: BudgetState | undefined;
  /** HTTP requests that were made: the first, then `retries` + `replays` + `polls`. */
  readonly sends: number;
  readonly retries: number;
  /** Sends after a token refresh. */
  readonly replays: number;
  /** Sends that asked again for an answer that was `pending`. */
  readonly polls: number;
  /** How long the call took in all. */
  readonly elapsedMs: number;
  /**
   * How the server's log names this request: the first that is there of what the policy's `ids` name, `MS-RequestId`, `request-id`, `x-request-id`, `x-ms-request-id` and
   * `client-request-id`, of the answer, else of the request. Give it to the server's support.
   */
  readonly requestId?: string | undefined;
  /** The id that all sends of the call have in common: of the policy's `correlation`, else of the answer, else of the request. */
  readonly correlationId?: string | undefined;
  /**
   * Every id that the answer carries, by the name of its header: those above, and what the policy's `ids` name. `{}` where there is none.
   */
  readonly ids: { readonly [name: string]: string };
  /** One sentence for a person or a log. No token, password, cookie or query value ever stands in it. */
  readonly summary: string;
}

/**
 * Why a call failed; `undefined` for a success, and for what is no failure of a call. Never throws.
 *
 * The AxiosError of a call that nobody looked after (`holdfast: false`, or another instance) is explained too; its `endedBecause` is
 * `'disabled'`.
 *
 * @param error what the call rejected with, also where an application has wrapped it and kept it as `cause`; or a bad response that
 * `validateStatus` let through
 *
 * @example
 * try {
 *   await client.post('/orders', order);
 * } catch (error) {
 *   const failure = failureOf(error);
 *   if (failure?.kind === 'throttled') await comeBackIn(failure.retryAfterMs);
 *   else log.error(failure?.summary ?? error);
 * }
 */
export function failureOf(error: unknown): Failure | undefined {
  // A proxy or a getter may throw: that must not replace the error that the caller is looking at.
  try {
    const ended = callOf(error);
    if (ended === undefined) return isAxiosError(error) ? explain(undefined, { error }) : undefined;
    const { call, ending } = ended;
    // The loop may have ended well, and axios failed afterwards: it could not transform the body.
    if (call.endedBecause === 'success' && !isAxiosError(ending)) return undefined;
    return explain(call, call.failedWith ?? asOutcome(ending));
  } catch {
    return undefined;
  }
}

/**
 * The whole story of a call: every send, what it meant, what followed, and where the time went. `undefined` for what is no end of a call
 * that this library looked after. Never throws.
 *
 * @param responseOrError what the call resolved or rejected with; an error may be wrapped, and kept as `cause`. The response of a success
 * must be that object itself: ask before it goes into reactive state, which hands out proxies
 *
 * @example
 * const response = await client.get('/orders');
 * const report = reportOf(response);
 * console.log(report?.elapsedMs, report?.sends.map(({ status, decision }) => `${status}: ${decision}`)); // 1204 ['503: retry', '200: finish']
 */
export function reportOf(responseOrError: unknown): Report | undefined {
  try {
    return callOf(responseOrError)?.call.report();
  } catch {
    return undefined;
  }
}

function asOutcome(ending: object): Outcome {
  const { status, headers } = ending as { status?: unknown; headers?: unknown };
  const isResponse = !(ending instanceof Error) && typeof status === 'number' && headers !== undefined;
  return isResponse ? ({ response: ending } as unknown as Outcome) : { error: ending };
}

function explain(call: CallState | undefined, ending: Outcome): Failure {
  const response = responseOf(ending);
  const { error } = ending;
  // A call that ended well has let go of its own.
  const own = call?.endedBecause === 'success' ? undefined : call?.config;
  const config = own ?? (error as { config?: unknown } | undefined)?.config ?? call?.config;
  const headers = response?.headers;
  const contentType = headerOf(headers, 'content-type');
  const { ids: named = [], readError } = (call as Partial<LiveCall> | undefined)?.terms ?? {};
  const started = (error as { request?: unknown } | undefined)?.request !== undefined || response !== undefined;
  // Where no answer came, the ids that were sent are all that can be searched for in the server's log.
  const correlationId = call?.correlationId ?? correlationIdIn(headers) ?? correlationIdIn(call?.wireHeaders);
  // One API calls the request's id `client-request-id`, another the call's. What is known to be the call's is not the request's.
  const requestId = requestIdIn(headers, named, correlationId) ?? requestIdIn(call?.wireHeaders, named, correlationId);
  const api =
    readApiError(response?.data, contentType) ??
    readApiError(call?.errorText, contentType) ??
    readOwnError(response?.data, readError);
  const refusedRetry = call?.endedBecause === 'budget-empty' ? call.refusedRetry : undefined;
  const retryAfterMs = call?.refusedWait?.pausedMs ?? call?.verdict?.retryAfterMs;
  const facts = {
    kind: kindOf(call, ending),
    status: response?.status,
    code: error === undefined ? undefined : codeOf(withoutLast(call, error)),
    api,
    challenges: parseChallenges(headerOf(headers, 'www-authenticate') ?? ''),
    retryAfterMs: retryAfterMs === undefined ? undefined : wholeMs(retryAfterMs),
    endedBecause: call?.endedBecause === 'success' ? 'not-retryable' : (call?.endedBecause ?? 'disabled'),
    budget: refusedRetry && stateOf(refusedRetry),
    sends: call?.sends.length ?? (started ? 1 : 0),
    retries: call?.retries ?? 0,
    replays: call?.replays ?? 0,
    polls: call?.polls ?? 0,
    ...(call?.spent ?? NO_TIME),
    elapsedMs: call === undefined ? 0 : wholeMs(call.endedAt - call.startedAt),
    requestId: requestId?.value,
    correlationId,
    ids: idsOf(headers, api?.raw, named),
  } as const;
  const sent = [call?.wire, { headers: call?.wireHeaders }, { headers: { authorization: call?.tokens } }];
  const explained = {
    ...facts,
    reason: call?.verdict?.reason,
    final: call?.verdict?.final,
    refusedRetry,
    refusedWait: call?.refusedWait,
    polledMs: call?.polledMs,
    deadline: call && { ms: call.deadlineAt - call.startedAt, passed: isPastDeadline(call) },
    disabled: call === undefined && started ? whyDisabled(config) : undefined,
    bareBecause: call?.bareBecause,
    refreshError: (error as { cause?: unknown } | undefined)?.cause ?? error,
    ownError: response === undefined ? error : undefined,
  };
  return Object.freeze({ ...facts, summary: summaryOf(explained, config, requestId?.name, sent) });
}

/** Of a call that the loop did not look after. */
const NO_TIME: Spent = { queuedMs: 0, refreshMs: 0, waitedMs: 0, sendingMs: 0 };

/** Within a ms, since a sum of instants is not exact. */
const isPastDeadline = ({ deadlineAt, endedAt }: CallState): boolean => endedAt >= deadlineAt - 1;

/** Why the loop did not look after a call. */
const whyDisabled = (config: unknown): 'not-attached' | 'let-through' =>
  (config as { holdfast?: unknown } | undefined)?.holdfast === false ? 'let-through' : 'not-attached';

const stateOf = ({ rule, retries, calls, balance }: RefusedRetry): BudgetState =>
  Object.freeze({ rule, retries, calls, balance });

function kindOf(call: CallState | undefined, { response, error }: Outcome): FailureKind {
  if (isCancel(error) || call?.endedBecause === 'cancelled') return 'cancelled';
  if (isHoldfastError(error)) {
    if (error.code === 'ERR_TOKEN_REFRESH') return 'refresh-failed';
    return error.code === 'ERR_CIRCUIT_OPEN' ? 'circuit-open' : 'limited';
  }
  const status = response?.status ?? responseOf({ error })?.status;
  const verdict = call?.verdict?.kind;
  if (status === undefined) {
    // A limiter of the caller's own may throw any error.
    if (call?.endedBecause === 'limited') return 'limited';
    const thrown = withoutLast(call, error);
    const fault = faultOf(thrown);
    if (fault !== 'local' && isTimeout(thrown)) return 'timeout';
    // An error that says nothing of itself is of an adapter, or of whoever wrote one.
    return fault ?? (isOfPolicy(call, error) || codeOf(error) === undefined ? 'local' : 'network');
  }
  if (verdict === 'pending') return 'pending';
  if (verdict === 'throttled' || status === 429) return 'throttled';
  if (verdict === 'unauthorized' || status === 401) return 'unauthorized';
  const isGood = status >= 200 && status < 300;
  // The deadline came before a judge had said what the answer means.
  if (isGood && call?.endedBecause === 'deadline' && verdict === 'success') return 'timeout';
  // A 2xx that axios rejects with broke off; unless it was whole, and `validateStatus` or a judge refused it.
  const isWhole = verdict === 'success' || verdict === 'permanent' || call?.verdict?.reject;
  if (isGood && error !== undefined && !isWhole) return 'network';
  return verdict === 'transient' || status >= 500 ? 'unavailable' : 'rejected';
}

/** Whether code of the policy threw it: a judge, a key, `beforeSend`. For no send rejected with it, and nothing refused the call. */
const isOfPolicy = (call: CallState | undefined, error: unknown): boolean =>
  call?.endedBecause === 'not-retryable' && error !== call.outcome?.error;

/**
 * An error that code of the policy threw, without its cause where that is the error of the last send. What the send failed with does not
 * say what is wrong with the policy's code.
 */
function withoutLast(call: CallState | undefined, error: unknown): unknown {
  if (!isOfPolicy(call, error)) return error;
  const { name, message, cause } = fieldsOf(error);
  return cause !== undefined && cause === call?.outcome?.error ? { name, message } : error;
}
