import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, noBrowser } from '../support/browser.ts';
import { pageScript } from '../support/bundled.ts';
import { type Answer, json, type Loopback, loopback, type Seen } from '../support/loopback.ts';

/** What `page.ts` exports. What is handed to `page.evaluate` runs in the browser, and sees this and its argument only. */
declare const kit: typeof import('./page.ts');

const bodyOf409 = { error: { code: 'conflict', message: 'm', target: 't' } };

/** Answers with a status, the last one for ever. */
const inTurn =
  (statuses: readonly number[], headers = {}): Answer =>
  (_request, response, n) =>
    json(response, statuses[Math.min(n, statuses.length - 1)] ?? 200, { n }, headers);

/** By the first part of the path; the second is the adapter, so that each test has a path, and a count, of its own. */
const answers: { readonly [name: string]: Answer } = {
  busy: inTurn([503, 503, 200]),
  throttled: inTurn([429, 200], { 'Retry-After': '0' }),
  gateway: inTurn([502]),
  away: inTurn([503], { 'Retry-After': '30' }),
  silent: () => {},
  conflict: (_request, response) => json(response, 409, bodyOf409),
  // Chromium sends again by itself on a connection that was idle; so it is the send that counts here, not the request.
  dropped: ({ headers }, response) =>
    headers['x-send'] === '1' ? void response.socket?.destroy() : json(response, 200),
  broken: (_request, response, n) => {
    if (n > 0) return json(response, 200);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
    response.write('{"n":', () => response.socket?.destroy());
  },
  guarded: ({ headers }, response) => json(response, headers.authorization === 'Bearer new' ? 200 : 401),
  token: (_request, response) => void setTimeout(() => json(response, 200, { access_token: 'new' }), 50),
  redirect: ({ url }, response) => {
    response.writeHead(303, { location: `/throttled-after${url}` });
    response.end();
  },
  requery: ({ method, url }, response) => {
    if (method !== 'POST') return json(response, 429, {}, { 'Retry-After': '0' });
    response.writeHead(303, { location: `${url}?page=1` });
    response.end();
  },
  'throttled-after': inTurn([429], { 'Retry-After': '0' }),
  echo: ({ headers }, response) => json(response, 200, { authorization: headers.authorization }),
};

describe.skipIf(noBrowser !== undefined)('in a real browser', () => {
  let server: Loopback;
  let elsewhere: Loopback;
  let browser: Browser;
  let page: Page;
  let bundled: readonly string[];

  const seen = (path: string, method?: string): readonly Seen[] =>
    server.seen.filter((each) => each.url === path && (method === undefined || each.method === method));

  beforeAll(async () => {
    const { script, files } = await pageScript('kit', { entryPoints: ['spec/browser/page.ts'] });
    bundled = files;
    server = await loopback((request, response) => {
      const [, name = ''] = request.url.split(/[/?]/);
      if (name === '' || name === 'kit.js') {
        response.writeHead(200, { 'content-type': name === '' ? 'text/html' : 'text/javascript' });
        response.end(name === '' ? '<!doctype html><script src="/kit.js"></script>' : script);
        return;
      }
      const earlier = seen(request.url, request.method).length - 1;
      return (answers[name] ?? inTurn([404]))(request, response, earlier);
    });
    elsewhere = await loopback(({ url }, response) => {
      const headers = { 'Access-Control-Allow-Origin': '*', 'Retry-After': '100' };
      if (url === '/echo') json(response, 200, {}, headers);
      else json(response, 429, {}, { ...headers, 'Access-Control-Expose-Headers': url.slice(1) });
    });
    browser = await launchBrowser();
    page = await browser.newPage();
    await page.goto(server.url);
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all([server?.close(), elsewhere?.close()]);
  });

  it('needs nothing but what package.json declares', () => {
    const packages = bundled.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
    expect([...new Set(packages.filter((name) => name !== undefined))].sort()).toEqual([
      'axios',
      'is-network-error',
      'p-retry',
      'structured-headers',
    ]);
  });

  describe.each(['xhr', 'fetch'])('over %s', (adapter) => {
    it('retries a short outage', async () => {
      const path = `/busy/${adapter}`;
      const told = await page.evaluate(({ adapter, path }) => kit.told(kit.client(adapter).get(path)), {
        adapter,
        path,
      });
      expect(told.data).toEqual({ n: 2 });
      expect(told.report?.sends.map(({ status }) => status)).toEqual([503, 503, 200]);
      expect(told.report?.url).toBe(`${server.url}${path}`);
      expect(seen(path)).toHaveLength(3);
    });

    it('retries what was throttled when the server says, a POST too', async () => {
      const path = `/throttled/${adapter}`;
      const told = await page.evaluate(({ adapter, path }) => kit.told(kit.client(adapter).post(path, { a: 1 })), {
        adapter,
        path,
      });
      expect(told.report?.sends.map(({ status, delayMs }) => [status, delayMs])).toEqual([
        [429, 0],
        [200, undefined],
      ]);
      expect(seen(path).map(({ body }) => String(body))).toEqual(['{"a":1}', '{"a":1}']);
    });

    it('does not take a query for a redirect', async () => {
      const told = await page.evaluate(
        ({ adapter, path }) => {
          const params = { q: 'a b|ü&c', tags: ['x', 'y'], at: new Date(0), none: undefined, deep: { er: "it's" } };
          return kit.told(kit.client(adapter).post(`${path}?fixed=%7e{1}#part`, { a: 1 }, { params }));
        },
        { adapter, path: `/throttled/${adapter}/query` },
      );
      expect(told.report?.sends.map(({ status }) => status)).toEqual([429, 200]);
    });

    it('sends a POST once that a gateway gave up on', async () => {
      const path = `/gateway/${adapter}`;
      const told = await page.evaluate(({ adapter, path }) => kit.told(kit.client(adapter).post(path, { a: 1 })), {
        adapter,
        path,
      });
      expect(told.failure).toMatchObject({ kind: 'unavailable', status: 502, endedBecause: 'unsafe-method', sends: 1 });
      expect(seen(path)).toHaveLength(1);
    });

    it('ends a wait at once when the call is aborted', async () => {
      const path = `/away/${adapter}`;
      const told = await page.evaluate(
        ({ adapter, path }) => {
          const aborter = new AbortController();
          const on = { 'retry-scheduled': () => void setTimeout(() => aborter.abort(), 20) };
          return kit.told(kit.client(adapter, { on }).get(path, { signal: aborter.signal }));
        },
        { adapter, path },
      );
      expect(told.cancelled).toBe(true);
      expect(told.failure).toMatchObject({ kind: 'cancelled', endedBecause: 'cancelled', sends: 1 });
      expect(seen(path)).toHaveLength(1);
    });

    it('retries a send that timed out, and says so in the end', async () => {
      const path = `/silent/${adapter}`;
      const told = await page.evaluate(
        ({ adapter, path }) =>
          kit.told(kit.client(adapter, { retry: { maxRetries: 1 } }).get(path, { timeout: 1_000 })),
        { adapter, path },
      );
      expect(told.failure).toMatchObject({ kind: 'timeout', endedBecause: 'retries-exhausted', sends: 2 });
      expect(seen(path)).toHaveLength(2);
    });

    it('ends a call at its deadline', async () => {
      const path = `/silent/${adapter}/deadline`;
      const told = await page.evaluate(
        ({ adapter, path }) => kit.told(kit.client(adapter, { deadlineMs: 1_000 }).get(path)),
        { adapter, path },
      );
      expect(told.failure).toMatchObject({ kind: 'timeout', endedBecause: 'deadline', sends: 1 });
      expect(seen(path)).toHaveLength(1);
    });

    it.each(['blob', 'arraybuffer', 'text'] as const)(
      'reads the body of an error as %s, and leaves it',
      async (responseType) => {
        const path = `/conflict/${adapter}`;
        const [told, text] = await page.evaluate(
          async ({ adapter, path, responseType }) => {
            const call = kit.client(adapter).get(path, { responseType });
            const response = await kit.answerOf(call);
            const data = response?.data;
            const text = await new Response(data as Blob).text();
            return [await kit.told(call), text] as const;
          },
          { adapter, path, responseType },
        );
        expect(told.failure).toMatchObject({ kind: 'rejected', status: 409, apiCode: 'conflict' });
        expect(JSON.parse(text)).toEqual(bodyOf409);
      },
    );

    it('retries a GET whose connection was dropped, and not a POST', async () => {
      const path = `/dropped/${adapter}`;
      const [get, post] = await page.evaluate(
        async ({ adapter, path }) => {
          const client = kit.client(adapter, {
            beforeSend: ({ config, send }) => void config.headers.set('X-Send', String(send)),
          });
          return [await kit.told(client.get(path)), await kit.told(client.post(path, { a: 1 }))] as const;
        },
        { adapter, path },
      );
      expect(get.report?.sends.map(({ status, code }) => status ?? code)).toEqual(['ERR_NETWORK', 200]);
      expect(post.failure).toMatchObject({ kind: 'network', endedBecause: 'unsafe-method', sends: 1 });
      expect(seen(path, 'POST').filter(({ headers }) => headers['x-send'] !== '1')).toHaveLength(0);
    });

    it('retries a GET whose answer broke off', async () => {
      const path = `/broken/${adapter}`;
      const told = await page.evaluate(({ adapter, path }) => kit.told(kit.client(adapter).get(path)), {
        adapter,
        path,
      });
      expect(told.report).toMatchObject({
        endedBecause: 'success',
        sends: [{ verdict: 'transient' }, { status: 200 }],
      });
      expect(seen(path)).toHaveLength(2);
    });

    it.each(['', '/api'])('refreshes once for 20 calls and replays each, with the baseURL %j', async (base) => {
      const path = `/guarded/${adapter}/${base.length}`;
      const token = `/token/${adapter}/${base.length}`;
      const reports = await page.evaluate(
        ({ adapter, path, token, baseURL }) => {
          const client = kit.client(
            adapter,
            {
              auth: {
                token: () => 'old',
                refresh: async ({ http }) => (await http.post(token, {}, { baseURL: '' })).data.access_token,
              },
            },
            { baseURL },
          );
          // Relative to a path, so that it stays the same URL.
          const url = baseURL === '' ? path : `..${path}`;
          return Promise.all(Array.from({ length: 20 }, () => kit.told(client.get(url))));
        },
        { adapter, path, token, baseURL: base },
      );
      expect(reports.filter(({ failure }) => failure !== undefined)).toEqual([]);
      expect(Math.max(...reports.map(({ report }) => report?.sends.length ?? 0))).toBe(2);
      expect(seen(token)).toHaveLength(1);
      expect(seen(token)[0]?.headers.authorization).toBeUndefined();
      const bearers = seen(path).map(({ headers }) => headers.authorization);
      expect(bearers.filter((each) => each === 'Bearer new')).toHaveLength(20);
    });

    it('ends a refresh that waits for itself after refreshTimeoutMs', async () => {
      const path = `/guarded/${adapter}/itself`;
      const told = await page.evaluate(
        ({ adapter, path }) => {
          const client = kit.client(adapter, {
            auth: {
              token: () => 'old',
              refresh: async () => (await client.post('/token/itself')).data.access_token,
              refreshTimeoutMs: 200,
            },
          });
          return kit.told(client.get(path));
        },
        { adapter, path },
      );
      expect(told.failure).toMatchObject({ kind: 'refresh-failed', endedBecause: 'refresh-failed', sends: 1 });
      expect(seen('/token/itself')).toHaveLength(0);
    });

    it('shows the token to its own origin only', async () => {
      const before = elsewhere.seen.length;
      const told = await page.evaluate(
        async ({ adapter, other }) => {
          const client = kit.client(adapter, { auth: { token: () => 't0k3n', refresh: async () => 'x' } });
          return [await kit.told(client.get('/echo')), await kit.told(client.get(other))] as const;
        },
        { adapter, other: `${elsewhere.url}/echo` },
      );
      expect(told[0].data).toEqual({ authorization: 'Bearer t0k3n' });
      // A header of its own would have made the browser ask first, by OPTIONS.
      expect(elsewhere.seen.slice(before).map(({ method, headers }) => [method, headers.authorization])).toEqual([
        ['GET', undefined],
      ]);
    });

    it.each([
      ['Retry-After', 'wait-too-long'],
      ['Date', 'retries-exhausted'],
    ])('of another origin reads what the server exposes: %s', async (exposed, endedBecause) => {
      const told = await page.evaluate(
        ({ adapter, url }) => kit.told(kit.client(adapter, { retry: { maxRetries: 1 } }).get(url)),
        { adapter, url: `${elsewhere.url}/${exposed}` },
      );
      expect(told.failure).toMatchObject({ kind: 'throttled', endedBecause });
    });

    it('sends a POST once that was redirected to where it is throttled', async () => {
      const path = `/redirect/${adapter}`;
      const told = await page.evaluate(({ adapter, path }) => kit.told(kit.client(adapter).post(path, { a: 1 })), {
        adapter,
        path,
      });
      expect(told.failure).toMatchObject({ kind: 'throttled', status: 429, endedBecause: 'unsafe-method', sends: 1 });
      expect(seen(path, 'POST')).toHaveLength(1);
    });

    it('sends a POST once that was redirected to the same path with a query', async () => {
      const path = `/requery/${adapter}`;
      await page.evaluate(
        ({ adapter, path }) => kit.told(kit.client(adapter, { retry: { maxRetries: 1 } }).post(path, { a: 1 })),
        { adapter, path },
      );
      expect(seen(path, 'POST')).toHaveLength(1);
    });
  });
});
