import { addressOf } from '../call/address.ts';
import { oneLine } from '../call/one-line.ts';
import type { RefusedRetry, RefusedWait } from '../call/refused-retry.ts';
import type { EndReason } from '../call/report.ts';
import { timeSpent } from '../call/spent.ts';
import { durationOf } from '../call/time-shown.ts';
import { type ApiError, mostSpecific } from './api-error.ts';
import type { Failure } from './failure.ts';
import { redact } from './redact.ts';
import { secretsOf } from './secrets.ts';

/** A failure, and what only its summary tells. */
type Explained = Omit<Failure, 'summary'> & {
  readonly refusedRetry?: RefusedRetry | undefined;
  readonly refusedWait?: RefusedWait | undefined;
  /** How long the call had polled when it gave that up, in ms. */
  readonly polledMs?: number | undefined;
  /** How long the call might take in all, in ms, and whether that time had passed. */
  readonly deadline?: { readonly ms: number; readonly passed: boolean } | undefined;
  /** Why the loop did not look after the call. */
  readonly disabled?: 'not-attached' | 'let-through' | undefined;
  /** Why the send carried no token; of a call that was refused for that. */
  readonly bareBecause?: string | undefined;
  /** What the judge said of the answer, and that no repeat can help. */
  readonly reason?: string | undefined;
  readonly final?: boolean | undefined;
  /** What the token refresh threw, or why it was not begun. */
  readonly refreshError?: unknown;
  /** What the call rejected with where no answer came: it may tell what went wrong in this process. */
  readonly ownError?: unknown;
};

/** The words for each reason, with what can be done about it. */
const ENDINGS: { readonly [R in EndReason]: string } = {
  'not-retryable': 'not retryable',
  'retries-exhausted': 'retries exhausted',
  'budget-empty': 'the retry budget is empty',
  deadline: 'the deadline is too near',
  'wait-too-long': 'the server asks for too long a wait',
  'unsafe-method': 'a repeat might be applied twice: turn on `idempotency`, if the server knows such keys',
  'body-not-replayable': 'the body can be read only once: `body` can make it afresh',
  'refresh-failed': 'the token could not be refreshed',
  'still-unauthorized': 'still unauthorized with a fresh token',
  cancelled: 'cancelled by the caller',
  limited: 'the limiter refused',
  'circuit-open': 'the circuit is open',
  disabled: 'retrying is off',
  'still-pending': 'still pending',
  stopped: 'stopped by `beforeSend`',
};

const DISABLED = {
  'not-attached': 'not attached: attach(instance, policy) comes first, and for each instance',
  'let-through': 'let through by `holdfast: false`',
} as const;

/** The words for a limiter's refusal, by the code of its error. */
const LIMITS: { readonly [code: string]: string } = {
  ERR_LIMIT_QUEUE_FULL: 'the queue of the limiter is full (`limit.maxQueue`)',
  ERR_LIMIT_WAIT_TOO_LONG: 'the limiter asks for a longer wait than `limit.maxWaitMs`',
  ERR_LIMIT_CLOSED: 'the limiter is closed',
};

/** Longest quotation from a server, in characters. */
const QUOTED = 200;

/**
 * The failure in one sentence, such as: `POST /v1/orders ended after 4 sends in 12.4 s: 503 unavailable, retries exhausted (maxRetries 3);
 * the server says serviceNotAvailable: "…" (MS-RequestId …)`.
 *
 * @param sent further configs whose secrets must not be shown: the server may have repeated them
 */
export function summaryOf(
  failure: Explained,
  config: unknown,
  requestIdHeader?: string,
  sent: readonly unknown[] = [],
): string {
  const secrets = [config, ...sent].flatMap(secretsOf);
  const safe = (text: string, length = QUOTED) => oneLine(redact(text, secrets), length);
  const { status, code, kind, api, sends, elapsedMs, requestId, retryAfterMs, refusedWait } = failure;
  const request = (config ?? {}) as { method?: unknown; baseURL?: string; url?: string };
  const method = typeof request.method === 'string' ? request.method.toUpperCase() : 'GET';
  const path = addressOf(request).replace(/^[a-z][a-z\d+.-]*:\/\/[^/]*/i, '') || '/';
  const why = failure.reason === undefined ? '' : ` (${safe(failure.reason)})`;
  const what =
    status !== undefined
      ? `${status} ${kind}${failure.final && kind === 'throttled' ? ' for good' : ''}${why}`
      : `${kind}${code === undefined ? '' : ` (${safe(code, 40)})`}`;
  const told = api && mostSpecific(api);
  return [
    `${safe(method, 16)} ${safe(path)} ended after ${sends} send${sends === 1 ? '' : 's'} in ${timeSpent(elapsedMs, failure)}: `,
    `${what}, ${endingOf(failure)}`,
    failure.bareBecause === undefined ? '' : `: no token was sent: ${safe(failure.bareBecause)}`,
    failure.endedBecause === 'refresh-failed' ? wordsOf(failure.refreshError, secrets) : '',
    kind === 'local' || (kind === 'limited' && (isCaused(failure.ownError) || !code?.startsWith('ERR_LIMIT_')))
      ? wordsOf(failure.ownError, secrets)
      : '',
    retryAfterMs === undefined || refusedWait !== undefined || failure.endedBecause === 'still-pending'
      ? ''
      : ` (it asks for ${durationOf(retryAfterMs)})`,
    told === undefined ? '' : `; the server says ${saidBy(told, safe)}`,
    requestId === undefined ? '' : ` (${requestIdHeader} ${safe(requestId, 80)})`,
  ].join('');
}

/** Code and message, each where there is one. */
function saidBy({ code, message, shape }: ApiError, safe: (text: string, length?: number) => string): string {
  // The fragment of a problem type is what tells it from others. Plain words are no secret, and would be masked as that of a URL.
  const [, address = code, type = ''] = (shape === 'problem' && /^([^#]*)#([a-z]+(?:-[a-z]+)*)$/i.exec(code)) || [];
  const named = type === '' ? safe(code, 80) : `${safe(address, 80)}#${safe(type, 80)}`;
  return [named, message === '' ? '' : `"${safe(message)}"`].filter(Boolean).join(': ');
}

/** Why there was no further send. Where an option of the policy decided it, with the numbers. */
function endingOf({
  endedBecause,
  code,
  deadline,
  disabled,
  kind,
  ownError,
  polledMs = 0,
  refusedRetry,
  refusedWait,
  retries,
  retryAfterMs,
}: Explained): string {
  if (refusedRetry !== undefined) return refusalOf(refusedRetry);
  if (refusedWait !== undefined) return waitOf(refusedWait, Number(retryAfterMs));
  if (endedBecause === 'retries-exhausted') return `${ENDINGS[endedBecause]} (maxRetries ${retries})`;
  if (endedBecause === 'still-pending') return stillPending(polledMs, retryAfterMs);
  if (endedBecause === 'limited') return (isCaused(ownError) ? undefined : LIMITS[code ?? '']) ?? ENDINGS.limited;
  if (endedBecause === 'disabled' && disabled !== undefined) return DISABLED[disabled];
  if (endedBecause !== 'deadline' || deadline === undefined) return ENDINGS[endedBecause];
  const ofTheCall = `the deadline of ${durationOf(deadline.ms).replace('.0 s', ' s')}`;
  if (deadline.passed) return `${ofTheCall} has passed`;
  const next = kind === 'pending' ? 'the next poll' : 'a retry';
  return `${ofTheCall} is too near for ${code === 'ERR_LIMIT_DEADLINE' ? 'its turn in the queue' : next}`;
}

/** A refusal that comes of something else, as of a Redis that is lost, tells of that. */
const isCaused = (error: unknown): boolean => (error as { cause?: unknown } | undefined)?.cause !== undefined;

/** Words of at least 8 characters: one with letters and digits may be a token. */
const OPAQUE = /[\w+~-]{8,}/g;

const isOpaque = (word: string): boolean => /\d/.test(word) && /[a-z]/i.test(word);

/** What an error of the application's code says. It may say anything, so whatever looks like a token is hidden, known or not. */
function wordsOf(error: unknown, known: readonly string[]): string {
  const { message, config, response } = (error ?? {}) as { message?: unknown; config?: unknown; response?: unknown };
  if (typeof message !== 'string' || message === '') return '';
  const secrets = [...known, ...secretsOf(config), ...secretsOf((response as { config?: unknown } | null)?.config)];
  const safe = redact(message, secrets).replace(OPAQUE, (word) => (isOpaque(word) ? '[redacted]' : word));
  return `: "${oneLine(safe, QUOTED)}"`;
}

function refusalOf({ rule, retries, calls, balance, cost, capacity, allowed, windowMs }: RefusedRetry): string {
  if (rule === 'bucket') {
    return `the retry budget is empty (balance ${balance} of ${capacity}, a retry costs ${cost})`;
  }
  const window = windowMs === 60_000 ? 'a minute' : `in ${durationOf(windowMs)}`;
  const [allowance, counted] = [counting(allowed, 'retry', 'retries'), counting(retries, 'retry', 'retries')];
  return `the retry budget allows ${allowance} ${window} while most calls fail (${counted} for ${counting(calls, 'call', 'calls')})`;
}

function waitOf({ waitedMs, maxMs, pausedMs }: RefusedWait, namedMs: number): string {
  const [waited, max, named] = [waitedMs, maxMs, namedMs].map((ms) => durationOf(ms).replace('.0 s', ' s'));
  if (pausedMs !== undefined) {
    return `nothing may be sent for ${named}, and the call waits ${max} at most: raise \`retry.retryAfter.maxMs\``;
  }
  const story =
    waitedMs > 0
      ? `waited ${waited} of ${max}; the server asks for ${named} more`
      : `the server asks for ${named}, of at most ${max}`;
  return `${story}: raise \`retry.retryAfter.maxMs\``;
}

function stillPending(polledMs: number, namedMs: number | undefined): string {
  const [polled, named] = [polledMs, namedMs ?? 0].map((ms) => durationOf(ms).replace('.0 s', ' s'));
  const asked = namedMs === undefined ? '' : `; the server asks for ${named} more`;
  return `still pending after ${polled} of polling${asked}: raise \`poll.maxMs\``;
}

const counting = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;
