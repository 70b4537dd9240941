// Clients of vendors that have an axios instance of their own: attach to that one.
import { deepEqual, equal, match } from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { WebClient } from '@slack/web-api';
import { attach } from 'axios-holdfast';
import twilio from 'twilio';

let url;
/** What arrives, and how it is answered: a status, headers, a body; the last for ever. */
let seen = [];
let answers = [];
const server = http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const [status, headers, body] = answers[Math.min(seen.length, answers.length - 1)];
    seen.push({ method: request.method, url: request.url, body: Buffer.concat(chunks).toString() });
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  });
});
before(async () => {
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${server.address().port}`;
});
after(() => {
  server.close();
  server.closeAllConnections();
});

const answersWith = (...all) => {
  seen = [];
  answers = all;
};
const fast = { retry: { backoff: () => 1 } };

function twilioClient() {
  const client = twilio('AC00000000000000000000000000000000', 'secret');
  client.api.baseUrl = url;
  return { client, holdfast: attach(client.httpClient.axios, fast) };
}

test('twilio: a message that is refused for its rate is sent again, with the same body', async () => {
  answersWith([429, { 'retry-after': '0' }, { code: 20429 }], [201, {}, { sid: 'SM1' }]);
  const { client, holdfast } = twilioClient();
  const message = await client.messages.create({ to: '+491', from: '+492', body: 'hello' });
  equal(message.sid, 'SM1');
  equal(seen.length, 2);
  equal(seen[0].body, seen[1].body);
  match(seen[0].body, /Body=hello/);
  equal(holdfast.stats().retries, 1);
});

test('twilio: a message that may have been sent is not sent twice', async () => {
  answersWith([503, {}, { code: 20503, message: 'down' }]);
  const { client } = twilioClient();
  const error = await client.messages.create({ to: '+491', from: '+492', body: 'hello' }).catch((thrown) => thrown);
  equal(error.status, 503);
  equal(seen.length, 1);
});

test('twilio: what is only read is read again', async () => {
  answersWith([503, {}, {}], [502, {}, {}], [200, {}, { sid: 'SM1', status: 'sent' }]);
  const { client } = twilioClient();
  equal((await client.messages('SM1').fetch()).status, 'sent');
  deepEqual(
    seen.map(({ method }) => method),
    ['GET', 'GET', 'GET'],
  );
});

function slackClient() {
  // One retry policy: Slack's own is told to leave it to ours.
  const slack = new WebClient('xoxb-1', {
    slackApiUrl: `${url}/api/`,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
  });
  return { slack, holdfast: attach(slack.axios, fast) };
}

test("Slack's web-api 7: a rate limit is waited out within the call", async () => {
  answersWith([429, { 'retry-after': '1' }, { ok: false, error: 'ratelimited' }], [200, {}, { ok: true, ts: '1.2' }]);
  const { slack, holdfast } = slackClient();
  const begun = performance.now();
  deepEqual((await slack.chat.postMessage({ channel: 'C1', text: 'hello' })).ts, '1.2');
  equal(seen.length, 2);
  equal(seen[0].body, seen[1].body);
  equal(performance.now() - begun >= 990, true);
  equal(holdfast.stats().retries, 1);
});

test("Slack's web-api 7: a failure of the server reaches the caller as ever, after one send of a POST", async () => {
  answersWith([503, {}, {}]);
  const { slack } = slackClient();
  const error = await slack.chat.postMessage({ channel: 'C1', text: 'hello' }).catch((thrown) => thrown);
  equal(seen.length, 1);
  match(String(error.message), /503/);
});
