import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, noBrowser } from '../support/browser.ts';
import { pageScript } from '../support/bundled.ts';
import { json, type Loopback, loopback } from '../support/loopback.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What the pages export. */
declare const strict: typeof import('./strict-mode.page.ts');
declare const mocked: typeof import('./mocked.page.ts');

async function bundle(name: string, globalName: string): Promise<string> {
  const entryPoints = [`spec/neighbours/${name}.page.ts`];
  // React runs effects twice in development only.
  const { script } = await pageScript(globalName, { entryPoints, define: { 'process.env.NODE_ENV': '"development"' } });
  return script;
}

describe.skipIf(noBrowser !== undefined)('in a real browser', () => {
  let server: Loopback;
  let browser: Browser;

  beforeAll(async () => {
    const files = new Map([
      ['/strict.js', await bundle('strict-mode', 'strict')],
      ['/mocked.js', await bundle('mocked', 'mocked')],
      ['/mockServiceWorker.js', readFileSync(`${root}node_modules/msw/lib/mockServiceWorker.js`, 'utf8')],
    ]);
    let orders = 0;
    server = await loopback(({ url }, response) => {
      const script = files.get(url);
      if (script !== undefined) return void response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
      if (url === '/api/orders') {
        orders += 1;
        return json(response, orders % 3 === 0 ? 200 : 503, { n: orders });
      }
      const [, name = ''] = url.split('/');
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(`<!doctype html><div id="root"></div><script src="/${name}.js"></script>`);
    });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  async function open(name: string): Promise<{ page: Page; errors: string[] }> {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', ({ message }) => void errors.push(message));
    await page.goto(`${server.url}/${name}`);
    return { page, errors };
  }

  it("React's StrictMode attaches twice and is left with one attachment, whose call ends well", async () => {
    const { page, errors } = await open('strict');
    await expect.poll(() => page.textContent('#orders')).toMatch(/^done /);
    expect(await page.evaluate(() => strict.done)).toEqual({ attached: 2, closed: 1 });
    expect(await page.evaluate(() => strict.stats()?.calls)).toBe(1);
    await page.evaluate(() => strict.unmount());
    expect(await page.evaluate(() => strict.pending())).toBe(0);
    expect(errors).toEqual([]);
    await page.close();
  });

  it.each(['xhr', 'fetch'] as const)('msw answers each send of a page, by %s', async (adapter) => {
    const { page, errors } = await open('mocked');
    const { data, sends } = await page.evaluate((name) => mocked.call(name), adapter);
    expect(data).toEqual({ seen: 4, url: '/mocked/orders' });
    expect(sends).toEqual([503, 429, 'ERR_NETWORK', 200]);
    expect(server.seen.filter(({ url }) => url.startsWith('/mocked/'))).toEqual([]);
    expect(errors).toEqual([]);
    await page.close();
  });
});
