import { failureOf, type Policy, reportOf } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { ADAPTERS, attached, axiosErrorOf, inTurn, status } from '../support/attached.ts';

/** With three retries: how many requests the server sees when it never answers anything else. */
const TABLE: readonly {
  code: number;
  get: number;
  post: number;
  getRetryAfter: number;
  postRetryAfter: number;
}[] = [
  { code: 400, get: 1, post: 1, getRetryAfter: 1, postRetryAfter: 1 },
  { code: 401, get: 1, post: 1, getRetryAfter: 1, postRetryAfter: 1 },
  { code: 403, get: 1, post: 1, getRetryAfter: 1, postRetryAfter: 1 },
  { code: 404, get: 1, post: 1, getRetryAfter: 1, postRetryAfter: 1 },
  { code: 405, get: 1, post: 1, getRetryAfter: 1, postRetryAfter: 1 },
  { code: 406, get: 1, post: 1, getRetryAfter: 1, postRetryAfter: 1 },
  { code: 409, get: 1, post: 1, getRetryAfter: 1, postRetryAfter: 1 },
  { code: 412, get: 1, post: 1, getRetryAfter: 1, postRetryAfter: 1 },
  { code: 429, get: 4, post: 4, getRetryAfter: 4, postRetryAfter: 4 },
  { code: 500, get: 1, post: 1, getRetryAfter: 1, postRetryAfter: 1 },
  { code: 501, get: 1, post: 1, getRetryAfter: 1, postRetryAfter: 1 },
  { code: 502, get: 4, post: 1, getRetryAfter: 4, postRetryAfter: 1 },
  { code: 503, get: 4, post: 1, getRetryAfter: 4, postRetryAfter: 4 },
  { code: 504, get: 4, post: 1, getRetryAfter: 4, postRetryAfter: 1 },
];

const CASES = TABLE.flatMap(({ code, get, post, getRetryAfter, postRetryAfter }) => [
  { code, method: 'GET', named: '', headers: {}, sends: get },
  { code, method: 'POST', named: '', headers: {}, sends: post },
  { code, method: 'GET', named: ' with Retry-After', headers: { 'retry-after': '0' }, sends: getRetryAfter },
  { code, method: 'POST', named: ' with Retry-After', headers: { 'retry-after': '0' }, sends: postRetryAfter },
]);

describe.each(ADAPTERS)('the status table over the %s adapter', (adapter) => {
  it.each(CASES)('sends a $method that is answered $code$named $sends time(s)', async (row) => {
    const { server, client } = await attached(status(row.code, row.headers), {}, { adapter });

    const data = row.method === 'POST' ? { item: 1 } : undefined;
    const error = await axiosErrorOf(client.request({ method: row.method, url: '/v1/things', data }));

    expect(server.seen).toHaveLength(row.sends);
    expect(server.seen.every(({ method, url }) => method === row.method && url === '/v1/things')).toBe(true);
    expect(error.response?.status).toBe(row.code);
    expect(failureOf(error)).toMatchObject({ status: row.code, sends: row.sends, retries: row.sends - 1 });
    const transient = [502, 503, 504].includes(row.code);
    expect(failureOf(error)?.endedBecause).toBe(
      row.sends > 1 ? 'retries-exhausted' : transient ? 'unsafe-method' : 'not-retryable',
    );
  });

  it('carries on until the server recovers', async () => {
    const recovery = inTurn(status(503), status(429), status(504), status(200, {}, { well: true }));
    const { server, client } = await attached(recovery, {}, { adapter });

    const response = await client.get('/');

    expect(response.data).toEqual({ well: true });
    expect(server.seen).toHaveLength(4);
    expect(reportOf(response)).toMatchObject({
      endedBecause: 'success',
      sends: [
        { status: 503, verdict: 'transient', decision: 'retry' },
        { status: 429, verdict: 'throttled', decision: 'retry' },
        { status: 504, verdict: 'transient', decision: 'retry' },
        { status: 200, verdict: 'success', decision: 'finish' },
      ],
    });
  });

  it.each([200, 201, 202, 204, 206])('is content with a %i, even one with Retry-After', async (code) => {
    const { server, client } = await attached(status(code, { 'retry-after': '0' }), {}, { adapter });
    const response = await client.get('/');
    expect(response.status).toBe(code);
    expect(server.seen).toHaveLength(1);
  });

  it.each([402, 410, 413, 418, 422, 424, 451, 505, 507, 511])(
    'fails fast on a %i, as on every other code',
    async (code) => {
      const { server, client } = await attached(status(code), {}, { adapter });
      const error = await axiosErrorOf(client.get('/'));
      expect(failureOf(error)).toMatchObject({ status: code, endedBecause: 'not-retryable', sends: 1 });
      expect(server.seen).toHaveLength(1);
    },
  );
});

describe('methods', () => {
  it.each([
    ['GET', 4],
    ['HEAD', 4],
    ['OPTIONS', 4],
    ['PUT', 4],
    ['DELETE', 4],
    ['TRACE', 4],
    ['POST', 1],
    ['PATCH', 1],
    ['LINK', 4],
    ['LOCK', 1],
  ])('sends a %s that is answered 502 %i time(s)', async (method, sends) => {
    const { server, client } = await attached(status(502));
    await axiosErrorOf(client.request({ method, url: '/' }));
    expect(server.seen.map((request) => request.method)).toEqual(Array(sends).fill(method));
  });

  it.each(['PATCH', 'LOCK'])('repeats a %s that was throttled, or refused with Retry-After', async (method) => {
    const refusals = inTurn(status(429), status(503, { 'retry-after': '0' }), status(200));
    const { server, client } = await attached(refusals);
    await client.request({ method, url: '/' });
    expect(server.seen).toHaveLength(3);
  });

  it('goes by the method in any letter case', async () => {
    const { server, client } = await attached(status(502));
    await axiosErrorOf(client.request({ method: 'pOsT', url: '/' }));
    expect(server.seen).toHaveLength(1);
  });
});

describe('a Retry-After that cannot be read', () => {
  it.each(['soon', '-1', '0x0', '1e0', ''])('does not make a 503 safe to repeat for a POST: %j', async (value) => {
    const { server, client } = await attached(status(503, { 'retry-after': value }));
    const error = await axiosErrorOf(client.post('/', { item: 1 }));
    expect(failureOf(error)?.endedBecause).toBe('unsafe-method');
    expect(server.seen).toHaveLength(1);
  });
});

describe('statuses', () => {
  const rows: readonly [string, number, Policy['statuses'], { get: number; post: number }][] = [
    ["500: 'retry' makes it transient", 500, { 500: 'retry' }, { get: 4, post: 1 }],
    ["404: 'retry' makes it transient", 404, { 404: 'retry' }, { get: 4, post: 1 }],
    ["401: 'retry' makes it transient", 401, { 401: 'retry' }, { get: 4, post: 1 }],
    ["429: 'retry' leaves it throttled", 429, { 429: 'retry' }, { get: 4, post: 4 }],
    ["429: 'fail' fails fast", 429, { 429: 'fail' }, { get: 1, post: 1 }],
    ["503: 'fail' fails fast", 503, { 503: 'fail' }, { get: 1, post: 1 }],
    ["403: 'refresh' fails fast where no token can be refreshed", 403, { 403: 'refresh' }, { get: 1, post: 1 }],
    ["503: 'refresh' fails fast where no token can be refreshed", 503, { 503: 'refresh' }, { get: 1, post: 1 }],
    ['a rule for another status changes nothing', 503, { 500: 'fail' }, { get: 4, post: 1 }],
    ['an undefined rule is no opinion', 503, { 503: undefined }, { get: 4, post: 1 }],
  ];

  it.each(rows)('%s', async (_rule, code, statuses, { get, post }) => {
    const { server, client } = await attached(status(code), { statuses, retry: { budget: false } });
    expect((await axiosErrorOf(client.get('/'))).response?.status).toBe(code);
    expect(server.seen).toHaveLength(get);
    expect((await axiosErrorOf(client.post('/', {}))).response?.status).toBe(code);
    expect(server.seen).toHaveLength(get + post);
  });

  it("202: 'retry' polls until there is a result", async () => {
    const { server, client } = await attached(inTurn(status(202), status(202), status(200, {}, { done: true })), {
      statuses: { 202: 'retry' },
    });
    const response = await client.get('/jobs/1');
    expect(response.data).toEqual({ done: true });
    expect(server.seen).toHaveLength(3);
  });

  it("202: 'retry' resolves with the last 202 when retries are exhausted, as axios had resolved it", async () => {
    const { server, client } = await attached(status(202), { statuses: { 202: 'retry' } });
    const response = await client.get('/jobs/1');
    expect(response.status).toBe(202);
    expect(failureOf(response)?.endedBecause).toBe('retries-exhausted');
    expect(server.seen).toHaveLength(4);
  });

  it("202: 'retry' does not repeat a POST that was accepted", async () => {
    const { server, client } = await attached(status(202), { statuses: { 202: 'retry' } });
    expect((await client.post('/jobs', {})).status).toBe(202);
    expect(server.seen).toHaveLength(1);
  });

  it("200: 'fail' still resolves, since axios accepts it", async () => {
    const { server, client } = await attached(status(200), { statuses: { 200: 'fail' } });
    expect((await client.get('/')).status).toBe(200);
    expect(server.seen).toHaveLength(1);
  });

  it("a call's own rules are laid over the attached ones, for that call only", async () => {
    const { server, client } = await attached(status(500), { statuses: { 500: 'retry' }, retry: { maxRetries: 1 } });
    await axiosErrorOf(client.get('/', { holdfast: { statuses: { 500: 'fail' } } }));
    expect(server.seen).toHaveLength(1);
    await axiosErrorOf(client.get('/', { holdfast: { statuses: { 404: 'retry' } } }));
    expect(server.seen).toHaveLength(3);
    await axiosErrorOf(client.get('/'));
    expect(server.seen).toHaveLength(5);
  });
});

describe.each(ADAPTERS)('validateStatus over the %s adapter', (adapter) => {
  it('retries what it lets through, and resolves with the last response', async () => {
    const { server, client } = await attached(status(503), {}, { adapter, validateStatus: () => true });
    const response = await client.get('/');
    expect(response.status).toBe(503);
    expect(failureOf(response)).toMatchObject({ status: 503, endedBecause: 'retries-exhausted', sends: 4 });
    expect(server.seen).toHaveLength(4);
  });

  it('resolves a 404 that it lets through after one send', async () => {
    const { server, client } = await attached(status(404), {}, { adapter, validateStatus: null });
    const response = await client.get('/');
    expect(response.status).toBe(404);
    expect(failureOf(response)).toMatchObject({ status: 404, endedBecause: 'not-retryable' });
    expect(server.seen).toHaveLength(1);
  });

  it('does not retry a 200 that it rejects', async () => {
    const { server, client } = await attached(status(200), {}, { adapter, validateStatus: (code) => code === 201 });
    const error = await axiosErrorOf(client.get('/'));
    expect(error.response?.status).toBe(200);
    expect(server.seen).toHaveLength(1);
    expect(failureOf(error)).toMatchObject({ kind: 'rejected', status: 200, endedBecause: 'not-retryable', sends: 1 });
    expect(reportOf(error)).toMatchObject({ endedBecause: 'not-retryable', sends: [{ verdict: 'success' }] });
  });

  it('does not retry a 304 that axios rejects', async () => {
    const { server, client } = await attached(status(304), {}, { adapter });
    const error = await axiosErrorOf(client.get('/'));
    expect(error.response?.status).toBe(304);
    expect(failureOf(error)).toMatchObject({ status: 304, endedBecause: 'not-retryable', sends: 1 });
    expect(server.seen).toHaveLength(1);
  });

  it('counts a 304 that it lets through as a success', async () => {
    const validateStatus = (code: number) => code < 400;
    const { server, client } = await attached(status(304), {}, { adapter, validateStatus });
    const response = await client.get('/');
    expect(response.status).toBe(304);
    expect(reportOf(response)?.endedBecause).toBe('success');
    expect(failureOf(response)).toBeUndefined();
    expect(server.seen).toHaveLength(1);
  });
});
