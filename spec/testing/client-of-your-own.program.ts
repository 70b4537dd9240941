/** As somebody tests a client of their own with node:test. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import axios, { type AxiosAdapter } from 'axios';
import { attach, failureOf, type Policy } from '../../lib/index.ts';
import { attachForTest, expectNoEarlySend, expectOneRefresh, manualClock, scripted } from '../../lib/testing.ts';

function createOrders(adapter: AxiosAdapter, policy: Policy = {}) {
  const client = axios.create({ baseURL: 'https://api.example.com', adapter });
  attach(client, policy);
  return client;
}

test('retries, then succeeds', async () => {
  const clock = manualClock();
  const api = scripted([503, { status: 200, data: { id: 7 } }]);
  const orders = createOrders(api);
  attachForTest(orders, undefined, { clock });
  assert.deepEqual((await clock.run(orders.get('/orders/7'))).data, { id: 7 });
  assert.deepEqual(api.sentAt, [0, 375]);
});

test('waits a 429 out, with the timers of the runner faked as well', async ({ mock }) => {
  mock.timers.enable();
  const clock = manualClock();
  const api = scripted([{ status: 429, headers: { 'retry-after': '30' } }, 200]);
  const orders = createOrders(api);
  const holdfast = attachForTest(orders, undefined, { clock });
  const call = orders.get('/orders');
  await clock.advance(29_999);
  expectNoEarlySend(holdfast, 30_000);
  assert.equal(api.sends.length, 1);
  await clock.advance(1);
  assert.equal((await call).status, 200);
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

test('ends a call by its deadline', async () => {
  const clock = manualClock();
  const orders = createOrders(scripted({ status: 200, delayMs: Number.POSITIVE_INFINITY }), { deadlineMs: 5_000 });
  attachForTest(orders, undefined, { clock });
  const ended = assert.rejects(orders.get('/orders'), (error) => failureOf(error)?.endedBecause === 'deadline');
  await clock.advance(5_000);
  await ended;
});

test('what an assertion throws is an AssertionError', async () => {
  const clock = manualClock();
  const orders = createOrders(scripted(200));
  const holdfast = attachForTest(orders, undefined, { clock });
  await clock.run(orders.get('/'));
  assert.throws(() => expectNoEarlySend(holdfast, 1), { name: 'AssertionError', code: 'ERR_ASSERTION' });
});
