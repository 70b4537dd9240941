import { notion } from 'axios-holdfast/presets';
import { describe, expect, it } from 'vitest';
import { notion as family } from '../../examples/stand-in/families/notion.ts';
import { conversations, traffic } from './conversation.ts';

const LIMITS = 'https://developers.notion.com/reference/request-limits';
const STATUSES = 'https://developers.notion.com/reference/status-codes';
const SDK = 'https://www.mintlify.com/makenotion/notion-sdk-js/concepts/retries';

const error = (status: number, code: string) => ({
  object: 'error',
  status,
  code,
  message: 'No.',
  request_id: 'b4d7f5a1-0001',
});
const post = { method: 'post', url: '/v1/pages', data: {} };

describe('notion', () => {
  conversations(family, notion, [
    {
      fact: 'a rate limit is waited out by Retry-After, whatever the method',
      source: LIMITS,
      call: post,
      answers: [{ status: 429, headers: { 'retry-after': '12' }, body: error(429, 'rate_limited') }],
      means: 'throttled',
      code: 'rate_limited',
      waits: [12_000],
      pauses: true,
    },
    {
      fact: 'that of a workspace may ask for more than a minute, which is longer than a call waits by default',
      source: LIMITS,
      answers: [{ status: 429, headers: { 'retry-after': '180' }, body: error(429, 'rate_limited') }],
      sends: 1,
      kind: 'throttled',
      says: 'raise `retry.retryAfter.maxMs`',
    },
    {
      fact: 'so is a 529: Notion is overloaded',
      source: LIMITS,
      call: post,
      answers: [{ status: 529, headers: { 'retry-after': '5' }, body: error(529, 'service_overload') }],
      means: 'throttled',
      code: 'service_overload',
      waits: [5_000],
      pauses: true,
    },
    ...(
      [
        [500, 'internal_server_error'],
        [503, 'service_unavailable'],
        [503, 'database_connection_unavailable'],
        [504, 'gateway_timeout'],
      ] as const
    ).map(([status, code]) => ({
      fact: `a ${status} with ${code} is retried`,
      source: STATUSES,
      answers: [{ status, body: error(status, code) }] as const,
      means: 'transient',
      code,
      waits: [undefined],
      pauses: false,
    })),
    {
      fact: 'also where something is deleted',
      source: SDK,
      call: { method: 'delete', url: '/v1/blocks/1' },
      answers: [{ status: 503, body: error(503, 'service_unavailable') }],
      means: 'transient',
    },
    ...(['post', 'patch'] as const).map((method) => ({
      fact: `but not a ${method.toUpperCase()}, which may have been applied`,
      source: SDK,
      call: { ...post, method },
      answers: [{ status: 503, body: error(503, 'service_unavailable') }] as const,
      sends: 1,
      kind: 'unavailable' as const,
      says: 'a repeat might be applied twice',
    })),
    {
      fact: 'a transaction that met another is tried again, whatever the method, and pauses nobody',
      source: STATUSES,
      call: { ...post, method: 'patch' },
      answers: [{ status: 409, body: error(409, 'conflict_error') }],
      means: 'transient',
      code: 'conflict_error',
      waits: [undefined],
      pauses: false,
    },
    {
      fact: 'a wrong request is not retried, and its id is told',
      source: 'https://www.mintlify.com/makenotion/notion-sdk-js/api/errors/error-types',
      call: post,
      answers: [{ status: 400, body: error(400, 'validation_error') }],
      sends: 1,
      kind: 'rejected',
      code: 'validation_error',
      ids: { request_id: 'b4d7f5a1-0001' },
    },
  ]);

  it('learns what a connection may send, though nothing tells it', async () => {
    const { goodput, refused, served } = await traffic(family, notion(), { ms: 120_000, calls: 1_000 });
    expect(refused / served).toBeLessThanOrEqual(0.1);
    expect(goodput).toBeGreaterThanOrEqual(0.8);
  });
});
