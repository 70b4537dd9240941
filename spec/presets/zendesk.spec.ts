import { zendesk } from 'axios-holdfast/presets';
import { describe, expect, it } from 'vitest';
import { zendesk as family } from '../../examples/stand-in/families/zendesk.ts';
import { conversations, talk, traffic } from './conversation.ts';

const LIMITS = 'https://developer.zendesk.com/api-reference/introduction/rate-limits';
const PRACTICES =
  'https://developer.zendesk.com/documentation/api-basics/best-practices/best-practices-for-avoiding-rate-limiting';
const KEYS = 'https://developer.zendesk.com/api-reference/ticketing/introduction/#idempotency';
const SDK = 'https://github.com/zendesk/zendesk_api_client_rb/blob/main/lib/zendesk_api/middleware/request/retry.rb';
const REQUESTS = 'https://developer.zendesk.com/api-reference/introduction/requests';

const ticket = { method: 'post', url: '/api/v2/tickets.json', data: { ticket: {} } };
const user = { method: 'post', url: '/api/v2/users.json', data: { user: {} } };
const used = {
  'x-rate-limit': '700',
  'x-rate-limit-remaining': '0',
  'ratelimit-limit': '700',
  'ratelimit-remaining': '0',
};
const tooMany = 'Number of allowed API requests per minute exceeded';

describe('zendesk', () => {
  conversations(family, zendesk, [
    {
      fact: 'the limit of the account is waited out by Retry-After, whatever the method',
      source: LIMITS,
      call: user,
      answers: [{ status: 429, headers: { ...used, 'ratelimit-reset': '41', 'retry-after': '42' }, body: tooMany }],
      means: 'throttled',
      waits: [42_000],
      pauses: true,
    },
    {
      fact: 'or for 10 s, where it names no time',
      source: SDK,
      answers: [{ status: 429, body: tooMany }],
      means: 'throttled',
      waits: [10_000],
      pauses: true,
    },
    {
      fact: 'where the account has calls left it is a limit of the endpoint: who meets it waits alone',
      source: PRACTICES,
      answers: [
        {
          status: 429,
          headers: {
            'retry-after': '41',
            'ratelimit-limit': '700',
            'ratelimit-remaining': '699',
            'ratelimit-reset': '41',
          },
          body: tooMany,
        },
      ],
      waits: [41_000],
      pauses: false,
    },
    {
      fact: 'as does who changes a ticket too often, which is told in plain text',
      source: PRACTICES,
      call: { method: 'put', url: '/api/v2/tickets/35436.json', data: { ticket: {} } },
      answers: [
        {
          status: 429,
          headers: { 'retry-after': '9', 'content-type': 'text/plain' },
          body: 'Rate limit for ticket updates exceeded, please wait before updating this ticket again',
        },
      ],
      waits: [9_000],
      pauses: false,
    },
    {
      fact: 'a 503 is waited out by Retry-After',
      source: SDK,
      call: user,
      answers: [{ status: 503, headers: { 'retry-after': '20' }, body: 'Maintenance' }],
      means: 'transient',
      waits: [20_000],
    },
    {
      fact: 'a new ticket is made again where the first may have been made, since it has a key',
      source: KEYS,
      call: ticket,
      answers: [{ status: 502, body: 'Bad Gateway' }],
      means: 'transient',
    },
    {
      fact: 'but nothing else is: the key is known there only',
      source: KEYS,
      call: user,
      answers: [{ status: 502, body: 'Bad Gateway' }],
      sends: 1,
      kind: 'unavailable',
      says: 'a repeat might be applied twice',
    },
    {
      fact: 'a wrong request is not retried, and its id is told',
      source: REQUESTS,
      call: ticket,
      answers: [
        {
          status: 422,
          headers: { 'x-zendesk-request-id': 'c773675d81590abad33i' },
          body: { error: 'RecordInvalid', description: 'Record validation errors', details: {} },
        },
      ],
      sends: 1,
      kind: 'rejected',
      code: 'RecordInvalid',
      ids: { 'x-zendesk-request-id': 'c773675d81590abad33i' },
    },
  ]);

  it(`sends one key with every send of a new ticket, and none with another POST (${KEYS})`, async () => {
    const { server, client, clock } = await talk(family, zendesk());
    server.script({ status: 503 });
    await clock.run(client.request(ticket));
    await clock.run(client.request(user));
    const keys = server.seen.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toEqual([expect.any(String), keys[0], undefined]);
  });

  it(`counts the Help Center by itself (${LIMITS})`, () => {
    const [account] = zendesk().limit as readonly { key?(config: object): string }[];
    const keyOf = (url: string) => account?.key?.({ baseURL: 'https://acme.zendesk.com', url });
    expect(keyOf('/api/v2/users.json')).toBe('https://acme.zendesk.com');
    expect(keyOf('/api/v2/help_center/articles.json')).toBe('https://acme.zendesk.com help_center');
  });

  it(`exports ten times a minute at most (${LIMITS})`, async () => {
    const { client, clock } = await talk(family, zendesk());
    const beganAt = clock.now();
    const url = '/api/v2/incremental/tickets/cursor.json';
    await clock.run(Promise.all(Array.from({ length: 11 }, () => client.get(url))));
    expect(clock.now() - beganAt).toBeGreaterThanOrEqual(60_000);
  });

  it.each([
    ['the account', family.calls[0], 500],
    ['a list of tickets', family.calls[1], 250],
  ])('uses the quota of %s, and is refused once at most', async (_name, call, calls) => {
    const { goodput, refused } = await traffic(family, zendesk(), { ms: 180_000, calls, call });
    expect(refused).toBeLessThanOrEqual(1);
    expect(goodput).toBeGreaterThanOrEqual(0.9);
  });
});
