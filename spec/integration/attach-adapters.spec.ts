import axios, { type AxiosAdapter, AxiosError, type AxiosInstance, getAdapter } from 'axios';
import { attach, failureOf, type Policy, reportOf } from 'axios-holdfast';
import MockAdapter from 'axios-mock-adapter';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ADAPTERS, attached, axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';

const FAST: Policy = { retry: { backoff: () => 0, budget: false } };
const RECOVERS = inTurn(status(503), status(503), status(200, {}, { hello: 'world' }));

describe.each(ADAPTERS)('validateStatus, with the %s adapter', (adapter) => {
  it('that lets everything through still retries, and then resolves with the last response', async () => {
    const { server, client } = await attached(
      inTurn(status(503), status(429), status(503), status(503, {}, { send: 4 })),
      FAST,
      { adapter, validateStatus: () => true },
    );
    const response = await client.get('/');
    expect(server.seen).toHaveLength(4);
    expect(response).toMatchObject({ status: 503, data: { send: 4 } });
    expect(response.config.adapter).toBe(adapter);
    expect(failureOf(response)).toMatchObject({ endedBecause: 'retries-exhausted', sends: 4 });
  });

  it.each([
    ['lets everything through', () => true],
    ['is null', null],
    ['lets this status through', (code: number) => code === 503 || code === 200],
  ])('that %s still retries, and then resolves with the success', async (_, validateStatus) => {
    const { server, client } = await attached(RECOVERS, FAST, { adapter, validateStatus });
    const response = await client.get('/');
    expect(response).toMatchObject({ status: 200, data: { hello: 'world' } });
    expect(server.seen).toHaveLength(3);
    expect(reportOf(response)?.endedBecause).toBe('success');
  });

  it('that refuses a success rejects with it, and does not send it again', async () => {
    const { server, client } = await attached(status(200), FAST, { adapter, validateStatus: () => false });
    const error = await axiosErrorOf(client.get('/'));
    expect(error.response?.status).toBe(200);
    expect(server.seen).toHaveLength(1);
  });
});

it('a validateStatus that throws fails the call with what it threw', async () => {
  // Under fetch: in the http adapter of axios it is an uncaught exception, with us or without.
  const { server, client, holdfast } = await attached(RECOVERS, FAST, { adapter: 'fetch' });
  const refuse = () => {
    throw new Error('from validateStatus');
  };
  expect(await rejectionOf(client.get('/', { validateStatus: refuse }))).toHaveProperty(
    'message',
    'from validateStatus',
  );
  expect(server.seen).toHaveLength(1);
  expect(holdfast.stats()).toMatchObject({ calls: 1, sends: 1, inFlight: 0 });
});

describe('the error of a call', () => {
  it.each(ADAPTERS)('is the last AxiosError, just as bare axios makes it, with the %s adapter', async (adapter) => {
    const { client, holdfast } = await attached(status(503, { 'x-mine': '1' }, { why: 'down' }), FAST, { adapter });
    const ours = await axiosErrorOf(client.put('/x', { a: 1 }));
    holdfast.detach();
    const bare = await axiosErrorOf(client.put('/x', { a: 1 }));
    expect(ours).toBeInstanceOf(AxiosError);
    expect(Object.keys(ours).sort()).toEqual(Object.keys(bare).sort());
    const { name, message, code, status: number } = bare;
    expect(ours).toMatchObject({ name, message, code, status: number });
    expect(ours.response).toMatchObject({ status: 503, statusText: 'Service Unavailable', data: { why: 'down' } });
    expect(ours.response?.headers['x-mine']).toBe('1');
    expect(Object.keys(ours.response ?? {}).sort()).toEqual(Object.keys(bare.response ?? {}).sort());
    expect(Object.keys(ours.toJSON())).toEqual(Object.keys(bare.toJSON()));
  });
});

describe('an adapter of the caller', () => {
  it('is called once per send, on the instance or on the call, and comes back on the config', async () => {
    const { client, server } = await attached(RECOVERS, FAST);
    let sends = 0;
    const counting: AxiosAdapter = (config) => {
      sends += 1;
      return getAdapter('http', config)(config);
    };
    const response = await client.get('/', { adapter: counting });
    expect(sends).toBe(3);
    expect(response.config.adapter).toBe(counting);

    client.defaults.adapter = counting;
    await client.get('/');
    expect(sends).toBe(4);
    expect(server.seen).toHaveLength(4);
  });

  it('may stand in a list with built-in ones: the first that is supported is used', async () => {
    const { client, server } = await attached(RECOVERS, FAST, { adapter: ['xhr', 'fetch', 'http'] });
    const response = await client.get('/');
    expect(server.seen).toHaveLength(3);
    expect(response.config.adapter).toEqual(['xhr', 'fetch', 'http']);
    expect(server.seen.map(({ headers }) => headers['sec-fetch-mode'])).toEqual(Array(3).fill('cors'));
  });

  it.each([
    ['that there is none of', 'nonsense'],
    ['that this platform lacks', 'xhr'],
  ])('%s rejects as with bare axios', async (_, adapter) => {
    const { client, holdfast, server } = await attached(RECOVERS, FAST);
    const ours = await axiosErrorOf(client.get('/', { adapter: adapter as never }));
    holdfast.detach();
    const bare = await axiosErrorOf(client.get('/', { adapter: adapter as never }));
    expect(ours).toMatchObject({ name: bare.name, message: bare.message });
    expect(ours.code).toBe(bare.code);
    expect(server.seen).toHaveLength(0);
    expect(holdfast.stats()).toMatchObject({ inFlight: 0 });
  });
});

describe('axios-mock-adapter', () => {
  /** Replies 503 twice, then 200; puts the mock there before attach, or after. */
  async function mocked(before: boolean, options: { onNoMatch?: 'passthrough' } = {}) {
    const { server } = await attached(RECOVERS);
    const client: AxiosInstance = axios.create({ baseURL: server.url });
    if (!before) attach(client, FAST);
    const mock = new MockAdapter(client as never, options);
    if (before) attach(client, FAST);
    return { client, mock, server };
  }

  it.each([
    ['before', true],
    ['after', false],
  ])('installed %s attach answers every send of a call', async (_, before) => {
    const { client, mock, server } = await mocked(before);
    mock.onPut('/x').replyOnce(503).onPut('/x').timeoutOnce().onPut('/x').reply(200, { mocked: true });
    const response = await client.put('/x', { a: 1 });
    expect(response).toMatchObject({ status: 200, data: { mocked: true } });
    expect(mock.history.put?.map(({ data }) => data)).toEqual(['{"a":1}', '{"a":1}', '{"a":1}']);
    expect(server.seen).toHaveLength(0);
  });

  it.each([
    ['before', true],
    ['after', false],
  ])('installed %s attach gives a config that starts one fresh loop, in the mock again', async (_, before) => {
    const { client, mock, server } = await mocked(before);
    mock.onGet('/x').reply(503);
    const error = await axiosErrorOf(client.get('/x'));
    expect(mock.history.get).toHaveLength(4);
    expect(error.config?.adapter).toBe(client.defaults.adapter);
    await axiosErrorOf(client.request(error.config ?? {}));
    expect(mock.history.get).toHaveLength(8);
    expect(server.seen).toHaveLength(0);
  });

  it('that lets through what it does not know is asked for every send, and the server as well', async () => {
    for (const before of [true, false]) {
      const { client, mock, server } = await mocked(before, { onNoMatch: 'passthrough' });
      const response = await client.get('/');
      expect(response).toMatchObject({ status: 200, data: { hello: 'world' } });
      expect(mock.history.get).toHaveLength(3);
      expect(server.seen).toHaveLength(3);
    }
  });

  it('that is restored while attached leaves the policy in force', async () => {
    const { client, mock, server } = await mocked(false);
    mock.onGet('/').reply(404);
    await axiosErrorOf(client.get('/'));
    mock.restore();
    expect((await client.get('/')).status).toBe(200);
    expect(server.seen).toHaveLength(3);
  });
});

describe('the default export of axios', () => {
  it.each(ADAPTERS)('can be attached to and detached from, with the %s adapter', async (adapter) => {
    const { server } = await attached(inTurn(status(503), status(200), status(503)));
    const attachment = attach(axios, FAST);
    onTestFinished(() => attachment.detach());
    expect((await axios.get(server.url, { adapter })).status).toBe(200);
    expect(server.seen).toHaveLength(2);
    expect(() => attach(axios)).toThrow('attached to this axios instance already');

    await axiosErrorOf(axios.create({ adapter }).get(server.url));
    expect(server.seen).toHaveLength(3);

    attachment.detach();
    await axiosErrorOf(axios.get(server.url, { adapter }));
    expect(server.seen).toHaveLength(4);
    expect(attachment.stats()).toMatchObject({ calls: 1, sends: 2 });
  });

  it('may be called as a function, in both of its ways', async () => {
    const { server } = await attached(inTurn(status(503), status(200), status(503), status(200)));
    const attachment = attach(axios, FAST);
    onTestFinished(() => attachment.detach());
    expect((await axios(server.url, { method: 'put' })).status).toBe(200);
    expect((await axios({ url: server.url })).status).toBe(200);
    expect(server.seen.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'GET', 'GET']);
  });
});

describe('an instance that is derived from an attached one', () => {
  it('has its defaults, but passes through until something is attached to it as well', async () => {
    const { client, server } = await attached(status(503), FAST);
    const derived = client.create({ headers: { 'X-Derived': '1' } });
    await axiosErrorOf(derived.get('/'));
    expect(server.seen).toHaveLength(1);
    const attachment = attach(derived, { retry: { maxRetries: 1, backoff: () => 0 } });
    await axiosErrorOf(derived.get('/'));
    expect(server.seen).toHaveLength(3);
    expect(attachment.stats().calls).toBe(1);
  });
});
