import { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../lib/call/outcome.ts';
import { pollConfig, pollUrlOf } from '../../lib/poll/poll-target.ts';

const configOf = (config: object = {}): InternalAxiosRequestConfig => ({
  url: 'https://api.example.com/v1/jobs?draft=1',
  method: 'post',
  headers: new AxiosHeaders(),
  ...config,
});
const answered = (headers: object, request?: object): Outcome => ({
  response: { status: 202, headers, data: '', request } as never,
});

describe(pollUrlOf.name, () => {
  it.each<[object, string | undefined]>([
    [{ location: 'https://api.example.com/jobs/7' }, 'https://api.example.com/jobs/7'],
    [{ Location: 'http://jobs.example.com/7?full=1' }, 'http://jobs.example.com/7?full=1'],
    [{ 'operation-location': 'https://api.example.com/ops/7' }, 'https://api.example.com/ops/7'],
    [{ location: '/jobs/7' }, 'https://api.example.com/jobs/7'],
    [{ location: 'jobs/7' }, 'https://api.example.com/v1/jobs/7'],
    [{ location: '?job=7' }, 'https://api.example.com/v1/jobs?job=7'],
    [{ location: '//jobs.example.com/7' }, 'https://jobs.example.com/7'],
    [{}, undefined],
    [{ location: '' }, undefined],
    [{ location: 'javascript:alert(1)' }, undefined],
    [{ location: 'file:///etc/passwd' }, undefined],
    [{ location: 'http://[' }, undefined],
  ])('of %o is %s', (headers, url) => {
    expect(pollUrlOf(answered(headers), configOf())).toBe(url);
  });

  it('is the Location where both are named, and the other where that is of no use', () => {
    const operation = { 'operation-location': '/ops/7' };
    expect(pollUrlOf(answered({ ...operation, location: '/jobs/7' }), configOf())).toBe(
      'https://api.example.com/jobs/7',
    );
    expect(pollUrlOf(answered({ ...operation, location: 'mailto:a@example.com' }), configOf())).toBe(
      'https://api.example.com/ops/7',
    );
  });

  it('goes by who answered, behind redirects', () => {
    const request = { res: { responseUrl: 'https://eu.example.com/v2/jobs' } };
    expect(pollUrlOf(answered({ location: '7' }, request), configOf())).toBe('https://eu.example.com/v2/7');
  });

  it('is none without an answer', () => {
    expect(pollUrlOf({ error: new Error('lost') }, configOf())).toBeUndefined();
  });
});

describe(pollConfig.name, () => {
  const SAME = 'https://api.example.com/jobs/7';
  const OTHER = 'https://jobs.example.com/7';
  const headersOf = (headers: Record<string, string>, url = SAME, config: object = {}): string[] =>
    Object.keys(
      pollConfig(configOf({ ...config, headers: new AxiosHeaders(headers) }), url, 'Idempotency-Key').headers,
    );

  it('is a GET of that URL without a body, parameters and a base, with all else as the caller has it', () => {
    const config = configOf({ baseURL: 'https://api.example.com', params: { a: 1 }, data: 'order', timeout: 7 });
    expect({ ...pollConfig(config, SAME, 'Idempotency-Key') }).toEqual({
      method: 'get',
      url: SAME,
      baseURL: undefined,
      params: undefined,
      data: undefined,
      timeout: 7,
      headers: expect.any(AxiosHeaders),
    });
    expect(config).toMatchObject({ method: 'post', data: 'order', params: { a: 1 } });
  });

  it.each([
    'Content-Type',
    'content-length',
    'If-Match',
    'Transfer-Encoding',
    'Expect',
    'Range',
    'Digest',
    'X-HTTP-Method-Override',
    'X-Method',
    'idempotency-key',
  ])('leaves out %s, which speaks of another request', (name) => {
    expect(headersOf({ [name]: '1', 'X-Tenant': '7' })).toEqual(['X-Tenant']);
  });

  it.each(['X-Transfer-Encoding', 'Transfer-Encoding-2', 'Expected', 'Range-Unit', 'Digests', 'My-If-Match'])(
    'keeps %s',
    (name) => {
      expect(headersOf({ [name]: '1' })).toEqual([name]);
    },
  );

  it.each(['Authorization', 'Proxy-Authorization', 'Cookie', 'Host', 'x-secret'])(
    'takes %s along to the same origin only',
    (name) => {
      const config = { sensitiveHeaders: ['X-Secret'] };
      expect(headersOf({ [name]: '1' }, SAME, config)).toEqual([name]);
      expect(headersOf({ [name]: '1', 'X-Tenant': '7' }, OTHER, config)).toEqual(['X-Tenant']);
    },
  );

  it("takes axios' own auth along to the same origin only", () => {
    const auth = { username: 'u', password: 'p' };
    expect(pollConfig(configOf({ auth }), SAME, 'k').auth).toEqual(auth);
    expect(pollConfig(configOf({ auth }), OTHER, 'k').auth).toBeUndefined();
  });

  it("leaves the caller's headers as they are", () => {
    const headers = new AxiosHeaders({ 'Content-Type': 'text/plain', Cookie: 'a=1' });
    pollConfig(configOf({ headers }), OTHER, 'k');
    expect(Object.keys(headers)).toEqual(['Content-Type', 'Cookie']);
  });
});
