import axios, { type AxiosInstance } from 'axios';
import { type AxiosCacheInstance, setupCache } from 'axios-cache-interceptor';
import { attach, failureOf, type Policy, reportOf } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ADAPTERS, type AdapterName, axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';
import { type Answer, json, loopback } from '../support/loopback.ts';

type Order = 'cache, attach' | 'attach, cache';

async function client(order: Order, answer: Answer, policy: Policy = {}, adapter: AdapterName = 'http') {
  const server = await loopback(answer);
  onTestFinished(() => server.close());
  const bare: AxiosInstance = axios.create({ baseURL: server.url, adapter });
  const hold = (instance: AxiosInstance) => attach(instance, { retry: { backoff: () => 0 }, ...policy });
  if (order === 'attach, cache') hold(bare);
  const cached: AxiosCacheInstance = setupCache(bare as never);
  if (order === 'cache, attach') hold(bare);
  return { server, cached };
}

describe.each<Order>(['cache, attach', 'attach, cache'])('axios-cache-interceptor, set up in the order %s', (order) => {
  it.each(ADAPTERS)('keeps the answer that retries brought, by the adapter %s', async (adapter) => {
    const { cached, server } = await client(
      order,
      inTurn(status(503), status(429), status(200, {}, { n: 1 })),
      {},
      adapter,
    );
    const first = await cached.get('/x');
    expect(first).toMatchObject({ status: 200, data: { n: 1 }, cached: false });
    expect(reportOf(first)?.sends).toHaveLength(3);
    expect(await cached.get('/x')).toMatchObject({ data: { n: 1 }, cached: true });
    expect(server.seen).toHaveLength(3);
  });

  it('makes one call of several for the same at once', async () => {
    const { cached, server } = await client(order, inTurn(status(503), status(200)));
    const calls = await Promise.all([1, 2, 3].map(() => cached.get('/x')));
    expect(calls.map((call) => call.status)).toEqual([200, 200, 200]);
    expect(server.seen).toHaveLength(2);
  });

  it('keeps no failure, and hands it to the caller as ever', async () => {
    const { cached, server } = await client(order, inTurn(status(404), status(200)));
    expect(failureOf(await axiosErrorOf(cached.get('/x')))?.kind).toBe('rejected');
    expect((await cached.get('/x')).status).toBe(200);
    expect(server.seen).toHaveLength(2);
  });

  it('asks again with its etag when an answer is stale, and takes a 304 after a retry', async () => {
    const fresh: Answer = (_request, response) =>
      json(response, 200, { n: 1 }, { etag: '"1"', 'cache-control': 'max-age=0' });
    const same: Answer = (_request, response) => void response.writeHead(304, { etag: '"1"' }).end();
    const { cached, server } = await client(order, inTurn(fresh, status(503), same));
    await cached.get('/x');
    const again = await cached.get('/x');
    expect(again.data).toEqual({ n: 1 });
    expect(server.seen.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"1"', '"1"']);
  });

  it('shows a stale answer where the retries were of no use, if it may', async () => {
    const fresh: Answer = (_request, response) =>
      json(response, 200, { n: 1 }, { etag: '"1"', 'cache-control': 'max-age=0, stale-if-error=60' });
    const { cached, server } = await client(order, inTurn(fresh, status(503)));
    await cached.get('/x');
    expect(await cached.get('/x')).toMatchObject({ data: { n: 1 }, cached: true });
    expect(server.seen).toHaveLength(5);
  });

  it('lets a call that is given up be made again', async () => {
    const { cached, server } = await client(
      order,
      inTurn(() => {}, status(200)),
    );
    const aborter = new AbortController();
    const given = rejectionOf(cached.get('/x', { signal: aborter.signal }));
    await expect.poll(() => server.seen.length).toBe(1);
    aborter.abort();
    expect(failureOf(await given)?.kind).toBe('cancelled');
    expect((await cached.get('/x')).status).toBe(200);
  });
});

describe('what the order changes', () => {
  const ONE: Policy = { limit: { requests: 1, perMs: 60_000, maxWaitMs: 0 } };

  it('cache, attach: a cached answer needs no permit and no closed circuit', async () => {
    const { cached } = await client('cache, attach', status(200), ONE);
    await cached.get('/x');
    expect((await cached.get('/x')).cached).toBe(true);
  });

  it('attach, cache: a cached answer takes a permit, of which the documents warn', async () => {
    const { cached } = await client('attach, cache', status(200), ONE);
    await cached.get('/x');
    expect(await rejectionOf(cached.get('/x'))).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
  });
});
