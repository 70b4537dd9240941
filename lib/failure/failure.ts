import { isAxiosError, isCancel } from 'axios';
import type { CallState } from '../call/call.ts';
import { callOf } from '../call/call-of.ts';
import { headerOf } from '../call/header.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import type { BudgetState, RefusedRetry } from '../call/refused-retry.ts';
import type { EndReason, Report } from '../call/report.ts';
import type { Spent } from '../call/spent.ts';
import { wholeMs } from '../call/time-shown.ts';
import { type ApiError, readApiError } from './api-error.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { codeOf, fieldsOf, isTimeout } from './code.ts';
import { isHoldfastError } from './errors.ts';
import { faultOf } from './fault.ts';
import { summaryOf } from './summary.ts';

/** What kind of failure a call ended in: the first thing to switch on. */
export type FailureKind =
  /** The server refused for rate. */
  | 'throttled'
  /** The server, or what stands before it, could not serve: a 5xx, or whatever the policy calls transient. */
  | 'unavailable'
  /** The server had not finished when the polling was over. */
  | 'pending'
  /** The credential was refused. */
  | 'unauthorized'
  /** The server will not do it: any other 4xx. */
  | 'rejected'
  /** No answer that can be used: refused, reset, broken off, no such host; redirects without end. */
  | 'network'
  /** No answer in time. */
  | 'timeout'
  /** Nothing that the server or the network did: a file or a stream of ours failed, an option is wrong, a bug. */
  | 'local'
  /** The caller gave up. */
  | 'cancelled'
  /** The limiter in front refused. */
  | 'limited'
  | 'circuit-open'
  | 'refresh-failed';

/** Why a call failed, in one place. It holds no header, no token and no query. */
export interface Failure extends Spent {
  readonly kind: FailureKind;
  readonly status?: number | undefined;
  /** axios' code, or the network's own where axios hides it. */
  readonly code?: string | undefined;
  /** The error body, if it is of a known shape. As the server sent it, so not redacted. */
  readonly api?: ApiError | undefined;
  /** What `WWW-Authenticate` asks for. */
  readonly challenges: readonly Challenge[];
  /** What the server asked for, in ms, when that was not waited out. */
  readonly retryAfterMs?: number | undefined;
  readonly endedBecause: EndReason;
  /** Of a call that ended `budget-empty`: which rule of the retry budget stopped its retry, and the numbers of that moment. */
  readonly budget?: BudgetState | undefined;
  readonly sends: number;
  readonly retries: number;
  readonly replays: number;
  /** Sends that asked again for an answer that was pending. */
  readonly polls: number;
  readonly elapsedMs: number;
  /** What the server calls this request: `MS-RequestId`, `request-id`, `x-request-id`, `x-ms-request-id` or `client-request-id`. */
  readonly requestId?: string | undefined;
  readonly correlationId?: string | undefined;
  /** One sentence for a person or a log. No token, password, cookie or query value ever appears in it. */
  readonly summary: string;
}

/**
 * Why a call failed: of the error that it rejected with, or of a bad response that `validateStatus` let through; also
 * where an application has wrapped the error and kept it as `cause`.
 *
 * `undefined` for a success and for what is no failure of a call. An AxiosError of a call that was let through
 * (`holdfast: false`), or of another instance, is explained as well; its `endedBecause` is `'disabled'`. Never throws.
 */
export function failureOf(error: unknown): Failure | undefined {
  // A proxy or a getter in what was thrown must not take the place of the real error.
  try {
    const ended = callOf(error);
    if (ended === undefined) return isAxiosError(error) ? explain(undefined, { error }) : undefined;
    const { call, ending } = ended;
    // The loop may have ended well and axios have failed afterwards, over a body that it could not transform.
    if (call.endedBecause === 'success' && !isAxiosError(ending)) return undefined;
    return explain(call, call.failedWith ?? asOutcome(ending));
  } catch {
    return undefined;
  }
}

/**
 * The whole story of a call: of its response, or of the error that it rejected with, wrapped or not. `undefined` for
 * anything else. Never throws.
 */
export function reportOf(responseOrError: unknown): Report | undefined {
  try {
    return callOf(responseOrError)?.call.report();
  } catch {
    return undefined;
  }
}

const REQUEST_IDS = ['MS-RequestId', 'request-id', 'x-request-id', 'x-ms-request-id', 'client-request-id'];
const CORRELATION_IDS = ['MS-CorrelationId', 'client-request-id', 'x-correlation-id'];

function asOutcome(ending: object): Outcome {
  const { status, headers } = ending as { status?: unknown; headers?: unknown };
  const isResponse = !(ending instanceof Error) && typeof status === 'number' && headers !== undefined;
  return isResponse ? ({ response: ending } as unknown as Outcome) : { error: ending };
}

function explain(call: CallState | undefined, ending: Outcome): Failure {
  const response = responseOf(ending);
  const { error } = ending;
  const config = call?.config ?? (error as { config?: unknown } | undefined)?.config;
  const headers = response?.headers;
  const contentType = headerOf(headers, 'content-type');
  const started = (error as { request?: unknown } | undefined)?.request !== undefined || response !== undefined;
  // Where no answer came, the ids that were sent are all that the server's people can search for.
  const correlationId =
    call?.correlationId ??
    firstOf(headers, CORRELATION_IDS)?.value ??
    firstOf(call?.wireHeaders, CORRELATION_IDS)?.value;
  // Families of APIs give the same two names to opposite ids; the one that is known for the call's is not the request's.
  const requestId =
    firstOf(headers, REQUEST_IDS, correlationId) ?? firstOf(call?.wireHeaders, REQUEST_IDS, correlationId);
  const refusedRetry = call?.endedBecause === 'budget-empty' ? call.refusedRetry : undefined;
  const retryAfterMs = call?.refusedWait?.pausedMs ?? call?.verdict?.retryAfterMs;
  const facts = {
    kind: kindOf(call, ending),
    status: response?.status,
    code: error === undefined ? undefined : codeOf(withoutLast(call, error)),
    api: readApiError(response?.data, contentType) ?? readApiError(call?.errorText, contentType),
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
  } as const;
  const sent = [call?.wire, { headers: call?.wireHeaders }, { headers: { authorization: call?.tokens } }];
  const explained = {
    ...facts,
    refusedRetry,
    refusedWait: call?.refusedWait,
    polledMs: call?.polledMs,
    deadline: call && { ms: call.deadlineAt - call.startedAt, passed: isOver(call) },
    disabled: call === undefined && started ? whyDisabled(config) : undefined,
    bareBecause: call?.bareBecause,
    refreshError: (error as { cause?: unknown } | undefined)?.cause ?? error,
    ownError: response === undefined ? error : undefined,
  };
  return Object.freeze({ ...facts, summary: summaryOf(explained, config, requestId?.name, sent) });
}

/** Of a call that the loop knows nothing of. */
const NO_TIME: Spent = { queuedMs: 0, refreshMs: 0, waitedMs: 0, sendingMs: 0 };

/** A sum of instants is off by a hair. */
const isOver = ({ deadlineAt, endedAt }: CallState): boolean => endedAt >= deadlineAt - 1;

/** Of a call that was sent and that the loop knows nothing of. */
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
    // A limiter of the caller's own has errors of its own.
    if (call?.endedBecause === 'limited') return 'limited';
    const thrown = withoutLast(call, error);
    const fault = faultOf(thrown);
    if (fault !== 'local' && isTimeout(thrown)) return 'timeout';
    return fault ?? (isOfPolicy(call, error) ? 'local' : codeOf(error) === undefined ? 'rejected' : 'network');
  }
  if (verdict === 'pending') return 'pending';
  if (verdict === 'throttled' || status === 429) return 'throttled';
  if (verdict === 'unauthorized' || status === 401) return 'unauthorized';
  const isGood = status >= 200 && status < 300;
  // A judge had no time to say what it is.
  if (isGood && call?.endedBecause === 'deadline' && verdict === 'success') return 'timeout';
  // A 2xx that axios rejects broke off, unless it was whole and somebody refused it: `validateStatus` or a judge.
  const isWhole = verdict === 'success' || verdict === 'permanent' || call?.verdict?.reject;
  if (isGood && error !== undefined && !isWhole) return 'network';
  return verdict === 'transient' || status >= 500 ? 'unavailable' : 'rejected';
}

/** Whether the policy's own code has thrown it: a judge, a key, `beforeSend`. No send gave it, and nobody refused. */
const isOfPolicy = (call: CallState | undefined, error: unknown): boolean =>
  call?.endedBecause === 'not-retryable' && error !== call.outcome?.error;

/** An error of the policy's own code, without the error of the last send where it has that for its cause: that was another's fault. */
function withoutLast(call: CallState | undefined, error: unknown): unknown {
  if (!isOfPolicy(call, error)) return error;
  const { name, message, cause } = fieldsOf(error);
  return cause !== undefined && cause === call?.outcome?.error ? { name, message } : error;
}

function firstOf(
  headers: unknown,
  names: readonly string[],
  except?: string,
): { name: string; value: string } | undefined {
  for (const name of names) {
    const value = headerOf(headers, name.toLowerCase());
    if (value && value !== except) return { name, value };
  }
  return undefined;
}
