import { reportOf } from 'axios-holdfast';
import { jira } from 'axios-holdfast/presets';
import { describe, expect, it } from 'vitest';
import { jira as family } from '../../examples/stand-in/families/jira.ts';
import { conversations, talk, traffic } from './conversation.ts';

const LIMITS = 'https://developer.atlassian.com/cloud/jira/platform/rate-limiting/';
const RESET = 'https://jira.atlassian.com/browse/JRACLOUD-69262';

const body = { errorMessages: ['Rate limit exceeded.'], errors: {} };
const limited = (reason: string, seconds?: number) => ({
  status: 429,
  headers: { 'ratelimit-reason': reason, ...(seconds !== undefined && { 'retry-after': String(seconds) }) },
  body,
});
const put = { method: 'put', url: '/rest/api/3/issue/ABC-1', data: {} };
const post = { method: 'post', url: '/rest/api/3/issue', data: {} };
const once = { holdfast: { retry: false } } as const;

describe('jira', () => {
  conversations(family, jira, [
    {
      fact: 'a burst is waited out by Retry-After, whatever the method',
      source: LIMITS,
      call: post,
      answers: [limited('jira-burst-based', 3)],
      means: 'throttled',
      waits: [3_000],
      pauses: true,
    },
    ...['jira-quota-global-based', 'jira-quota-tenant-based'].map((reason) => ({
      fact: `the points of an hour are longer than a call waits by default: ${reason}`,
      source: LIMITS,
      call: post,
      answers: [limited(reason, 1_847)] as const,
      sends: 1,
      kind: 'throttled' as const,
      pauses: true,
      says: 'the points of this hour are used up',
    })),
    {
      fact: 'they are waited for where they come back soon',
      source: LIMITS,
      call: post,
      answers: [limited('jira-quota-global-based', 20)],
      means: 'throttled',
      waits: [20_000],
    },
    {
      fact: 'too many writes of an issue are waited out alone',
      source: LIMITS,
      call: put,
      answers: [limited('jira-per-issue-on-write', 5)],
      means: 'transient',
      waits: [5_000],
      pauses: false,
    },
    {
      fact: 'for two seconds, where no time is named',
      source: LIMITS,
      call: put,
      answers: [limited('jira-per-issue-on-write')],
      waits: [2_000],
    },
    {
      fact: 'the time of the reset may have no seconds',
      source: RESET,
      answers: [
        {
          status: 429,
          headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '2026-01-01T00:01Z' },
          body,
        },
      ],
      means: 'throttled',
      waits: [60_000],
      pauses: true,
    },
    {
      fact: 'a 503 is retried, when it says',
      source: LIMITS,
      answers: [{ status: 503, headers: { 'retry-after': '4' } }],
      means: 'transient',
      waits: [4_000],
    },
    {
      fact: 'a wrong request is not retried',
      source: LIMITS,
      call: post,
      answers: [{ status: 400, body: { errorMessages: [], errors: { summary: 'You must specify a summary.' } } }],
      sends: 1,
      kind: 'rejected',
      says: 'You must specify a summary.',
    },
  ]);

  it.each([
    ['another endpoint', '/rest/api/3/project/ABC', false],
    ['another tenant', 'https://api.atlassian.com/ex/jira/c1/rest/api/3/issue/ABC-1', false],
    ['the same endpoint, for another issue', '/rest/api/3/issue/DEF-2', true],
  ])(`pauses an endpoint: %s (${LIMITS})`, async (_, url, isPaused) => {
    const { server, client, holdfast, clock } = await talk(family, jira());
    server.script(limited('jira-burst-based', 9));
    await clock.run(client.get('/rest/api/3/issue/ABC-1', once).catch(() => {}));
    expect(holdfast.stats().pausedKeys).toBe(1);
    const other = url.startsWith('/') ? url : `${server.url}/ex/jira/c1/rest/api/3/issue/ABC-1`;
    const answered = await clock.run(client.get(other));
    expect(Number(reportOf(answered)?.queuedMs) > 0).toBe(isPaused);
  });

  it('knows endpoints by their paths, whatever the ids in them', () => {
    const [{ key }] = jira().limit as unknown as readonly [{ key(config: object): string }];
    const keyOf = (url: string, method = 'get') => key({ baseURL: 'https://api.atlassian.com', url, method });
    const tenant = 'https://api.atlassian.com/ex/jira/c1';
    expect(keyOf('/ex/jira/c1/rest/api/3/issue/ABC-1/comment/7', 'put')).toBe(
      `${tenant} put /rest/api/*/issue/*/comment/*`,
    );
    expect(keyOf('/ex/jira/c1/rest/api/3/project/ABC?expand=x')).toBe(`${tenant} get /rest/api/*/project/*`);
    expect(keyOf('/ex/jira/c1/rest/api/3/issue/createmeta')).toBe(`${tenant} get /rest/api/*/issue/createmeta`);
    expect(keyOf('/oauth/token/accessible-resources')).toBe('https://api.atlassian.com get ');
  });

  it('uses what an endpoint takes', async () => {
    const { goodput, served, refused } = await traffic(family, jira(), { ms: 60_000, calls: 900 });
    expect(refused / served).toBeLessThanOrEqual(0.15);
    expect(goodput).toBeGreaterThanOrEqual(0.9);
  });

  it(`writes an issue no faster than it takes (${LIMITS})`, async () => {
    const call = family.calls[1];
    const { goodput, refused } = await traffic(family, jira(), { ms: 60_000, calls: 400, call });
    expect(refused).toBe(0);
    expect(goodput).toBeGreaterThanOrEqual(0.8);
  });
});
