/** The two ends of an exchange: a request read to its end, and an answer written whole or cut off. */

import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type ApiRequest, ID_HEADERS, requestOf } from './request.ts';

/** How the framing of a body that breaks off in the middle would have told its end. */
export type Cut = 'chunked' | 'announced';

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

  return requestOf(
    {
      method: incoming.method ?? 'GET',
      url: incoming.url ?? '',
      header: (name) => incoming.headers[name.toLowerCase()]?.toString(),
    },
    {
      body: bodyLength > maxBodyBytes ? undefined : Buffer.concat(kept).toString(),
      bodyLength,
      bodyHash: hash.digest('hex'),
    },
  );
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
