import { reportOf } from 'axios-holdfast';
import { microsoftGraph } from 'axios-holdfast/presets';
import { describe, expect, it } from 'vitest';
import { microsoftGraph as family } from '../../examples/stand-in/families/microsoft-graph.ts';
import { conversations, talk, traffic } from './conversation.ts';

const THROTTLING = 'https://learn.microsoft.com/graph/throttling';
const LIMITS = 'https://learn.microsoft.com/graph/throttling-limits';
const ERRORS = 'https://learn.microsoft.com/graph/errors';
const SDK = 'https://github.com/microsoftgraph/msgraph-sdk-javascript/blob/dev/src/middleware';

const error = (code: string, inner?: object) => ({
  error: { code, message: 'No.', innerError: { date: '2026-01-01T00:00:00', 'request-id': 'r1', ...inner } },
});
const post = { method: 'post', url: '/v1.0/users', data: {} };

describe('microsoftGraph', () => {
  conversations(family, microsoftGraph, [
    {
      fact: 'a 429 is waited out by Retry-After, by all',
      source: THROTTLING,
      call: post,
      answers: [{ status: 429, headers: { 'retry-after': '7' }, body: error('TooManyRequests') }],
      means: 'throttled',
      code: 'TooManyRequests',
      waits: [7_000],
      pauses: true,
    },
    {
      fact: 'without Retry-After by a growing wait',
      source: LIMITS,
      call: post,
      answers: [{ status: 429, body: error('TooManyRequests') }],
      means: 'throttled',
      waits: [undefined],
    },
    ...['activityLimitReached', 'throttledRequest'].map((code) => ({
      fact: `${code} is throttled, whatever the status`,
      source: ERRORS,
      call: post,
      answers: [
        { status: 503, headers: { 'retry-after': '4' }, body: error('serviceNotAvailable', { code }) },
      ] as const,
      means: 'throttled',
      code: 'serviceNotAvailable',
      waits: [4_000],
      pauses: true,
    })),
    {
      fact: 'too much bandwidth is throttled',
      source: ERRORS,
      call: post,
      answers: [{ status: 509, headers: { 'retry-after': '9' }, body: error('generalException') }],
      means: 'throttled',
      waits: [9_000],
      pauses: true,
    },
    ...[503, 504].map((status) => ({
      fact: `a ${status} is retried`,
      source: `${SDK}/RetryHandler.ts`,
      answers: [{ status, body: error('serviceNotAvailable') }] as const,
      means: 'transient',
      waits: [undefined],
    })),
    {
      fact: 'a 500 is not retried',
      source: `${SDK}/RetryHandler.ts`,
      answers: [{ status: 500, body: error('generalException') }],
      sends: 1,
      kind: 'unavailable',
    },
    {
      fact: 'an API that has to be paid for ends the call',
      source: ERRORS,
      answers: [{ status: 402, body: error('PaymentRequired') }],
      sends: 1,
      kind: 'throttled',
      pauses: false,
      says: 'for good (the API has to be paid for)',
    },
    ...[
      { status: 507, code: 'insufficientStorage' },
      { status: 503, code: 'quotaLimitReached' },
    ].map(({ status, code }) => ({
      fact: `a full storage stays full: ${status} ${code}`,
      source: ERRORS,
      answers: [{ status, body: error(code) }] as const,
      sends: 1,
      kind: 'unavailable' as const,
      code,
      says: 'the storage is full',
    })),
    {
      fact: 'the ids of a request are told',
      source: ERRORS,
      answers: [
        { status: 404, headers: { 'request-id': 'r1', 'client-request-id': 'c1' }, body: error('itemNotFound') },
      ],
      sends: 1,
      kind: 'rejected',
      code: 'itemNotFound',
      ids: { 'request-id': 'r1', 'client-request-id': 'c1' },
    },
  ]);

  it(`sends one client-request-id on all sends of a call (${SDK}/TelemetryHandler.ts)`, async () => {
    const { server, client, clock } = await talk(family, microsoftGraph());
    server.script({ status: 503 });
    await clock.run(client.get('/v1.0/users'));
    const ids = server.seen.map(({ headers }) => headers['client-request-id']);
    expect(ids).toHaveLength(2);
    expect(ids[0]).toMatch(/^[\da-f-]{36}$/);
    expect(ids[1]).toBe(ids[0]);
  });

  it(`has four calls at once in a mailbox, and each mailbox has limits of its own (${LIMITS})`, async () => {
    const { client, holdfast, server } = await talk(family, microsoftGraph());
    const urls = ['/v1.0/users/a/messages', "/v1.0/users('b')/mailFolders/inbox/messages", '/beta/me/events'];
    const all = urls.flatMap((url) => Array.from({ length: 6 }, () => client.get(url)));
    expect(holdfast.stats()).toMatchObject({ calls: 18, sends: 12, queued: 6 });
    await Promise.all(all);
    expect(server.seen).toHaveLength(18);
  });

  it.each([
    ['a mailbox', '/v1.0/me/messages', '/v1.0/users/b/messages'],
    ['OneDrive', '/v1.0/me/drive/root', '/v1.0/users'],
    ['a service', '/v1.0/groups', '/v1.0/teams/t1'],
  ])('pauses %s and nobody else', async (_, paused, free) => {
    const { server, client, holdfast, clock } = await talk(family, microsoftGraph());
    server.script({ status: 429, headers: { 'retry-after': '9' } });
    await clock.run(client.get(paused, { holdfast: { retry: false } }).catch(() => {}));
    expect(holdfast.stats().pausedKeys).toBe(1);
    expect(reportOf(await client.get(free))).toMatchObject({ queuedMs: 0, elapsedMs: 0 });
  });

  it('takes all ways to files for one service', async () => {
    const { server, client, holdfast, clock } = await talk(family, microsoftGraph());
    server.script({ status: 429, headers: { 'retry-after': '9' } });
    await clock.run(client.get('/v1.0/me/drive/root', { holdfast: { retry: false } }).catch(() => {}));
    const other = client.get('/v1.0/sites/s1/lists');
    expect(holdfast.stats().queued).toBe(1);
    await clock.run(other);
  });

  it('learns a limit that is told nowhere', async () => {
    const { goodput, served, refused } = await traffic(family, microsoftGraph(), { ms: 15_000, calls: 400 });
    expect(refused / served).toBeLessThanOrEqual(0.2);
    expect(goodput).toBeGreaterThanOrEqual(0.9);
  });
});
