import { Readable } from 'node:stream';
import axios, { type AxiosInstance, type AxiosRequestConfig, type AxiosResponse } from 'axios';
import { failureOf, localLimiter, mergePolicies, type Policy, reportOf } from 'axios-holdfast';
import { expect } from 'vitest';
import { attachWith } from '../../../lib/full.ts';
import type { AdapterName } from '../../support/attached.ts';
import { unhandledDuring } from '../../support/unhandled.ts';
import { CountedClock, Holdings, leftOf, listenersOn, poolFor } from './leaks.ts';
import { type Fault, type RawServer, rawServer, WARM, WHOLE } from './servers.ts';

const ORDER = '{"item":1}';

/** The requests of the table. */
const REQUESTS = {
  GET: () => ({ method: 'GET' }),
  PUT: () => ({ method: 'PUT', data: ORDER }),
  POST: () => ({ method: 'POST', data: ORDER }),
  'POST with a key': () => ({ method: 'POST', data: ORDER, holdfast: { idempotency: {} } }),
  'PUT of a stream': () => ({ method: 'PUT', data: Readable.from([Buffer.from(ORDER)], { objectMode: false }) }),
} satisfies Record<string, () => AxiosRequestConfig>;
export type RequestName = keyof typeof REQUESTS;
export const REQUEST_NAMES = Object.keys(REQUESTS) as RequestName[];

/** What a call meets. */
export interface Scene {
  readonly fault?: Fault;
  readonly policy?: Policy;
  readonly config?: AxiosRequestConfig;
  /** Another server, which the sends that go wrong are sent to. */
  readonly elsewhere?: { readonly connections: number };
  /** What happens before the call, up to the very turn in which it is made; gives the server that stands there then. */
  readonly before?: (client: AxiosInstance, server: RawServer) => Promise<RawServer>;
}

/** Sets a scene, given the clock that the library goes by and how many sends are to go wrong. */
export type Arrange = (clock: CountedClock, times: number) => Scene | Promise<Scene>;

/**
 * Makes one call where something goes wrong, and tells how it went:
 * `sends/requests that the server saw → what the caller got`; where a server saw none, how often somebody connected.
 *
 * Whatever goes wrong, an order without a key arrives once at most, every repeat says what the first send said, and nothing
 * stays behind.
 */
export async function play(adapter: AdapterName, name: RequestName, times: number, arrange: Arrange): Promise<string> {
  const clock = new CountedClock();
  const { fault, policy = {}, config, elsewhere, before } = await arrange(clock, times);
  let server = await rawServer(fault, times);
  const pool = await poolFor(adapter);
  const holdings = new Holdings();
  const limiter = localLimiter({ maxConcurrent: 4 });
  const client = axios.create({ baseURL: server.url, adapter, responseType: 'text', ...pool.config });
  const ports = { clock, random: () => 0.5 };
  const ours: Policy = { retry: { maxRetries: 2, backoff: () => 0 }, limit: limiter };
  const holdfast = attachWith(ports, client, mergePolicies(ours, policy));
  const { signal } = new AbortController(); // lives as long as the application

  let outcome: unknown;
  const unhandled = await unhandledDuring(async () => {
    if (before !== undefined) server = await before(client, server);
    const call = client.request({ url: '/orders', ...REQUESTS[name](), ...config, signal });
    outcome = await call.catch((error: unknown) => error);
    const stillHeld = await leftOf(() => {
      const { inFlight, waiting, queued } = holdfast.stats();
      return {
        'connections without a whole answer': server.unanswered.size,
        'requests in the pool': pool.busy(),
        'timers of the library': clock.pending,
        'abort listeners': listenersOn(signal),
        permits: limiter.stats().running,
        'queued by the limiter': limiter.stats().queued,
        inFlight,
        waiting,
        queued,
      };
    });
    expect(stillHeld).toEqual({});
    await pool.destroy();
    expect(await leftOf(() => ({ 'connections of the server': server.open.size, ...holdings.since() }))).toEqual({});
  });
  expect(unhandled).toEqual([]);

  const seen = server.seen.filter(({ url }) => url !== WARM);
  const orders = seen.filter(({ url, method }) => url === '/orders' && method !== 'GET');
  if (name === 'POST') expect(orders.length).toBeLessThanOrEqual(1);
  expect(new Set(orders.map(({ body }) => body)).size).toBeLessThanOrEqual(1);
  const keys = new Set(orders.map(({ headers }) => headers['idempotency-key']));
  expect(keys.size).toBe(orders.length === 0 ? 0 : 1);
  expect(keys.has(undefined)).toBe(orders.length > 0 && name !== 'POST with a key');

  const sends = reportOf(outcome)?.sends.length ?? 0;
  const unasked = elsewhere?.connections ?? (server.seen.length === 0 ? server.connections : 0);
  const arrived = seen.length === 0 && unasked > 0 ? `${unasked} connected` : seen.length;
  await limiter.close();
  holdfast.detach();
  return `${sends}/${arrived} → ${told(outcome)}`;
}

/** What the caller got: the status, and the body where that is not whole; or the code, the kind and why it ended. */
function told(outcome: unknown): string {
  const failure = failureOf(outcome);
  if (failure === undefined) {
    const { status, data } = outcome as AxiosResponse;
    return data === WHOLE ? String(status) : `${status} ${JSON.stringify(data)}`;
  }
  const { status, kind, endedBecause } = failure;
  // Which one depends on the resolver of this machine.
  const code = failure.code?.replace(/^EAI_(AGAIN|FAIL)$/, 'ENOTFOUND');
  return [status, code, kind, endedBecause].filter((part) => part !== undefined).join(' ');
}
