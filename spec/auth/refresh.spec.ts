import { describe, expect, it, vi } from 'vitest';
import { Life } from '../../lib/auth/life.ts';
import type { AuthOptions, ResolvedAuth, StoredToken, Token, TokenStore } from '../../lib/auth/options.ts';
import { type Need, Refresh } from '../../lib/auth/refresh.ts';
import { TokenRefreshError } from '../../lib/failure/errors.ts';
import { rejectionOf } from '../support/attached.ts';
import { NOTHING, quiet } from '../support/credentials.ts';
import { gate } from '../support/guarded.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { DEFAULTS } from '../support/policies.ts';
import { unhandledDuring } from '../support/unhandled.ts';

const OWN: Token = { value: 'own', refreshToken: 'r0' };
const TIME_UP = { name: 'TimeoutError', message: 'the refresh took longer than 5000 ms' };
const forever = () => new Promise<never>(() => {});

/** A refresh of what the caller's `token` gives, through a store; the process knows of three refreshes so far. */
function begin(
  store: TokenStore['refresh'],
  options: Partial<AuthOptions> = {},
  need: Partial<Need> = {},
  now?: Token,
) {
  const clock = new ManualClock();
  const life = new Life();
  const late = vi.fn<(token: Token | undefined) => void>();
  const refresh = vi.fn<AuthOptions['refresh']>(async () => 'fresh');
  const asked = vi.fn(store);
  const subject = new Refresh(
    { own: OWN, token: OWN, reason: 'unauthorized', unauthorized: NOTHING, beginner: quiet, ...need },
    {
      key: 'tenant',
      options: {
        ...DEFAULTS.auth,
        token: () => OWN,
        refresh,
        refreshTimeoutMs: 5_000,
        retry: { retries: 0 },
        ...options,
      } as ResolvedAuth,
      clock,
      store: { refresh: asked },
      life,
      ask: () => now,
      late,
    },
  );
  const result = subject.run(3);
  result.catch(() => {});
  return { subject, result, refresh, clock, life, late, store: asked };
}

/** A store that keeps this token, and has whoever needs another refresh it. */
const holding =
  (newest: StoredToken): TokenStore['refresh'] =>
  async (_key, _generation, refresh) => ({ ...(await refresh(newest)), generation: newest.generation + 1 });

describe(Refresh.name, () => {
  it('gives what the store gives, also where nothing was refreshed here', async () => {
    const stored = { value: 'theirs', generation: 9 };
    const { subject, refresh, result } = begin(async () => stored);
    expect(await result).toBe(stored);
    expect(refresh).not.toHaveBeenCalled();
    expect(subject.given).toBeUndefined();
  });

  it('refuses what is no token, whoever kept it', async () => {
    const { result } = begin(async () => ({ value: 'a\r\nX: y', generation: 9 }));
    expect(await rejectionOf(result)).toBeInstanceOf(TypeError);
  });

  it('tells the store what this process knows, and how to say that it is out of reach', async () => {
    const storeLost = vi.fn();
    const theirs = async () => ({ value: 'theirs', generation: 4 });
    const { store, result } = begin(theirs, {}, { beginner: { ...quiet, storeLost } });
    await result;
    const [key, generation, , context] = store.mock.lastCall ?? [];
    expect([key, generation, context?.signal?.aborted]).toEqual(['tenant', 3, false]);
    context?.lost?.('gone');
    expect(storeLost).toHaveBeenCalledExactlyOnceWith('tenant', 'gone');
  });

  it('replaces the newest token that the store has, and has it keep what the refresh gives', async () => {
    const newest = { value: 'newest', generation: 8 };
    const { subject, refresh, result } = begin(holding(newest));
    expect(await result).toEqual({ value: 'fresh', generation: 9 });
    expect(refresh.mock.lastCall?.[0].token).toBe(newest);
    expect(subject.given).toEqual({ value: 'fresh' });
  });

  it("goes back to the caller's own token where the newest cannot be refreshed for good: they may have signed in anew", async () => {
    const { refresh, result } = begin(holding({ value: 'newest', generation: 8 }), {
      refresh: async ({ token: { value } }) => {
        if (value === 'newest') throw Object.assign(new Error('invalid_grant'), { status: 400 });
        return `after ${value}`;
      },
    });
    expect(await result).toEqual({ value: 'after own', generation: 9 });
    expect(refresh).not.toHaveBeenCalled();
  });

  it('may be quoted by an error with each token that it has seen', async () => {
    const { subject, result } = begin(holding({ value: 'newest', refreshToken: 'r8', generation: 8 }));
    await result;
    expect(new Set(subject.secrets)).toEqual(new Set(['own', 'r0', 'newest', 'r8']));
  });

  it('rejects as the store does', async () => {
    const refusal = new Error('invalid_grant');
    const { result } = begin(() => Promise.reject(refusal));
    expect(await rejectionOf(result)).toBe(refusal);
  });

  describe('that gives nothing', () => {
    const inMemory: TokenStore['refresh'] = async (_key, generation, refresh) => ({
      ...(await refresh()),
      generation: generation + 1,
    });
    const nothing = { refresh: async () => {} };

    it("leaves the new token to the caller's token()", async () => {
      const { subject, result } = begin(inMemory, nothing, {}, { value: 'stored by the app' });
      expect(await result).toEqual({ value: 'stored by the app', generation: 4 });
      expect(subject.given).toBeUndefined();
    });

    it.each([
      ['none', undefined],
      ['the old one', OWN],
    ])('has failed where token() gives %s: a forgotten return is no refresh', async (said, now) => {
      const { result } = begin(inMemory, nothing, {}, now);
      const message = `refresh gave no token, and auth.token gives ${said}`;
      expect(await rejectionOf(result)).toMatchObject({ message });
    });

    it('has set a cookie where there is no token(): the session is another', async () => {
      const { result, subject } = begin(inMemory, { ...nothing, token: undefined });
      expect((await result).value).toMatch(/^[0-9a-f-]{36}$/);
      expect(subject.given).toBeUndefined();
    });
  });

  describe('when its time is up', () => {
    it('rejects, and tells the store', async () => {
      const { clock, result, store } = begin(forever);
      const signal = store.mock.lastCall?.[3]?.signal;
      await clock.advance(4_999);
      expect(signal?.aborted).toBe(false);
      await clock.advance(1);
      expect(await rejectionOf(result)).toMatchObject(TIME_UP);
      expect(signal?.reason).toMatchObject(TIME_UP);
      expect(clock.pending).toBe(0);
    });

    it('does not lose the token that the refresh gave, though no generation of the store is its', async () => {
      const { clock, result } = begin(async (_key, _generation, refresh) => {
        await refresh();
        return forever();
      });
      await clock.advance(5_000);
      expect(await result).toEqual({ value: 'fresh', generation: 3 });
    });

    it('begins no refresh any more', async () => {
      const { promise, open } = gate();
      const refused = vi.fn();
      const { clock, refresh, result } = begin(async (_key, generation, start) => {
        await promise;
        const token = await start().catch(refused);
        return { ...(token as Token), generation };
      });
      await clock.advance(5_000);
      open();
      await settle();
      expect(refused).toHaveBeenCalledWith(await rejectionOf(result));
      expect(refresh).not.toHaveBeenCalled();
    });

    it.each([
      ['the token', OWN.value, 'late', { value: 'late' }],
      ["nothing, where the token is token()'s to give", OWN.value, undefined, undefined],
      [
        'another session, where it is a cookie',
        undefined,
        undefined,
        { value: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      ],
    ])('hands on what comes after all: %s', async (_name, own, given, handed) => {
      const { promise, open } = gate<string | undefined>();
      const options = { refresh: () => promise, token: own === undefined ? undefined : () => own };
      const { clock, late } = begin(holding({ value: 'newest', generation: 8 }), options);
      await clock.advance(5_000);
      expect(late).not.toHaveBeenCalled();
      open(given);
      await settle();
      expect(late.mock.calls).toEqual([[handed]]);
    });

    it('leaves what the store rejects with later to nobody', async () => {
      const { promise, shut } = gate<never>();
      const unhandled = await unhandledDuring(async () => {
        const { clock } = begin(() => promise);
        await clock.advance(5_000);
        shut(new Error('connection is closed'));
        await settle();
      });
      expect(unhandled).toEqual([]);
    });
  });

  it('ends with the credentials, and tells the refresh why', async () => {
    let signal: AbortSignal | undefined;
    const { clock, life, result } = begin(holding({ value: 'newest', generation: 8 }), {
      refresh: (context) => {
        signal = context.signal;
        return forever();
      },
    });
    await settle();
    const over = new TokenRefreshError('the credentials are closed', undefined);
    life.end(over);
    expect(await rejectionOf(result)).toBe(over);
    expect(signal?.reason).toBe(over);
    expect(clock.pending).toBe(0);
  });

  describe('that has the token saved', () => {
    const theirs: TokenStore['refresh'] = async () => ({ value: 'fresh', generation: 4 });
    const hangs = () => new Promise<void>(() => {});
    const save = async (...times: readonly (() => unknown)[]) => {
      const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
      const saved = vi.fn((..._: readonly unknown[]) => times[saved.mock.calls.length - 1]?.());
      const { subject, clock } = begin(theirs, { save: saved as unknown as NonNullable<AuthOptions['save']> });
      for (const _ of times) await clock.run(subject.save({ value: 'fresh' }, 1_000));
      expect(saved.mock.calls).toEqual(times.map(() => [{ value: 'fresh' }, { key: 'tenant' }]));
      expect(clock.pending).toBe(0);
      const { calls } = warned.mock;
      warned.mockRestore();
      return calls;
    };
    const lost = ': the refreshed token is used, and is lost when this process ends';
    const warning = { type: 'HoldfastWarning', code: 'HOLDFAST_SAVE' };

    it('says nothing where that works', async () => {
      expect(
        await save(
          () => {},
          async () => {},
        ),
      ).toEqual([]);
    });

    it('warns once for a policy where it fails or takes too long, and goes on', async () => {
      const fails = async () => Promise.reject(Object.assign(new Error('secret'), { code: 'EACCES' }));
      expect(await save(fails, fails)).toEqual([[`auth.save failed (EACCES)${lost}`, warning]]);
      expect(await save(hangs)).toEqual([[`auth.save failed${lost}`, warning]]);
    });

    it('does nothing where nobody wants to save it', async () => {
      const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
      await begin(theirs).subject.save({ value: 'fresh' }, 1_000);
      expect(warned).not.toHaveBeenCalled();
    });
  });
});
