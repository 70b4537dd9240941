import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios';
import axios17 from 'axios-1.7';
import { type AuthOptions, attach } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import { json, loopback } from '../support/loopback.ts';

/** Whatever its name, this machine. */
const lookup = ((_host: string, _options: object, found: (error: null, address: string, family: number) => void) =>
  found(null, '127.0.0.1', 4)) as unknown as AxiosRequestConfig['lookup'];

const ticket: AuthOptions['apply'] = (headers, { value }) => headers.set('X-Ticket', value);

/** A host that sends every call on from `/` to its subdomain, and from there back again. */
async function wandering(
  copy: Pick<typeof axios, 'create'>,
  auth: Partial<AuthOptions> = {},
  more: AxiosRequestConfig = {},
) {
  const server = await loopback(({ url, headers: { host = '' } }, response) => {
    const [, port] = host.split(':');
    const next: { readonly [url: string]: string } = {
      '/': `http://api.example.test:${port}/here`,
      '/here': `http://sub.api.example.test:${port}/there`,
      '/there': `http://api.example.test:${port}/back`,
    };
    const location = next[url];
    if (location === undefined) json(response, 200);
    else response.writeHead(307, { location }).end();
  });
  onTestFinished(() => server.close());
  const baseURL = server.url.replace('127.0.0.1', 'api.example.test');
  const client = copy.create({ baseURL, adapter: 'http', lookup, proxy: false, ...more } as never) as AxiosInstance;
  attach(client, { auth: { token: () => 't0k3n', refresh: async () => 'new', ...auth } });
  return { server, client };
}

describe.each([
  ['axios', axios],
  ['axios 1.7', axios17 as unknown as typeof axios],
])('a redirect to a subdomain, with the http adapter of %s,', (_copy, copy) => {
  it.each<[string, Partial<AuthOptions>]>([
    ['as Authorization', {}],
    ['in a header of its own', { apply: ticket }],
  ])('carries no token: %s', async (_name, auth) => {
    const { server, client } = await wandering(copy, auth);
    const { config } = await client.get('/');
    const saw = server.seen.map(({ url, headers }) => [url, JSON.stringify(headers).includes('t0k3n')]);
    expect(saw).toEqual([
      ['/', true],
      ['/here', true],
      ['/there', false],
      ['/back', false],
    ]);
    expect(config).not.toHaveProperty('beforeRedirect');
  });

  it('also with a body', async () => {
    const { server, client } = await wandering(copy);
    await client.post('/', { mine: true });
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer t0k3n',
      'Bearer t0k3n',
      undefined,
      undefined,
    ]);
  });

  it("puts no Authorization of the caller's back in its place, and leaves their own hook as it was", async () => {
    const led: unknown[] = [];
    const beforeRedirect: AxiosRequestConfig['beforeRedirect'] = ({ href }) => void led.push(new URL(href).pathname);
    const { server, client } = await wandering(copy, {}, { beforeRedirect, headers: { Authorization: 'Basic mine' } });
    const { config } = await client.get('/');
    expect(led).toEqual(['/here', '/there', '/back']);
    expect(config.beforeRedirect).toBe(beforeRedirect);
    expect(server.seen.slice(2).map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  });
});
