import axios, { type AxiosAdapter, AxiosError, type InternalAxiosRequestConfig } from 'axios';
import { type Attachment, attach, failureOf, reportOf } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { axiosErrorOf, rejectionOf } from '../support/attached.ts';

/** What a call came to, so that two can be compared. */
type Ending = { readonly value: unknown } | { readonly thrown: unknown };

function ending(call: Promise<unknown>): Promise<Ending> {
  return call.then(
    (value) => ({ value }),
    (thrown) => ({ thrown }),
  );
}

/** Calls bare axios, and then axios with us, each with an adapter of its own, and counts what ours sent. */
async function both(
  adapter: () => unknown,
): Promise<{ bare: Ending; ours: Ending; sends: number; holdfast: Attachment }> {
  const typed = adapter as unknown as AxiosAdapter;
  const bare = await ending(axios.create({ adapter: typed }).get('/x'));
  let sends = 0;
  const client = axios.create({
    adapter: (config) => {
      sends += 1;
      return typed(config);
    },
  });
  const holdfast = attach(client, { retry: { backoff: () => 0, budget: false } });
  const ours = await ending(client.get('/x'));
  return { bare, ours, sends, holdfast };
}

const IDLE = { calls: 1, inFlight: 0, queued: 0, waiting: 0 };
const frozen = Object.freeze(new Error('frozen'));
const circular = Object.assign(new Error('circular'), { cause: undefined as unknown });
circular.cause = circular;

describe('an adapter that rejects', () => {
  it.each<readonly [name: string, reason: unknown]>([
    ['an Error', new Error('plain')],
    ['an Error without config, with a code that is no string', Object.assign(new Error('odd'), { code: 42 })],
    ['a frozen Error', frozen],
    ['a frozen error with a config', Object.freeze({ isAxiosError: true, config: Object.freeze({}), message: 'cold' })],
    ['an Error that is its own cause', circular],
    ['a string', 'text'],
    ['an empty string', ''],
    ['undefined', undefined],
    ['null', null],
    ['a number', 0],
    ['a symbol', Symbol('reason')],
    ['a function', () => {}],
    ['an object without a prototype', Object.create(null)],
    ['an error whose response is null', { config: {}, response: null }],
    ['an error whose config is null', { config: null, message: 'x' }],
    ['an error with a response of no use', { response: {} }],
    ['an error with a permanent status and nothing else', { response: { status: 404 } }],
  ])('with %s gives the caller just that, after one send', async (_, reason) => {
    const { bare, ours, sends, holdfast } = await both(() => Promise.reject(reason));
    expect(bare).toEqual({ thrown: reason });
    expect('thrown' in ours && ours.thrown).toBe(reason);
    expect(sends).toBe(1);
    expect(holdfast.stats()).toMatchObject({ ...IDLE, sends: 1 });
    expect(() => failureOf(reason)).not.toThrow();
    expect(() => reportOf(reason)).not.toThrow();
  });

  it.each<readonly [name: string, response: () => unknown]>([
    ['no headers', () => ({ status: 503 })],
    ['headers that are null', () => ({ status: 503, headers: null })],
    ['headers that are text', () => ({ status: 503, headers: 'Retry-After: 1' })],
    ['headers of odd types', () => ({ status: 503, headers: { 'retry-after': {}, ratelimit: 7, date: [] } })],
    ['an error body of odd type', () => ({ status: 503, headers: {}, data: Symbol('body') })],
  ])('with a 503 of %s is retried, and the caller gets the last error', async (_, response) => {
    const reasons: unknown[] = [];
    const { ours, sends, holdfast } = await both(() => {
      const reason = { message: 'down', config: {}, response: response() };
      reasons.push(reason);
      return Promise.reject(reason);
    });
    expect('thrown' in ours && ours.thrown).toBe(reasons.at(-1));
    expect(sends).toBe(4);
    expect(holdfast.stats()).toMatchObject({ ...IDLE, sends: 4, retries: 3 });
    const { thrown } = ours as { thrown: unknown };
    expect(failureOf(thrown)).toMatchObject({ status: 503, endedBecause: 'retries-exhausted' });
  });

  it('with a response that is text ends as with bare axios', async () => {
    const { bare, ours, sends } = await both(() => Promise.reject({ config: {}, response: 'text' }));
    expect(ours).toEqual(bare);
    expect(sends).toBe(1);
  });

  it('with one and the same frozen error each time is retried all the same', async () => {
    const response = { status: 503, headers: {} };
    const same = Object.freeze(Object.assign(new Error('cold'), { config: {}, response }));
    const { ours, sends } = await both(() => Promise.reject(same));
    expect('thrown' in ours && ours.thrown).toBe(same);
    expect(sends).toBe(4);
  });
});

describe('an adapter that throws instead of rejecting', () => {
  it.each<readonly [name: string, thrown: unknown]>([
    ['an Error', new Error('at once')],
    ['a string', 'text'],
    ['undefined', undefined],
  ])('%s rejects the call with just that', async (_, thrown) => {
    const { bare, ours, sends, holdfast } = await both(() => {
      throw thrown;
    });
    expect(bare).toEqual({ thrown });
    expect('thrown' in ours && ours.thrown).toBe(thrown);
    expect(sends).toBe(1);
    expect(holdfast.stats()).toMatchObject(IDLE);
  });

  it('an AxiosError of the network is retried', async () => {
    const { ours, sends } = await both(() => {
      throw new AxiosError('refused', 'ECONNREFUSED');
    });
    expect(ours).toHaveProperty('thrown.code', 'ECONNREFUSED');
    expect(sends).toBe(4);
  });
});

describe('an adapter that resolves', () => {
  it.each<readonly [name: string, value: () => unknown]>([
    ['undefined', () => undefined],
    ['null', () => null],
    ['text', () => 'text'],
    ['a number', () => 200],
    ['a frozen response', () => Object.freeze({ status: 200, headers: {}, data: 'x' })],
    ['an empty object', () => ({})],
    ['a response without headers', () => ({ status: 200, data: 'x' })],
    ['a response whose status is text', () => ({ status: '200', headers: {}, data: 'x' })],
    ['a response whose status is not a number', () => ({ status: Number.NaN, headers: {}, data: 'x' })],
  ])('with %s ends as with bare axios, after one send', async (_, value) => {
    const { bare, ours, sends, holdfast } = await both(async () => value());
    if ('thrown' in bare) expect(ours).toEqual(bare);
    else expect(ours).toMatchObject({ value: withoutDuration(bare.value) });
    expect(sends).toBe(1);
    expect(holdfast.stats()).toMatchObject({ ...IDLE, sends: 1 });
  });

  it('with a 503 that has nothing else is retried, and then resolves with the last', async () => {
    const responses: unknown[] = [];
    const { ours, sends } = await both(async () => {
      const response = { status: 503 };
      responses.push(response);
      return response;
    });
    expect('value' in ours && ours.value).toBe(responses.at(-1));
    expect(sends).toBe(4);
  });
});

describe('an adapter that gives no promise', () => {
  it('is taken at its word', async () => {
    const client = axios.create({ adapter: (() => ({ status: 200, headers: {}, data: 'x' })) as never });
    attach(client);
    expect(await client.get('/x')).toMatchObject({ status: 200, data: 'x' });
  });

  it('but something to wait for is waited for', async () => {
    const given = {
      // biome-ignore lint/suspicious/noThenProperty: it is what the test is about.
      then: (resolve: (value: unknown) => void) => resolve({ status: 200, headers: {}, data: 'x' }),
    };
    const client = axios.create({ adapter: (() => given) as never });
    attach(client);
    expect(await client.get('/x')).toMatchObject({ status: 200, data: 'x' });
  });
});

describe('a config', () => {
  const answering: AxiosAdapter = async (config) => {
    throw new AxiosError(
      'down',
      'ERR_BAD_RESPONSE',
      config,
      {},
      {
        status: 503,
        statusText: '',
        headers: {},
        data: '',
        config,
      },
    );
  };

  it.each<readonly [name: string, config: object]>([
    ['without a prototype', Object.assign(Object.create(null), { url: '/x' })],
    ['that is frozen', Object.freeze({ url: '/x', headers: Object.freeze({ a: 'b' }) })],
    ['that is empty', {}],
    ['whose headers are null', { url: '/x', headers: null }],
    ['whose headers are text', { url: '/x', headers: 'A: b' }],
    ['whose params are null', { url: '/x', params: null }],
    ['whose URL is no URL', { url: 'http://[', params: { a: 1 } }],
    ['whose signal is no signal', { url: '/x', signal: null, cancelToken: null }],
    ['whose method is upper case', { url: '/x', method: 'GET' }],
  ])('%s is retried like any other', async (_, config) => {
    const sent: InternalAxiosRequestConfig[] = [];
    const client = axios.create({
      adapter: (each) => {
        sent.push(each);
        return answering(each);
      },
    });
    const attachment = attach(client, { retry: { maxRetries: 2, backoff: () => 0 } });
    const error = await axiosErrorOf(client.request(config));
    expect(sent).toHaveLength(3);
    expect(new Set(sent.map(({ headers }) => headers)).size).toBe(3);
    expect(failureOf(error)).toMatchObject({ status: 503, sends: 3 });
    expect(attachment.stats()).toMatchObject(IDLE);
  });

  it('that an interceptor loses fails the call as with bare axios, with a TypeError', async () => {
    const client = axios.create({ adapter: answering });
    client.interceptors.request.use(() => undefined as never);
    expect(await rejectionOf(client.get('/x'))).toBeInstanceOf(TypeError);
    const attachment = attach(client);
    expect(await rejectionOf(client.get('/x'))).toBeInstanceOf(TypeError);
    expect(attachment.stats()).toMatchObject({ calls: 0, inFlight: 0 });
  });
});

function withoutDuration(value: unknown): object {
  const { duration: _, config: __, headers: ___, ...rest } = value as { [name: string]: unknown };
  return rest;
}
