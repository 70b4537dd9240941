/** A test of somebody's own with the timers of `node:test`, which know no `performance`: a 429's wait ends by one tick. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import axios, { type AxiosAdapter } from 'axios';
import { attach } from '../../lib/index.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

for (const apis of [['setTimeout'], ['setTimeout', 'Date']] as const) {
  for (const limit of [false, { requests: 10, perMs: 1_000 }] as const) {
    test(`faked: ${apis}, limit: ${JSON.stringify(limit)}`, async () => {
      mock.timers.enable({ apis: [...apis] });
      let sends = 0;
      const adapter: AxiosAdapter = async (config) => {
        sends += 1;
        const status = sends === 1 ? 429 : 200;
        const response = { status, statusText: '', headers: { 'retry-after': '30' }, data: '', config, request: {} };
        if (status === 200) return response;
        throw new axios.AxiosError('429', 'ERR_BAD_REQUEST', config, {}, response as never);
      };
      const client = axios.create({ adapter, baseURL: 'https://api.example.com' });
      attach(client, { limit, deadlineMs: 120_000 });
      const call = client.get('/');
      await settle();
      mock.timers.tick(29_000);
      await settle();
      assert.equal(sends, 1);
      mock.timers.tick(1_000);
      assert.equal((await call).status, 200);
      mock.timers.reset();
    });
  }
}

test('a deadline holds though the timers of the calls before it were reset', async () => {
  const client = axios.create({ baseURL: 'https://api.example.com' });
  attach(client, { deadlineMs: 30_000 });
  mock.timers.enable({ apis: ['setTimeout'] });
  await client.get('/', { adapter: async (config) => ({ status: 200, data: '', config }) as never });
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout'] });
  const call = client.get('/', { adapter: () => new Promise(() => {}) });
  let hasEnded = false;
  call.catch(() => {
    hasEnded = true;
  });
  await settle();
  mock.timers.tick(30_001);
  await settle();
  mock.timers.reset();
  assert.ok(hasEnded);
});

test('faked: Date alone, so that a wait needs no tick', async () => {
  mock.timers.enable({ apis: ['Date'], now: 1e12 });
  let sends = 0;
  const adapter: AxiosAdapter = async (config) => {
    sends += 1;
    return { status: sends === 1 ? 503 : 200, statusText: '', headers: {}, data: '', config };
  };
  const client = axios.create({ adapter, baseURL: 'https://api.example.com' });
  attach(client, {
    retry: { backoff: () => 60 },
    limit: { requests: 1, perMs: 20 },
    classify: ({ status }) => (status === 503 ? { kind: 'transient' } : undefined),
  });
  assert.equal((await client.get('/')).status, 200);
  assert.equal(sends, 2);
  mock.timers.reset();
});
