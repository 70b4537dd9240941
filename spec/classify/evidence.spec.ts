import { AxiosError, AxiosHeaders, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it, vi } from 'vitest';
import { CallState } from '../../lib/call/call.ts';
import type { Outcome } from '../../lib/call/outcome.ts';
import { evidenceOf } from '../../lib/classify/evidence.ts';

const NOW = Date.UTC(2026, 0, 1);
const AT = { wall: () => NOW };
const config: InternalAxiosRequestConfig = { url: 'http://a.example/', headers: new AxiosHeaders() };
const call = new CallState(config, NOW, 1_000).snapshot();

function answer(status: unknown, headers: unknown): AxiosResponse {
  return { status, statusText: '', headers, data: '', config } as AxiosResponse;
}

function shown(outcome: Outcome) {
  const sources = { call, api: vi.fn(() => undefined), data: vi.fn(() => ({ n: 1 })) };
  return { sources, evidence: evidenceOf(outcome, sources, AT) };
}

describe(evidenceOf.name, () => {
  it('is of the answer, whichever way axios delivered it', () => {
    const response = answer(404, {});
    const error = new AxiosError('no', 'ERR_BAD_REQUEST', config, undefined, response);
    expect(shown({ response }).evidence).toMatchObject({ response, status: 404, error: undefined, call });
    expect(shown({ error }).evidence).toMatchObject({ response, status: 404, error, outcome: { error } });
  });

  it('is frozen', () => {
    expect(Object.isFrozen(shown({ response: answer(200, {}) }).evidence)).toBe(true);
  });

  it('makes nothing that is not read, and the same once', () => {
    const { sources, evidence } = shown({ response: answer(200, {}) });
    expect([sources.api.mock.calls, sources.data.mock.calls]).toEqual([[], []]);
    expect(evidence.data).toBe(evidence.data);
    expect(evidence.headers).toBe(evidence.headers);
    void [evidence.api, evidence.api];
    expect([sources.api.mock.calls.length, sources.data.mock.calls.length]).toEqual([1, 1]);
  });

  it.each([
    ['an object', { 'X-Id': '7' }],
    ["fetch's", new Headers({ 'X-Id': '7' })],
    ["axios' own", new AxiosHeaders({ 'X-Id': '7' })],
  ])('has headers that know no letter case, out of %s', (_, headers) => {
    expect(shown({ response: answer(200, headers) }).evidence.headers.get('x-iD')).toBe('7');
  });

  it.each([undefined, null, 7, 'headers'])('has no headers out of %j', (headers) => {
    expect(Object.keys(shown({ response: answer(200, headers) }).evidence.headers)).toEqual([]);
  });

  it.each(['boom', null, 0, Object.create(null)])('bears an adapter that rejects with %o', (error) => {
    const { evidence } = shown({ error });
    expect(evidence.error?.code).toBeUndefined();
    expect([evidence.status, evidence.response, evidence.retryAfterMs, evidence.headers.get('a')]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('has no status that is no number', () => {
    expect(shown({ response: answer('200', {}) }).evidence.status).toBeUndefined();
  });

  it('asks for a wait by the quota of a failed answer: of a 429 also where that does not say that nothing is left', () => {
    const reset = { 'x-ratelimit-limit': '10', 'x-ratelimit-reset': '7' };
    const waits = (status: number, headers: object) =>
      shown({ response: answer(status, headers) }).evidence.retryAfterMs;
    expect(waits(429, reset)).toBe(7_000);
    expect(waits(503, reset)).toBeUndefined();
    expect(waits(503, { ...reset, 'x-ratelimit-remaining': '0' })).toBe(7_000);
    expect(waits(200, { ...reset, 'x-ratelimit-remaining': '0' })).toBeUndefined();
    expect(waits(200, { 'retry-after': '7' })).toBe(7_000);
  });
});
