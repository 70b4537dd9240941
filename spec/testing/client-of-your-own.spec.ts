/** As somebody tests a client of their own, which attaches itself. The same stands in `.ci/consumers` for Jest, and beside this for node:test. */
import axios, { type AxiosAdapter } from 'axios';
import { attach, failureOf, type Policy } from 'axios-holdfast';
import { attachForTest, expectNoEarlySend, expectOneRefresh, manualClock, scripted } from 'axios-holdfast/testing';
import { describe, expect, it } from 'vitest';

/** The client of the application. */
function createOrders(adapter: AxiosAdapter, policy: Policy = {}) {
  const client = axios.create({ baseURL: 'https://api.example.com', adapter });
  attach(client, policy);
  return client;
}

describe('a client of your own', () => {
  it('retries, then succeeds', async () => {
    const clock = manualClock();
    const api = scripted([503, { drop: 'ECONNRESET' }, { status: 200, data: { id: 7 } }]);
    const orders = createOrders(api);
    attachForTest(orders, undefined, { clock });
    const { data } = await clock.run(orders.get('/orders/7'));
    expect(data).toEqual({ id: 7 });
    expect(api.sentAt).toEqual([0, 375, 1_125]);
  });

  it('waits a 429 out', async () => {
    const clock = manualClock();
    const api = scripted([{ status: 429, headers: { 'retry-after': '30' } }, 200]);
    const orders = createOrders(api);
    const holdfast = attachForTest(orders, undefined, { clock });
    const call = orders.get('/orders');
    await clock.advance(29_999);
    expect(api.sends).toHaveLength(1);
    expectNoEarlySend(holdfast, 30_000);
    await clock.advance(1);
    expect((await call).status).toBe(200);
    expectNoEarlySend(holdfast, 30_000);
    expect(clock.elapsedMs).toBe(30_000);
  });

  it('refreshes the token once for five calls', async () => {
    const clock = manualClock();
    const api = scripted({
      'POST /token': { status: 200, data: { token: 'new' }, delayMs: 200 },
      '/orders/*': ({ headers }) => (headers.authorization === 'Bearer new' ? 200 : { status: 401, delayMs: 50 }),
    });
    const orders = createOrders(api, {
      auth: { token: () => 'old', refresh: async ({ http }) => (await http.post('/token')).data.token },
    });
    const holdfast = attachForTest(orders, undefined, { clock });
    await clock.run(Promise.all([1, 2, 3, 4, 5].map((id) => orders.get(`/orders/${id}`))));
    expectOneRefresh(holdfast);
    expect(api.sends).toHaveLength(11);
  });

  it('spaces its calls', async () => {
    const clock = manualClock();
    const api = scripted(200);
    const orders = createOrders(api, { limit: { requests: 5, perMs: 1_000, burst: 1 } });
    attachForTest(orders, undefined, { clock });
    await clock.run(Promise.all([1, 2, 3, 4].map((id) => orders.get(`/orders/${id}`))));
    const gaps = api.sentAt.slice(1).map((at, i) => at - Number(api.sentAt[i]));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(200);
  });

  it('ends a call by its deadline', async () => {
    const clock = manualClock();
    const api = scripted({ status: 200, delayMs: Number.POSITIVE_INFINITY });
    const orders = createOrders(api, { deadlineMs: 5_000 });
    attachForTest(orders, undefined, { clock });
    const error = await clock.run(orders.get('/orders')).catch((thrown: unknown) => thrown);
    expect(failureOf(error)).toMatchObject({ kind: 'timeout', endedBecause: 'deadline', elapsedMs: 5_000 });
  });
});
