import axios, { type AxiosError, type InternalAxiosRequestConfig } from 'axios';
import { manualClock, type Scripted, type ScriptedAnswers, scripted } from 'axios-holdfast/testing';
import { describe, expect, it } from 'vitest';
import { axiosErrorOf, rejectionOf } from '../support/attached.ts';

const using = (adapter: Scripted) => axios.create({ baseURL: 'https://api.example.com', adapter });
const asked = (answers: ScriptedAnswers, config = {}) => using(scripted(answers)).get('/', config);

describe('what a script answers', () => {
  it.each<[number, string]>([
    [300, 'ERR_BAD_REQUEST'],
    [499, 'ERR_BAD_REQUEST'],
    [500, 'ERR_BAD_RESPONSE'],
    [999, 'ERR_BAD_RESPONSE'],
  ])('%i is rejected as axios does, as %s', async (status, code) => {
    const error = await axiosErrorOf(asked(status));
    expect(error).toMatchObject({ code, message: `Request failed with status code ${status}`, response: { status } });
  });

  it.each([{ validateStatus: null }, { validateStatus: () => true }])('is good where %o says so', async (config) => {
    expect(await asked(404, config)).toMatchObject({ status: 404, statusText: '', data: '' });
  });

  it('has the type of JSON where it is that, unless the script names another', async () => {
    const typeOf = async (answer: ScriptedAnswers) => (await asked(answer)).headers['content-type'];
    expect(await typeOf({ status: 200, data: {} })).toBe('application/json');
    expect(await typeOf([{ status: 200, data: [1] }])).toBe('application/json');
    expect(await typeOf({ status: 200, data: 'text' })).toBeUndefined();
    const headers = { 'content-type': 'application/problem+json' };
    expect(await typeOf({ status: 200, data: {}, headers })).toBe('application/problem+json');
  });

  it('is an error, thrown as it is; or what functions give at last, which see the send and its config', async () => {
    const thrown = new Error('mine');
    expect(await rejectionOf(asked(thrown))).toBe(thrown);
    const seen: unknown[] = [];
    const answer = (send: { n: number }, config: InternalAxiosRequestConfig) => {
      seen.push([send.n, config.timeout]);
      return () => 204;
    };
    expect((await asked(answer, { timeout: 7 })).status).toBe(204);
    expect(seen).toEqual([[1, 7]]);
  });

  it('is no answer where the connection is dropped: an error of axios with that code, and with a request', async () => {
    const error = await axiosErrorOf(asked({ drop: 'ECONNRESET' }));
    expect([error.code, error.message, error.response]).toEqual(['ECONNRESET', 'ECONNRESET', undefined]);
    expect(error.request).toBeDefined();
    expect(error.config?.url).toBe('/');
  });

  it.each<[object, Partial<AxiosError>]>([
    [{}, { code: 'ECONNABORTED', message: 'timeout of 50ms exceeded' }],
    [{ timeoutErrorMessage: 'too late' }, { code: 'ECONNABORTED', message: 'too late' }],
    [{ transitional: { clarifyTimeoutError: true } }, { code: 'ETIMEDOUT', message: 'timeout of 50ms exceeded' }],
  ])('comes too late for a shorter timeout, which %o names as axios does', async (config, error) => {
    const clock = manualClock();
    const client = using(
      scripted(
        [
          { status: 200, delayMs: 51 },
          { status: 200, delayMs: 50 },
        ],
        { clock },
      ),
    );
    const late = await axiosErrorOf(clock.run(client.get('/', { ...config, timeout: 50 })));
    expect(late).toMatchObject(error);
    expect(late.request).toBeDefined();
    expect(clock.elapsedMs).toBe(50);
    expect((await clock.run(client.get('/', { ...config, timeout: 50 }))).status).toBe(200);
    expect([clock.elapsedMs, clock.pending]).toEqual([100, 0]);
  });

  it('does not come where the signal was aborted before it could', async () => {
    const clock = manualClock();
    const adapter = scripted({ status: 200, delayMs: 50 }, { clock });
    const config = { url: '/', headers: {}, signal: AbortSignal.abort() } as never;
    expect(await rejectionOf(adapter(config))).toMatchObject({ code: 'ERR_CANCELED' });
    expect(clock.pending).toBe(0);
  });

  it('leaves no listener on the signal', async () => {
    const clock = manualClock();
    let listeners = 0;
    const signal = { aborted: false, addEventListener: () => listeners++, removeEventListener: () => listeners-- };
    const adapter = scripted({ status: 200, delayMs: 50 }, { clock });
    const answer = adapter({ url: '/', headers: {}, signal } as never);
    await Promise.resolve();
    expect(listeners).toBe(1);
    await clock.run(answer);
    expect(listeners).toBe(0);
  });

  it.each<[unknown, string]>([
    [1_000, '1000'],
    [99.5, '99.5'],
    ['200', "'200'"],
    [null, 'null'],
    [[], 'an array'],
    [{ body: 1, headers: {} }, '{ body, headers }'],
    [{ drop: true }, '{ drop }'],
    [{ status: 200, delayMs: -1 }, 'delayMs: -1'],
    [{ drop: 'ECONNRESET', delayMs: '5' }, "delayMs: '5'"],
  ])('must be one: %o is told as the mistake that it is', async (answer, got) => {
    expect(await rejectionOf(asked(() => answer as never))).toMatchObject({
      name: 'TypeError',
      message: `the script has a wrong answer for GET https://api.example.com/: a status, or an object with a status or a drop, and delayMs from 0; got ${got}`,
    });
  });

  it('may be any status that HTTP has', async () => {
    expect((await asked(100, { validateStatus: null })).status).toBe(100);
    expect((await asked(999, { validateStatus: null })).status).toBe(999);
  });
});

describe('the routes of a script', () => {
  const routed = scripted({
    'post  /orders': 201,
    'GET /orders': 200,
    'https://auth.example.com/token': 202,
    '/files/*': 203,
  });
  it.each([
    ['POST', '/orders', 201],
    ['GET', '/orders?page=1&to=/x', 200],
    ['GET', 'https://auth.example.com/token?code=1', 202],
    ['PUT', 'https://auth.example.com/token', 202],
    ['DELETE', '/files/', 203],
    ['GET', '/files/a/b', 203],
  ])('%s %s', async (method, url, status) => {
    expect((await using(routed).request({ method, url })).status).toBe(status);
  });

  it.each([
    ['PUT', '/orders'],
    ['GET', '/orders/1'],
    ['GET', '/files'],
    ['GET', 'https://auth.example.com/token/1'],
  ])('have none for %s %s', async (method, url) => {
    const whole = url.startsWith('/') ? `https://api.example.com${url}` : url;
    expect(await rejectionOf(using(routed).request({ method, url }))).toMatchObject({
      message: `the script has no route for ${method} ${whole}; it has post  /orders, GET /orders, https://auth.example.com/token, /files/*`,
    });
  });
});

describe('what a script knows of sends', () => {
  it('is frozen, and a list that nobody else changes', async () => {
    const api = scripted(200);
    const client = using(api);
    expect(api.sentAt).toEqual([]);
    await client.get('/a');
    const { sends } = api;
    await client.get('/b');
    expect(sends.map(({ n, path, data }) => [n, path, data])).toEqual([[1, '/a', undefined]]);
    expect(api.sends).toHaveLength(2);
    expect(Object.isFrozen(sends[0]) && Object.isFrozen(sends[0]?.headers)).toBe(true);
  });

  it('begins with a GET where the config has no method, and with no host where there is none', async () => {
    const api = scripted(200);
    await api({ url: '/a/b?c=d', headers: { 'X-A': 1 } } as never);
    expect(api.sends[0]).toMatchObject({ method: 'GET', url: '/a/b?c=d', path: '/a/b', headers: { 'x-a': '1' } });
  });
});
