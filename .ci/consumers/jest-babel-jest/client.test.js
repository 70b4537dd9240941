import http from 'node:http';
import axios, { AxiosError } from 'axios';
import { attach, failureOf, reportOf } from 'axios-holdfast';

let client;
let seen = 0;
const server = http.createServer((request, response) => {
  seen += 1;
  response.statusCode = request.url === '/missing' ? 404 : seen < 3 ? 503 : 200;
  response.end('{"ok":true}');
});

beforeAll(async () => {
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  client = axios.create({ baseURL: `http://127.0.0.1:${server.address().port}` });
  attach(client, { retry: { backoff: () => 1 } });
});
afterAll(() => server.close());

test('a GET that is answered 503, 503, 200 succeeds', async () => {
  const response = await client.get('/');
  expect(response.data).toEqual({ ok: true });
  expect(reportOf(response).sends).toHaveLength(3);
});

test('a 404 is explained', async () => {
  const error = await client.get('/missing').catch((thrown) => thrown);
  expect(axios.isAxiosError(error)).toBe(true);
  expect(failureOf(error)).toMatchObject({ kind: 'rejected', status: 404, sends: 1 });
});

test('a call has a policy of its own', async () => {
  seen = 0;
  const error = await client.get('/', { holdfast: { retry: { maxRetries: 1 } } }).catch((thrown) => thrown);
  expect(failureOf(error).endedBecause).toBe('retries-exhausted');
});

test.each([undefined, ['performance'], ['performance', 'Date']])(
  "a 429's wait ends by one tick of fake timers, but for %s",
  async (doNotFake) => {
    jest.useFakeTimers({ doNotFake: [...(doNotFake ?? []), 'setImmediate', 'nextTick'] });
    let sends = 0;
    const adapter = async (config) => {
      sends += 1;
      const headers = { 'retry-after': '30' };
      const response = { status: sends === 1 ? 429 : 200, statusText: '', headers, data: '', config, request: {} };
      if (response.status === 200) return response;
      throw new AxiosError('429', AxiosError.ERR_BAD_REQUEST, config, {}, response);
    };
    const faked = axios.create({ adapter, baseURL: 'https://api.example.com' });
    attach(faked, { limit: { requests: 10, perMs: 1_000 }, deadlineMs: 120_000 });
    const call = faked.get('/');
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    await settle();
    jest.advanceTimersByTime(29_000);
    await settle();
    expect(sends).toBe(1);
    jest.advanceTimersByTime(1_000);
    expect((await call).status).toBe(200);
    jest.useRealTimers();
  },
);
