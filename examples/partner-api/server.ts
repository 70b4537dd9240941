/**
 * A stand-in for the Partner API: a real HTTP server on 127.0.0.1 that behaves as the documents say, fails on demand
 * and remembers what it saw.
 *
 *     GET                 /v1/customers, /v1/customers/{customer}
 *     POST                /v1/customers/{customer}/orders
 *     GET, PATCH, PUT     /v1/customers/{customer}/orders/{order}
 *     POST                /v1/customers/{customer}/orders/{order}/quantity: 202, to be asked under /operations
 *     GET                 /v1/customers/{customer}/operations/{operation}, /v1/customers/{customer}/utilization
 *     POST                /oauth/token
 *     any                 /status/{code}?code&shape&retryAfter&succeedAfter&key
 *
 * The newer API has the same resources under /rest, and /status stands under both. Tokens and quotas concern the
 * resources only. A request names the shape of error body it wants by `?shape=` or an `X-Error-Shape` header.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ApiOptions, createApi } from './api.ts';
import { type ErrorShape, Refusal } from './bodies.ts';
import { createLedger, type LogEntry, type Traffic } from './ledger.ts';
import type { ApiRequest } from './request.ts';
import { createScript, type Step } from './script.ts';
import type { Quota } from './throttle.ts';
import type { Grant } from './tokens.ts';
import { type Cut, deliver, hold, receive, reset } from './wire.ts';

export type { ApiRequest, ErrorShape, Grant, LogEntry, Quota, Step };

export interface PartnerApiOptions extends ApiOptions {
  /** How many requests the log remembers. Default 1,000. */
  logSize?: number;
}

export interface Counters extends Readonly<Traffic> {
  readonly ordersCreated: number;
  /** Orders placed again under an `MS-RequestId` already seen, and answered with the first one. */
  readonly ordersRepeated: number;
  /** Tokens that the token endpoint granted, whatever the grant type. */
  readonly refreshes: number;
}

export interface PartnerApi {
  readonly url: string;
  /** A snapshot of the moment it is read. */
  readonly counters: Counters;
  /** In the order of arrival. */
  readonly log: readonly Readonly<LogEntry>[];
  /** Appends faults: each step is played to the next requests that it matches. */
  script(...steps: Step[]): void;
  /** The tokens a client starts with, as if a person had consented. Default tenant `partner`. */
  consent(tenant?: string): Required<Grant>;
  /** Ends every access token handed out so far. Refresh tokens stay good. */
  expireTokens(): void;
  /** Forgets orders, counters, log, script and the quotas used. Tokens stay good. */
  reset(): void;
  /** Ends every connection and timer. */
  close(): Promise<void>;
}

export async function startPartnerApi(options: PartnerApiOptions = {}): Promise<PartnerApi> {
  const { maxBodyBytes = 2 ** 20, now = Date.now, logSize = 1_000 } = options;
  const api = createApi({ ...options, maxBodyBytes, now });
  const ledger = createLedger({ logSize, now });
  const script = createScript();

  const serve = async (incoming: IncomingMessage, response: ServerResponse) => {
    const request = await receive(incoming, maxBodyBytes);
    const found = api.find(request);
    const entry = ledger.arrived(request, found.name);
    const step = script.next(request);
    if (step.kind === 'drop' && step.when === 'on-arrival') return reset(response);

    const answer = step.kind === 'answer' ? scripted(step, request) : api.answer(request, found);
    if (step.delayMs) await hold(response, step.delayMs);
    if (step.kind === 'drop' && step.when === 'before-headers') return reset(response);

    ledger.answered(entry, answer.status);
    deliver(response, request, answer, cutOf(step));
  };

  const scripted = (step: Step & { kind: 'answer' }, request: ApiRequest) => {
    const answer = api.refuse(request, new Refusal(step.status, step));
    return 'body' in step || step.status < 400 ? { ...answer, body: step.body } : answer;
  };

  // An error here is a client that went away, or a scripted answer that HTTP cannot carry.
  const server = createServer((incoming, response) => {
    serve(incoming, response).catch(() => response.destroy());
  });
  // An idle connection that the server closes while the client reuses it is a fault nobody scripted.
  server.keepAliveTimeout = 0;

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const closed = new Promise<void>((resolve) => server.once('close', resolve));

  return {
    url: `http://127.0.0.1:${port}`,
    get counters() {
      const { ordersCreated, ordersRepeated } = api.shop;
      const { refreshes } = api.tokens;
      return { ...structuredClone(ledger.traffic), ordersCreated, ordersRepeated, refreshes };
    },
    get log() {
      return ledger.log;
    },
    script: (...steps) => script.append(steps),
    consent: (tenant = 'partner') => api.tokens.consent(tenant),
    expireTokens: () => api.tokens.expire(),
    reset() {
      api.reset();
      ledger.reset();
      script.reset();
    },
    close() {
      server.close();
      server.closeAllConnections();
      return closed;
    },
  };
}

function cutOf(step: Step): Cut | undefined {
  if (step.kind === 'truncate') return 'announced';
  return step.kind === 'drop' ? 'chunked' : undefined;
}
