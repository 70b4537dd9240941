/** The two ends of an exchange: a request read to its end, and an answer written whole or cut off. */

import { createHash } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** The newer API, under `/rest`, differs in its error bodies and in the names of its id headers. */
  readonly family: 'v1' | 'rest';
  header(name: string): string | undefined;
  /** Makes a repeat idempotent: `MS-RequestId`, or `client-request-id` under `/rest`. */
  readonly requestId: string | undefined;
  /** One per call: `MS-CorrelationId`, or `request-id` under `/rest`. */
  readonly correlationId: string | undefined;
  /** Undefined when it was longer than the server accepts. */
  readonly body: string | undefined;
  readonly bodyLength: number;
  /** SHA-256 in hex, of all bytes that came. */
  readonly bodyHash: string;
}

export interface Answer {
  status: number;
  headers?: OutgoingHttpHeaders;
  /** A string is sent as it is, anything else as JSON. */
  body?: unknown;
}

/** How the framing of a body that breaks off in the middle would have told its end. */
export type Cut = 'chunked' | 'announced';

const ID_HEADERS = {
  v1: { request: 'MS-RequestId', correlation: 'MS-CorrelationId' },
  rest: { request: 'client-request-id', correlation: 'request-id' },
} as const;

/** Reads a body of any length but keeps no more than `maxBodyBytes`: refusing early would lose the answer in a reset. */
export async function receive(incoming: IncomingMessage, maxBodyBytes: number): Promise<ApiRequest> {
  const hash = createHash('sha256');
  const kept: Buffer[] = [];
  let bodyLength = 0;
  for await (const chunk of incoming) {
    hash.update(chunk);
    bodyLength += chunk.length;
    if (bodyLength <= maxBodyBytes) kept.push(chunk);
  }

  const [, path = '', query] = /^([^?]*)\??(.*)$/.exec(incoming.url ?? '') ?? [];
  const family = path.startsWith('/rest/') ? 'rest' : 'v1';
  const header = (name: string) => incoming.headers[name.toLowerCase()]?.toString();
  return {
    method: incoming.method ?? 'GET',
    path,
    query: new URLSearchParams(query),
    family,
    header,
    requestId: header(ID_HEADERS[family].request),
    correlationId: header(ID_HEADERS[family].correlation),
    body: bodyLength > maxBodyBytes ? undefined : Buffer.concat(kept).toString(),
    bodyLength,
    bodyHash: hash.digest('hex'),
  };
}

export function deliver(response: ServerResponse, request: ApiRequest, answer: Answer, cut?: Cut): void {
  const hasBody = answer.status !== 204 && answer.status !== 304;
  const body = hasBody ? answer.body : undefined;
  const payload = Buffer.from(typeof body === 'string' ? body : (JSON.stringify(body) ?? ''));
  const names = ID_HEADERS[request.family];
  if (request.requestId) response.setHeader(names.request, request.requestId);
  if (request.correlationId) response.setHeader(names.correlation, request.correlationId);
  if (body !== undefined) response.setHeader('Content-Type', 'application/json; charset=utf-8');
  if (hasBody && cut !== 'chunked') response.setHeader('Content-Length', payload.length);
  response.writeHead(answer.status, answer.headers);

  if (!cut) return void response.end(payload);
  // Not a reset: it may overtake the bytes just written, and take the headers along.
  response.write(payload.subarray(0, payload.length >> 1), () => response.destroy());
}

export function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

/** Rejects when the connection goes first, so that closing the server's connections also clears every timer. */
export async function hold(response: ServerResponse, ms: number): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  await sleep(ms, undefined, { signal: gone.signal });
}
