import { createRequire } from 'node:module';
import axios, { isAxiosError, isCancel, type RawAxiosRequestHeaders } from 'axios';
import old from 'axios-1.7';
import { attach, failureOf, type Policy, reportOf } from 'axios-holdfast';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { attachWith } from '../../lib/full.ts';
import { ADAPTERS, type AdapterName, axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';
import { type Answer, type Loopback, loopback } from '../support/loopback.ts';
import { ManualClock } from '../support/manual-clock.ts';

type Axios = typeof axios;

/** Another copy's typings do not fit this one's, though each has what the tests use. */
const sameTypings = (copy: unknown): Axios => copy as Axios;

const COPIES: readonly (readonly [name: string, copy: Axios])[] = [
  ['axios 1.7', sameTypings(old)],
  ['the CommonJS build of this axios', sameTypings(createRequire(import.meta.url)('axios'))],
];
const EACH = COPIES.flatMap(([name, copy]) => ADAPTERS.map((adapter) => [name, adapter, copy] as const));

const FAST: Policy = { retry: { backoff: () => 0, budget: false } };
const RECOVERS = inTurn(status(503), status(503), status(200, {}, { hello: 'world' }));

async function serving(answer: Answer): Promise<Loopback> {
  const server = await loopback(answer);
  onTestFinished(() => server.close());
  return server;
}

/** A server and an attached client of another copy. */
async function copied(copy: Axios, adapter: AdapterName, answer: Answer, policy: Policy = FAST, defaults: object = {}) {
  const server = await serving(answer);
  const client = copy.create({ baseURL: server.url, adapter, ...defaults });
  return { server, client, holdfast: attach(client, policy) };
}

it('the copies are others indeed', () => {
  expect(old.VERSION).toBe('1.7.9');
  for (const [, copy] of COPIES) {
    expect(copy.AxiosError).not.toBe(axios.AxiosError);
    expect(copy.AxiosHeaders).not.toBe(axios.AxiosHeaders);
  }
});

it('an instance of another copy can be attached to without a cast', async () => {
  const server = await serving(RECOVERS);
  const client = old.create({ baseURL: server.url });
  attach(client, FAST);
  expect((await client.get('/')).data).toEqual({ hello: 'world' });
  expect(server.seen).toHaveLength(3);
});

it('the default export of another copy works, and is restored', async () => {
  const server = await serving(inTurn(status(503), status(200), status(503)));
  const attachment = attach(old, FAST);
  onTestFinished(() => attachment.detach());
  await old.get(server.url);
  attachment.detach();
  await axiosErrorOf(old.get(server.url));
  expect(server.seen).toHaveLength(3);
});

describe.each(EACH)('an instance of %s, with the %s adapter', (_, adapter, copy) => {
  it("retries, and resolves with what the caller's own interceptors and transforms made of it, once", async () => {
    const runs: string[] = [];
    const run =
      <T>(name: string) =>
      (value: T): T => {
        runs.push(name);
        return value;
      };
    const { server, client } = await copied(copy, adapter, RECOVERS, FAST, {
      transformRequest: [run('transformRequest'), ...[copy.defaults.transformRequest ?? []].flat()],
      transformResponse: [...[copy.defaults.transformResponse ?? []].flat(), run('transformResponse')],
    });
    client.interceptors.request.use(run('request'));
    client.interceptors.response.use(run('response'));
    const response = await client.put('/', { a: 1 });
    expect(response).toMatchObject({ status: 200, data: { hello: 'world' } });
    expect(runs).toEqual(['request', 'transformRequest', 'transformResponse', 'response']);
    expect(server.seen.map(({ body }) => body.toString())).toEqual(Array(3).fill('{"a":1}'));
    expect(reportOf(response)).toMatchObject({ endedBecause: 'success', sends: { length: 3 } });
  });

  it("rejects with that copy's own AxiosError", async () => {
    const { server, client, holdfast } = await copied(copy, adapter, status(503, {}, { why: 'down' }));
    const error = await axiosErrorOf(client.get('/'));
    expect(server.seen).toHaveLength(4);
    expect(error).toBeInstanceOf(copy.AxiosError);
    expect(copy.isAxiosError(error) && isAxiosError(error)).toBe(true);
    expect(failureOf(error)).toMatchObject({ kind: 'unavailable', endedBecause: 'retries-exhausted', sends: 4 });
    holdfast.detach();
    const bare = await axiosErrorOf(client.get('/'));
    const { name, message, code } = bare;
    expect(error).toMatchObject({ name, message, code, response: { status: 503, data: { why: 'down' } } });
    expect(Object.keys(error).sort()).toEqual(Object.keys(bare).sort());
  });

  it.each([
    ['under a policy', {}],
    ['let through', { holdfast: false as const }],
  ])("gives a call's own config back, %s: headers, adapter and transforms", async (__, own) => {
    const { server, client } = await copied(copy, adapter, status(503));
    const { config } = await axiosErrorOf(client.put('/', { a: 1 }, { headers: { 'X-Mine': 'yes' }, ...own }));
    const sends = server.seen.length;
    expect(config?.adapter).toBe(adapter);
    expect(config?.headers).toBeInstanceOf(copy.AxiosHeaders);
    expect(config?.headers.get('X-Mine')).toBe('yes');
    expect(config?.transformRequest).toHaveLength(1);
    expect(config?.transformResponse).toHaveLength(1);
    await axiosErrorOf(client.request(config ?? {}));
    expect(server.seen).toHaveLength(2 * sends);
    expect(new Set(server.seen.map(({ body }) => body.toString()))).toEqual(new Set(['{"a":1}']));
  });

  it('sends the very headers that it sends without us', async () => {
    const { server, client, holdfast } = await copied(copy, adapter, RECOVERS, FAST, { headers: { 'X-Default': '1' } });
    const headers: RawAxiosRequestHeaders = { 'X-Mine': 'yes', 'X-List': ['a', 'b'], 'X-Off': null };
    await client.post('/', { a: 1 }, { headers, holdfast: { retry: { unsafe: 'always' } } });
    holdfast.detach();
    await client.post('/', { a: 1 }, { headers });
    const sent = server.seen.map(({ rawHeaders }) => rawHeaders.map((each) => each.toLowerCase()));
    expect(sent).toHaveLength(4);
    expect(sent.slice(0, 3)).toEqual(Array(3).fill(sent[3]));
  });

  it('does not bring back what an interceptor has taken out', async () => {
    const { server, client } = await copied(copy, adapter, RECOVERS, FAST, {
      headers: { 'X-Default': '1' },
      params: { key: 'default' },
      auth: { username: 'u', password: 'p' },
    });
    client.interceptors.request.use((config) => {
      config.headers.delete('X-Default');
      delete config.params;
      delete config.auth;
      return config;
    });
    await client.get('/x');
    expect(server.seen.map(({ url, headers }) => [url, headers['x-default'], headers.authorization])).toEqual(
      Array(3).fill(['/x', undefined, undefined]),
    );
  });

  it.each([
    ['a Buffer', () => Buffer.from([0, 255, 128, 10])],
    ['URLSearchParams', () => new URLSearchParams({ a: 'ü' })],
    ['a string', () => 'grüße'],
  ])('sends %s as identical bytes', async (__, body) => {
    const { server, client, holdfast } = await copied(copy, adapter, RECOVERS);
    await client.put('/', body());
    holdfast.detach();
    await client.put('/', body());
    const sent = server.seen.map((request) => [request.body.toString('hex'), request.headers['content-type']]);
    expect(sent).toHaveLength(4);
    expect(sent.slice(0, 3)).toEqual(Array(3).fill(sent[3]));
  });

  it('lets beforeSend change each send, and resolves a bad answer that validateStatus lets through', async () => {
    const beforeSend: Policy['beforeSend'] = ({ config, send }) => void config.headers.set('X-Send', String(send));
    const { server, client } = await copied(copy, adapter, status(503), { ...FAST, beforeSend });
    const response = await client.get('/', { validateStatus: () => true });
    expect(response.status).toBe(503);
    expect(response.config.headers.has('X-Send')).toBe(false);
    expect(server.seen.map(({ headers }) => headers['x-send'])).toEqual(['1', '2', '3', '4']);
  });

  it('is cut off by the deadline', async () => {
    let hungUp = 0;
    const server = await serving((_request, response) => {
      response.on('close', () => {
        hungUp += 1;
      });
    });
    const client = copy.create({ baseURL: server.url, adapter });
    const clock = new ManualClock();
    attachWith({ clock, random: Math.random }, client, { deadlineMs: 1_000 });
    const call = axiosErrorOf(client.get('/'));
    await vi.waitFor(() => expect(server.seen).toHaveLength(1));
    await clock.advance(1_000);
    const error = await call;
    expect(error.code).toBe('ETIMEDOUT');
    expect(copy.isAxiosError(error)).toBe(true);
    expect(failureOf(error)).toMatchObject({ kind: 'timeout', endedBecause: 'deadline', sends: 1 });
    await vi.waitFor(() => expect(hungUp).toBe(1));
    expect(clock.pending).toBe(0);
  });

  it('is cancelled, during a send and during a wait', async () => {
    const server = await serving((request, response, n) => {
      if (n === 1) status(503)(request, response, n);
    });
    const client = copy.create({ baseURL: server.url, adapter });
    const clock = new ManualClock();
    const attachment = attachWith({ clock, random: () => 1 }, client, {});

    const duringSend = new AbortController();
    const first = rejectionOf(client.get('/', { signal: duringSend.signal }));
    await vi.waitFor(() => expect(server.seen).toHaveLength(1));
    duringSend.abort();
    const thrown = await first;
    expect(copy.isCancel(thrown) && isCancel(thrown)).toBe(true);

    const duringWait = new AbortController();
    const second = rejectionOf(client.get('/', { signal: duringWait.signal }));
    await vi.waitFor(() => expect(attachment.stats().waiting).toBe(1));
    duringWait.abort();
    const cancelled = await second;
    expect(copy.isCancel(cancelled) && isCancel(cancelled)).toBe(true);
    expect(server.seen).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });
});
