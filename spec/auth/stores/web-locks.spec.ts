import type { StoredToken, Token } from 'axios-holdfast';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type Page, WebLocksTokenStore } from '../../../lib/auth/stores/web-locks.ts';
import { rejectionOf } from '../../support/attached.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';
import { type Tab, Tabs } from '../../support/tabs.ts';

const old: Token = { value: 'old', refreshToken: 'r0' };
const gives = (value: string, more: Partial<Token> = {}) =>
  vi.fn(async (_newest?: StoredToken): Promise<Token> => ({ value, ...more }));
const never = vi.fn(async (): Promise<Token> => {
  throw new Error('nobody should have refreshed');
});
/** A refresh that ends when the test says so. */
function held() {
  const { promise, resolve, reject } = withResolvers();
  return { refresh: vi.fn(() => promise), give: resolve, fail: reject };
}
function withResolvers() {
  let resolve: (token: Token) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<Token>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return { promise, resolve, reject };
}

describe(WebLocksTokenStore, () => {
  let clock: ManualClock;
  let tabs: Tabs;
  beforeEach(() => {
    clock = new ManualClock();
    tabs = new Tabs(clock);
  });
  /** Refreshes there from a token. */
  const from = ({ store }: Pick<Tab, 'store'>, token: Token, refresh: (newest?: StoredToken) => Promise<Token>) =>
    clock.run(store.refresh('', 0, refresh, { token }));

  it('gives what a refresh gives, with all its fields, under the next generation', async () => {
    const { store } = tabs.open();
    const stored = await clock.run(store.refresh('', 0, gives('one', { refreshToken: 'r1' })));
    expect(stored).toEqual({ value: 'one', refreshToken: 'r1', generation: 1 });
    expect(await clock.run(store.refresh('', 1, gives('two')))).toEqual({ value: 'two', generation: 2 });
  });

  it('goes by generations where it is not told which token is to be replaced', async () => {
    const [one, two] = [tabs.open(), tabs.open()];
    await clock.run(one.store.refresh('', 0, gives('one')));
    expect(await clock.run(two.store.refresh('', 0, never))).toEqual({ value: 'one', generation: 1 });
    expect(await clock.run(two.store.refresh('', 1, gives('two')))).toEqual({ value: 'two', generation: 2 });
    expect(await clock.run(one.store.refresh('', 1, never))).toEqual({ value: 'two', generation: 2 });
  });

  it('makes one refresh for all tabs that ask at a time', async () => {
    const { refresh, give } = held();
    const all = [tabs.open(), tabs.open(), tabs.open()].map(({ store }) =>
      store.refresh('', 0, refresh, { token: old }),
    );
    await clock.advance(200);
    give({ value: 'new' });
    expect((await Promise.all(all)).map(({ value }) => value)).toEqual(['new', 'new', 'new']);
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it('does not keep one key waiting for another', async () => {
    const [one, two] = [tabs.open(), tabs.open()];
    const { refresh, give } = held();
    const slow = one.store.refresh('a', 0, refresh);
    await clock.advance(200);
    expect(await clock.run(two.store.refresh('b', 0, gives('b')))).toMatchObject({ value: 'b' });
    give({ value: 'a' });
    expect(await slow).toMatchObject({ value: 'a' });
  });

  it('asks for 200 ms when it is new, and not again while nobody else has spoken', async () => {
    const one = tabs.open();
    const refresh = gives('one');
    const first = one.store.refresh('', 0, refresh, { token: old });
    await clock.advance(199);
    expect(refresh).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(await first).toMatchObject({ value: 'one' });
    clock.asked.length = 0;
    expect(await from(one, { value: 'one' }, gives('two'))).toMatchObject({ value: 'two' });
    expect(clock.asked).toEqual([]);
  });

  it('goes on as soon as somebody answers', async () => {
    const [one, two] = [tabs.open(), tabs.open()];
    await from(one, old, gives('one'));
    const begun = clock.now();
    expect(await from(two, old, never)).toMatchObject({ value: 'one' });
    expect(await from(two, { value: 'one' }, gives('two'))).toMatchObject({ value: 'two' });
    expect(clock.now()).toBe(begun);
  });

  it('takes what it has heard without a lock, so also while another tab refreshes for the next', async () => {
    const [one, two] = [tabs.open(), tabs.open()];
    await from(one, old, gives('one'));
    await from(two, old, never);
    await from(one, { value: 'one' }, gives('two'));
    const { refresh, give } = held();
    const next = one.store.refresh('', 0, refresh, { token: { value: 'two' } });
    await settle();
    expect(await two.store.refresh('', 0, never, { token: { value: 'one' } })).toMatchObject({ value: 'two' });
    give({ value: 'three' });
    await next;
  });

  it('tells a refresh the newest token, where that has expired, or has a refresh token that this tab does not know', async () => {
    const [one, two, three] = [tabs.open(), tabs.open(), tabs.open()];
    await from(one, old, gives('one', { refreshToken: 'r1', expiresAt: clock.wall() + 1_000 }));
    await clock.advance(1_000);
    const expired = gives('two', { refreshToken: 'r2' });
    await from(two, old, expired);
    expect(expired).toHaveBeenCalledWith(expect.objectContaining({ value: 'one', refreshToken: 'r1' }));
    const bare = gives('three');
    await from(three, { value: 'two' }, bare);
    expect(bare).toHaveBeenCalledWith(expect.objectContaining({ value: 'two', refreshToken: 'r2' }));
  });

  it('takes the same value again where it lasts longer', async () => {
    const [one, two] = [tabs.open(), tabs.open()];
    const now = clock.wall();
    await from(one, { value: 'same', expiresAt: now + 10 }, gives('same', { expiresAt: now + 10_000 }));
    expect(await from(two, { value: 'same', expiresAt: now + 10 }, never)).toMatchObject({ expiresAt: now + 10_000 });
  });

  it('gives no token of another session under the same key, and hands out none', async () => {
    const [one, two, three] = [tabs.open(), tabs.open(), tabs.open()];
    await from(one, { value: 'user 1' }, gives('user 1, new'));
    expect(await from(two, { value: 'user 2' }, gives('user 2, new'))).toMatchObject({ value: 'user 2, new' });
    expect(tabs.said.filter(({ kind }) => kind === 'answer')).toEqual([]);
    expect(await from(one, { value: 'user 1' }, never)).toMatchObject({ value: 'user 1, new' });
    expect(await from(three, { value: 'user 2' }, never)).toMatchObject({ value: 'user 2, new' });
    // Another signs in here, whose token others have refreshed less often than this tab has that of the former.
    expect(await from(one, { value: 'user 2' }, never)).toMatchObject({ value: 'user 2, new' });
  });

  it('has all tabs forget a session that has ended, and shares no refresh of it that was under way', async () => {
    const [one, two, three] = [tabs.open(), tabs.open(), tabs.open()];
    await from(one, old, gives('one'));
    await from(two, old, never);
    const { refresh, give } = held();
    const underWay = two.store.refresh('', 0, refresh, { token: { value: 'one' } });
    await settle();
    one.store.forget('');
    one.store.forget('');
    await settle();
    expect(tabs.said.filter(({ kind }) => kind === 'forget')).toHaveLength(1);
    give({ value: 'two' });
    expect(await underWay).toMatchObject({ value: 'two' });
    expect(tabs.said.filter(({ kind }) => kind === 'refreshed')).toHaveLength(1);
    expect(await from(three, old, gives('by itself'))).toMatchObject({ value: 'by itself' });
  });

  it('forgets nothing of another session', async () => {
    const [one, two, three] = [tabs.open(), tabs.open(), tabs.open()];
    await from(one, { value: 'user 1' }, gives('user 1, new'));
    await from(two, { value: 'user 2' }, gives('user 2, new'));
    two.store.forget('');
    expect(await from(three, { value: 'user 1' }, never)).toMatchObject({ value: 'user 1, new' });
  });

  it('asks again when it has slept', async () => {
    const [one, two] = [tabs.open(), tabs.open()];
    await rejectionOf(from(one, old, never));
    one.sleep();
    await from(two, old, gives('new'));
    one.wake();
    expect(await from(one, old, never)).toMatchObject({ value: 'new' });
  });

  it('lets the next tab refresh when one is closed during its refresh, and warns if that fails', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const [one, two, three] = [tabs.open(), tabs.open(), tabs.open()];
    await from(one, old, gives('one'));
    for (const tab of [two, three]) await from(tab, old, never);
    await from(one, { value: 'one' }, gives('two'));
    const token: Token = { value: 'two' };
    void one.store.refresh('', 0, held().refresh, { token });
    await clock.advance(200);
    const refusal = new Error('invalid_grant');
    const second = rejectionOf(two.store.refresh('', 0, () => Promise.reject(refusal), { token }));
    const third = rejectionOf(three.store.refresh('', 0, () => Promise.reject(refusal), { token }));
    await settle();
    one.close();
    expect(await clock.run(second)).toBe(refusal);
    expect(warned).toHaveBeenCalledTimes(1);
    expect(warned).toHaveBeenCalledWith(expect.stringMatching(/another tab was closed/), {
      type: 'HoldfastWarning',
      code: 'HOLDFAST_TABS',
    });
    // That one was not closed: its refresh failed, and it said so. And then there is nobody to wait for.
    expect(await clock.run(third)).toBe(refusal);
    expect(await rejectionOf(from(tabs.open(), token, () => Promise.reject(refusal)))).toBe(refusal);
    expect(warned).toHaveBeenCalledTimes(1);
  });

  it('waits for what the tab before has got, where that takes longer than the lock: the token before may be used up', async () => {
    const [one, two] = [tabs.open(), tabs.open()];
    const { refresh, give } = held();
    const first = one.store.refresh('', 0, refresh, { token: old });
    await clock.advance(200);
    const again = vi.fn(gives('used up'));
    const second = two.store.refresh('', 0, again, { token: old });
    await settle();
    tabs.delayMs = 700;
    give({ value: 'new' });
    expect(await clock.run(first)).toMatchObject({ value: 'new' });
    expect(await clock.run(second)).toMatchObject({ value: 'new' });
    expect(again).not.toHaveBeenCalled();
  });

  it('rejects as the refresh does, is not lost by that, and the next one may try at once', async () => {
    const [one, two] = [tabs.open(), tabs.open()];
    const lost = vi.fn();
    const { refresh, fail } = held();
    const first = rejectionOf(one.store.refresh('', 0, refresh, { token: old, lost }));
    await clock.advance(200);
    const second = two.store.refresh('', 0, gives('two'), { token: old, lost });
    const refusal = new Error('invalid_grant');
    fail(refusal);
    expect(await first).toBe(refusal);
    expect(await clock.run(second)).toMatchObject({ value: 'two' });
    expect(lost).not.toHaveBeenCalled();
  });

  it('waits no longer than somebody waits for it', async () => {
    const [one, two] = [tabs.open(), tabs.open()];
    void one.store.refresh('', 0, held().refresh, { token: old });
    await clock.advance(200);
    const aborter = new AbortController();
    const lost = vi.fn();
    const waiting = rejectionOf(two.store.refresh('', 0, never, { token: old, signal: aborter.signal, lost }));
    await settle();
    aborter.abort(new Error('too long'));
    expect(await waiting).toEqual(new Error('too long'));
    expect(lost).not.toHaveBeenCalled();
  });

  it.each<[string, Partial<Page>]>([
    [
      'locks',
      {
        locks: { request: () => Promise.reject(new DOMException('denied', 'SecurityError')) } as unknown as LockManager,
      },
    ],
    [
      'messages',
      {
        open: () => {
          throw new DOMException('denied', 'SecurityError');
        },
      },
    ],
  ])('refreshes on its own where the page may have no %s, and tells', async (_what, broken) => {
    const working: Page = {
      clock,
      locks: { request: async () => never() } as unknown as LockManager,
      open: () => () => {},
      onWake: () => {},
    };
    const store = new WebLocksTokenStore('app', { ...working, ...broken });
    const lost = vi.fn();
    expect(await store.refresh('', 3, gives('one'), { token: old, lost })).toEqual({ value: 'one', generation: 3 });
    expect(lost).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ name: 'SecurityError' }));
  });

  /** A page that lends its lock to whoever asks, and notes by which names, and what is said there. */
  function alone(locked: string[], opened: string[], said: unknown[]): Page {
    return {
      clock,
      locks: {
        request: async (name: string, _options: LockOptions, run: (lock: Lock) => unknown) => {
          locked.push(name);
          return run({ name, mode: 'exclusive' });
        },
      } as unknown as LockManager,
      open: (name) => {
        opened.push(name);
        return (message) => said.push(JSON.parse(message));
      },
      onWake: () => {},
    };
  }

  it('meets tabs of other versions under the same names, and no other store', async () => {
    const [locked, opened]: [string[], string[]] = [[], []];
    for (const name of ['app', 'other']) {
      const store = new WebLocksTokenStore(name, alone(locked, opened, []));
      await clock.run(store.refresh('a', 0, gives('one')));
      await clock.run(store.refresh('b', 0, gives('one')));
    }
    expect(opened).toEqual(['axios-holdfast:app', 'axios-holdfast:other']);
    expect(locked).toEqual([
      'axios-holdfast:["app","a"]',
      'axios-holdfast:["app","b"]',
      'axios-holdfast:["other","a"]',
      'axios-holdfast:["other","b"]',
    ]);
  });

  it.each([
    ['a', 7_929_297_801_672_961],
    ['b', 8_684_336_938_537_663],
    ['revenge', 4_051_478_007_546_757],
    ['revenue', 8_309_097_637_345_594],
  ])(
    'speaks of a token by the mark that tabs of other versions know: %s by its cyrb53, as published',
    async (value, mark) => {
      const said: unknown[] = [];
      const store = new WebLocksTokenStore('app', alone([], [], said));
      await clock.run(store.refresh('', 0, gives('new'), { token: { value } }));
      expect(said).toEqual([
        { kind: 'ask', key: '', mark },
        { kind: 'refreshed', key: '', marks: [mark, expect.any(Number)], token: expect.anything() },
      ]);
    },
  );

  it('knows a tab again that is up to 1,000 tokens behind', async () => {
    const [one, two, three] = [tabs.open(), tabs.open(), tabs.open()];
    let token = old;
    for (let n = 1; n <= 1_000; n++) token = await from(one, token, gives(`token ${n}`));
    expect(await from(two, { value: 'token 1' }, never)).toMatchObject({ value: 'token 1000' });
    expect(await from(three, old, gives('by itself'))).toMatchObject({ value: 'by itself' });
  });

  it.each([
    'no JSON',
    '1',
    'null',
    '{}',
    '{"kind":"what a later version says","key":""}',
    '{"kind":"refreshed","key":"","marks":[]}',
    '{"kind":"refreshed","key":"","token":{"value":"x","generation":9}}',
    '{"kind":"refreshed","key":"","marks":[],"token":{"value":"a\\nb","generation":9}}',
  ])('does not mind what it does not understand: %s', async (message) => {
    let hear: (message: unknown) => void = () => {};
    const page: Page = {
      clock,
      locks: {
        request: async (_name: string, _options: LockOptions, run: (lock: Lock) => unknown) =>
          run({ name: '', mode: 'exclusive' }),
      } as unknown as LockManager,
      open: (_name, ear) => {
        hear = ear;
        return () => {};
      },
      onWake: () => {},
    };
    const tab = { store: new WebLocksTokenStore('app', page) };
    await from(tab, old, gives('one'));
    expect(() => hear(message)).not.toThrow();
    expect(await from(tab, old, never)).toMatchObject({ value: 'one' });
  });
});
