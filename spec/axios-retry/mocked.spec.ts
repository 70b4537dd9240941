import axios, { AxiosError } from 'axios';
import ours from 'axios-holdfast/axios-retry';
import MockAdapter from 'axios-mock-adapter';
import real from 'axios-retry';
import nock from 'nock';
import { afterEach, describe, expect, it } from 'vitest';
import { rejectionOf } from '../support/attached.ts';

/** As applications have it in their own tests. */
describe.each([
  ['axios-retry', real],
  ['axios-holdfast/axios-retry', ours],
])('%s, by default, over what stands in for a server', (_, axiosRetry) => {
  afterEach(() => nock.cleanAll());

  it.each<[string, (mock: MockAdapter) => void, number]>([
    ['an answer of 503', (mock) => mock.onGet('/').reply(503), 4],
    ['a network error', (mock) => mock.onGet('/').networkError(), 4],
    ['an abort of the request', (mock) => mock.onGet('/').abortRequest(), 1],
    ['a timeout', (mock) => mock.onGet('/').timeout(), 1],
    ['an answer of 404', (mock) => mock.onGet('/').reply(404), 1],
  ])('axios-mock-adapter: %s', async (_what, prepare, sends) => {
    const client = axios.create();
    const mock = new MockAdapter(client as never);
    axiosRetry(client);
    prepare(mock);
    await rejectionOf(client.get('/'));
    expect(mock.history.get).toHaveLength(sends);
  });

  it.each([
    ['a reset', () => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })],
    ['an AxiosError of that code', () => new AxiosError('lost', 'ECONNRESET')],
    ['an error without a code', () => new Error('lost')],
    ['an error of a code of its own', () => new AxiosError('lost', 'E_MINE')],
  ])('nock: %s', async (_what, error) => {
    nock('http://api.example.com').get('/').times(4).replyWithError(error());
    const client = axios.create({ baseURL: 'http://api.example.com' });
    axiosRetry(client);
    await rejectionOf(client.get('/'));
    expect(nock.isDone()).toBe(true);
  });

  it.each([
    ['of a code', new AxiosError('lost', 'ECONNRESET')],
    ['of none', new AxiosError('lost')],
    ["of axios' own code", new AxiosError('lost', 'ERR_NETWORK')],
    ['of a code of its own', new AxiosError('lost', 'E_MINE')],
  ])('an adapter of their own that rejects with an AxiosError %s', async (_what, error) => {
    let sends = 0;
    const client = axios.create({
      adapter: async (config) => {
        sends += 1;
        throw Object.assign(error, { config });
      },
    });
    axiosRetry(client);
    await rejectionOf(client.get('/'));
    expect(sends).toBe(4);
  });
});
