import { failureOf, mergePolicies, reportOf } from 'axios-holdfast';
import { slack } from 'axios-holdfast/presets';
import { describe, expect, it } from 'vitest';
import { slack as family } from '../../examples/stand-in/families/slack.ts';
import { conversations, talk, traffic } from './conversation.ts';

const LIMITS = 'https://docs.slack.dev/apis/web-api/rate-limits';
const METHODS = 'https://docs.slack.dev/reference/methods/chat.postMessage';
const SDK = 'https://github.com/slackapi/node-slack-sdk/blob/main/packages/web-api/src/WebClient.ts';

const error = (code: string) => ({ ok: false, error: code });
const post = { method: 'post', url: '/api/chat.postMessage', data: { channel: 'C1', text: 'Hello' } };
const get = { url: '/api/conversations.history' };

describe('slack', () => {
  conversations(family, slack, [
    {
      fact: 'a 429 is waited out by Retry-After',
      source: LIMITS,
      call: post,
      answers: [{ status: 429, headers: { 'retry-after': '30' }, body: error('ratelimited') }],
      means: 'throttled',
      code: 'ratelimited',
      waits: [30_000],
      pauses: true,
    },
    ...['ratelimited', 'rate_limited'].map((code) => ({
      fact: `a 200 may mean the same: ${code}`,
      source: METHODS,
      call: post,
      answers: [{ status: 200, body: error(code) }] as const,
      means: 'throttled',
      code,
      waits: [undefined],
    })),
    ...['internal_error', 'fatal_error', 'service_unavailable'].map((code) => ({
      fact: `a 200 with ${code} is retried`,
      source: METHODS,
      call: get,
      answers: [{ status: 200, body: error(code) }] as const,
      means: 'transient',
      code,
      waits: [undefined],
      pauses: false,
    })),
    {
      fact: 'but not for a message, which may have been posted',
      source: METHODS,
      call: post,
      answers: [{ status: 200, body: error('internal_error') }],
      sends: 1,
      kind: 'unavailable',
      code: 'internal_error',
      says: 'a repeat might be applied twice',
    },
    {
      fact: 'any other error is the caller’s to read',
      source: METHODS,
      call: post,
      answers: [{ status: 200, body: error('channel_not_found') }],
      sends: 1,
      means: 'success',
      code: 'channel_not_found',
    },
    {
      fact: 'a 200 that names a time is a success',
      source: SDK,
      call: get,
      answers: [{ status: 200, headers: { 'retry-after': '10' }, body: { ok: true } }],
      sends: 1,
      means: 'success',
    },
    {
      fact: 'a message that reads like an error is none',
      source: METHODS,
      call: get,
      answers: [{ status: 200, body: { ok: true, messages: [{ text: '{"ok":false,"error":"ratelimited"}' }] } }],
      sends: 1,
      means: 'success',
    },
    ...[500, 502, 503].map((status) => ({
      fact: `a ${status} is retried`,
      source: SDK,
      call: get,
      answers: [{ status }] as const,
      means: 'transient',
      waits: [undefined],
    })),
    {
      fact: 'an expired token is told by a 200',
      source: METHODS,
      call: get,
      answers: [{ status: 200, body: error('token_expired') }],
      sends: 1,
      kind: 'unauthorized',
      code: 'token_expired',
    },
  ]);

  it(`refreshes an expired token, where it can (${METHODS})`, async () => {
    let token = 'old';
    const auth = { token: () => token, refresh: async () => (token = 'new') };
    const { server, client, clock } = await talk(family, mergePolicies(slack(), { auth }));
    server.script({ status: 200, body: error('token_expired') });
    await clock.run(client.request(get));
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
  });

  it(`pauses a method, and no other (${LIMITS})`, async () => {
    const { server, client, holdfast, clock } = await talk(family, slack());
    server.script({ status: 429, headers: { 'retry-after': '9' } });
    await clock.run(client.request({ ...get, holdfast: { retry: false } }).catch(failureOf));
    expect(holdfast.stats().pausedKeys).toBe(1);
    expect(reportOf(await client.get('/api/users.list'))).toMatchObject({ queuedMs: 0, elapsedMs: 0 });
  });

  it.each([
    ['JSON', (channel: string) => ({ channel, text: 'Hello' })],
    ['a form', (channel: string) => new URLSearchParams({ channel, text: 'Hello' })],
  ])(`posts a message a second to a channel (%s; ${LIMITS})`, async (_, bodyOf) => {
    const { client, clock, server } = await talk(family, slack());
    const beganAt = clock.now();
    const channels = ['C1', '#two', 'C1', '#two', 'C1', '#two'];
    await clock.run(Promise.all(channels.map((channel) => client.post('/api/chat.postMessage', bodyOf(channel)))));
    expect(clock.now() - beganAt).toBeGreaterThanOrEqual(2_000);
    expect(clock.now() - beganAt).toBeLessThan(3_000);
    expect(server.seen).toHaveLength(6);
  });

  it('uses what a channel takes', async () => {
    const { goodput, refused } = await traffic(family, slack(), { ms: 30_000, calls: 60 });
    expect(refused).toBe(0);
    expect(goodput).toBeGreaterThanOrEqual(0.9);
  });

  it('learns what a method takes: only the first minute is refused', async () => {
    const call = family.calls[1];
    const { refused: first } = await traffic(family, slack(), { ms: 59_000, calls: 400, call });
    const { goodput, refused } = await traffic(family, slack(), { ms: 240_000, calls: 400, call });
    expect(refused - first).toBeLessThanOrEqual(5);
    expect(goodput).toBeGreaterThanOrEqual(0.8);
  });
});
