import http from 'node:http';
import { text } from 'node:stream/consumers';
import axios, { type AxiosError } from 'axios';
import { attach, failureOf, mostSpecific, readApiError, reportOf } from 'axios-holdfast';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type PartnerApi, startPartnerApi } from '../../examples/partner-api/server.ts';
import { ADAPTERS, type AdapterName, attached, axiosErrorOf, rejectionOf, status } from '../support/attached.ts';
import type { Answer } from '../support/loopback.ts';

/** Answers with a body as it is. */
const raw =
  (code: number, body: string | Buffer, headers: http.OutgoingHttpHeaders = {}): Answer =>
  (_request, response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(body);
  };

describe.each(ADAPTERS)('the error bodies of the stand-in, over %s', (adapter) => {
  let api: PartnerApi;
  beforeAll(async () => {
    api = await startPartnerApi();
  });
  afterAll(() => api.close());

  const failed = async (path: string, shape: string, headers = {}) => {
    const client = axios.create({ baseURL: api.url, adapter, headers: { 'X-Error-Shape': shape, ...headers } });
    attach(client, { retry: { backoff: () => 0 } });
    return failureOf(await rejectionOf(client.get(path)));
  };

  it('of the documented nested shape are read down to the most specific code', async () => {
    api.script({ kind: 'answer', status: 409, code: '900104' });
    const failure = await failed('/rest/customers', 'nested');
    expect(failure).toMatchObject({
      kind: 'rejected',
      status: 409,
      api: { shape: 'nested', code: 'conflict', target: 'partner', inner: { code: '900104' } },
      summary: expect.stringMatching(
        /^GET \/rest\/customers ended after 1 send in \d+ ms: 409 rejected, not retryable; the server says 900104: "The resource is being processed by another request\."/,
      ),
    });
    expect(failure?.api && mostSpecific(failure.api).code).toBe('900104');
  });

  it('of the documented flat shape are read', async () => {
    api.script({ kind: 'answer', status: 403, code: '900308' });
    expect(await failed('/v1/customers', 'flat')).toMatchObject({
      kind: 'rejected',
      api: {
        shape: 'flat',
        code: '900308',
        message: 'The caller lacks the privileges for this operation.',
        source: 'PartnerAPI',
        details: [],
      },
      summary: expect.stringContaining('the server says 900308: "The caller lacks the privileges for this operation."'),
    });
  });

  it('of the legacy shape are read', async () => {
    expect(await failed('/v1/status/412?code=800036', 'legacy')).toMatchObject({
      api: {
        shape: 'legacy',
        code: '800036',
        source: 'PartnerAPI',
        details: [{ status: '412' }, { error_code: '800036' }],
      },
    });
  });

  it("of the gateway's shape are read, with the wait that it asks for", async () => {
    expect(await failed('/v1/status/429?retryAfter=100', 'gateway')).toMatchObject({
      kind: 'throttled',
      status: 429,
      retryAfterMs: 100_000,
      endedBecause: 'wait-too-long',
      sends: 1,
      api: { shape: 'gateway', code: '429', message: 'Rate limit is exceeded. Try again in 100 seconds.' },
    });
  });
});

describe.each(ADAPTERS)('over %s', (adapter) => {
  const failed = async (answer: Answer, config = {}) => {
    const { client } = await attached(answer, {}, { adapter });
    return failureOf(await rejectionOf(client.get('/v1/x', config)));
  };

  it('reads problem details', async () => {
    const problem = {
      type: 'https://a.example/credit',
      title: 'No credit',
      detail: 'Your balance is 30.',
      instance: '/a/1',
    };
    const answer = raw(403, JSON.stringify(problem), { 'content-type': 'application/problem+json; charset=utf-8' });
    expect(await failed(answer)).toMatchObject({
      api: {
        shape: 'problem',
        code: 'https://a.example/credit',
        message: 'Your balance is 30.',
        target: '/a/1',
      },
      summary: expect.stringContaining('the server says https://a.example/credit: "Your balance is 30."'),
    });
  });

  it('reads the documented challenge, which RFC 9110 does not allow, and several headers of it', async () => {
    const answer = raw(401, '{}', {
      'www-authenticate': ['OAuth realm=urn:cpsvc:cpid:{some cid}', 'Bearer error="invalid_token"'],
    });
    expect(await failed(answer)).toMatchObject({
      kind: 'unauthorized',
      challenges: [
        { scheme: 'oauth', params: { realm: 'urn:cpsvc:cpid:{some cid}' } },
        { scheme: 'bearer', params: { error: 'invalid_token' } },
      ],
    });
  });

  it.each<[string, string | Buffer, http.OutgoingHttpHeaders]>([
    ['no body', '', {}],
    ['broken JSON', '{"error":{"code":"x",', {}],
    ['HTML', '<html><body>502 Bad Gateway</body></html>', { 'content-type': 'text/html' }],
    ['HTML that is announced as JSON', '<html></html>', {}],
    ['a JSON string', '"error"', {}],
    ['a JSON number', '503', {}],
    ['null', 'null', {}],
    ['a list', '[{"code":"x","description":"y","source":"z"}]', {}],
    ['codes of wrong types', '{"error":{"code":{"a":1},"message":["b"],"innerError":7}}', {}],
    ['fields of wrong types', '{"code":true,"description":null,"data":"x","source":[]}', {}],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0x7d]), {}],
    ['no type of content', '{"error":', { 'content-type': '' }],
    ['an unknown encoding', '{}', { 'content-type': 'application/json; charset=klingon' }],
  ])('says what it can where the body is %s', async (_name, body, headers) => {
    const failure = await failed(raw(404, body, headers));
    expect(failure).toMatchObject({
      kind: 'rejected',
      status: 404,
      endedBecause: 'not-retryable',
      summary: expect.stringMatching(/^GET \/v1\/x ended after 1 send in \d+ ms: 404 rejected, not retryable$/),
    });
    expect(failure?.api).toBeUndefined();
  });

  it('makes nothing of a 10 MB body but a short summary, and leaves it to the caller', async () => {
    const message = 'm'.repeat(10 * 2 ** 20);
    const { client } = await attached(raw(400, JSON.stringify({ error: { code: 'x', message } })), {}, { adapter });
    const error = await axiosErrorOf(client.get('/'));
    expect(error.response?.data).toHaveProperty('error.message.length', message.length);
    expect(failureOf(error)?.summary.length).toBeLessThan(500);
    expect(JSON.stringify(reportOf(error)).length).toBeLessThan(1_000);
  });

  it('survives deep nesting', async () => {
    const depth = 100_000;
    const nested = `${'{"error":{"code":"c","message":"m","innerError":'}${'{"code":"i","innerError":'.repeat(depth)}1${'}'.repeat(depth)}}}`;
    expect(await failed(raw(400, nested))).toMatchObject({ status: 400, api: { code: 'c', inner: { code: 'i' } } });
    const lists = `{"code":"c","description":"d","source":"s","data":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect(await failed(raw(400, lists))).toMatchObject({ api: { shape: 'flat', code: 'c' } });
  });

  it('lets no key of a body reach the prototype of objects', async () => {
    const hostile =
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},' +
      '"error":{"__proto__":{"polluted":1,"code":"inherited"},"code":"c","message":"m","innerError":{"__proto__":{"code":"i","polluted":1}}}}';
    const failure = await failed(raw(400, hostile));
    expect(failure?.api).toMatchObject({ code: 'c', message: 'm' });
    expect(failure?.api?.inner).toBeUndefined();
    expect({}).not.toHaveProperty('polluted');
    expect(failure).not.toHaveProperty('polluted');
  });

  it('lets no parameter of a challenge reach the prototype of objects', async () => {
    const failure = await failed(raw(401, '{}', { 'www-authenticate': 'Bearer __proto__="x", constructor="y"' }));
    expect(Object.keys(failure?.challenges[0]?.params ?? {})).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });

  it('reads an error body that comes as a stream, and gives the caller all of it', async () => {
    const body = JSON.stringify({ code: 'c', description: 'd', data: [], source: 's' });
    const { client } = await attached(raw(404, body), {}, { adapter, responseType: 'stream' });
    const error = await axiosErrorOf(client.get('/'));
    expect(failureOf(error)).toMatchObject({ api: { shape: 'flat', code: 'c' } });
    expect(await text(error.response?.data as NodeJS.ReadableStream)).toBe(body);
  });

  it.each(['arraybuffer', 'text', 'json'] as const)('reads it from a response of type %s', async (responseType) => {
    const body = { code: 'c', description: 'd', data: [], source: 's' };
    expect(await failed(status(404, {}, body), { responseType })).toMatchObject({ api: { shape: 'flat', code: 'c' } });
  });

  it('shows the ids that the server gives', async () => {
    const ids = { 'MS-RequestId': 'req-1', 'MS-CorrelationId': 'cor-1' };
    expect(await failed(status(404, ids))).toMatchObject({
      requestId: 'req-1',
      correlationId: 'cor-1',
      summary: expect.stringMatching(/not retryable \(MS-RequestId req-1\)$/),
    });
  });

  it('explains a bad answer that validateStatus lets through, after all its retries', async () => {
    const { client, server } = await attached(status(503), {}, { adapter, validateStatus: () => true });
    const response = await client.get('/');
    expect(response.status).toBe(503);
    expect(server.seen).toHaveLength(4);
    expect(failureOf(response)).toMatchObject({ kind: 'unavailable', endedBecause: 'retries-exhausted', sends: 4 });
  });

  it('explains a call that was let through', async () => {
    const failure = await failed(status(503), { holdfast: false });
    expect(failure).toMatchObject({ kind: 'unavailable', status: 503, endedBecause: 'disabled', sends: 1 });
  });
});

describe('hostile headers', () => {
  /** Node refuses more than 16 KiB of headers unless told otherwise. */
  const roomy = {
    request: (options: http.RequestOptions, callback: (response: http.IncomingMessage) => void) =>
      http.request({ ...options, maxHeaderSize: 64 * 2 ** 20 }, callback),
  };

  it.each<[string, string, string]>([
    ['challenges', 'www-authenticate', 'Bearer a="'.padEnd(2 ** 20, '\\"a, =')],
    ['schemes', 'www-authenticate', 'a,'.repeat(2 ** 19)],
    ['a wait', 'retry-after', '1'.repeat(2 ** 20)],
    ['a date', 'retry-after', `Sun, ${'06 Nov '.repeat(150_000)}`],
    ['a wait in ms', 'retry-after-ms', '9'.repeat(2 ** 20)],
    ['quotas', 'ratelimit', '"a";r=1;t=1,'.repeat(87_000)],
    ['quota policies', 'ratelimit-policy', '"a";q=1;w=1,'.repeat(87_000)],
    ['quota fields', 'x-ratelimit-reset', '6m'.repeat(2 ** 19)],
    ['an id', 'ms-requestid', 'r'.repeat(2 ** 20)],
    ['a content type', 'content-type', `application/json${'; a=b'.repeat(200_000)}`],
  ])('of 1 MB are read: %s', async (_name, header, value) => {
    const answer: Answer = (_request, response) => {
      response.writeHead(429, { 'content-type': 'text/plain', [header]: value });
      response.end('{}');
    };
    const { client } = await attached(answer, {}, { transport: roomy, adapter: 'http' });
    const error: AxiosError = await axiosErrorOf(client.get('/', { holdfast: { retry: { maxRetries: 0 } } }));
    expect(error.response?.headers[header]?.length).toBeGreaterThan(1_000_000);
    const failure = failureOf(error);
    expect(failure).toMatchObject({ kind: 'throttled', status: 429 });
    expect(failure?.summary.length).toBeLessThan(500);
  });
});

describe('what is no answer at all', () => {
  it.each<[AdapterName]>(ADAPTERS.map((name) => [name]))('is explained over %s', async (adapter) => {
    const { client, server } = await attached(status(200), {}, { adapter });
    await server.close();
    const error = await axiosErrorOf(client.get('/v1/x'));
    expect(failureOf(error)).toMatchObject({
      kind: 'network',
      code: 'ECONNREFUSED',
      endedBecause: 'retries-exhausted',
      sends: 4,
      challenges: [],
      summary: expect.stringMatching(
        /^GET \/v1\/x ended after 4 sends in [\d.]+ m?s: network \(ECONNREFUSED\), retries exhausted \(maxRetries 3\)$/,
      ),
    });
  });
});

describe(readApiError.name, () => {
  it('reads the body of an answer that the caller has at hand, without a call of ours', async () => {
    const server = await attached(status(404, {}, { code: 'c', description: 'd', data: [], source: 's' }));
    onTestFinished(() => server.holdfast.detach());
    const error = await axiosErrorOf(axios.get(server.server.url));
    const { data, headers } = error.response ?? {};
    expect(readApiError(data, String(headers?.['content-type']))).toMatchObject({ shape: 'flat', code: 'c' });
  });
});
