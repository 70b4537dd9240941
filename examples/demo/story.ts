/** What the client of the demo goes through, chapter by chapter. */
import type { AxiosInstance } from 'axios';
import { constantBackoff } from 'axios-holdfast';
import type { PartnerApi } from '../partner-api/server.ts';

export interface Chapter {
  readonly title: string;
  play(client: AxiosInstance, server: PartnerApi): Promise<unknown>;
}

const ORDERS = '/v1/customers/c1/orders';
const times = <T>(n: number, make: (i: number) => Promise<T>) =>
  Promise.allSettled(Array.from({ length: n }, (_, i) => make(i)));

/** The server lets so many requests through to each customer in a second. */
export const QUOTA = { requests: 25, perMs: 1_000 };

export const STORY: readonly Chapter[] = [
  {
    title: 'A burst over the quota: it is learnt, and what was too much waits as long as Retry-After says',
    play: (client) => times(QUOTA.requests + 3, () => client.get('/v1/customers/c2')),
  },
  {
    title: 'A 503 that says when to come back: refused, so even an order may be repeated',
    play: (client, server) => {
      server.script({ kind: 'answer', status: 503, retryAfter: 2 });
      return client.post('/v1/customers/c3/orders', { product: 'seats', quantity: 1 });
    },
  },
  {
    title: 'An expired token under twenty calls: one refresh for all, a replay for each that was refused',
    play: (client, server) => {
      server.expireTokens();
      server.script({ kind: 'pass', delayMs: 600, match: ({ path }) => path === '/oauth/token' });
      return times(20, (i) => client.get(`/v1/customers/c${(i % 3) + 1}`));
    },
  },
  {
    title: 'An order whose answer is lost: the same MS-RequestId goes out again, and it is placed once',
    play: (client, server) => {
      server.script({ kind: 'drop', when: 'before-headers' });
      return client.post(ORDERS, { product: 'seats', quantity: 5 });
    },
  },
  {
    title: 'A change that takes a while: 202 with a Location, which is polled until it is done',
    play: (client) => client.post(`${ORDERS}/o2/quantity`, { quantity: 7 }),
  },
  {
    title: 'A 409 and a 412 fail fast: a repeat would order twice, or overwrite',
    play: async (client, server) => {
      server.script({ kind: 'answer', status: 409, code: '800060', shape: 'nested' });
      await client.post(ORDERS, { product: 'seats', quantity: 5 }).catch(() => {});
      await client
        .patch('/v1/customers/c3/orders/o1', { quantity: 6 }, { headers: { 'If-Match': '"stale"' } })
        .catch(() => {});
    },
  },
  {
    title: 'An outage: one call gives up and says why, two last until it ends',
    play: async (client, server) => {
      const endsAt = Date.now() + 1_200;
      server.script({ kind: 'answer', status: 503, times: Infinity, match: () => Date.now() < endsAt });
      const retry = { backoff: constantBackoff(500) };
      const impatient = client.get('/v1/customers/c1', { holdfast: { retry: { ...retry, maxRetries: 1 } } });
      return Promise.allSettled([
        impatient,
        ...[2, 3].map((i) => client.get(`/v1/customers/c${i}`, { holdfast: { retry } })),
      ]);
    },
  },
];
