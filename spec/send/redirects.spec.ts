import { AxiosError, AxiosHeaders, type AxiosRequestConfig, getAdapter, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Outcome } from '../../lib/call/outcome.ts';
import { leftOrigin, urlOf, wasRedirected, watchingEnv } from '../../lib/send/redirects.ts';
import { ADAPTERS, type AdapterName } from '../support/attached.ts';
import { json, type Loopback, loopback } from '../support/loopback.ts';

const configOf = (config: AxiosRequestConfig): InternalAxiosRequestConfig => ({
  method: 'get',
  ...config,
  headers: new AxiosHeaders(),
});

/** A server that redirects `/from…` to where it is told, and answers everything else with a status. */
async function server(to: () => string, status = 200): Promise<Loopback> {
  const started = await loopback(({ url }, response) => {
    if (url.startsWith('/from')) response.writeHead(302, { location: to() }).end();
    else json(response, status);
  });
  onTestFinished(() => started.close());
  return started;
}

/** What axios' own adapter makes of a send. */
async function send(adapter: AdapterName, config: AxiosRequestConfig): Promise<[Outcome, InternalAxiosRequestConfig]> {
  const sent = configOf({ ...config, adapter, validateStatus: (status) => status < 400 });
  sent.env = watchingEnv(sent);
  const outcome = await getAdapter(
    adapter,
    sent,
  )(sent).then(
    (response): Outcome => ({ response }),
    (error: unknown): Outcome => ({ error }),
  );
  return [outcome, sent];
}

describe.each(ADAPTERS)('over %s', (adapter) => {
  describe(wasRedirected.name, () => {
    it.each([200, 429])('tells an answer of %i that came behind a redirect from one that did not', async (status) => {
      const { url } = await server(() => '/to', status);
      expect(wasRedirected(...(await send(adapter, { url: `${url}/to` })))).toBe(false);
      expect(wasRedirected(...(await send(adapter, { url: `${url}/from` })))).toBe(true);
    });

    it('tells a connection that failed behind a redirect from one that failed at once', async () => {
      const dead = await loopback(() => {});
      await dead.close();
      const { url } = await server(() => `${dead.url}/`);
      expect(wasRedirected(...(await send(adapter, { url: dead.url })))).toBe(false);
      expect(wasRedirected(...(await send(adapter, { url: `${url}/from` })))).toBe(true);
    });
  });

  describe(urlOf.name, () => {
    it('gives the URL that answered, and else the one that was asked, with its parameters', async () => {
      const { url } = await server(() => '/to?page=2');
      expect(urlOf(...(await send(adapter, { url: `${url}/from` })))).toBe(`${url}/to?page=2`);
      expect(urlOf(...(await send(adapter, { url: `${url}/to`, params: { page: 1 } })))).toBe(`${url}/to?page=1`);
      expect(urlOf(...(await send(adapter, { baseURL: url, url: '/to' })))).toBe(`${url}/to`);
    });
  });
});

describe(leftOrigin.name, () => {
  it('tells an answer of another origin from one of the same', async () => {
    const other = await server(() => '');
    const { url } = await server(() => `${other.url}/to`);
    const { url: same } = await server(() => '/to');
    expect(leftOrigin(...(await send('http', { url: `${url}/from` })))).toBe(true);
    expect(leftOrigin(...(await send('http', { url: `${same}/from` })))).toBe(false);
  });

  it('does not know where no answer tells, or tells what is no URL', () => {
    const sent = configOf({ url: 'https://api.example.com/' });
    expect(leftOrigin({ error: new AxiosError('lost', 'ECONNRESET', sent) }, sent)).toBe(false);
    for (const responseURL of ['', 'nonsense', undefined, 7]) {
      expect(leftOrigin(answered({ responseURL }, sent), sent)).toBe(false);
    }
    expect(leftOrigin(answered({ responseURL: 'https://evil.example.com/' }, sent), sent)).toBe(true);
  });
});

describe('where the adapter is an XMLHttpRequest', () => {
  const sent = configOf({ baseURL: 'https://api.example.com/v1', url: '/items', params: { page: 1 } });

  it.each<[string, boolean]>([
    ['https://api.example.com/v1/items?page=1', false],
    ['https://api.example.com/v1/items?page=2', true],
    ['https://api.example.com/v1/items', true],
    ['https://api.example.com/v2/items?page=1', true],
    ['https://mirror.example.com/v1/items?page=1', true],
    ['', false],
    ['no url', true],
  ])('it was redirected if its URL is another: %s', (responseURL, redirected) => {
    expect(wasRedirected(answered({ responseURL }, sent), sent)).toBe(redirected);
  });

  it('a relative URL of the send is one of the page that answers', () => {
    const relative = configOf({ url: '/items' });
    expect(wasRedirected(answered({ responseURL: 'https://app.example.com/items' }, relative), relative)).toBe(false);
    expect(wasRedirected(answered({ responseURL: 'https://app.example.com/login' }, relative), relative)).toBe(true);
  });

  it('its URL is the one that answered', () => {
    expect(urlOf(answered({ responseURL: 'https://api.example.com/v2' }, sent), sent)).toBe(
      'https://api.example.com/v2',
    );
    expect(urlOf(answered({ responseURL: '' }, sent), sent)).toBe('https://api.example.com/v1/items?page=1');
  });
});

describe('where the adapter is a function', () => {
  const sent = configOf({ url: 'https://api.example.com/', adapter: async () => Promise.reject() });

  it('a fetch that follows redirects may have been redirected, and one that does not may not', () => {
    const of = (redirect: RequestRedirect) =>
      wasRedirected(answered(new Request('https://api.example.com/', { redirect }), sent), sent);
    expect(of('follow')).toBe(true);
    expect(of('manual')).toBe(false);
    expect(of('error')).toBe(false);
  });

  it('what its request is nobody knows', () => {
    for (const request of [{}, undefined, null, 'GET /', 7]) {
      expect(wasRedirected(answered(request, sent), sent)).toBe(false);
    }
  });

  it('a fetch of axios itself, which is watched, was not redirected if it was not seen to be', () => {
    const own = configOf({ url: 'https://api.example.com/', adapter: 'fetch' });
    expect(wasRedirected(answered(new Request('https://api.example.com/'), own), own)).toBe(false);
  });
});

describe('where a connection failed', () => {
  const failed = (cause: unknown, url: string): boolean => {
    const sent = configOf({ url });
    const error = Object.assign(new AxiosError('fetch failed', 'ERR_NETWORK', sent), { cause });
    return wasRedirected({ error }, sent);
  };

  it.each<[string, object, string, boolean]>([
    ['to the same port', { port: 443 }, 'https://api.example.com/', false],
    ['to the same port, of http', { port: 80 }, 'http://api.example.com/', false],
    ['to the same port, which is named', { port: 8080 }, 'http://api.example.com:8080/', false],
    ['to another port', { port: 8443 }, 'https://api.example.com/', true],
    ['to the port of http', { port: 80 }, 'https://api.example.com/', true],
    ['to the same host', { hostname: 'api.example.com' }, 'https://api.example.com/', false],
    ['to another host', { hostname: 'login.example.com' }, 'https://api.example.com/', true],
    ['to a port that is no number', { port: '8443' }, 'https://api.example.com/', false],
    ['and did not say where', {}, 'https://api.example.com/', false],
    ['of a send whose URL cannot be read', { port: 8443 }, 'http://[', false],
  ])('%s: redirected or not', (_, cause, url, redirected) => {
    expect(failed(cause, url)).toBe(redirected);
  });

  it('the first of several attempts tells', () => {
    const errors = [{ port: 8443 }, { port: 443 }];
    expect(failed({ errors }, 'https://api.example.com/')).toBe(true);
    expect(failed({ errors: errors.toReversed() }, 'https://api.example.com/')).toBe(false);
  });

  it('whatever it was rejected with', () => {
    const sent = configOf({ url: 'https://api.example.com/' });
    for (const error of [undefined, null, 'no', 7, new Error('no')]) {
      expect(wasRedirected({ error }, sent)).toBe(false);
    }
  });
});

describe(watchingEnv.name, () => {
  it('is the same function for the same fetch, since axios keeps what it makes of each', () => {
    const own = (async () => new Response()) as typeof fetch;
    const [one, two, other] = [{ fetch: own as never }, { fetch: own as never }, undefined].map((env) =>
      watchingEnv(configOf({ ...(env && { env }) })),
    );
    expect(one?.fetch).toBe(two?.fetch);
    expect(one?.fetch).not.toBe(other?.fetch);
    expect(other?.fetch).toBe(watchingEnv(configOf({})).fetch);
  });

  it('keeps the rest of the env, and sends by the fetch that stands there', async () => {
    const asked: unknown[] = [];
    const answer = new Response('here');
    const env = {
      fetch: (async (...about: unknown[]) => {
        asked.push(about);
        return answer;
      }) as never,
      Request: null as never,
    };
    const made = watchingEnv(configOf({ env }));
    expect(made).toEqual({ ...env, fetch: expect.any(Function) });
    const init = { method: 'GET' };
    expect(await (made.fetch as unknown as typeof fetch)('https://api.example.com/', init)).toBe(answer);
    expect(asked).toEqual([['https://api.example.com/', init]]);
  });

  it('notes a redirect of a request, and passes over that of a URL, by which nobody could ask', async () => {
    const redirected = Object.defineProperties(new Response(), {
      redirected: { value: true },
      url: { value: 'https://api.example.com/to' },
    });
    const { fetch: watching } = watchingEnv(configOf({ env: { fetch: (async () => redirected) as never } }));
    const request = new Request('https://api.example.com/from');
    await (watching as unknown as typeof fetch)(request);
    const sent = configOf({ url: request.url, adapter: 'fetch' });
    expect(wasRedirected(answered(request, sent), sent)).toBe(true);
    expect(urlOf(answered(request, sent), sent)).toBe('https://api.example.com/to');
    await expect((watching as unknown as typeof fetch)('https://api.example.com/from')).resolves.toBe(redirected);
  });
});

/** An answer that came of that request. */
function answered(request: unknown, config: InternalAxiosRequestConfig): Outcome {
  return { response: { status: 200, statusText: '', headers: {}, data: '', config, request } };
}
