import net from 'node:net';
import axios from 'axios';
import { attach, failureOf } from 'axios-holdfast';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { json, type Loopback, loopback } from '../support/loopback.ts';

/** A POST that is carried out, and answered with a redirect to something that refuses. */
describe.each(['http', 'fetch'])('a POST that was redirected, over %s,', (adapter) => {
  let server: Loopback | undefined;
  afterEach(async () => server?.close());

  async function orders(redirect: number, refusal: number, headers = {}) {
    server = await loopback(({ method, url }, response) => {
      if (method === 'POST' && url === '/orders') response.writeHead(redirect, { location: '/orders/1' }).end();
      else json(response, refusal, {}, headers);
    });
    const client = axios.create({ baseURL: server.url, adapter });
    attach(client, { retry: { backoff: () => 0 } });
    const error = await client.post('/orders', { product: 'seats' }).catch((thrown: unknown) => thrown);
    const posts = server.seen.filter(({ method, url }) => method === 'POST' && url === '/orders').length;
    return { posts, failure: failureOf(error) };
  }

  it.each([
    [303, 429, {}],
    [302, 429, {}],
    [307, 429, { 'retry-after': '0' }],
    [303, 503, { 'retry-after': '0' }],
  ])('with %i to a %i, is not sent again: it may have been applied', async (redirect, refusal, headers) => {
    const { posts, failure } = await orders(redirect, refusal, headers);
    expect(posts).toBe(1);
    expect(failure?.endedBecause).toBe('unsafe-method');
  });

  it('with a redirect to where nobody listens, is not sent again', async () => {
    const closed = await loopback(() => {});
    await closed.close();
    server = await loopback((_request, response) => {
      response.writeHead(303, { location: `${closed.url}/x` }).end();
    });
    const client = axios.create({ baseURL: server.url, adapter });
    attach(client, { retry: { backoff: () => 0 } });
    await client.post('/orders', {}).catch(() => {});
    expect(server.seen).toHaveLength(1);
  });

  it('with a redirect to another host whose same port nobody listens on, is not sent again', async () => {
    server = await loopback((_request, response) => {
      response.writeHead(303, { location: `${server?.url.replace('127.0.0.1', '127.0.0.2')}/x` }).end();
    });
    const client = axios.create({ baseURL: server.url, adapter });
    attach(client, { retry: { backoff: () => 0 } });
    const error = await client.post('/orders', {}).catch((thrown: unknown) => thrown);
    expect(failureOf(error)).toMatchObject({ code: 'ECONNREFUSED', endedBecause: 'unsafe-method' });
    expect(server.seen).toHaveLength(1);
  });

  it('with a redirect to another host that ends the TLS handshake on the same port, is not sent again', async () => {
    server = await loopback((_request, response) => {
      response.writeHead(303, { location: `https://127.0.0.2:${new URL(String(server?.url)).port}/x` }).end();
    });
    let asked = 0;
    const rude = net.createServer((socket) => {
      asked += 1;
      socket.destroy();
    });
    const { port } = new URL(server.url);
    await new Promise<void>((resolve) => rude.listen(Number(port), '127.0.0.2', resolve));
    onTestFinished(() => void rude.close());
    const client = axios.create({ baseURL: server.url, adapter });
    attach(client, { retry: { backoff: () => 0 } });
    await client.post('/orders', {}).catch(() => {});
    expect(asked).toBe(1);
    expect(server.seen).toHaveLength(1);
  });

  it('is sent again where nobody listens at once', async () => {
    const closed = await loopback(() => {});
    await closed.close();
    const client = axios.create({ baseURL: closed.url, adapter });
    attach(client, { retry: { maxRetries: 2, backoff: () => 0 } });
    const error = await client.post('/orders', {}).catch((thrown: unknown) => thrown);
    expect(failureOf(error)).toMatchObject({ sends: 3, endedBecause: 'retries-exhausted' });
  });

  it('is not sent again either where the adapter is given as a function', async () => {
    server = await loopback(({ method }, response) => {
      if (method === 'POST') response.writeHead(303, { location: '/orders/1' }).end();
      else json(response, 429);
    });
    const client = axios.create({ baseURL: server.url, adapter: axios.getAdapter(adapter) });
    attach(client, { retry: { backoff: () => 0 } });
    await client.post('/orders', {}).catch(() => {});
    expect(server.seen.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  it('is sent again if nothing redirected it', async () => {
    server = await loopback((_request, response, n) => json(response, n === 0 ? 429 : 201));
    const client = axios.create({ baseURL: server.url, adapter });
    attach(client, { retry: { backoff: () => 0 } });
    expect((await client.post('/orders', {})).status).toBe(201);
    expect(server.seen).toHaveLength(2);
  });

  it('is not sent again either where `fetchOptions` or `maxRedirects` forbid that it is followed', async () => {
    server = await loopback(({ method }, response) => {
      if (method === 'POST') response.writeHead(303, { location: '/orders/1' }).end();
      else json(response, 429);
    });
    const forbidden = adapter === 'http' ? { maxRedirects: 0 } : { fetchOptions: { redirect: 'error' as const } };
    const client = axios.create({ baseURL: server.url, adapter, ...forbidden });
    attach(client, { retry: { backoff: () => 0 } });
    await client.post('/orders', {}).catch(() => {});
    expect(server.seen.map(({ method }) => method)).toEqual(['POST']);
  });

  it('leaves no trace of the watching on the config', async () => {
    server = await loopback((_request, response) => json(response, 200));
    const client = axios.create({ baseURL: server.url, adapter });
    const env = (await client.post('/orders', {})).config.env;
    attach(client);
    expect((await client.post('/orders', {})).config.env).toEqual(env);
  });
});
