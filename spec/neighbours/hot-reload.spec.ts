import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, noBrowser } from '../support/browser.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The module that an application attaches in. It is run anew each time that it is edited, and its instance lives on. */
const client = (edit: number): string => `
  import axios from 'axios';
  import { attach, reportOf } from '${root}lib/index.ts';

  const instance = (import.meta.hot.data.instance ??= axios.create({ baseURL: '/api' }));
  attach(instance, { retry: { maxRetries: ${edit}, backoff: () => 1 } }, { replace: true });

  window.edit = ${edit};
  window.sends = async () => {
    const ended = await instance.get('/busy').catch((error) => error);
    return reportOf(ended).sends.length;
  };
  import.meta.hot.accept();
`;

declare global {
  interface Window {
    edit: number;
    sends(): Promise<number>;
    isFirst?: boolean;
  }
}

describe.skipIf(noBrowser !== undefined)('Vite in a real browser', () => {
  // Within the repository, so that Vite finds its packages.
  const folder = mkdtempSync(join(root, 'spec', '.hot-'));
  let vite: ViteDevServer;
  let browser: Browser;
  /** What has arrived at the API. */
  let seen = 0;

  beforeAll(async () => {
    writeFileSync(join(folder, 'index.html'), '<!doctype html><script type="module" src="/client.js"></script>');
    writeFileSync(join(folder, 'client.js'), client(1));
    vite = await createServer({
      root: folder,
      configFile: false,
      logLevel: 'silent',
      cacheDir: join(folder, '.vite'),
      server: { host: '127.0.0.1', port: 0, fs: { allow: [root] }, watch: { usePolling: true, interval: 50 } },
      optimizeDeps: { include: ['axios', 'axios-retry', 'p-retry', 'structured-headers'] },
      plugins: [
        {
          name: 'an API that is always busy',
          configureServer: ({ middlewares }) => {
            middlewares.use('/api', (_request, response) => {
              seen += 1;
              response.statusCode = 503;
              response.end();
            });
          },
        },
      ],
    });
    await vite.listen();
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await vite?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('reloads the module that attaches: the new policy holds, and sends do not multiply', async () => {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', ({ message }) => void errors.push(message));
    await page.goto(vite.resolvedUrls?.local[0] ?? '');
    await page.waitForFunction(() => window.edit === 1);
    expect(await page.evaluate(() => window.sends())).toBe(2);
    await page.evaluate(() => {
      window.isFirst = true;
    });
    for (const edit of [2, 3]) {
      // Once more where it was written before Vite had begun to look.
      const write = () => {
        writeFileSync(join(folder, 'client.js'), `${client(edit)}// ${performance.now()}`);
        return page.evaluate(() => window.edit);
      };
      await expect.poll(write, { interval: 1_000 }).toBe(edit);
      seen = 0;
      expect(await page.evaluate(() => window.sends())).toBe(edit + 1);
      expect(seen).toBe(edit + 1);
    }
    // It was only the module that was replaced, and not the page that was loaded anew.
    expect(await page.evaluate(() => window.isFirst)).toBe(true);
    expect(errors).toEqual([]);
  });
});
