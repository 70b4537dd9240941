import { describe, expect, it, vi } from 'vitest';
import { COOL_DOWN_MS, Credential } from '../../lib/auth/credential.ts';
import type { StoredToken, TokenStore } from '../../lib/auth/options.ts';
import type { Unauthorized } from '../../lib/auth/refresh.ts';
import { memoryTokenStore } from '../../lib/auth/stores/memory.ts';
import { TokenRefreshError } from '../../lib/failure/errors.ts';
import { credential, NOTHING, quiet } from '../support/credentials.ts';
import { gate } from '../support/guarded.ts';
import { settle } from '../support/manual-clock.ts';
import { unhandledDuring } from '../support/unhandled.ts';

const failed = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable(),
    (error) => error,
  );
const invalidGrant = () => Object.assign(new Error('invalid_grant'), { status: 400 });

describe(`${Credential.name}: which token is current`, () => {
  it('asks before every send', async () => {
    const { subject, session } = credential();
    for (const token of ['a', 'b', { value: 'c' }]) {
      session.token = token;
      expect(await subject.currentToken()).toEqual(typeof token === 'string' ? { value: token } : token);
    }
  });

  it('gives none and never refreshes where there is none', async () => {
    const { subject, session, events } = credential();
    session.token = undefined;
    expect(await subject.currentToken()).toBeUndefined();
    expect(await subject.tokenIfFresh()).toBeUndefined();
    expect(await subject.replace('a', NOTHING)).toBeUndefined();
    session.token = null as never;
    expect(await subject.currentToken()).toBeUndefined();
    expect(events).toEqual([]);
  });

  it('says who gave what is no token', async () => {
    const none = { value: '' };
    const [own, refreshed, stored] = [
      credential({ token: () => none }),
      credential({ refresh: async () => none }),
      credential({}, { store: { refresh: async () => ({ ...none, generation: 1 }) } }),
    ];
    await expect(own.subject.currentToken()).rejects.toThrow('auth.token must give a non-empty string');
    for (const [{ subject }, giver] of [
      [refreshed, 'auth.refresh'],
      [stored, 'the token store'],
    ] as const) {
      await expect(subject.replace('a', NOTHING)).rejects.toMatchObject({
        cause: { message: expect.stringMatching(`^${giver} must give a non-empty string`) },
      });
    }
  });

  it('is not refreshed for a 401 for 3 s after a replay with it was refused', async () => {
    const { subject, clock } = credential({ refresh: async () => 'a2' });
    await subject.replace('a', NOTHING);
    subject.refused('another');
    expect(subject.isRefusedAnew('a2')).toBe(false);
    subject.refused('a2');
    expect([subject.isRefusedAnew('a2'), subject.isRefusedAnew('a')]).toEqual([true, false]);
    await clock.advance(2_999);
    expect(subject.isRefusedAnew('a2')).toBe(true);
    await clock.advance(1);
    expect(subject.isRefusedAnew('a2')).toBe(false);
  });

  it('knows what the error of the last failed refresh may quote', async () => {
    const { subject } = credential({ refresh: async () => Promise.reject(new Error('no')) });
    expect(subject.secrets()).toEqual([]);
    await expect(subject.replace('a', NOTHING)).rejects.toThrow();
    expect(new Set(subject.secrets())).toEqual(new Set(['a']));
  });

  it('asks about its own key', async () => {
    const { subject } = credential({ token: ({ key }) => `token of ${key}` });
    expect(await subject.currentToken()).toEqual({ value: 'token of key' });
  });

  it('puts a refreshed token in the place of the very value it was refreshed from', async () => {
    const { subject, session, flights } = credential();
    const replaced = subject.replace('a', NOTHING);
    await settle();
    flights[0]?.open('a2');
    expect(await replaced).toMatchObject({ value: 'a2' });
    expect(await subject.currentToken()).toMatchObject({ value: 'a2' });
    session.token = 'b';
    expect(await subject.currentToken()).toEqual({ value: 'b' });
  });

  it('forgets it after a logout, even if the same value comes back', async () => {
    const { subject, session, flights } = credential();
    const replaced = subject.replace('a', NOTHING);
    await settle();
    flights[0]?.open('a2');
    await replaced;
    session.token = undefined;
    expect(await subject.currentToken()).toBeUndefined();
    session.token = 'a';
    expect(await subject.currentToken()).toEqual({ value: 'a' });
  });

  it.each([undefined, 'b'])('does not keep what comes of a refresh when token() gives %s by then', async (now) => {
    const { subject, session, flights } = credential();
    const replaced = subject.replace('a', NOTHING);
    await settle();
    session.token = now;
    flights[0]?.open('a2');
    expect((await replaced)?.value).toBe(now);
    session.token = 'a';
    expect(await subject.currentToken()).toEqual({ value: 'a' });
  });

  it('needs no refresh for a 401 about an older token', async () => {
    const { subject, session, events } = credential();
    session.token = 'b';
    expect(await subject.replace('a', NOTHING)).toEqual({ value: 'b' });
    expect(events).toEqual([]);
  });

  it('believes a refresh that gives the same value again, once', async () => {
    const { subject, flights } = credential();
    const replaced = subject.replace('a', NOTHING);
    await settle();
    flights[0]?.open('a');
    expect(await replaced).toMatchObject({ value: 'a' });
    expect(flights).toHaveLength(1);
  });

  it('keeps a refreshed token where token() fails just then', async () => {
    let asked = 0;
    const { subject, flights } = credential({
      token: () => {
        asked += 1;
        if (asked === 2) throw new Error('storage is busy');
        return 'a';
      },
      // Or it would not be asked.
      save: () => {},
    });
    const replaced = subject.replace('a', NOTHING);
    await settle();
    flights[0]?.open('a2');
    expect(await replaced).toMatchObject({ value: 'a2' });
  });

  it('has one flight per token, also where the user changes to and fro', async () => {
    const { subject, session, flights } = credential();
    const first = subject.replace('a', NOTHING);
    await settle();
    session.token = 'b';
    const second = subject.replace('b', NOTHING);
    await settle();
    session.token = 'a';
    const third = subject.replace('a', NOTHING);
    await settle();
    expect(flights.map(({ context }) => context.token.value)).toEqual(['a', 'b']);
    flights[1]?.open('b2');
    flights[0]?.open('a2');
    expect((await Promise.all([first, third])).map((token) => token?.value)).toEqual(['a2', 'a2']);
    expect((await second)?.value).toMatch(/^a/);
  });

  it('does not let what comes late for one user take the place of what another has', async () => {
    const { subject, session, flights } = credential();
    const first = subject.replace('a', NOTHING);
    await settle();
    session.token = 'b';
    const second = subject.replace('b', NOTHING);
    await settle();
    flights[1]?.open('b2');
    expect(await second).toMatchObject({ value: 'b2' });
    flights[0]?.open('a2');
    expect(await first).toMatchObject({ value: 'b2' });
    expect(await subject.currentToken()).toMatchObject({ value: 'b2' });
  });

  it.each(['a\r\nX: y', 'a\n', 'ä', 'a\u0000', '', '\u007f'])('refuses %j, and does not show it', async (value) => {
    const { subject, session } = credential();
    session.token = value;
    const error = await failed(subject.currentToken());
    expect(error).toBeInstanceOf(TypeError);
    if (value !== '') expect(error.message).not.toContain(value);
  });

  it('refuses what a store gives if no header may hold it', async () => {
    const store = { read: async () => undefined, refresh: async () => ({ value: 'a\r\nX: y', generation: 1 }) };
    const { subject } = credential({}, { store });
    expect(await failed(subject.replace('a', NOTHING))).toBeInstanceOf(TokenRefreshError);
  });
});

describe(`${Credential.name}: one flight`, () => {
  it('does for all, and for those who come meanwhile', async () => {
    const { subject, flights, events } = credential();
    const replaced = Array.from({ length: 50 }, () => subject.replace('a', NOTHING));
    await settle();
    const late = [subject.currentToken(), subject.currentToken()];
    expect(await subject.tokenIfFresh()).toBe('stale');
    await settle();
    flights[0]?.open('a2');
    for (const token of await Promise.all([...replaced, ...late])) expect(token?.value).toBe('a2');
    expect(events).toEqual(['refreshing unauthorized', 'refreshed']);
  });

  it('tells the refresh whose token it replaces, and what the answer said', async () => {
    const http = (() => {}) as never;
    const { subject, flights } = credential({}, { http });
    const answer = {
      challenges: [{ scheme: 'bearer', params: { error: 'invalid_token' } }],
      api: { code: 'expired' },
    } as never as Unauthorized;
    const replaced = subject.replace('a', answer);
    await settle();
    const told = { key: 'key', token: { value: 'a' }, reason: 'unauthorized', http, signal: expect.any(AbortSignal) };
    expect(flights[0]?.context).toEqual({ ...told, ...answer });
    flights[0]?.open('a2');
    await replaced;
  });

  it('is said to have taken as long as it took, whether it went well or ill, and wherever the clock was set', async () => {
    const refreshed = vi.fn();
    const refreshFailed = vi.fn();
    for (const end of ['open', 'shut'] as const) {
      const { subject, flights, clock } = credential({}, { refreshed, refreshFailed });
      const replaced = subject.replace('a', NOTHING).catch(() => {});
      await settle();
      clock.jump(250);
      clock.adjust(-60_000);
      if (end === 'open') flights[0]?.open('a2');
      else flights[0]?.shut(invalidGrant());
      await replaced;
    }
    expect(refreshed.mock.calls).toEqual([['key', 250]]);
    expect(refreshFailed.mock.calls).toEqual([['key', invalidGrant(), 250]]);
  });

  it.each([
    ['succeeded', 'a2'],
    ['failed', undefined],
  ])('waits a second at most for token() when it has %s', async (_name, fresh) => {
    let asked = 0;
    const { subject, flights, clock } = credential({
      token: () => {
        asked += 1;
        return asked === 2 ? new Promise<never>(() => {}) : 'a';
      },
      refreshTimeoutMs: 1_000,
      save: () => {},
    });
    let over: unknown;
    const end = (result: unknown) => {
      over = result;
    };
    subject.replace('a', NOTHING).then(end, end);
    await settle();
    if (fresh === undefined) flights[0]?.shut(invalidGrant());
    else flights[0]?.open(fresh);
    await clock.advance(999);
    expect(over).toBeUndefined();
    await clock.advance(1);
    expect(over).toMatchObject(fresh === undefined ? { cause: invalidGrant() } : { value: fresh });
    expect(clock.pending).toBe(0);
  });

  it('is over even where the store throws at once', async () => {
    let broken = true;
    const store = {
      read: async () => undefined,
      refresh: (_key: string, generation: number, refresh: () => Promise<{ value: string }>) => {
        if (broken) throw new Error('broken');
        return refresh().then((token) => ({ ...token, generation: generation + 1 }));
      },
    };
    const { subject, flights, clock } = credential({}, { store });
    expect(await failed(subject.replace('a', NOTHING))).toBeInstanceOf(TokenRefreshError);
    broken = false;
    await clock.advance(COOL_DOWN_MS);
    const replaced = subject.replace('a', NOTHING);
    await settle();
    flights[0]?.open('a2');
    expect(await replaced).toMatchObject({ value: 'a2' });
  });

  it.each(['a refresh', 'a store'])(
    'is bounded by refreshTimeoutMs as a whole, with %s that never ends',
    async (which) => {
      const store = { read: async () => undefined, refresh: () => new Promise<never>(() => {}) };
      const { subject, flights, clock } = credential({ refreshTimeoutMs: 5_000 }, which === 'a store' ? { store } : {});
      const replaced = failed(subject.replace('a', NOTHING));
      await settle();
      await clock.advance(4_999);
      expect(flights[0]?.context.signal.aborted ?? false).toBe(false);
      await clock.advance(1);
      const error = await replaced;
      expect(error).toBeInstanceOf(TokenRefreshError);
      expect(error.cause).toMatchObject({ name: 'TimeoutError' });
      if (which === 'a refresh') expect(flights[0]?.context.signal.aborted).toBe(true);
      expect(clock.pending).toBe(0);
    },
  );
});

describe(`${Credential.name}: the store`, () => {
  it('is told of a logout, once, and of no other user', async () => {
    const forget = vi.fn();
    const { subject, session } = credential({}, { store: { ...memoryTokenStore(), forget } });
    session.token = undefined;
    await subject.currentToken();
    session.token = 'a';
    await subject.currentToken();
    session.token = 'b';
    await subject.currentToken();
    expect(forget).not.toHaveBeenCalled();
    session.token = undefined;
    await subject.currentToken();
    await subject.tokenIfFresh();
    expect(forget).toHaveBeenCalledExactlyOnceWith('key');
  });

  it('is told which refresh the process knows of', async () => {
    const known: unknown[] = [];
    const store: TokenStore = {
      read: async () => undefined,
      refresh: async (key, generation) => {
        known.push([key, generation]);
        return { value: `a${known.length}`, generation: 7 };
      },
    };
    const { subject } = credential({}, { store });
    await subject.replace('a', NOTHING);
    await subject.replace('a1', NOTHING);
    expect(known).toEqual([
      ['key', 0],
      ['key', 7],
    ]);
  });

  it.each([
    ['that is told of', vi.fn()],
    ['that nobody asks about', undefined],
  ])('is no loss %s: the process refreshes on its own', async (_name, storeLost) => {
    const gone = new Error('ECONNREFUSED');
    const store: TokenStore = {
      read: async () => undefined,
      refresh: async (_key, generation, refresh, context) => {
        context?.lost?.(gone);
        return { ...(await refresh()), generation: generation + 1 };
      },
    };
    const { subject } = credential({ refresh: async () => 'a2' }, { store, ...(storeLost && { storeLost }) });
    expect(await subject.replace('a', NOTHING)).toMatchObject({ value: 'a2' });
    if (storeLost) expect(storeLost.mock.calls).toEqual([['key', gone]]);
  });

  const holding = (newest: StoredToken): TokenStore => ({
    read: async () => newest,
    refresh: async (_key, _generation, refresh) => ({ ...(await refresh(newest)), generation: newest.generation + 1 }),
  });

  it.each(['a', 'b'])(
    'has the newest token, with what it is refreshed with: that is the one to replace (%s)',
    async (value) => {
      const newest = { value, refreshToken: 'r5', generation: 5 };
      const { subject, flights } = credential({}, { store: holding(newest) });
      const replaced = subject.replace('a', NOTHING);
      await settle();
      expect(flights[0]?.context.token).toEqual(newest);
      flights[0]?.open('a2');
      expect(await replaced).toMatchObject({ value: 'a2', generation: 6 });
    },
  );

  it.each([
    ["has the caller's own token anyway", 'a', 400],
    ['has another, whose refresh may do another time', 'b', 503],
  ])("is not left for the caller's own token where it %s", async (_name, value, status) => {
    const from: string[] = [];
    const { subject } = credential(
      {
        retry: { retries: 0 },
        refresh: async ({ token }) => {
          from.push(token.value);
          throw Object.assign(new Error('no'), { status });
        },
      },
      { store: holding({ value, generation: 5 }) },
    );
    expect(await failed(subject.replace('a', NOTHING))).toMatchObject({ cause: { status } });
    expect(from).toEqual([value]);
  });
});

describe(`${Credential.name}: failure`, () => {
  it('rejects everybody with one cause, and refuses for a while without asking again', async () => {
    const { subject, flights, clock, events } = credential();
    const cause = invalidGrant();
    const unhandled = await unhandledDuring(async () => {
      const waiting = [failed(subject.replace('a', NOTHING)), failed(subject.currentToken())];
      await settle();
      flights[0]?.shut(cause);
      for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: 'ERR_TOKEN_REFRESH', cause });
    });
    expect(unhandled).toEqual([]);
    await clock.advance(COOL_DOWN_MS - 1);
    expect(await failed(subject.currentToken())).toMatchObject({ cause });
    expect(await failed(subject.replace('a', NOTHING))).toMatchObject({ cause });
    expect(await subject.tokenIfFresh()).toBe('stale');
    expect(events).toEqual(['refreshing unauthorized', 'refresh-failed']);
    await clock.advance(1);
    expect(await subject.currentToken()).toEqual({ value: 'a' });
    const again = subject.replace('a', NOTHING);
    await settle();
    flights[1]?.open('a2');
    expect(await again).toMatchObject({ value: 'a2' });
  });

  it('ends the cool-down at once when token() gives another', async () => {
    const { subject, flights, session } = credential();
    const replaced = failed(subject.replace('a', NOTHING));
    await settle();
    flights[0]?.shut(invalidGrant());
    await replaced;
    session.token = 'b';
    expect(await subject.currentToken()).toEqual({ value: 'b' });
  });

  it('cools down the token that failed, and no other', async () => {
    const { subject, flights, session } = credential();
    const first = failed(subject.replace('a', NOTHING));
    await settle();
    flights[0]?.shut(invalidGrant());
    await first;
    session.token = 'b';
    expect(await subject.tokenIfFresh()).toEqual({ value: 'b' });
    const second = subject.replace('b', NOTHING);
    await settle();
    flights[1]?.open('b2');
    expect(await second).toMatchObject({ value: 'b2' });
    session.token = 'a';
    expect(await failed(subject.currentToken())).toBeInstanceOf(TokenRefreshError);
  });

  it('does not put a token that comes too late in the place of one that another refresh gave', async () => {
    const { subject, flights, clock } = credential({ refreshTimeoutMs: 1_000 });
    const first = failed(subject.replace('a', NOTHING));
    await clock.advance(1_000);
    await first;
    await clock.advance(COOL_DOWN_MS);
    const second = subject.replace('a', NOTHING);
    await settle();
    flights[1]?.open('a2');
    await second;
    flights[0]?.open('late');
    await settle();
    expect(await subject.currentToken()).toMatchObject({ value: 'a2' });
  });

  it('does not concern those who have another token by then', async () => {
    const { subject, flights, session } = credential();
    const waiting = [subject.replace('a', NOTHING), subject.currentToken()];
    await settle();
    session.token = 'b';
    flights[0]?.shut(invalidGrant());
    expect(await Promise.all(waiting)).toEqual([{ value: 'b' }, { value: 'b' }]);
  });

  it('rejects those who waited also where the failed refresh has logged out', async () => {
    const { subject, flights, session } = credential();
    const replaced = failed(subject.replace('a', NOTHING));
    await settle();
    session.token = undefined;
    flights[0]?.shut(invalidGrant());
    expect(await replaced).toBeInstanceOf(TokenRefreshError);
    expect(await subject.currentToken()).toBeUndefined();
  });

  it('says nothing of the cause but a code that can be no secret', async () => {
    for (const code of ['a', 'eyJhbGciOi.s3cret', 'access-7c9f0d1e']) {
      const { subject, flights } = credential({ retry: { retries: 0 } });
      const replaced = failed(subject.replace('a', NOTHING));
      await settle();
      flights[0]?.shut(Object.assign(new Error(`token ${code}`), { code }));
      expect((await replaced).message).toBe('the token could not be refreshed');
    }
    const { subject, flights } = credential({ retry: { retries: 0 } });
    const replaced = failed(subject.replace('a', NOTHING));
    await settle();
    flights[0]?.shut(Object.assign(new Error('x'), { code: 'ERR_BAD_REQUEST' }));
    expect((await replaced).message).toBe('the token could not be refreshed (ERR_BAD_REQUEST)');
  });
});

describe(`${Credential.name}: ahead of time`, () => {
  const HOUR = 3_600_000;
  const setting = (lifeMs: number) => {
    const made = credential();
    made.session.token = { value: 'a', expiresAt: made.clock.now() + lifeMs };
    return made;
  };

  it('refreshes in the background, and delays nobody', async () => {
    const { subject, flights, clock, events } = setting(HOUR);
    await subject.currentToken();
    await clock.advance(HOUR - 120_001);
    await subject.currentToken();
    expect(events).toEqual([]);
    await clock.advance(1);
    expect(await subject.currentToken()).toMatchObject({ value: 'a' });
    expect(await subject.currentToken()).toMatchObject({ value: 'a' });
    expect(await subject.tokenIfFresh()).toMatchObject({ value: 'a' });
    expect(events).toEqual(['refreshing expiring']);
    flights[0]?.open('a2');
    await settle();
    expect(await subject.currentToken()).toMatchObject({ value: 'a2' });
  });

  it('waits once the token has expired, also for a refresh that began in the background', async () => {
    const { subject, flights, clock, events } = setting(HOUR);
    await clock.advance(HOUR - 1);
    await subject.currentToken();
    await clock.advance(1);
    expect(await subject.tokenIfFresh()).toBe('stale');
    let token: unknown;
    const waiting = subject.currentToken().then((given) => {
      token = given;
    });
    await settle();
    expect(token).toBeUndefined();
    flights[0]?.open('a2');
    await waiting;
    expect(token).toMatchObject({ value: 'a2' });
    expect(events).toEqual(['refreshing expiring', 'refreshed']);
  });

  it('refuses nobody when it fails, while the token is good', async () => {
    const { subject, flights, clock, events } = setting(60_000);
    const unhandled = await unhandledDuring(async () => {
      await subject.currentToken();
      await settle();
      flights[0]?.shut(invalidGrant());
    });
    expect(unhandled).toEqual([]);
    expect(await subject.currentToken()).toMatchObject({ value: 'a' });
    expect(events).toEqual(['refreshing expiring', 'refresh-failed']);
    await clock.advance(COOL_DOWN_MS);
    expect(await subject.currentToken()).toMatchObject({ value: 'a' });
    await settle();
    flights[1]?.shut(invalidGrant());
    await settle();
    expect(events).toHaveLength(4);
    await clock.advance(60_000);
    const waiting = failed(subject.currentToken());
    await settle();
    flights[2]?.shut(invalidGrant());
    expect(await waiting).toBeInstanceOf(TokenRefreshError);
  });

  it('asks for no other where the server refuses the token after such a failure', async () => {
    const { subject, flights, events } = setting(60_000);
    const cause = invalidGrant();
    await subject.currentToken();
    await settle();
    flights[0]?.shut(cause);
    await settle();
    expect(await subject.tokenIfFresh()).toMatchObject({ value: 'a' });
    expect(await failed(subject.replace('a', NOTHING))).toMatchObject({ cause });
    expect(events).toEqual(['refreshing expiring', 'refresh-failed']);
  });

  it('has no answer to tell the refresh of', async () => {
    const { subject, flights } = setting(60_000);
    await subject.currentToken();
    await settle();
    expect(flights[0]?.context).toMatchObject({ reason: 'expiring', challenges: [], api: undefined });
    expect(flights[0]?.context).toHaveProperty('api');
  });

  it('waits for two refreshes at most, where token() gives one that has expired each time', async () => {
    let asked = 0;
    const { subject, flights, clock } = credential({
      token: () => {
        asked += 1;
        return { value: `a${asked}`, expiresAt: clock.now() };
      },
    });
    const waiting = subject.currentToken();
    for (const n of [0, 1]) {
      await settle();
      flights[n]?.open('fresh');
    }
    await settle();
    expect(flights).toHaveLength(2);
    expect(await waiting).toMatchObject({ value: `a${asked}` });
  });

  it.each(['stands in', 'is the own copy of token()'])(
    'leaves a short life half its time, where the new token %s',
    async (how) => {
      const { subject, session, flights, clock, events } = setting(0);
      const waiting = subject.currentToken();
      await settle();
      const fresh = { value: 'a2', expiresAt: clock.now() + 60_000 };
      if (how !== 'stands in') session.token = fresh;
      flights[0]?.open(fresh);
      expect(await waiting).toMatchObject({ value: 'a2' });
      for (let call = 0; call < 5; call++) await subject.currentToken();
      await clock.advance(29_999);
      await subject.currentToken();
      expect(events).toHaveLength(2);
      await clock.advance(1);
      await subject.currentToken();
      expect(events).toHaveLength(3);
    },
  );

  it.each(['stands in', 'is the own copy of token()'])(
    'takes a token that has expired on arrival for good, where it %s',
    async (how) => {
      for (const age of [0, 1]) {
        const { subject, session, flights, clock, events } = setting(0);
        const waiting = subject.currentToken();
        await settle();
        const fresh = { value: 'a2', expiresAt: clock.now() - age };
        if (how !== 'stands in') session.token = fresh;
        flights[0]?.open(fresh);
        expect(await waiting).toMatchObject({ value: 'a2' });
        for (let call = 0; call < 5; call++) expect(await subject.currentToken()).toMatchObject({ value: 'a2' });
        expect(events).toEqual(['refreshing expiring', 'refreshed']);
      }
    },
  );
});

describe(`${Credential.name}: asking for the token`, () => {
  it('is done once for a send, once before a refresh, and once for the replay', async () => {
    const token = vi.fn(() => 'a');
    const { subject, flights } = credential({ token });
    await subject.currentToken();
    expect(token).toHaveBeenCalledTimes(1);
    const replaced = subject.replace('a', NOTHING);
    await settle();
    flights[0]?.open('a2');
    expect(await replaced).toMatchObject({ value: 'a2' });
    expect(token).toHaveBeenCalledTimes(3);
  });

  it('is done once for the replay of those who wait for the refresh of others, or come when it is over', async () => {
    const token = vi.fn(() => 'a');
    const { subject, flights } = credential({ token });
    const [first, second] = [subject.replace('a', NOTHING), subject.replace('a', NOTHING)];
    await settle();
    flights[0]?.open('a2');
    await first;
    token.mockClear();
    expect(await second).toMatchObject({ value: 'a2' });
    expect(await subject.replace('a', NOTHING)).toMatchObject({ value: 'a2' });
    expect(token).toHaveBeenCalledTimes(1);
  });

  it('is done once more before a token is saved: the user may be gone', async () => {
    const token = vi.fn(() => 'a');
    const { subject } = credential({ token, save: () => {}, refresh: async () => 'a2' });
    await subject.replace('a', NOTHING);
    expect(token).toHaveBeenCalledTimes(3);
  });

  it('takes no time where the token is at hand', () => {
    const { real } = credential();
    expect(real.currentToken(quiet)).toEqual({ value: 'a' });
    expect(real.tokenIfFresh()).toEqual({ value: 'a' });
  });

  it.each(['currentToken', 'tokenIfFresh'] as const)('is bounded by refreshTimeoutMs (%s)', async (method) => {
    const { subject, clock } = credential({ token: () => new Promise(() => {}), refreshTimeoutMs: 5_000 });
    const error = failed(subject[method]());
    await clock.advance(5_000);
    expect(await error).toMatchObject({
      code: 'ERR_TOKEN_REFRESH',
      message: 'auth.token did not answer within 5000 ms',
    });
    expect(clock.pending).toBe(0);
  });

  it('ends when the credentials are closed, and leaves no timer', async () => {
    const { subject, clock, life } = credential({ token: () => new Promise(() => {}) });
    const error = failed(subject.currentToken());
    await settle();
    const over = new TokenRefreshError('the credentials are closed', undefined);
    life.end(over);
    expect(await error).toBe(over);
    expect(clock.pending).toBe(0);
  });
});

describe(`${Credential.name}: without a token`, () => {
  const session = () => credential({ token: undefined });

  it('has a session that stands for one, and changes with each refresh that gives nothing', async () => {
    const { subject, flights, events } = session();
    const first = await subject.currentToken();
    expect(first).toEqual({ value: '' });
    const replaced = [subject.replace('', NOTHING), subject.replace('', NOTHING)];
    await settle();
    expect(flights[0]?.context.token).toEqual({ value: '' });
    flights[0]?.open(undefined);
    const [one, other] = await Promise.all(replaced);
    expect(one?.value).toBe(other?.value);
    expect(one?.value).not.toBe('');
    // A 401 to a send of before.
    expect(await subject.replace('', NOTHING)).toEqual(one);
    expect(events).toEqual(['refreshing unauthorized', 'refreshed']);
    const again = subject.replace(String(one?.value), NOTHING);
    await settle();
    expect(flights[1]?.context.token).toEqual({ value: '' });
    flights[1]?.open(undefined);
    expect((await again)?.value).not.toBe(one?.value);
  });

  it('uses a refresh that comes after its time was up', async () => {
    const { subject, flights, clock } = session();
    const error = failed(subject.replace('', NOTHING));
    await settle();
    await clock.advance(30_000);
    expect(await error).toBeInstanceOf(TokenRefreshError);
    flights[0]?.open(undefined);
    await settle();
    expect((await subject.replace('', NOTHING))?.value).not.toBe('');
    expect(flights).toHaveLength(1);
  });
});

describe(`${Credential.name}: save`, () => {
  it.each(['a refresh that comes late', 'a store that hangs'])(
    'may take a second where the time is up: %s',
    async (how) => {
      const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
      const saved = gate();
      const store: TokenStore = {
        refresh: (_key, _generation, refresh) => refresh().then(() => new Promise(() => {})),
      };
      const hangs = how === 'a store that hangs';
      const { subject, flights, clock } = credential({ save: () => saved.promise }, hangs ? { store } : {});
      const replaced = subject.replace('a', NOTHING).catch(() => undefined);
      await settle();
      if (hangs) flights[0]?.open('a2');
      await clock.advance(30_000);
      flights[0]?.open('a2');
      await clock.advance(999);
      saved.open();
      await replaced;
      await clock.advance(COOL_DOWN_MS);
      expect(await subject.currentToken()).toMatchObject({ value: 'a2' });
      expect(warned).not.toHaveBeenCalled();
      warned.mockRestore();
    },
  );

  it('gets what a refresh gave, but not what somebody else kept in the store', async () => {
    for (const value of ['ours', 'theirs']) {
      const save = vi.fn();
      const store: TokenStore = {
        refresh: async (_key, generation, refresh) => ({ ...(await refresh()), value, generation }),
      };
      const { subject } = credential({ save, refresh: async () => 'ours' }, { store });
      expect(await subject.replace('a', NOTHING)).toMatchObject({ value });
      expect(save.mock.calls).toEqual(value === 'ours' ? [[{ value: 'ours' }, { key: 'key' }]] : []);
    }
  });

  it('gets also what comes after the time was up, unless the user is gone', async () => {
    for (const gone of [false, true]) {
      const save = vi.fn();
      const { subject, session, flights, clock } = credential({ save });
      const error = failed(subject.replace('a', NOTHING));
      await settle();
      await clock.advance(30_000);
      await error;
      if (gone) session.token = undefined;
      flights[0]?.open('late');
      await settle();
      expect(save).toHaveBeenCalledTimes(gone ? 0 : 1);
    }
  });
});
