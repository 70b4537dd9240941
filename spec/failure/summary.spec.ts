import { failureOf, type Policy } from 'axios-holdfast';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../lib/failure/failure.ts';
import { summaryOf } from '../../lib/failure/summary.ts';
import { type Line, networkError, type Scripted, scripted } from '../support/scripted.ts';

const facts: Omit<Failure, 'summary'> = {
  kind: 'unavailable',
  status: 503,
  challenges: [],
  endedBecause: 'retries-exhausted',
  sends: 4,
  retries: 3,
  polls: 0,
  replays: 0,
  queuedMs: 0,
  refreshMs: 0,
  waitedMs: 0,
  sendingMs: 0,
  elapsedMs: 940,
  ids: {},
};

const config = { method: 'post', baseURL: 'https://api.example.com', url: '/v1/orders' };
const gateway = (message: string, code = '503') => ({ shape: 'gateway' as const, code, message, details: [], raw: {} });

const summaryAfter = async (script: readonly Line[], policy?: Policy, call?: Parameters<Scripted['call']>[0]) =>
  failureOf(await scripted(script, policy).call(call))?.summary;

describe('the summary of a call', () => {
  it('is one sentence that says what was asked, how it ended, why, and what the server says', async () => {
    const answer = {
      status: 503,
      headers: { 'content-type': 'application/json', 'ms-requestid': '7a1c9d0e' },
      data: JSON.stringify({ code: 'serviceNotAvailable', description: 'Try again later.', data: [], source: 'API' }),
    };
    const policy = {
      idempotency: {},
      retry: { backoff: ({ retry }: { retry: number }) => [4_000, 4_000, 4_400][retry] ?? 0 },
    };
    const call = { url: '/v1/orders', method: 'post', data: { order: 1 } };
    expect(await summaryAfter([answer, answer, answer, answer], policy, call)).toBe(
      'POST /v1/orders ended after 4 sends in 12.4 s (waits 12.4 s): 503 unavailable, retries exhausted (maxRetries 3); ' +
        'the server says serviceNotAvailable: "Try again later." (MS-RequestId 7a1c9d0e)',
    );
  });

  it.each<[string, readonly Line[], Policy, Parameters<Scripted['call']>[0]?]>([
    ['GET / ended after 1 send in 0 ms: 404 rejected, not retryable', [404], {}],
    [
      'GET / ended after 2 sends in 500 ms: 502 unavailable, retries exhausted (maxRetries 1)',
      [503, 502],
      { retry: { maxRetries: 1 } },
    ],
    [
      'GET / ended after 1 send in 0 ms: network (ECONNRESET), retrying is off',
      [networkError('ECONNRESET')],
      { retry: false },
    ],
    [
      'POST /v1/x ended after 1 send in 0 ms: timeout (ETIMEDOUT), a repeat might be applied twice: turn on `idempotency`, if the server knows such keys',
      [networkError('ETIMEDOUT')],
      {},
      { url: 'v1/x?page=1', method: 'POST' },
    ],
    [
      'GET / ended after 1 send in 0 ms: 503 unavailable, the deadline of 1 s is too near for a retry (it asks for 2.0 s)',
      [{ status: 503, headers: { 'retry-after': '2' } }],
      { deadlineMs: 1_000 },
    ],
    ['GET / ended after 1 send in 0 ms: local, not retryable: "no code"', [new Error('no code')], {}],
  ])('%s', async (summary, script, policy, call) => {
    expect(await summaryAfter(script, policy, call)).toBe(summary);
  });
});

describe(summaryOf.name, () => {
  it.each<[Failure['endedBecause'], string]>([
    ['not-retryable', 'not retryable'],
    ['retries-exhausted', 'retries exhausted (maxRetries 3)'],
    ['budget-empty', 'the retry budget is empty'],
    ['deadline', 'the deadline is too near'],
    ['wait-too-long', 'the server asks for too long a wait'],
    ['unsafe-method', 'a repeat might be applied twice: turn on `idempotency`, if the server knows such keys'],
    ['body-not-replayable', 'the body can be read only once: `body` can make it afresh'],
    ['refresh-failed', 'the token could not be refreshed'],
    ['still-unauthorized', 'still unauthorized with a fresh token'],
    ['cancelled', 'cancelled by the caller'],
    ['limited', 'the limiter refused'],
    ['circuit-open', 'the circuit is open'],
    ['disabled', 'retrying is off'],
  ])('has words for %s', (endedBecause, words) => {
    expect(summaryOf({ ...facts, endedBecause }, config)).toBe(
      `POST /v1/orders ended after 4 sends in 940 ms: 503 unavailable, ${words}`,
    );
  });

  it.each([
    [0, '0 ms'],
    [1, '1 ms'],
    [999, '999 ms'],
    [999.4, '999 ms'],
    [1_000, '1.0 s (other 1.0 s)'],
    [12_449, '12.4 s (other 12.4 s)'],
    [3_600_000, '3600.0 s (other 3600.0 s)'],
  ])('gives %d ms as %s', (elapsedMs, words) => {
    expect(summaryOf({ ...facts, elapsedMs }, config)).toContain(` in ${words}: `);
  });

  it('quotes the most specific of nested errors', () => {
    const inner = { ...gateway('precisely'), shape: 'nested' as const, code: 'inner' };
    expect(summaryOf({ ...facts, api: { ...inner, code: 'outer', inner } }, config)).toContain(
      'the server says inner: "precisely"',
    );
  });

  it('cuts a long quotation, and keeps to one line', () => {
    const api = gateway(`first\nsecond\r\n\u001b[31mred\u2028${'x'.repeat(10_000)}`, 'c'.repeat(500));
    const summary = summaryOf({ ...facts, api, requestId: 'r'.repeat(10_000) }, config, 'request-id');
    expect(summary).toContain('"first second red xxx');
    expect(summary.length).toBeLessThan(500);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(summary).not.toMatch(/[\u0000-\u001f\u2028\u2029]/);
  });

  it.each<[string, object, string]>([
    ['no url', {}, 'GET / ended'],
    ['no config at all', undefined as unknown as object, 'GET / ended'],
    ['a base only', { baseURL: 'https://a.example/base' }, 'GET /base ended'],
    ['a relative url', { url: 'v1/x' }, 'GET v1/x ended'],
    ['an absolute url', { url: 'https://u:pass@a.example:8443/v1?sig=1#top' }, 'GET /v1 ended'],
    ['an address within another', { url: '/go/https://b.example/x' }, 'GET /go/https://b.example/x ended'],
    ['an origin only', { url: 'https://a.example' }, 'GET / ended'],
    ['a strange method', { method: 7, url: '/x' }, 'GET /x ended'],
    ['a method of many lines', { method: 'x\r\ny', url: '/x' }, 'X Y /x ended'],
  ])('names the request, given %s', (_name, request, beginning) => {
    expect(summaryOf(facts, request)).toContain(beginning);
  });

  it('is one line without the secrets of the request, wherever the server repeats them', () => {
    const secret = fc
      .string({ unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyzABCXYZ0123456789_-'), minLength: 8, maxLength: 40 })
      .map((text) => `${text}!Zq7`);
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (value, before, after) => {
        const echo = `${before}${value}${after}`;
        const requests = [
          { headers: { Authorization: `Bearer ${value}` } },
          { headers: { Cookie: `sid=${value}` } },
          { headers: { 'X-Api-Key': value } },
          { auth: { username: value, password: value } },
          { params: { q: value } },
          { url: `/x?q=${value}` },
        ];
        for (const request of requests) {
          const told = summaryOf(
            { ...facts, api: gateway(echo, echo), requestId: echo, code: echo },
            request,
            'request-id',
          );
          expect(told).not.toContain(value);
          expect(told).not.toMatch(/[\r\n]/);
        }
      }),
    );
  });

  it('hides the secrets of what was sent as well, which the caller never saw', () => {
    const told = summaryOf({ ...facts, api: gateway('key hunter2 is wrong') }, config, undefined, [
      { headers: { 'x-api-key': 'hunter2' } },
      undefined,
    ]);
    expect(told).toContain('"key [redacted] is wrong"');
  });
});
