import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { launchBrowser, noBrowser } from '../support/browser.ts';
import { noRedis } from '../support/redis-server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tsx = `${root}node_modules/.bin/tsx`;
/** What it prints on stdout; fails where it fails. */
const printed = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)(tsx, ['examples/start.ts', ...args], { cwd: root })).stdout;

describe('the examples', () => {
  it('quick-start: waits, sends again, and says why an order failed', async () => {
    const [throttled, lost, done, summary] = (await printed('quick-start')).split('\n');
    expect(throttled).toBe('429: throttled, then 1000 ms of waiting');
    expect(lost).toMatch(/^ECONNRESET: transient, then \d+ ms of waiting$/);
    expect(done).toBe('200: success');
    expect(summary).toContain('the server says 800060');
  });

  it('orders: each is placed once', async () => {
    expect(await printed('orders')).toMatch(/without a key: unsafe-method\n3 orders placed, 1 repeats known again\n$/);
  });

  it('nightly-export: everything, and next to nothing is refused', async () => {
    const [, refused] = /400 pages in [\d.]+ s, (\d+) requests refused\n$/.exec(await printed('nightly-export')) ?? [];
    // Without a limit 300 and more are. A busy machine delivers some late.
    expect(Number(refused)).toBeLessThan(150);
  });

  it.skipIf(noRedis !== undefined)('fleet: four processes', async () => {
    expect(await printed('fleet')).toMatch(/^4 workers made [2-9]\d\d requests in [\d.]+ s, \d+ of them refused\n$/);
  });

  it('language-model: nothing is refused', async () => {
    expect(await printed('language-model')).toMatch(
      /^12 answers, \d+ tokens; [1-9]\d* calls waited for theirs\n0 requests were refused\n$/,
    );
  });

  it('second-region: the east is left alone once its circuit is open', async () => {
    const lines = (await printed('second-region')).trim().split('\n');
    expect(lines.slice(0, 6)).toEqual([
      ...[1, 2, 3, 4].map((n) => `call ${n}: 503, then 200`),
      ...[5, 6].map((n) => `call ${n}: 200`),
    ]);
    expect(lines.at(-1)).toBe('the east saw 4 requests, the west 6');
  });

  it.skipIf(noBrowser !== undefined)('browser: two tabs, one refresh', async () => {
    const server = spawn(tsx, ['examples/start.ts', 'browser'], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void server.kill());
    const [line] = await once(server.stdout, 'data');
    const url = /http:\S+/.exec(String(line))?.[0] ?? '';
    const browser: Browser = await launchBrowser();
    onTestFinished(() => browser.close());
    const context = await browser.newContext();
    const logs: string[] = [];
    const refreshes: string[] = [];
    context.on('request', (request) => void (request.url().endsWith('/oauth/token') && refreshes.push(request.url())));
    for (let n = 0; n < 2; n += 1) {
      const page = await context.newPage();
      await page.goto(url);
      await page.click('#calls');
      await page.waitForFunction(() => document.querySelector('#log')?.textContent?.includes('of 20'));
      logs.push((await page.textContent('#log')) ?? '');
    }
    expect(logs.every((log) => log.includes('20 of 20 calls were answered'))).toBe(true);
    expect(refreshes).toHaveLength(1);
  });

  it('are listed where there is none of that name', async () => {
    const failed = await printed('nothing').catch((error: { stdout: string; stderr: string }) => error);
    expect(failed).toMatchObject({ stderr: 'There is no example nothing.\n' });
    expect(failed).toMatchObject({ stdout: expect.stringContaining('npm start -- second-region') });
  });
});
