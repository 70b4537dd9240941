import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { launchBrowser, noBrowser } from '../support/browser.ts';
import { pageScript } from '../support/bundled.ts';
import { json, type Loopback, loopback } from '../support/loopback.ts';
import type { Opened } from './tab.ts';

/** What `tab.ts` exports; see there. */
declare const kit: typeof import('./tab.ts');

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A session at the server. Its refresh tokens can be used once: who uses one again ends it. */
class Session {
  readonly name: string;
  /** How often the token endpoint was asked. */
  refreshes = 0;
  isRevoked = false;
  /** The newest tokens, by their number. */
  newest = 0;
  isExpired = true;
  /** A token request ends when this has, and counts as use before or after it. */
  held: Promise<void> = Promise.resolve();
  usesAtOnce = false;
  /** Token requests whose client has gone. */
  abandoned = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** As the sign-in gives it. */
  get token() {
    return { value: `${this.name}-A${this.newest}`, refreshToken: `${this.name}-R${this.newest}` };
  }

  /** `undefined` for an `invalid_grant`. */
  use(refreshToken: unknown): Session['token'] | undefined {
    if (refreshToken !== this.token.refreshToken) this.isRevoked = true;
    if (this.isRevoked) return undefined;
    this.newest += 1;
    this.isExpired = false;
    return this.token;
  }

  accepts(authorization: string | undefined): boolean {
    return !this.isRevoked && !this.isExpired && authorization === `Bearer ${this.token.value}`;
  }

  /** Holds back the token requests until the function that it gives is called. */
  hold(): () => void {
    let letGo = () => {};
    this.held = new Promise((resolve) => {
      letGo = resolve;
    });
    return letGo;
  }
}

const bundle = (entry: string) => pageScript('kit', { stdin: { contents: entry, resolveDir: root } });

it('is no part of the main entry', async () => {
  const partsOf = async (entry: string) => (await bundle(`export * from '${entry}'`)).files;
  const isOfTabs = (path: string) => /stores\/web/.test(path);
  expect((await partsOf('./lib/index.ts')).filter(isOfTabs)).toEqual([]);
  expect((await partsOf('./lib/web.ts')).filter(isOfTabs)).not.toEqual([]);
});

describe.skipIf(noBrowser !== undefined)('the tabs of a real browser', () => {
  let server: Loopback;
  let browser: Browser;
  let context: BrowserContext;
  let script: string;
  let sessions = new Map<string, Session>();

  beforeAll(async () => {
    ({ script } = await bundle("export * from './spec/browser/tab.ts'"));
    server = await loopback(async ({ url, body, headers }, response) => {
      const [, what = '', name = ''] = url.split('/');
      if (what === '' || what === 'kit.js') {
        response.writeHead(200, { 'content-type': what === '' ? 'text/html' : 'text/javascript' });
        response.end(what === '' ? '<!doctype html><script src="/kit.js"></script>' : script);
        return;
      }
      const session = sessions.get(name);
      if (session === undefined) return json(response, 404);
      if (what === 'token') {
        session.refreshes += 1;
        response.once('close', () => {
          if (!response.writableEnded) session.abandoned += 1;
        });
        const use = () => session.use(JSON.parse(String(body)).used);
        const used = session.usesAtOnce ? { token: use() } : undefined;
        await session.held;
        // A careful server does not count as use what nobody waits for.
        if (response.destroyed) return;
        const { token } = used ?? { token: use() };
        return token === undefined ? json(response, 400, { error: 'invalid_grant' }) : json(response, 200, token);
      }
      const isGood = what === 'echo' || session.accepts(headers.authorization);
      json(response, isGood ? 200 : 401, { with: headers.authorization?.replace('Bearer ', '') ?? 'nothing' });
    });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });
  beforeEach(async () => {
    sessions = new Map();
    context = await browser.newContext();
  });
  afterEach(() => context.close());

  /** A sign-in at the server. */
  const session = (name: string): Session => {
    const made = new Session(name);
    sessions.set(name, made);
    return made;
  };
  const signIn = (page: Page, of: Session | undefined) => page.evaluate((token) => kit.signIn(token), of?.token);
  /** A tab that is signed in. */
  const tab = async (of: Session, keptIn: Opened['keptIn'] = 'tab', within = context): Promise<Page> => {
    const page = await within.newPage();
    await page.goto(server.url);
    await signIn(page, of);
    await page.evaluate((opened) => kit.open(opened), { session: of.name, keptIn });
    return page;
  };
  const call = (page: Page, of: Session, times = 1, what = 'data') =>
    page.evaluate(({ path, times }) => kit.call(path, times), { path: `/${what}/${of.name}`, times });
  /** That so many tabs wait for the lock. */
  const waitingForTheLock = (page: Page, tabs = 1) =>
    vi.waitFor(async () => {
      expect(await page.evaluate(async () => (await navigator.locks.query()).pending?.length)).toBe(tabs);
    });
  const everyOne = (value: string, times: number) => Array.from({ length: times }, () => value);

  it('refreshes once for all of them, again and again', async () => {
    const user = session('user');
    const tabs = [await tab(user), await tab(user), await tab(user)] as const;
    for (const value of ['user-A1', 'user-A2', 'user-A3']) {
      user.isExpired = true;
      const letGo = user.hold();
      const told = Promise.all(tabs.map((page) => call(page, user, 20)));
      // One refreshes, and the others wait for it.
      await waitingForTheLock(tabs[0], 2);
      letGo();
      expect(await told).toEqual(tabs.map(() => everyOne(value, 20)));
    }
    expect(user).toMatchObject({ refreshes: 3, isRevoked: false });
  });

  it('refreshes from the newest refresh token, whichever of them it is', async () => {
    const user = session('user');
    const [one, two] = [await tab(user), await tab(user)];
    for (const [first, then, value] of [
      [one, two, 'user-A1'],
      [two, one, 'user-A2'],
      [two, one, 'user-A3'],
      [one, two, 'user-A4'],
    ] as const) {
      user.isExpired = true;
      expect(await call(first, user)).toEqual([value]);
      expect(await call(then, user)).toEqual([value]);
    }
    expect(user).toMatchObject({ refreshes: 4, isRevoked: false });
  });

  it('has a new one ask the others, also where it starts with an old token', async () => {
    const user = session('user');
    const one = await tab(user);
    expect(await call(one, user)).toEqual(['user-A1']);
    const old = new Session('user');
    const two = await tab(old);
    expect(await call(two, user)).toEqual(['user-A1']);
    user.isExpired = true;
    expect(await call(two, user)).toEqual(['user-A2']);
    // It knows the whole line, and not only what it has seen itself.
    await one.close();
    expect(await call(await tab(old), user)).toEqual(['user-A2']);
    expect(user).toMatchObject({ refreshes: 2, isRevoked: false });
  });

  it('refreshes in another one, when one is closed during its refresh', async () => {
    const user = session('user');
    const [one, two] = [await tab(user), await tab(user)];
    const letGo = user.hold();
    void call(one, user).catch(() => {});
    await vi.waitFor(() => expect(user.refreshes).toBe(1));
    const told = call(two, user, 5);
    await waitingForTheLock(two);
    await one.close();
    await vi.waitFor(() => expect(user.abandoned).toBe(1));
    letGo();
    expect(await told).toEqual(everyOne('user-A1', 5));
    expect(user).toMatchObject({ refreshes: 2, isRevoked: false });
  });

  it('fails, and says why, when one was closed after it had used up the refresh token', async () => {
    const user = session('user');
    user.usesAtOnce = true;
    const [one, two] = [await tab(user), await tab(user)];
    const warnings: string[] = [];
    two.on('console', (message) => warnings.push(message.text()));
    for (const page of [one, two]) expect(await call(page, user)).toEqual(['user-A1']);
    user.isExpired = true;
    user.hold();
    void call(one, user).catch(() => {});
    await vi.waitFor(() => expect(user.refreshes).toBe(2));
    const told = call(two, user, 5);
    await waitingForTheLock(two);
    user.held = Promise.resolve();
    await one.close();
    for (const each of await told) expect(each).toMatch(/^refresh-failed/);
    expect(user).toMatchObject({ refreshes: 3, isRevoked: true });
    expect(warnings.filter((text) => text.includes('HOLDFAST_TABS'))).toEqual([
      expect.stringContaining('another tab was closed during its own'),
    ]);
  });

  it('does not bring back a session that one of them has ended while another refreshed', async () => {
    const user = session('user');
    const [one, two] = [await tab(user, 'localStorage'), await tab(user, 'localStorage')];
    await one.evaluate((token) => localStorage.setItem('token', JSON.stringify(token)), user.token);
    expect(await call(one, user)).toEqual(['user-A1']);
    expect(await two.evaluate(() => kit.signedIn())).toMatchObject({ value: 'user-A1', refreshToken: 'user-R1' });

    user.isExpired = true;
    const letGo = user.hold();
    const told = call(two, user);
    await vi.waitFor(() => expect(user.refreshes).toBe(2));
    await one.evaluate(() => localStorage.removeItem('token'));
    letGo();
    await told;
    expect(await one.evaluate(() => kit.stored())).toEqual([]);
    for (const page of [one, two, await tab(user, 'localStorage')]) {
      expect(await call(page, user, 1, 'echo')).toEqual(['nothing']);
      expect(await call(page, user)).toEqual([expect.stringMatching(/^unauthorized/)]);
    }
    expect(user.refreshes).toBe(2);
  });

  it('gives nobody the token of the user before, when one of them signs out and another in', async () => {
    const [before, after] = [session('before'), session('after')];
    const [one, two] = [await tab(before), await tab(before)];
    expect(await Promise.all([call(one, before), call(two, before)])).toEqual([['before-A1'], ['before-A1']]);

    await signIn(one, undefined);
    expect(await call(one, before, 1, 'echo')).toEqual(['nothing']);
    // The other still knows of no sign-out.
    expect(await call(two, before)).toEqual(['before-A1']);

    await one.evaluate((opened) => kit.open(opened), { session: 'after', keptIn: 'tab' } as const);
    await signIn(one, after);
    const three = await tab(after);
    expect(await Promise.all([call(one, after), call(three, after)])).toEqual([['after-A1'], ['after-A1']]);
    before.isExpired = true;
    expect(await call(two, before)).toEqual(['before-A2']);
    after.isExpired = true;
    expect(await Promise.all([call(one, after), call(three, after)])).toEqual([['after-A2'], ['after-A2']]);
    expect([before, after]).toMatchObject([
      { refreshes: 2, isRevoked: false },
      { refreshes: 2, isRevoked: false },
    ]);
  });

  it('has one that slept take what the others got meanwhile', async () => {
    const user = session('user');
    const [one, two] = [await tab(user), await tab(user)];
    expect(await Promise.all([call(one, user), call(two, user)])).toEqual([['user-A1'], ['user-A1']]);
    const devTools = await context.newCDPSession(two);
    await devTools.send('Page.setWebLifecycleState', { state: 'frozen' });
    for (const value of ['user-A2', 'user-A3']) {
      user.isExpired = true;
      expect(await call(one, user)).toEqual([value]);
    }
    await devTools.send('Page.setWebLifecycleState', { state: 'active' });
    expect(await call(two, user)).toEqual(['user-A3']);
    user.isExpired = true;
    expect(await call(two, user)).toEqual(['user-A4']);
    expect(user).toMatchObject({ refreshes: 4, isRevoked: false });
  });

  it('stores nothing', async () => {
    const user = session('user');
    const page = await tab(user);
    expect(await call(page, user)).toEqual(['user-A1']);
    expect(await page.evaluate(() => kit.stored())).toEqual([]);
  });

  it('shares nothing with another profile', async () => {
    const elsewhere = await browser.newContext();
    try {
      const user = session('user');
      const [one, two] = [await tab(user), await tab(user, 'tab', elsewhere)];
      expect(await call(one, user)).toEqual(['user-A1']);
      // Nobody there has told it, so it uses the refresh token again.
      expect(await call(two, user)).toEqual([expect.stringMatching(/^refresh-failed/)]);
      expect(user.refreshes).toBe(2);
    } finally {
      await elsewhere.close();
    }
  });

  it('refreshes by itself in a page that is no secure context, and warns of it once', async () => {
    const user = session('user');
    const page = await context.newPage();
    const warnings: string[] = [];
    page.on('console', (message) => warnings.push(message.text()));
    // Nobody is asked for this name: what the page gets comes from the server all the same.
    await context.route('http://insecure.example/**', async (route) => {
      const { pathname } = new URL(route.request().url());
      await route.fulfill({ response: await route.fetch({ url: server.url + pathname }) });
    });
    await page.goto('http://insecure.example/');
    expect(await page.evaluate(() => isSecureContext)).toBe(false);
    await signIn(page, user);
    for (let attached = 0; attached < 2; attached++) {
      await page.evaluate((opened) => kit.open(opened), { session: 'user', keptIn: 'tab' } as const);
    }
    expect(await call(page, user, 10)).toEqual(everyOne('user-A1', 10));
    expect(warnings.filter((text) => text.includes('HOLDFAST_TABS'))).toHaveLength(1);
  });
});
