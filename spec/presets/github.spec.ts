import { reportOf } from 'axios-holdfast';
import { github } from 'axios-holdfast/presets';
import { describe, expect, it } from 'vitest';
import { github as family } from '../../examples/stand-in/families/github.ts';
import { conversations, talk, traffic } from './conversation.ts';

const LIMITS = 'https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api';
const PRACTICES = 'https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api';
const THROTTLING = 'https://github.com/octokit/plugin-throttling.js/blob/main/src/index.ts';
const RETRY = 'https://github.com/octokit/plugin-retry.js/blob/main/src/index.ts';

const body = (message: string, status = '403') => ({ message, documentation_url: LIMITS, status });
/** Ten seconds after the clock of the specs begins. */
const IN_TEN = String(Date.UTC(2026, 0, 1) / 1_000 + 10);
const used = { 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': IN_TEN };
const secondary = body('You have exceeded a secondary rate limit. Please wait a few minutes before you try again.');

describe('github', () => {
  conversations(family, github, [
    {
      fact: 'a used-up primary limit is a 403: it is waited out until a second after the reset',
      source: THROTTLING,
      answers: [{ status: 403, headers: used, body: body('API rate limit exceeded for user ID 1.') }],
      means: 'throttled',
      code: '403',
      waits: [11_000],
      pauses: true,
    },
    {
      fact: 'also as a 429',
      source: LIMITS,
      call: { method: 'post', url: '/repos/o/r/issues', data: {} },
      answers: [{ status: 429, headers: used, body: body('API rate limit exceeded.', '429') }],
      means: 'throttled',
      waits: [11_000],
      pauses: true,
    },
    {
      fact: 'a secondary limit is waited out by Retry-After',
      source: PRACTICES,
      answers: [{ status: 403, headers: { 'retry-after': '30' }, body: secondary }],
      means: 'throttled',
      waits: [30_000],
      pauses: true,
    },
    {
      fact: 'without Retry-After it is waited out for a minute',
      source: PRACTICES,
      answers: [{ status: 403, body: secondary }],
      means: 'throttled',
      waits: [60_000],
      pauses: true,
    },
    {
      fact: 'and then for longer, which is more than a call waits by default',
      source: PRACTICES,
      answers: [
        { status: 403, body: secondary },
        { status: 403, body: secondary },
      ],
      sends: 2,
      waits: [60_000],
      kind: 'throttled',
      says: 'raise `retry.retryAfter.maxMs`',
    },
    {
      fact: 'any other 403 is for good',
      source: RETRY,
      answers: [
        {
          status: 403,
          headers: { 'x-ratelimit-remaining': '4999', 'x-github-request-id': 'A1:B2' },
          body: body('Resource not accessible by integration'),
        },
      ],
      sends: 1,
      kind: 'rejected',
      code: '403',
      pauses: false,
      ids: { 'x-github-request-id': 'A1:B2' },
      says: '(x-github-request-id A1:B2)',
    },
    ...[401, 404, 410, 422, 451].map((status) => ({
      fact: `a ${status} is not retried`,
      source: RETRY,
      answers: [{ status, body: body('No.', String(status)) }] as const,
      sends: 1,
      kind: status === 401 ? ('unauthorized' as const) : ('rejected' as const),
    })),
    ...[500, 502, 503, 504].map((status) => ({
      fact: `a ${status} is retried`,
      source: RETRY,
      answers: [{ status, body: body('Server Error', String(status)) }] as const,
      means: 'transient',
      waits: [undefined],
    })),
    {
      fact: 'GraphQL tells a used-up limit in a 200',
      source: THROTTLING,
      call: { method: 'post', url: '/graphql', data: { query: '{ viewer { login } }' } },
      answers: [
        {
          status: 200,
          headers: used,
          body: { errors: [{ type: 'RATE_LIMITED', message: 'API rate limit exceeded' }] },
        },
      ],
      means: 'throttled',
      code: 'RATE_LIMITED',
      waits: [10_000],
      pauses: true,
    },
    {
      fact: 'any other error of GraphQL is the caller’s to read',
      source: 'https://spec.graphql.org/October2021/#sec-Errors',
      call: { method: 'post', url: '/graphql', data: { query: '{ a }' } },
      answers: [{ status: 200, body: { data: null, errors: [{ type: 'NOT_FOUND', message: 'No.' }] } }],
      sends: 1,
      means: 'success',
      code: 'NOT_FOUND',
    },
  ]);

  it(`sends no more than a write a second (${PRACTICES})`, async () => {
    const { server, client, clock } = await talk(family, github());
    const beganAt = clock.now();
    await clock.run(Promise.all(Array.from({ length: 4 }, () => client.post('/repos/o/r/issues', {}))));
    expect(server.counters).toEqual({ served: 4, refused: 0 });
    expect(clock.now() - beganAt).toBeGreaterThanOrEqual(3_000);
  });

  it('has a quota of its own for search, which pauses nobody else', async () => {
    const { server, client, holdfast, clock } = await talk(family, github());
    server.script({ status: 403, headers: used, body: body('API rate limit exceeded.') });
    await clock.run(client.get('/search/issues?q=a', { holdfast: { retry: false } }).catch(() => {}));
    expect(holdfast.stats().pausedKeys).toBe(1);
    expect(reportOf(await client.get('/repos/o/r/issues'))).toMatchObject({ queuedMs: 0, elapsedMs: 0 });
  });

  it('uses the quota, and is refused once at most', async () => {
    const { goodput, refused } = await traffic(family, github(), { ms: 60_000, calls: 600 });
    expect(refused).toBeLessThanOrEqual(1);
    expect(goodput).toBeGreaterThanOrEqual(0.95);
  });
});
