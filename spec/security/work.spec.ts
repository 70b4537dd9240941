import { AxiosError, AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { failureOf, partnerApi, readApiError } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { addressOf, originOf } from '../../lib/call/address.ts';
import { announcesJson } from '../../lib/classify/classify.ts';
import { parseChallenges } from '../../lib/failure/challenge.ts';
import { retryHintMs } from '../../lib/failure/retry-hint.ts';
import { secretsOf } from '../../lib/failure/secrets.ts';
import { readQuota } from '../../lib/limit/quota/headers.ts';
import { parseHttpDate } from '../../lib/time/http-date.ts';
import { parseRetryAfter } from '../../lib/time/retry-after.ts';
import { expectLinear } from './growth.ts';

/*
 * That 1 MB of each ends at all, over the wire: `spec/integration/failures.spec.ts`. Redaction: `spec/failure/redact.spec.ts`.
 * Here: that ten times as much takes ten times as long, and not a hundred times.
 */
const NOW = Date.UTC(2026, 0, 1);
const AT = { wall: () => NOW };

/** A piece again and again, up to that size, and what spoils it at the very end. */
const of = (piece: string, size: number, end = '') => piece.repeat(Math.ceil(size / piece.length)).slice(0, size) + end;

const WAITS: readonly [piece: string, end?: string][] = [
  ['1'],
  ['1', 'x'],
  ['1', '.'],
  ['1.', ''],
  ['0.', 'x'],
  [' ', '1'],
  ['1 ', 'x'],
  ['9'],
  ['Sun, ', ''],
  ['Sun, 06 Nov 1994 08:49:37 GMT', ' '],
  ['Sunday, 06-Nov-94 ', 'x'],
  ['-', '1'],
];

describe('a header’s value costs no more than its length', () => {
  it.each(WAITS)('Retry-After: %j …%j', (piece, end) => {
    expectLinear((size) => parseRetryAfter({ 'retry-after': of(piece, size, end) }, NOW));
    expectLinear((size) => parseRetryAfter({ 'retry-after-ms': of(piece, size, end) }, NOW));
    expectLinear((size) => parseHttpDate(of(piece, size, end), NOW));
    expectLinear((size) => parseRetryAfter({ 'retry-after': '1', date: of(piece, size, end) }, NOW));
  });

  it.each<[string, string?]>([
    ['"a";r=1;t=1,', ''],
    ['"a";r=1;t=1, ', '"'],
    ['"\\\\', ''],
    ['(', ''],
    ['((a) ', ''],
    [';a', ''],
    ['a=1, ', '='],
    ['limit=1, ', ''],
    ['a', ''],
    ['1', ''],
    [' ', 'a'],
    ['\t,', ''],
    [':AAAA', ''],
    ['?1;', ''],
    ['100;w=60, ', '('],
  ])('RateLimit and its relatives: %j …%j', (piece, end) => {
    for (const name of ['ratelimit', 'ratelimit-policy', 'ratelimit-limit', 'ratelimit-remaining']) {
      expectLinear((size) => readQuota({ [name]: of(piece, size, end) }, AT));
    }
  });

  it.each<[string, string?]>([
    ['6m', ''],
    ['1h', 'x'],
    ['1', 's!'],
    ['1.1', 'h'],
    ['1h1m1s1ms1us1ns', ''],
    ['2026-01-01T00:00:00.1', ''],
    ['2026-01-01T00:00:00.1', 'Z'],
    ['0', '-'],
  ])('X-RateLimit-Reset: %j …%j', (piece, end) => {
    for (const name of ['x-ratelimit-reset', 'x-ratelimit-reset-requests', 'x-ratelimit-reset-after']) {
      expectLinear((size) => readQuota({ 'x-ratelimit-limit': '1', [name]: of(piece, size, end) }, AT));
    }
    expectLinear((size) => readQuota({ 'x-ratelimit-reset': `2026-01-01T00:00:00.${of('1', size)}` }, AT));
  });

  it.each<[string, string?]>([
    ['Bearer ', ''],
    ['a=', ''],
    ['a="', ''],
    ['"\\', ''],
    ['{', ''],
    ['{,', ''],
    ['a={b c', ','],
    [', ', 'x'],
    [' ', '='],
    ['Bearer a==', ''],
    ['AAAA=', ' ='],
    ['a,', ''],
    ['OAuth realm=urn:{x y},', ''],
  ])('WWW-Authenticate: %j …%j', (piece, end) => {
    expectLinear((size) => parseChallenges(of(piece, size, end)));
    expectLinear((size) => secretsOf({ headers: { authorization: of(piece, size, end) } }));
  });

  it.each(['application/json;', '/json', '+', 'a/', ' '])('Content-Type: %j', (piece) => {
    expectLinear((size) => announcesJson({ 'content-type': of(piece, size) }));
    expectLinear((size) => readApiError('{}', of(piece, size)));
  });
});

describe('many headers cost no more than their number', () => {
  it.each([
    ['quota headers', (n: number) => `x-ratelimit-limit-${n}`],
    ['quota headers of many vendors', (n: number) => `v${n}-ratelimit-reset`],
    ['any headers', (n: number) => `x-${n}`],
  ])('%s', (_name, nameOf) => {
    expectLinear((size) => {
      const headers = Object.fromEntries(Array.from({ length: size / 64 }, (_, n) => [nameOf(n), '1']));
      readQuota(headers, AT);
      parseRetryAfter(headers, NOW);
    });
  });

  it('nor than the length of their names', () => {
    expectLinear((size) => readQuota({ [of('ratelimit-', size)]: '1' }, AT));
  });
});

describe('a body costs no more than its length', () => {
  it.each<[string, string, string]>([
    ['{"code":"c","description":"', 'x', '","source":"s"}'],
    ['{"code":"c","description":"d","source":"s","data":[', '1,', '1]}'],
    ['{"error":{"code":"c","message":"', '\\n', '"}}'],
    ['', '{"error":', ''],
    ['', '[', ''],
    ['', ' ', '{}'],
    ['', '\ufeff', '{}'],
    ['{"statusCode":429,"message":"', 'Try again in 9', ' seconds."}'],
    ['{"statusCode":429,"message":"Try again in ', '9', ' seconds!"}'],
    ['{"statusCode":429,"message":"', '. ', 'Try again in 1 seconds"}'],
    ['{"error":{"code":"c","message":"', 'Bearer: ', '"}}'],
    ['{"error":{"code":"c","message":"', '://a@', '"}}'],
    ['{"error":{"code":"c","message":"', 'key=', '"}}'],
    ['{"error":{"code":"c","message":"', 'OAuth a=b ', '"}}'],
    ['{"error":{"code":"c","message":"', 'eyJa.', '"}}'],
    ['{"error":{"code":"c","message":"', '?', '"}}'],
    ['{"error":{"code":"c","message":"', '/?#', '"}}'],
    ['{"error":{"code":"c","message":"', '\\u001b[', '"}}'],
    ['{"error":{"code":"c","message":"', '\\ud800', '"}}'],
  ])('%s %j …%j', (start, piece, end) => {
    const config = { headers: new AxiosHeaders({ Authorization: 'Bearer aaaa' }), url: '/x?q=aaaa' };
    expectLinear((size) => {
      const data = start + of(piece, size) + end;
      const api = readApiError(data, 'application/json');
      if (api !== undefined) retryHintMs(api);
      const response = { status: 429, statusText: '', headers: {}, config, data } as never;
      const error = new AxiosError('x', 'ERR_BAD_REQUEST', config as InternalAxiosRequestConfig, {}, response);
      failureOf(error);
    });
  });

  it("also under the preset's judge, which follows every inner error", () => {
    const judges = partnerApi().classify;
    const [judge] = Array.isArray(judges) ? judges : [judges];
    expect(judge).toBeTypeOf('function');
    expectLinear((size) => {
      const text = `{"error":${of('{"code":"1","message":"m","innerError":', size)}1`;
      readApiError(text, 'application/json');
      readApiError({ statusCode: 429, message: of('Try again in 1 ', size) }, 'application/json');
    });
  });
});

describe('a URL costs no more than its length', () => {
  it.each(['/', 'a/', ':/', '?', '#', '@', 'http://', '\\', '//', 'a:b@'])('of %j', (piece) => {
    expectLinear((size) => {
      for (const url of [of(piece, size), `https://${of(piece, size)}`, `a${of(piece, size, '!')}`]) {
        addressOf({ url });
        addressOf({ url, baseURL: 'https://a.example' });
        originOf({ url });
        secretsOf({ url });
      }
    });
  });

  // For whoever calls URLs that others give.
  it('of colons alone', () => {
    expectLinear((size) => addressOf({ url: of(':', size) }));
  });
});
