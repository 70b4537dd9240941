import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { FAMILY_NAMES } from '../../docs/playground/scenario.ts';
import { FAMILIES } from '../../examples/stand-in/families.ts';
import { launchBrowser, noBrowser } from '../support/browser.ts';

const site = fileURLToPath(new URL('../../docs/.vitepress/dist', import.meta.url));
const noSite = whyNot();

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.md': 'text/markdown',
  '.txt': 'text/plain',
};
const SCREENS = { phone: { width: 390, height: 844 }, desk: { width: 1_440, height: 900 } };
const PAGES = [
  '/',
  '/docs/playground.html',
  '/docs/retrying.html',
  '/docs/limits.html',
  '/docs/options.html',
  '/docs/reference/axios-holdfast/interfaces/Policy.html',
];

describe.skipIf((noSite ?? noBrowser) !== undefined)('the site', () => {
  let server: Server;
  let url: string;
  let browser: Browser;
  beforeAll(async () => {
    server = createServer(async ({ url: path = '/' }, response) => {
      const file = normalize(new URL(path, 'http://site').pathname);
      const body = await readFile(join(site, file.endsWith('/') ? `${file}index.html` : file)).catch(() => undefined);
      response.writeHead(body === undefined ? 404 : 200, { 'content-type': TYPES[extname(file)] ?? 'text/html' });
      response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
  });

  describe.each(Object.entries(SCREENS))('on a %s', (screen, viewport) => {
    it.each(PAGES.flatMap((page) => (['light', 'dark'] as const).map((scheme) => [page, scheme] as const)))(
      'shows %s in %s without sideways scrolling, a fault, or a request to anybody else',
      async (page, colorScheme) => {
        const context = await browser.newContext({ viewport, colorScheme });
        try {
          const tab = await context.newPage();
          const faults: string[] = [];
          tab.on('request', (request) => {
            if (!request.url().startsWith(url) && !request.url().startsWith('data:')) faults.push(request.url());
          });
          tab.on('response', (response) => {
            if (response.status() >= 400) faults.push(`${response.status()} ${response.url()}`);
          });
          tab.on('pageerror', (error) => faults.push(String(error)));
          await tab.goto(url + page);
          if (page.includes('playground')) await tab.waitForSelector('tr[data-client="axios alone"]');
          expect(await tab.textContent('h1')).toMatch(/\w/);
          const { width, isDark } = await tab.evaluate(() => ({
            width: document.documentElement.scrollWidth,
            isDark: document.documentElement.classList.contains('dark'),
          }));
          expect(faults).toEqual([]);
          expect(width).toBeLessThanOrEqual(viewport.width);
          expect(isDark).toBe(colorScheme === 'dark');
          const folder = process.env.SCREENSHOTS;
          if (folder !== undefined) {
            await tab.screenshot({ path: join(folder, `${screen}-${colorScheme}-${page.replaceAll('/', '_')}.png`) });
          }
        } finally {
          await context.close();
        }
      },
    );
  });

  describe('the playground', () => {
    const opened = async (hash = '') => {
      const context = await browser.newContext({ viewport: SCREENS.desk });
      onTestFinished(() => context.close());
      await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: url });
      const tab = await context.newPage();
      await tab.goto(`${url}/docs/playground.html${hash}`);
      await tab.waitForSelector('tr[data-client="axios alone"]');
      return tab;
    };
    /** A row of the table: answered, failed, 429s, sends a call, of the quota, took. */
    const rowOf = async (tab: Page, client: string) =>
      (await tab.locator(`tr[data-client="${client}"] td`).allInnerTexts()).map((text) => Number.parseFloat(text));

    it('shows why a limit beats retrying, with the real libraries', async () => {
      const tab = await opened();
      const [answered, failed, throttled] = await rowOf(tab, 'axios-holdfast');
      expect([answered, failed, throttled]).toEqual([300, 0, 0]);
      expect((await rowOf(tab, 'axios-retry'))[2]).toBeGreaterThan(50);
      expect((await rowOf(tab, 'axios alone'))[1]).toBeGreaterThan(200);
      expect(await tab.locator('rect.bar.ok').count()).toBe(60);
    });

    it('gives the same for the same seed, also from a link', async () => {
      const tab = await opened();
      await tab.click('text=An outage of eight seconds');
      await tab.waitForFunction(() => document.querySelector('tr[data-client="axios alone"] td')?.textContent !== '50');
      const rows = await tab.locator('tbody').innerText();
      const again = await opened(new URL(tab.url()).hash);
      expect(await again.locator('tbody').innerText()).toBe(rows);
    });

    it("answers a wrong policy with the library's own words", async () => {
      const tab = await opened();
      await tab.fill('textarea', '{ "retry": { "maxRetry": 3 } }');
      await tab.waitForSelector('[role=alert]');
      expect(await tab.textContent('[role=alert]')).toContain(
        'retry.maxRetry is not an option; here it is retry.maxRetries',
      );
    });

    const families = [...FAMILY_NAMES];
    it.each(families)('plays %s, and offers its preset with it', async (family) => {
      const tab = await opened();
      await tab.selectOption('label:has-text("Plays") select', family);
      await tab.waitForSelector('th:has-text("refused")');
      const [answered = 0, failed, refused = 0] = await rowOf(tab, 'axios-holdfast');
      const [theirs = 0, , refusedOfThem = 0] = await rowOf(tab, 'axios-retry');
      expect(refused).toBeLessThanOrEqual(refusedOfThem);
      expect(answered).toBeGreaterThanOrEqual(theirs);
      // Its requests of a day are used up: no preset helps against that, and this one says so.
      if (family === 'salesforce') expect(await tab.textContent('.why')).toContain('throttled for good');
      else expect(failed).toBe(0);
      await tab.click('text=Copy the policy');
      const copied = () => tab.evaluate(() => navigator.clipboard.readText());
      expect(await copied()).toBe(`attach(client, ${family}());`);
      await tab.fill('textarea', '{ "deadlineMs": 600000 }');
      await tab.locator('.actions button').first().click();
      expect(await copied()).toBe(`attach(client, mergePolicies(${family}(), { "deadlineMs": 600000 }));`);
    });

    it('plays every family that there is a stand-in for', () => {
      expect(families).toEqual([...Object.keys(FAMILIES), 'partnerApi'].sort());
    });

    it('shares a family by its link, with its preset or without', async () => {
      const tab = await opened();
      await tab.selectOption('label:has-text("Plays") select', 'github');
      await tab.waitForSelector('th:has-text("refused")');
      await tab.uncheck('label:has-text("the preset") input');
      await tab.waitForFunction(
        () => document.querySelector('tr[data-client="axios-holdfast"] td')?.textContent !== '300',
      );
      const rows = await tab.locator('tbody').innerText();
      expect((await rowOf(tab, 'axios-holdfast'))[1]).toBeGreaterThan(200);
      const again = await opened(new URL(tab.url()).hash);
      expect(await again.locator('tbody').innerText()).toBe(rows);
      expect(await again.isChecked('label:has-text("the preset") input')).toBe(false);
    });

    it('writes what the form says into the policy, which can be copied', async () => {
      const tab = await opened();
      await tab.selectOption('label:has-text("Limit") select', 'learn');
      await tab.fill('label:has-text("Retries") input', '5');
      await tab.press('label:has-text("Retries") input', 'Tab');
      await tab.click('text=Copy the policy');
      const text = await tab.evaluate(() => navigator.clipboard.readText());
      expect(JSON.parse(text.slice('attach(client, '.length, -2))).toEqual({
        limit: { adaptive: true },
        retry: { maxRetries: 5 },
      });
    });
  });

  it('can be used with the keyboard alone: the search, a result, and past the menu to the text', async () => {
    const tab = await browser.newPage({ viewport: SCREENS.desk });
    try {
      await tab.goto(`${url}/`, { waitUntil: 'networkidle' });
      await tab.keyboard.press('Tab');
      expect(await tab.evaluate(() => document.activeElement?.textContent?.trim())).toBe('Skip to content');
      await tab.keyboard.press('/');
      await tab.keyboard.type('idempotency key');
      await tab.waitForSelector('.VPLocalSearchBox .result');
      await tab.keyboard.press('Enter');
      await tab.waitForURL(/\.html/);
      expect(await tab.textContent('h1')).toMatch(/\w/);
    } finally {
      await tab.close();
    }
  });
});

function whyNot(): string | undefined {
  if (existsSync(join(site, 'index.html'))) return undefined;
  const reason = 'the site is not built: npm run docs';
  if (process.env.CI) throw new Error(`${reason}, and in CI it has to be`);
  console.warn(`skipped: ${reason}`);
  return reason;
}
