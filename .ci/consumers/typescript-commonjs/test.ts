import { equal } from 'node:assert';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import axios, { type AxiosInstance } from 'axios';
import { attach, failureOf, LimitError, localLimiter, type Policy, reportOf } from 'axios-holdfast';
import { type RedisTokenStoreOptions, redisTokenStore } from 'axios-holdfast/redis';

let client: AxiosInstance;
let seen = 0;
const server = http.createServer((request, response) => {
  seen += 1;
  response.statusCode = request.url === '/missing' ? 404 : seen < 3 ? 503 : 200;
  response.end('{"ok":true}');
});

before(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  client = axios.create({ baseURL: `http://127.0.0.1:${port}` });
  const policy: Policy = { retry: { backoff: () => 1 } };
  attach(client, policy);
});
after(() => server.close());

test('a GET that is answered 503, 503, 200 succeeds', async () => {
  const response = await client.get<{ ok: boolean }>('/');
  equal(response.data.ok, true);
  equal(reportOf(response)?.sends.length, 3);
});

test('a 404 is explained', async () => {
  const error: unknown = await client.get('/missing').catch((thrown: unknown) => thrown);
  equal(axios.isAxiosError(error), true);
  equal(failureOf(error)?.kind, 'rejected');
});

test('a call has a policy of its own, and its types', async () => {
  seen = 0;
  const call = client.get('/', { holdfast: { retry: { maxRetries: 1 } } });
  equal(failureOf(await call.catch((thrown: unknown) => thrown))?.endedBecause, 'retries-exhausted');
  // @ts-expect-error there is no such option
  const wrong = client.get('/', { holdfast: { retry: { maxRetry: 1 } } });
  equal((await wrong.catch((thrown: unknown) => thrown as { code: string })) instanceof Error, true);
});

test('a limiter that is closed refuses with a LimitError', async () => {
  const limit = localLimiter({ requests: 1, perMs: 1_000 });
  await limit.close();
  const error: unknown = await client.get('/', { holdfast: { limit } }).catch((thrown: unknown) => thrown);
  equal(error instanceof LimitError && error.code, 'ERR_LIMIT_CLOSED');
});

test('there is an entry for Redis', () => {
  const options: RedisTokenStoreOptions | undefined = undefined;
  equal(typeof redisTokenStore, 'function', options);
});
