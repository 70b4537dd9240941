import { addressOf } from '../model/address.ts';
import type { EndReason } from '../model/report.ts';
import { mostSpecific } from './api-error.ts';
import type { Failure } from './failure.ts';
import { oneLine, redact } from './redact.ts';
import { secretsOf } from './secrets.ts';

/** How each end reads in a sentence. */
const ENDINGS: { readonly [R in EndReason]: string } = {
  'not-retryable': 'not retryable',
  'retries-exhausted': 'retries exhausted',
  'budget-empty': 'the retry budget is empty',
  deadline: 'the deadline is too near',
  'wait-too-long': 'the server asks for too long a wait',
  'unsafe-method': 'a repeat might be applied twice',
  'body-not-replayable': 'the body can be read only once',
  'refresh-failed': 'the token could not be refreshed',
  'still-unauthorized': 'still unauthorized with a fresh token',
  cancelled: 'cancelled by the caller',
  limited: 'the limiter refused',
  'circuit-open': 'the circuit is open',
  disabled: 'retrying is off',
};

/** Longest quotation from a server, in characters. */
const QUOTED = 200;

/**
 * One sentence, such as: `POST /v1/orders ended after 4 sends in 12.4 s: 503 unavailable, retries exhausted; the server
 * says serviceNotAvailable: "…" (MS-RequestId …)`.
 *
 * @param sent further configs whose secrets the server may have repeated
 */
export function summaryOf(
  failure: Omit<Failure, 'summary'>,
  config: unknown,
  requestIdHeader?: string,
  sent: readonly unknown[] = [],
): string {
  const secrets = [config, ...sent].flatMap(secretsOf);
  const safe = (text: string, length = QUOTED) => oneLine(redact(text, secrets), length);
  const { status, code, kind, api, sends, elapsedMs, requestId, retryAfterMs } = failure;
  const request = (config ?? {}) as { method?: unknown; baseURL?: string; url?: string };
  const method = typeof request.method === 'string' ? request.method.toUpperCase() : 'GET';
  const path = addressOf(request).replace(/^[a-z][a-z\d+.-]*:\/\/[^/]*/i, '') || '/';
  const what =
    status !== undefined ? `${status} ${kind}` : `${kind}${code === undefined ? '' : ` (${safe(code, 40)})`}`;
  const told = api && mostSpecific(api);
  return [
    `${safe(method, 16)} ${safe(path)} ended after ${sends} send${sends === 1 ? '' : 's'} in ${duration(elapsedMs)}: `,
    `${what}, ${ENDINGS[failure.endedBecause]}`,
    retryAfterMs === undefined ? '' : ` (it asks for ${duration(retryAfterMs)})`,
    told === undefined ? '' : `; the server says ${safe(told.code, 80)}: "${safe(told.message)}"`,
    requestId === undefined ? '' : ` (${requestIdHeader} ${safe(requestId, 80)})`,
  ].join('');
}

function duration(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
