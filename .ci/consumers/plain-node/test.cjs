const { equal } = require('node:assert');
const http = require('node:http');
const { test } = require('node:test');
const axios = require('axios');
const { attach, failureOf, reportOf } = require('axios-holdfast');
const axiosRetry = require('axios-holdfast/axios-retry').default;
const { redisTokenStore } = require('axios-holdfast/redis');

/** A client of a server that answers 503, 503, 200, and 404 where there is nothing. */
async function connect(context, attached = (client) => attach(client, { retry: { backoff: () => 1 } })) {
  let seen = 0;
  const server = http.createServer((request, response) => {
    seen += 1;
    response.statusCode = request.url === '/missing' ? 404 : seen < 3 ? 503 : 200;
    response.end('{"ok":true}');
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  context.after(() => server.close());
  const client = axios.create({ baseURL: `http://127.0.0.1:${server.address().port}` });
  attached(client);
  return client;
}

test('a GET that is answered 503, 503, 200 succeeds', async (context) => {
  const client = await connect(context);
  const response = await client.get('/');
  equal(response.data.ok, true);
  equal(reportOf(response).sends.length, 3);
});

test('a 404 is explained', async (context) => {
  const client = await connect(context);
  const error = await client.get('/missing').catch((thrown) => thrown);
  equal(axios.isAxiosError(error), true);
  equal(failureOf(error).kind, 'rejected');
  equal(failureOf(error).sends, 1);
});

test('a call has a policy of its own', async (context) => {
  const client = await connect(context);
  const error = await client.get('/', { holdfast: { retry: { maxRetries: 1 } } }).catch((thrown) => thrown);
  equal(failureOf(error).endedBecause, 'retries-exhausted');
});

test('axios-retry has a drop-in', async (context) => {
  const client = await connect(context, (instance) => axiosRetry(instance, { retryDelay: axiosRetry.linearDelay(1) }));
  const response = await client.get('/');
  equal(response.data.ok, true);
  equal(response.config['axios-retry'].retryCount, 2);
});

test('there is an entry for Redis', () => equal(typeof redisTokenStore, 'function'));
