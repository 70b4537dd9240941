import { deepEqual, equal } from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import axios, { type AxiosInstance, isAxiosError } from 'axios';
import { attach, failureOf } from 'axios-holdfast';
import { client as hey } from './hey/client.gen';
import { getOrder as heyOrder } from './hey/sdk.gen';
import { getOrder as orvalOrder } from './orval/client';
import { Api } from './swagger/client';

let url = '';
let seen = 0;
const server = http.createServer((request, response) => {
  seen += 1;
  const status = request.url === '/orders/none' ? 404 : seen < 3 ? 503 : 200;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ id: request.url?.split('/').at(-1) }));
});
before(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.close();
  server.closeAllConnections();
});
beforeEach(() => {
  seen = 0;
});

const hold = (instance: AxiosInstance) => attach(instance, { retry: { backoff: () => 1 } }, { replace: true });

test('swagger-typescript-api: its own instance is held', async () => {
  const api = new Api({ baseURL: url });
  hold(api.instance);
  deepEqual((await api.orders.getOrder('7')).data, { id: '7' });
  equal(seen, 3);
  const error: unknown = await api.orders.getOrder('none').catch((thrown: unknown) => thrown);
  equal(failureOf(error)?.kind, 'rejected');
});

test('orval: the global axios is held', async () => {
  axios.defaults.baseURL = url;
  const holdfast = hold(axios);
  deepEqual((await orvalOrder('7')).data, { id: '7' });
  equal(seen, 3);
  // A call has a policy of its own by the options that are handed through.
  seen = 0;
  const error: unknown = await orvalOrder('7', { holdfast: { retry: false } }).catch((thrown: unknown) => thrown);
  equal(isAxiosError(error) && error.response?.status, 503);
  equal(seen, 1);
  holdfast.detach();
});

test('hey-api: the instance of its client is held', async () => {
  hey.setConfig({ baseURL: url });
  hold(hey.instance);
  const { data } = await heyOrder({ path: { id: '7' }, throwOnError: true });
  deepEqual(data, { id: '7' });
  equal(seen, 3);
  const error: unknown = await heyOrder({ path: { id: 'none' }, throwOnError: true }).catch(
    (thrown: unknown) => thrown,
  );
  equal(failureOf(error)?.kind, 'rejected');
});
