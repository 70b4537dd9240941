import { reportOf } from 'axios-holdfast';
import { google } from 'axios-holdfast/presets';
import { describe, expect, it } from 'vitest';
import { google as family } from '../../examples/stand-in/families/google.ts';
import { conversations, talk, traffic } from './conversation.ts';

const CALENDAR = 'https://developers.google.com/workspace/calendar/api/guides/errors';
const DRIVE = 'https://developers.google.com/workspace/drive/api/guides/limits';
const DAILY = 'https://developers.google.com/bid-manager/quotas';
const CLI = 'https://github.com/google-gemini/gemini-cli/blob/main/packages/core/src/utils/googleQuotaErrors.ts';
const SDK = 'https://github.com/googleapis/gaxios/blob/main/src/retry.ts';
const STREAMED = 'https://github.com/google-gemini/gemini-cli/issues/6454';
const PER_MODEL = 'https://ai.google.dev/gemini-api/docs/rate-limits';

const error = (code: number, reason: string) => ({
  error: { code, message: 'No.', errors: [{ domain: 'usageLimits', reason, message: 'No.' }] },
});
const exhausted = (details: readonly object[], message = 'You exceeded your current quota.') => ({
  error: { code: 429, message, status: 'RESOURCE_EXHAUSTED', details },
});
const retryInfo = (retryDelay: string) => ({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay });
const quotaFailure = (quotaId: string) => ({
  '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
  violations: [{ quotaMetric: 'generate_content_free_tier_requests', quotaId }],
});
const post = { method: 'post', url: '/v1beta/models/gemini-3-flash:generateContent', data: { contents: [] } };

describe('google', () => {
  conversations(family, google, [
    ...['rateLimitExceeded', 'userRateLimitExceeded'].map((reason) => ({
      fact: `a 403 with ${reason} is throttled, without a time`,
      source: CALENDAR,
      call: { method: 'post', url: '/calendar/v3/calendars/primary/events', data: {} },
      answers: [{ status: 403, body: error(403, reason) }] as const,
      means: 'throttled',
      code: reason,
      waits: [undefined],
    })),
    {
      fact: 'any other 403 is for good',
      source: CALENDAR,
      answers: [{ status: 403, body: error(403, 'forbiddenForNonOrganizer') }],
      sends: 1,
      kind: 'rejected',
      code: 'forbiddenForNonOrganizer',
      pauses: false,
    },
    {
      fact: 'the quota of a day ends the call, and pauses nobody',
      source: DAILY,
      answers: [{ status: 403, body: error(403, 'dailyLimitExceeded') }],
      sends: 1,
      kind: 'throttled',
      code: 'dailyLimitExceeded',
      pauses: false,
      says: 'throttled for good (the quota of the day is used up)',
    },
    {
      fact: 'also where a 429 names it, whatever wait stands beside it',
      source: CLI,
      call: post,
      answers: [
        {
          status: 429,
          body: exhausted([quotaFailure('GenerateRequestsPerDayPerProjectPerModel-FreeTier'), retryInfo('21s')]),
        },
      ],
      sends: 1,
      kind: 'throttled',
      code: 'RESOURCE_EXHAUSTED',
      pauses: false,
      says: 'the quota of the day is used up',
    },
    {
      fact: 'RetryInfo names the wait, with fractions of a second',
      source: 'https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto',
      call: post,
      answers: [
        {
          status: 429,
          body: exhausted([quotaFailure('GenerateRequestsPerMinutePerProjectPerModel'), retryInfo('34.074824224s')]),
        },
      ],
      means: 'throttled',
      code: 'RESOURCE_EXHAUSTED',
      waits: [34_075],
      pauses: true,
    },
    {
      fact: 'also where the answer would have been a list: that of a model, in parts',
      source: STREAMED,
      call: { ...post, url: '/v1beta/models/gemini-3-flash:streamGenerateContent' },
      answers: [{ status: 429, body: [exhausted([retryInfo('7s')])] }],
      means: 'throttled',
      code: 'RESOURCE_EXHAUSTED',
      waits: [7_000],
      pauses: true,
    },
    {
      fact: 'ErrorInfo may name it, too',
      source: 'https://github.com/NikkeTryHard/zerogravity/issues/19',
      answers: [
        {
          status: 429,
          body: exhausted([
            {
              '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
              reason: 'RATE_LIMIT_EXCEEDED',
              metadata: { quotaResetDelay: '2.463586755s' },
            },
          ]),
        },
      ],
      means: 'throttled',
      waits: [2_464],
    },
    {
      fact: 'and so may the message',
      source: CLI,
      answers: [{ status: 429, body: exhausted([], 'You exceeded your current quota. Please retry in 900ms.') }],
      means: 'throttled',
      waits: [900],
    },
    {
      fact: 'a quota of a minute without a time is waited out for a minute',
      source: CLI,
      answers: [
        {
          status: 429,
          body: exhausted([
            {
              '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
              reason: 'RATE_LIMIT_EXCEEDED',
              metadata: { quota_limit: 'ReadRequestsPerMinutePerUser' },
            },
          ]),
        },
      ],
      means: 'throttled',
      waits: [60_000],
    },
    {
      fact: 'details of another form say nothing',
      source: DRIVE,
      answers: [
        { status: 429, body: exhausted([null, 'PerDay', { violations: [null, {}] }, { metadata: 7 }] as never) },
      ],
      means: 'throttled',
      waits: [undefined],
    },
    {
      fact: 'a 429 is throttled in any case',
      source: DRIVE,
      call: post,
      answers: [{ status: 429, body: exhausted([]) }],
      means: 'throttled',
      waits: [undefined],
    },
    ...[408, 500, 502, 503, 504].map((status) => ({
      fact: `a ${status} is retried`,
      source: SDK,
      answers: [{ status, body: error(status, 'backendError') }] as const,
      means: 'transient',
      code: 'backendError',
      waits: [undefined],
    })),
    {
      fact: 'but not a POST, which may have been applied',
      source: SDK,
      call: post,
      answers: [{ status: 503, body: error(503, 'backendError') }],
      sends: 1,
      kind: 'unavailable',
    },
  ]);

  it.each([
    [`another API of the host (${DRIVE})`, 'https://www.googleapis.com/drive/v3/files', ''],
    [
      `an upload of the same API (${DRIVE})`,
      'https://www.googleapis.com/upload/calendar/v3/x',
      'https://www.googleapis.com/calendar',
    ],
    [`a host of its own (${DRIVE})`, 'https://gmail.googleapis.com/gmail/v1/users/me', 'https://gmail.googleapis.com'],
    [
      `a model (${PER_MODEL})`,
      'https://generativelanguage.googleapis.com/v1beta/models/gemini-3-flash:generateContent',
      'https://generativelanguage.googleapis.com gemini-3-flash',
    ],
  ])('keeps a limit for each API and model: %s', (_, url, expected) => {
    const { key } = google().limit as { key?(config: object): string };
    expect(key?.({ url })).toBe(expected || 'https://www.googleapis.com/drive');
  });

  it(`pauses a model, and no other (${PER_MODEL})`, async () => {
    const { server, client, clock } = await talk(family, google());
    server.script({ status: 429, body: exhausted([retryInfo('9s')]) });
    await clock.run(client.request({ ...post, holdfast: { retry: false } }).catch(() => {}));
    const other = await client.post('/v1beta/models/gemini-3-pro:generateContent', {});
    expect(reportOf(other)).toMatchObject({ queuedMs: 0, elapsedMs: 0 });
  });

  it('learns what a user may send, though nothing tells it', async () => {
    const { goodput, refused, served } = await traffic(family, google(), { ms: 120_000, calls: 2_000 });
    expect(refused / served).toBeLessThanOrEqual(0.1);
    expect(goodput).toBeGreaterThanOrEqual(0.8);
  });
});
