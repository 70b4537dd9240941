import axios, { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { attach, failureOf, type Policy } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { ADAPTERS, attached, axiosErrorOf, inTurn, status } from '../support/attached.ts';
import type { Seen } from '../support/loopback.ts';

const RECOVERS = inTurn(status(503), status(503), status(200));
const FAST: Policy = { retry: { budget: false } };

/** How often a header stands in a request. */
const times = (name: string, { rawHeaders }: Seen): number =>
  rawHeaders.filter((each, n) => n % 2 === 0 && each.toLowerCase() === name).length;

/** A config as data: its own keys, with the headers as a plain object. */
function plain(config: InternalAxiosRequestConfig | undefined): object {
  const { headers, ...rest } = config ?? {};
  return { ...rest, headers: { ...AxiosHeaders.from(headers) } };
}

describe.each(ADAPTERS)('the config of a call, with the %s adapter', (adapter) => {
  it("leaves the caller's config object and its headers as they were", async () => {
    const { client } = await attached(RECOVERS, FAST, { adapter });
    const headers = Object.freeze({ 'X-Mine': 'yes', Authorization: 'Bearer mine' });
    const nested = Object.freeze({ deep: Object.freeze(['a']) });
    const config = Object.freeze({ method: 'put', url: '/x', headers, params: nested, data: nested, meta: nested });
    const { status: code } = await client.request(config);
    expect(code).toBe(200);
    expect(config).toEqual({ method: 'put', url: '/x', headers, params: nested, data: nested, meta: nested });
    expect(headers).toEqual({ 'X-Mine': 'yes', Authorization: 'Bearer mine' });
  });

  it("leaves the caller's AxiosHeaders and the defaults of the instance as they were", async () => {
    const { client } = await attached(RECOVERS, FAST, { adapter });
    const headers = new AxiosHeaders({ 'X-Mine': 'yes' });
    const defaults = JSON.stringify(client.defaults);
    await client.put('/x', {}, { headers });
    expect({ ...headers }).toEqual({ 'X-Mine': 'yes' });
    expect(JSON.stringify(client.defaults)).toBe(defaults);
    expect(client.defaults.adapter).toBe(adapter);
  });

  it('comes back on the response as bare axios had it before the send, with its own adapter', async () => {
    const { client, server } = await attached(RECOVERS, FAST, { adapter });
    let handedOn: object = {};
    client.interceptors.request.use((config) => {
      handedOn = plain(config);
      return config;
    });
    const { config } = await client.put('/x', { a: 1 }, { headers: { 'X-Mine': 'yes' }, params: { q: 1 } });
    expect(server.seen).toHaveLength(3);
    expect(config.adapter).toBe(adapter);
    expect(config.headers).toBeInstanceOf(AxiosHeaders);
    const headers = { 'Content-Type': 'application/json' };
    expect(plain(config)).toMatchObject({ ...handedOn, data: '{"a":1}', headers: { 'X-Mine': 'yes', ...headers } });
    expect(config.headers.has('User-Agent')).toBe(false);
    expect(config.headers.has('Content-Length')).toBe(false);
  });

  it('comes back on the error and on its response, one and the same, with its own adapter', async () => {
    const { client, server } = await attached(status(503), FAST, { adapter });
    const error = await axiosErrorOf(client.put('/x', { a: 1 }, { headers: { 'X-Mine': 'yes' } }));
    expect(server.seen).toHaveLength(4);
    expect(error.config).toBe(error.response?.config);
    expect(error.config?.adapter).toBe(adapter);
    expect(error.config?.headers.get('X-Mine')).toBe('yes');
    expect(error.config?.headers.has('User-Agent')).toBe(false);
    expect(error.config?.headers.has('Content-Length')).toBe(false);
  });

  it.each([
    ['after retries', status(503), 4],
    ['after one send', status(404), 1],
    ['after a lost connection', (_: unknown, response: { destroy(): unknown }) => void response.destroy(), 4],
  ] as const)('of a failure %s, requested again, starts exactly one fresh loop', async (_, answer, sends) => {
    const { client, server } = await attached(answer, FAST, { adapter });
    let error = await axiosErrorOf(client.put('/x', { a: 1 }, { params: { q: 1 } }));
    expect(server.seen).toHaveLength(sends);
    for (let round = 2; round <= 3; round++) {
      error = await axiosErrorOf(client.request(error.config ?? {}));
      expect(server.seen).toHaveLength(sends * round);
      expect(failureOf(error)).toMatchObject({ sends, retries: sends - 1 });
    }
    expect(new Set(server.seen.map(({ url, body }) => `${url} ${body}`))).toEqual(new Set(['/x?q=1 {"a":1}']));
  });

  it('of a success, requested again, starts exactly one fresh loop', async () => {
    const { client, server } = await attached(
      inTurn(status(200), status(503), status(503), status(503), status(503)),
      FAST,
      { adapter },
    );
    const { config } = await client.get('/x');
    await axiosErrorOf(client.request(config));
    expect(server.seen).toHaveLength(5);
  });

  it('of a failure, requested through an instance without us, is sent once', async () => {
    const { client, server } = await attached(status(503), FAST, { adapter });
    const { config } = await axiosErrorOf(client.get('/x'));
    await axiosErrorOf(axios.create().request(config ?? {}));
    expect(server.seen).toHaveLength(5);
  });

  it('survives interceptors that spread it', async () => {
    const { client, server } = await attached(status(503), FAST, { adapter });
    client.interceptors.request.use((config) => ({ ...config }));
    const error = await axiosErrorOf(client.get('/x'));
    expect(server.seen).toHaveLength(4);
    expect(error.config?.adapter).toBe(adapter);
    await axiosErrorOf(client.request(error.config ?? {}));
    expect(server.seen).toHaveLength(8);
  });

  it('may be one object for several calls at once', async () => {
    const { client, server } = await attached(status(503), FAST, { adapter });
    const shared = { method: 'get', url: '/x', headers: { 'X-Mine': 'yes' } };
    const errors = await Promise.all([1, 2, 3].map(() => axiosErrorOf(client.request(shared))));
    expect(server.seen).toHaveLength(12);
    expect(errors.map((error) => failureOf(error)?.sends)).toEqual([4, 4, 4]);
    expect(new Set(errors.map(({ config }) => config)).size).toBe(3);
    expect(shared).toEqual({ method: 'get', url: '/x', headers: { 'X-Mine': 'yes' } });
  });
});

describe.each(ADAPTERS)('the headers on the wire, with the %s adapter', (adapter) => {
  it('are the same on every send, each of them once, as bare axios sends them', async () => {
    const { client, server, holdfast } = await attached(RECOVERS, FAST, { adapter });
    const call = () => client.put('/x', { a: 1 }, { headers: { 'X-Mine': 'yes', 'X-List': ['a', 'b'] } });
    await call();
    holdfast.detach();
    await call();
    expect(server.seen).toHaveLength(4);
    const sent = server.seen.map(({ rawHeaders }) =>
      rawHeaders.filter((each) => !/^(connection|keep-alive)$/i.test(each)),
    );
    expect(sent.slice(0, 3)).toEqual(Array(3).fill(sent[3]));
    for (const name of ['user-agent', 'content-length', 'content-type', 'host', 'x-mine']) {
      expect(server.seen.map((request) => [name, times(name, request)])).toEqual(Array(4).fill([name, 1]));
    }
  });

  it('have a Content-Length that fits, also where each send has another body', async () => {
    const beforeSend: Policy['beforeSend'] = ({ config, send }) => {
      config.data = 'x'.repeat(10 * send);
    };
    const { client, server } = await attached(RECOVERS, { ...FAST, beforeSend }, { adapter });
    await client.put('/x', 'short');
    expect(server.seen.map(({ headers, body }) => [headers['content-length'], body.length])).toEqual([
      ['10', 10],
      ['20', 20],
      ['30', 30],
    ]);
  });

  it('have lost their line breaks, as bare axios strips them, on every send alike', async () => {
    const { client, server } = await attached(RECOVERS, FAST, { adapter });
    const headers = { 'X-Mine': 'one\r\nX-Injected: two' };
    await client.get('/x', { headers });
    expect(server.seen.map((request) => request.headers['x-mine'])).toEqual(Array(3).fill('oneX-Injected: two'));
    expect(server.seen.map((request) => times('x-injected', request))).toEqual([0, 0, 0]);
    expect(headers).toEqual({ 'X-Mine': 'one\r\nX-Injected: two' });
  });

  it('that the caller has turned off stay off on every send', async () => {
    const { client, server } = await attached(RECOVERS, FAST, { adapter });
    await client.get('/x', { headers: { Accept: false, 'X-Nothing': null, 'X-Undefined': undefined } });
    const sent = server.seen.map(({ rawHeaders }) => rawHeaders.join().toLowerCase());
    for (const each of sent) {
      expect(each).not.toContain('application/json');
      expect(each).not.toMatch(/x-nothing|x-undefined/);
    }
    expect(sent).toHaveLength(3);
  });
});

describe('an instance with defaults of its own', () => {
  it('sends its default headers, params and auth on every send', async () => {
    const { client, server } = await attached(RECOVERS, FAST, {
      params: { key: 'k' },
      auth: { username: 'u', password: 'p' },
      headers: { 'X-Default': '1' },
    });
    client.defaults.headers.common['X-Common'] = '2';
    await client.get('/x');
    const basic = `Basic ${Buffer.from('u:p').toString('base64')}`;
    expect(
      server.seen.map(({ url, headers }) => [url, headers.authorization, headers['x-default'], headers['x-common']]),
    ).toEqual(Array(3).fill(['/x?key=k', basic, '1', '2']));
  });

  it('keeps a policy in its defaults apart from that of another', async () => {
    const { server } = await attached(status(503));
    const defaults = { baseURL: server.url, holdfast: { retry: { maxRetries: 1, backoff: () => 0 } } };
    const patient = axios.create(defaults);
    const impatient = axios.create({ ...defaults, holdfast: false });
    attach(patient);
    attach(impatient);
    await axiosErrorOf(patient.get('/x'));
    expect(server.seen).toHaveLength(2);
    await axiosErrorOf(impatient.get('/x'));
    expect(server.seen).toHaveLength(3);
  });
});
