/** What came, and what is answered. */

import type { OutgoingHttpHeaders } from 'node:http';

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

export const ID_HEADERS = {
  v1: { request: 'MS-RequestId', correlation: 'MS-CorrelationId' },
  rest: { request: 'client-request-id', correlation: 'request-id' },
} as const;

type Head = Pick<ApiRequest, 'method' | 'header'> & { readonly url: string };

export function requestOf(
  { method, url, header }: Head,
  body: Pick<ApiRequest, 'body' | 'bodyLength' | 'bodyHash'>,
): ApiRequest {
  const [, path = '', query] = /^([^?]*)\??(.*)$/.exec(url) ?? [];
  const family = path.startsWith('/rest/') ? 'rest' : 'v1';
  return {
    method,
    path,
    query: new URLSearchParams(query),
    family,
    header,
    requestId: header(ID_HEADERS[family].request),
    correlationId: header(ID_HEADERS[family].correlation),
    ...body,
  };
}
