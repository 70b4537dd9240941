import axios from 'axios';
import { attach, failureOf } from 'axios-holdfast';
import { afterEach, describe, expect, it } from 'vitest';
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

  it('leaves no trace of the watching on the config', async () => {
    server = await loopback((_request, response) => json(response, 200));
    const client = axios.create({ baseURL: server.url, adapter });
    const env = (await client.post('/orders', {})).config.env;
    attach(client);
    expect((await client.post('/orders', {})).config.env).toEqual(env);
  });
});
