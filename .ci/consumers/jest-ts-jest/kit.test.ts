// A client of your own, tested with the kit: that its types and Jest 30 take it. More of it is in `jest-babel-jest`.
import axios, { type AxiosAdapter } from 'axios';
import { attach, type Policy } from 'axios-holdfast';
import {
  attachForTest,
  expectNoEarlySend,
  expectOneRefresh,
  manualClock,
  scripted,
  withoutWaits,
} from 'axios-holdfast/testing';

function createOrders(adapter: AxiosAdapter, policy: Policy = {}) {
  const client = axios.create({ baseURL: 'https://api.example.com', adapter });
  attach(client, policy);
  return client;
}

afterEach(() => {
  jest.useRealTimers();
});

test('retries, then succeeds', async () => {
  const clock = manualClock();
  const api = scripted([503, { drop: 'ECONNRESET' }, { status: 200, data: { id: 7 } }]);
  const orders = createOrders(api);
  attachForTest(orders, undefined, { clock });
  expect((await clock.run(orders.get('/orders/7'))).data).toEqual({ id: 7 });
  expect(api.sentAt).toEqual([0, 375, 1_125]);
});

test.each([false, true])('waits a 429 out; fake timers: %s', async (isFake) => {
  if (isFake) jest.useFakeTimers();
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
  expect(() => expectNoEarlySend(holdfast, 31_000)).toThrow(/send 2 left 30.0 s after send 1 ended with 429/);
});

test('refreshes the token once for five calls', async () => {
  const clock = manualClock();
  const api = scripted({
    'POST /token': { status: 200, data: { token: 'new' } },
    '/orders/*': ({ headers }) => (headers.authorization === 'Bearer new' ? 200 : 401),
  });
  const orders = createOrders(api, {
    auth: { token: () => 'old', refresh: async ({ http }) => (await http.post('/token')).data.token },
  });
  const holdfast = attachForTest(orders, undefined, { clock });
  await clock.run(Promise.all([1, 2, 3, 4, 5].map((id) => orders.get(`/orders/${id}`))));
  expectOneRefresh(holdfast);
});

test('a suite without waits', async () => {
  const orders = createOrders(scripted([503, { status: 429, headers: { 'retry-after': '30' } }, 200]), withoutWaits());
  expect((await orders.get('/')).status).toBe(200);
});
