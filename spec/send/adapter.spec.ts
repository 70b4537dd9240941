import axios, {
  type AxiosError,
  AxiosHeaders,
  type AxiosInstance,
  getAdapter,
  type InternalAxiosRequestConfig,
} from 'axios';
import { describe, expect, it, onTestFinished } from 'vitest';
import { adapterFor } from '../../lib/send/adapter.ts';
import { json, type Loopback, loopback } from '../support/loopback.ts';

const configOf = (config: object = {}): InternalAxiosRequestConfig => ({ headers: new AxiosHeaders(), ...config });
const neverAsked = (): AxiosInstance => {
  throw new Error('made an instance');
};

describe(adapterFor.name, () => {
  it('is the function that the config names', () => {
    const adapter = async () => Promise.reject();
    expect(adapterFor(configOf({ adapter }), neverAsked)).toBe(adapter);
    expect(adapterFor({ adapter, headers: {} as never }, neverAsked)).toBe(adapter);
  });

  it("is axios' own by its name, or the first of a list that there is", () => {
    expect(adapterFor(configOf({ adapter: 'http' }), neverAsked)).toBe(getAdapter('http'));
    expect(adapterFor(configOf({ adapter: ['xhr', 'http'] }), neverAsked)).toBe(getAdapter('http'));
  });

  it('is the http adapter where the config names none, as under Node', () => {
    expect(adapterFor(configOf(), neverAsked)).toBe(getAdapter('http'));
  });

  it('tells what it does not know, as axios does', () => {
    expect(() => adapterFor(configOf({ adapter: 'pigeon' }), neverAsked)).toThrow("Unknown adapter 'pigeon'");
  });
});

describe('the adapter of another copy of axios', () => {
  /** Headers that are none of our copy's. */
  const foreign = (config: object): InternalAxiosRequestConfig => ({ ...config, headers: { 'X-Sent': '1' } as never });

  async function server(status: number): Promise<Loopback> {
    const started = await loopback((_request, response) => json(response, status, { id: 7 }));
    onTestFinished(() => started.close());
    return started;
  }

  it('sends by an instance of that copy, and leaves the body and the headers as they are', async () => {
    const { seen, url } = await server(200);
    const config = foreign({
      url,
      method: 'post',
      data: '{"a":1}',
      transformRequest: [fail],
      transformResponse: [fail],
    });
    const response = await adapterFor(config, () => axios.create())(config);
    expect(response.data).toBe('{"id":7}');
    expect(response.config).toBe(config);
    expect(seen[0]).toMatchObject({ method: 'POST', headers: { 'x-sent': '1' } });
    expect(String(seen[0]?.body)).toBe('{"a":1}');
  });

  it("hands on its error with the caller's config", async () => {
    const { url } = await server(503);
    const config = foreign({ url, method: 'get' });
    const error = await rejection(adapterFor(config, () => axios.create())(config));
    expect(error.response?.status).toBe(503);
    expect(error.response?.data).toBe('{"id":7}');
    expect(error.config).toBe(config);
    expect(error.response?.config).toBe(config);
  });

  it('leaves no `data` on an answer that broke off, since its lack tells that it did', async () => {
    const { close, url } = await loopback((_request, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('abc', () => response.destroy());
    });
    onTestFinished(close);
    const config = foreign({ url });
    const error = await rejection(adapterFor(config, () => axios.create())(config));
    expect(error.response?.status).toBe(200);
    expect(error.response).not.toHaveProperty('data');
  });

  it('hands on an error without an answer', async () => {
    const { url, close } = await server(200);
    await close();
    const config = foreign({ url });
    const error = await rejection(adapterFor(config, () => axios.create())(config));
    expect(error.code).toBe('ECONNREFUSED');
    expect(error.config).toBe(config);
  });
});

function fail(): never {
  throw new Error('transformed');
}

async function rejection(sent: Promise<unknown>): Promise<AxiosError> {
  return sent.then(
    () => Promise.reject(new Error('resolved')),
    (error: AxiosError) => error,
  );
}
