import { reportOf } from 'axios-holdfast';
import { discord } from 'axios-holdfast/presets';
import { describe, expect, it } from 'vitest';
import { discord as family } from '../../examples/stand-in/families/discord.ts';
import { conversations, talk, traffic } from './conversation.ts';

const LIMITS = 'https://docs.discord.com/developers/topics/rate-limits';
const SDK = 'https://github.com/discordjs/discord.js/blob/main/packages/rest/src/lib/handlers/Shared.ts';
const BODY = 'https://discord.js.org/docs/packages/discord-api-types/main/RESTRateLimit:Interface';

const channel = '/api/v10/channels/41771983423143937/messages';
const post = { method: 'post', url: channel, data: { content: 'Hello' } };
const limited = (retryAfter: number, more: object = {}) => ({
  message: 'You are being rate limited.',
  retry_after: retryAfter,
  global: false,
  ...more,
});
const ofRoute = {
  'retry-after': '10',
  'x-ratelimit-limit': '10',
  'x-ratelimit-remaining': '0',
  'x-ratelimit-reset-after': '9.57',
  'x-ratelimit-scope': 'user',
};
const once = { holdfast: { retry: false } } as const;

describe('discord', () => {
  conversations(family, discord, [
    {
      fact: 'the limit of a route is waited out by Retry-After, whatever the method',
      source: LIMITS,
      call: post,
      answers: [{ status: 429, headers: { ...ofRoute }, body: limited(9.57) }],
      waits: [10_000],
    },
    {
      fact: 'the global limit pauses all',
      source: LIMITS,
      call: post,
      answers: [
        {
          status: 429,
          headers: { 'retry-after': '3', 'x-ratelimit-global': 'true', 'x-ratelimit-scope': 'global' },
          body: limited(2.5, { global: true }),
        },
      ],
      means: 'throttled',
      waits: [3_000],
      pauses: true,
    },
    {
      fact: 'where no header names a time, the body does, with fractions of a second',
      source: BODY,
      answers: [{ status: 429, body: limited(1.336, { code: 20028 }) }],
      means: 'throttled',
      code: '20028',
      waits: [1_336],
      pauses: true,
    },
    {
      fact: 'who meets a limit that others have used up waits alone',
      source: LIMITS,
      call: post,
      answers: [{ status: 429, headers: { 'retry-after': '2', 'x-ratelimit-scope': 'shared' }, body: limited(1.336) }],
      waits: [2_000],
      pauses: false,
    },
    ...[500, 502, 503, 504].map((status) => ({
      fact: `a ${status} is retried`,
      source: SDK,
      answers: [{ status, body: { code: 0, message: `${status}: Error` } }] as const,
      means: 'transient',
      waits: [undefined],
    })),
    {
      fact: 'but not a POST, which may have been applied',
      source: 'RFC 9110 §9.2.2',
      call: post,
      answers: [{ status: 500, body: { code: 0, message: '500: Internal Server Error' } }],
      sends: 1,
      kind: 'unavailable',
    },
    ...[401, 403].map((status) => ({
      fact: `a ${status} is sent once: ten thousand in 10 minutes, and Discord bans the address`,
      source: LIMITS,
      answers: [{ status, body: { code: 50013, message: 'Missing Permissions' } }] as const,
      sends: 1,
      kind: status === 401 ? ('unauthorized' as const) : ('rejected' as const),
      code: '50013',
    })),
  ]);

  it.each([
    ['messages of a channel', 'post', channel, 'post /channels/41771983423143937/messages'],
    ['each message of it', 'patch', `${channel}/334385199974967042`, 'patch /channels/41771983423143937/messages/*'],
    [
      'each emoji',
      'put',
      `${channel}/334385199974967042/reactions/%F0%9F%94%A5/@me`,
      'put /channels/41771983423143937/messages/*/reactions',
    ],
    [
      'members of a guild',
      'get',
      '/api/v10/guilds/197038439483310086/members/80351110224678912',
      'get /guilds/197038439483310086/members/*',
    ],
  ])(`counts as one route: %s (${LIMITS})`, (_, method, url, expected) => {
    const [route] = discord().limit as readonly { key?(config: object): string }[];
    expect(route?.key?.({ baseURL: 'https://discord.com', url, method })).toBe(`https://discord.com ${expected}`);
  });

  it(`keeps webhooks apart by their tokens, and shows none of them (${LIMITS})`, () => {
    const [route] = discord().limit as readonly { key?(config: object): string }[];
    const keyOf = (token: string) =>
      route?.key?.({ url: `https://discord.com/api/webhooks/223704706495545344/${token}`, method: 'post' });
    const [one, other] = ['3d89bb7572e0fb30d8128367b3b1b44f', '4d89bb7572e0fb30d8128367b3b1b44f'];
    expect(keyOf(one)).not.toBe(keyOf(other));
    expect(keyOf(one)).not.toContain(one.slice(8));
  });

  it(`keeps interactions out of the global limit (${LIMITS})`, () => {
    const [, global] = discord().limit as readonly { key?(config: object): string | false }[];
    const keyOf = (url: string) => global?.key?.({ baseURL: 'https://discord.com', url });
    expect(keyOf('/api/v10/interactions/8451/aW50ZXJhY3Rpb246ODQ1/callback')).toBe(false);
    expect(keyOf(channel)).toBe('https://discord.com global');
  });

  it.each([
    ['the same channel', channel, true],
    ['another channel', '/api/v10/channels/9876198342314393712/messages', false],
  ])(`holds a route: %s (${LIMITS})`, async (_, url, isHeld) => {
    const { server, client, clock } = await talk(family, discord());
    server.script({ status: 429, headers: ofRoute, body: limited(9.57) });
    await clock.run(client.request({ ...post, ...once }).catch(() => {}));
    const answered = await clock.run(client.post(url, {}));
    expect(Number(reportOf(answered)?.queuedMs) > 0).toBe(isHeld);
  });

  it('uses what a channel takes, and is refused once at most', async () => {
    const { goodput, refused } = await traffic(family, discord(), { ms: 60_000, calls: 200 });
    expect(refused).toBeLessThanOrEqual(1);
    expect(goodput).toBeGreaterThanOrEqual(0.9);
  });

  it('sends 50 a second at most, to however many channels', async () => {
    const { server, client, clock } = await talk(family, discord());
    const urls = Array.from(
      { length: 120 },
      (_, n) => `/api/v10/channels/${41_771_983_423_143_000n + BigInt(n)}/messages`,
    );
    await clock.run(Promise.all(urls.map((url) => client.post(url, {}))));
    expect(server.counters).toEqual({ served: 120, refused: 0 });
  });
});
