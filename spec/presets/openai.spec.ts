import { openai } from 'axios-holdfast/presets';
import { describe, expect, it } from 'vitest';
import { openai as family } from '../../examples/stand-in/families/openai.ts';
import { conversations, traffic } from './conversation.ts';

const SDK = 'https://github.com/openai/openai-node/blob/main/src/client.ts';
const ERRORS = 'https://platform.openai.com/docs/guides/error-codes';
const LIMITS = 'https://platform.openai.com/docs/guides/rate-limits';
const AZURE = 'https://learn.microsoft.com/azure/ai-foundry/openai/how-to/quota';

const error = (code: string | null, type = 'rate_limit_error', message = 'No.') => ({
  error: { message, type, param: null, code },
});
const post = { method: 'post', url: '/v1/chat/completions', data: { model: 'gpt-5' } };

describe('openai', () => {
  conversations(family, openai, [
    {
      fact: 'a rate limit is waited out by retry-after-ms, which goes before retry-after',
      source: SDK,
      call: post,
      answers: [
        { status: 429, headers: { 'retry-after-ms': '1500', 'retry-after': '2' }, body: error('rate_limit_exceeded') },
      ],
      means: 'throttled',
      code: 'rate_limit_exceeded',
      waits: [1_500],
      pauses: true,
    },
    {
      fact: 'a used-up quota of tokens is waited out until it is reset, which is told as a duration',
      source: LIMITS,
      call: post,
      answers: [
        {
          status: 429,
          headers: { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '20s' },
          body: error('rate_limit_exceeded', 'tokens'),
        },
      ],
      waits: [20_000],
      pauses: true,
    },
    {
      fact: 'traffic that grew too fast is throttled',
      source: ERRORS,
      call: post,
      answers: [{ status: 429, headers: { 'retry-after': '3' }, body: error('slow_down') }],
      means: 'throttled',
      code: 'slow_down',
      waits: [3_000],
    },
    {
      fact: 'also where that is still told by a 503',
      source: ERRORS,
      call: post,
      answers: [{ status: 503, body: error('slow_down') }],
      means: 'throttled',
      waits: [undefined],
    },
    ...[
      'insufficient_quota',
      'credit_balance_exhausted',
      'organization_usage_limit_exceeded',
      'organization_spend_limit_exceeded',
      'project_spend_limit_exceeded',
    ].map((code) => ({
      fact: `${code} ends the call, and pauses nobody`,
      source: ERRORS,
      call: post,
      answers: [{ status: 429, headers: { 'retry-after': '1' }, body: error(code, 'insufficient_quota') }] as const,
      sends: 1,
      kind: 'throttled' as const,
      code,
      pauses: false,
      says: '429 throttled for good (the money is spent), not retryable',
    })),
    {
      fact: 'a code that nobody knows yet is known by its type',
      source: ERRORS,
      answers: [{ status: 429, body: error('some_new_limit', 'insufficient_quota') }],
      sends: 1,
      kind: 'throttled',
      code: 'some_new_limit',
      says: 'for good',
    },
    ...[408, 409, 500, 502, 503, 504].map((status) => ({
      fact: `a ${status} is retried`,
      source: SDK,
      answers: [{ status, body: error('server_error', 'server_error') }] as const,
      means: 'transient',
      waits: [undefined],
      pauses: false,
    })),
    {
      fact: 'a POST that may have been applied is not repeated',
      source: 'RFC 9110 §9.2.2',
      call: post,
      answers: [{ status: 500, body: error(null, 'server_error') }],
      sends: 1,
      kind: 'unavailable',
      code: 'server_error',
      says: 'a repeat might be applied twice',
    },
    {
      fact: 'but it is where the server says so',
      source: SDK,
      call: post,
      answers: [{ status: 500, headers: { 'x-should-retry': 'true' }, body: error('server_error') }],
      means: 'transient',
    },
    {
      fact: 'a 429 stays throttled where the server says so',
      source: SDK,
      call: post,
      answers: [{ status: 429, headers: { 'x-should-retry': 'true', 'retry-after': '2' }, body: error('slow_down') }],
      means: 'throttled',
      waits: [2_000],
      pauses: true,
    },
    {
      fact: 'nothing is retried where the server says not to',
      source: SDK,
      answers: [{ status: 503, headers: { 'x-should-retry': 'false' }, body: error('server_error') }],
      sends: 1,
      kind: 'unavailable',
      says: 'the server says not to retry: x-should-retry',
    },
    {
      fact: 'a wrong request is not retried, and its id is told',
      source: 'https://platform.openai.com/docs/api-reference/debugging-requests',
      answers: [
        { status: 400, headers: { 'x-request-id': 'req_7' }, body: error('invalid_value', 'invalid_request_error') },
      ],
      sends: 1,
      kind: 'rejected',
      code: 'invalid_value',
      ids: { 'x-request-id': 'req_7' },
      says: '(x-request-id req_7)',
    },
    {
      fact: 'limits of -1 are no limits',
      source: AZURE,
      answers: [
        {
          status: 500,
          headers: {
            'x-ratelimit-limit-requests': '-1',
            'x-ratelimit-remaining-requests': '-1',
            'x-ratelimit-reset-requests': '0',
          },
        },
      ],
      waits: [undefined],
    },
  ]);

  it('uses the quota, and is refused once at most', async () => {
    const { goodput, refused } = await traffic(family, openai(), { ms: 90_000, calls: 900 });
    expect(refused).toBeLessThanOrEqual(1);
    expect(goodput).toBeGreaterThanOrEqual(0.95);
  });

  it('knows how many tokens there are, where it is told', async () => {
    const [call] = family.calls;
    const long = { ...call, data: { ...(call?.data as object), input: 'x'.repeat(4_000), max_tokens: 1 } } as never;
    const { goodput, refused } = await traffic(family, openai({ tokensPerMinute: 60_000 }), {
      ms: 120_000,
      calls: 300,
      call: long,
    });
    expect(refused).toBe(0);
    expect(goodput).toBeGreaterThanOrEqual(0.6);
  });
});
