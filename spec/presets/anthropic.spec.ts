import { reportOf } from 'axios-holdfast';
import { anthropic } from 'axios-holdfast/presets';
import { describe, expect, it } from 'vitest';
import { anthropic as family } from '../../examples/stand-in/families/anthropic.ts';
import { conversations, talk, traffic } from './conversation.ts';

const SDK = 'https://github.com/anthropics/anthropic-sdk-typescript/blob/main/src/client.ts';
const ERRORS = 'https://platform.claude.com/docs/en/api/errors';
const LIMITS = 'https://platform.claude.com/docs/en/api/rate-limits';
const OVERLOADED = 'https://learn.microsoft.com/microsoft-cloud/dev/dev-proxy/concepts/anthropic-529-overloaded-error';

const error = (type: string, details?: object) => ({
  type: 'error',
  error: { type, message: 'No.', details },
  request_id: 'req_1',
});
const post = { method: 'post', url: '/v1/messages', data: { model: 'claude-opus-5', max_tokens: 1 } };

describe('anthropic', () => {
  conversations(family, anthropic, [
    {
      fact: 'a rate limit is waited out by retry-after',
      source: LIMITS,
      call: post,
      answers: [{ status: 429, headers: { 'retry-after': '12' }, body: error('rate_limit_error') }],
      means: 'throttled',
      code: 'rate_limit_error',
      waits: [12_000],
      pauses: true,
    },
    {
      fact: 'retry-after-ms goes before it',
      source: SDK,
      call: post,
      answers: [
        { status: 429, headers: { 'retry-after-ms': '1500', 'retry-after': '2' }, body: error('rate_limit_error') },
      ],
      waits: [1_500],
    },
    {
      fact: 'used-up input tokens are waited for until they are back, which is told as RFC 3339',
      source: LIMITS,
      call: post,
      answers: [
        {
          status: 429,
          headers: {
            'anthropic-ratelimit-requests-limit': '50',
            'anthropic-ratelimit-requests-remaining': '49',
            'anthropic-ratelimit-requests-reset': '2026-01-01T00:00:02Z',
            'anthropic-ratelimit-input-tokens-limit': '30000',
            'anthropic-ratelimit-input-tokens-remaining': '0',
            'anthropic-ratelimit-input-tokens-reset': '2026-01-01T00:00:20Z',
          },
          body: error('rate_limit_error'),
        },
      ],
      means: 'throttled',
      waits: [20_000],
      pauses: true,
    },
    {
      fact: 'an overload was turned down: it is sent again, whatever the method',
      source: OVERLOADED,
      call: post,
      answers: [{ status: 529, body: error('overloaded_error') }],
      means: 'throttled',
      code: 'overloaded_error',
      waits: [undefined],
    },
    {
      fact: 'for as long as retry-after says, if it is there, and for all',
      source: OVERLOADED,
      call: post,
      answers: [
        { status: 529, headers: { 'retry-after': '5', 'x-should-retry': 'true' }, body: error('overloaded_error') },
      ],
      means: 'throttled',
      waits: [5_000],
      pauses: true,
    },
    {
      fact: 'the spend limit of a tier has the type of a rate limit, and ends the call',
      source: OVERLOADED,
      call: post,
      answers: [{ status: 429, body: error('rate_limit_error', { error_code: 'enforced_spend_limit_reached' }) }],
      sends: 1,
      kind: 'throttled',
      code: 'rate_limit_error',
      pauses: false,
      says: '429 throttled for good (the money of this month is spent), not retryable',
    },
    {
      fact: 'so does a payment that does not work',
      source: ERRORS,
      call: post,
      answers: [{ status: 402, body: error('billing_error') }],
      sends: 1,
      kind: 'throttled',
      code: 'billing_error',
      pauses: false,
      says: 'for good',
    },
    ...[400, 403, 404, 413].map((status) => ({
      fact: `a ${status} is not retried`,
      source: SDK,
      answers: [{ status, body: error('invalid_request_error') }] as const,
      sends: 1,
      kind: 'rejected' as const,
    })),
    ...[408, 409, 500, 504].map((status) => ({
      fact: `a ${status} is retried`,
      source: SDK,
      answers: [{ status, body: error('api_error') }] as const,
      means: 'transient',
      waits: [undefined],
      pauses: false,
    })),
    {
      fact: 'a POST that may have been answered is not repeated',
      source: 'RFC 9110 §9.2.2',
      call: post,
      answers: [{ status: 500, body: error('api_error') }],
      sends: 1,
      kind: 'unavailable',
      code: 'api_error',
    },
    {
      fact: 'but it is where the server says so',
      source: SDK,
      call: post,
      answers: [{ status: 500, headers: { 'x-should-retry': 'true' }, body: error('api_error') }],
      means: 'transient',
    },
    {
      fact: 'nothing is retried where the server says not to',
      source: SDK,
      answers: [{ status: 529, headers: { 'x-should-retry': 'false' }, body: error('overloaded_error') }],
      sends: 1,
      kind: 'unavailable',
      says: 'the server says not to retry: x-should-retry',
    },
    {
      fact: 'the id of the request is told',
      source: ERRORS,
      answers: [{ status: 404, headers: { 'request-id': 'req_7' }, body: error('not_found_error') }],
      sends: 1,
      kind: 'rejected',
      code: 'not_found_error',
      ids: { 'request-id': 'req_7' },
    },
  ]);

  it(`has a bucket for each model, and one for batches (${LIMITS})`, async () => {
    const { server, client, holdfast, clock } = await talk(family, anthropic());
    const once = { holdfast: { retry: false } } as const;
    const ask = (url: string, model: string) => client.post(url, { model }, once);
    server.script({ status: 429, headers: { 'retry-after': '9' }, body: error('rate_limit_error') });
    await clock.run(ask('/v1/messages', 'opus').catch(() => {}));
    expect(holdfast.stats().pausedKeys).toBe(1);
    for (const [url, model] of [
      ['/v1/messages', 'haiku'],
      ['/v1/messages/count_tokens', 'opus'],
      ['/v1/messages/batches', 'opus'],
    ] as const) {
      expect(reportOf(await ask(url, model))).toMatchObject({ queuedMs: 0, elapsedMs: 0 });
    }
  });

  it('uses the quota, and is refused once at most', async () => {
    const { goodput, refused } = await traffic(family, anthropic(), { ms: 90_000, calls: 900 });
    expect(refused).toBeLessThanOrEqual(1);
    expect(goodput).toBeGreaterThanOrEqual(0.95);
  });
});
