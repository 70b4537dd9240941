import axios from 'axios';
import { type AuthOptions, failureOf, type Token } from 'axios-holdfast';
import { describe, expect, it, vi } from 'vitest';
import { attachWith } from '../../lib/full.ts';
import { attached, rejectionOf } from '../support/attached.ts';
import { Guarded, gate } from '../support/guarded.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** Calls that need a refresh, whose token is kept by `save`. */
async function saving(save: NonNullable<AuthOptions['save']>, more: Partial<AuthOptions> = {}) {
  const guarded = new Guarded();
  const saved = vi.fn(save);
  const { client, server } = await attached(guarded.answer, { auth: { ...guarded.auth, save: saved, ...more } });
  return { guarded, client, server, saved };
}

describe('auth.save', () => {
  it('is called once for a refresh, with its token and whose it is', async () => {
    const key = () => 'contoso';
    const refresh = async (): Promise<Token> => ({
      value: 'fresh',
      refreshToken: 'r2',
      expiresAt: Date.now() + 3_600_000,
    });
    const { guarded, client, saved } = await saving(() => {}, { key, refresh });
    guarded.valid.add('fresh');
    await Promise.all(Array.from({ length: 20 }, () => client.get('/x')));
    expect(saved.mock.calls).toEqual([
      [{ value: 'fresh', refreshToken: 'r2', expiresAt: expect.any(Number) }, { key: 'contoso' }],
    ]);
  });

  it('is awaited before the waiting calls go on', async () => {
    const kept = gate();
    const { client, server, saved } = await saving(() => kept.promise);
    const call = client.get('/x');
    await vi.waitFor(() => expect(saved).toHaveBeenCalledTimes(1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(server.seen).toHaveLength(1);
    kept.open();
    expect((await call).status).toBe(200);
  });

  it.each([
    ['the user has logged out', undefined],
    ['another user has logged in', 'theirs'],
  ])('is not called where %s meanwhile: the session would come back', async (_name, then) => {
    const fresh = gate<string>();
    const { guarded, client, server, saved } = await saving(() => {}, { refresh: () => fresh.promise });
    const call = client.get('/x', { validateStatus: null });
    await vi.waitFor(() => expect(server.seen).toHaveLength(1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    guarded.token = then;
    guarded.valid.add('theirs');
    fresh.open('fresh');
    expect((await call).status).toBe(then === undefined ? 401 : 200);
    expect(saved).not.toHaveBeenCalled();
  });

  it('is not called after a logout where token() takes its time to say so', async () => {
    const clock = new ManualClock();
    const fresh = gate<string>();
    let token: string | undefined = 'old';
    const save = vi.fn(() => {});
    const client = axios.create({
      baseURL: 'https://api.example.com',
      adapter: async (config) => {
        const response = { status: 401, statusText: '', headers: {}, config, data: '', request: {} };
        throw new axios.AxiosError('401', 'ERR_BAD_REQUEST', config, {}, response);
      },
    });
    const slowly = () => new Promise<string | undefined>((resolve) => void clock.after(5_000, () => resolve(token)));
    attachWith({ clock, random: () => 0.5 }, client, { auth: { token: slowly, refresh: () => fresh.promise, save } });
    const call = rejectionOf(client.get('/x'));
    // Before the send, and again when it was refused.
    await clock.advance(5_000);
    await clock.advance(5_000);
    token = undefined;
    fresh.open('fresh');
    await clock.run(call);
    expect(save).not.toHaveBeenCalled();
  });

  it('is called where token() gives the refreshed token already', async () => {
    const guarded = new Guarded();
    const { client, saved } = await saving(() => {}, {
      token: () => guarded.token,
      refresh: async () => {
        guarded.token = 'fresh';
        return 'fresh';
      },
    });
    await client.get('/x', { validateStatus: null });
    expect(saved).toHaveBeenCalledTimes(1);
  });

  it('is not called where the refresh gave nothing: there is nothing to keep', async () => {
    const guarded = new Guarded();
    guarded.valid.add('fresh');
    const { client, saved } = await saving(() => {}, {
      token: () => guarded.token,
      refresh: async () => {
        guarded.token = 'fresh';
      },
    });
    await client.get('/x', { validateStatus: null });
    expect(saved).not.toHaveBeenCalled();
  });

  it('that fails costs no call: the token is used, and a warning of the process says so once', async () => {
    const warnings: (Error & { code?: string })[] = [];
    const hear = (warning: Error) => void warnings.push(warning);
    process.on('warning', hear);
    try {
      const { guarded, client } = await saving(() => {
        throw Object.assign(new Error('secret of the token'), { code: 'ENOSPC' });
      });
      for (const _ of [1, 2]) {
        guarded.valid.clear();
        expect((await client.get('/x')).status).toBe(200);
      }
      await vi.waitFor(() => expect(warnings.map(({ code }) => code)).toEqual(['HOLDFAST_SAVE']));
      expect(warnings[0]?.message).toContain('ENOSPC');
      expect(warnings[0]?.message).not.toContain('secret');
    } finally {
      process.off('warning', hear);
    }
  });

  it('that never ends is waited for no longer than refreshTimeoutMs', async () => {
    const { client } = await saving(() => new Promise(() => {}), { refreshTimeoutMs: 100 });
    expect((await client.get('/x')).status).toBe(200);
  });
});

describe('whatever the caller gives that never ends', () => {
  it('token(): the call ends with an error that names it', async () => {
    const guarded = new Guarded();
    const { client, server } = await attached(guarded.answer, {
      auth: { ...guarded.auth, token: () => new Promise<never>(() => {}), refreshTimeoutMs: 50 },
    });
    const failure = failureOf(await rejectionOf(client.get('/x')));
    expect(failure).toMatchObject({ kind: 'refresh-failed', endedBecause: 'refresh-failed', sends: 0 });
    expect(failure?.summary).toContain('auth.token did not answer within 50 ms');
    expect(server.seen).toHaveLength(0);
  });

  it.each([
    ['refresh', { refresh: () => new Promise<never>(() => {}) }],
    ['a store', { store: { refresh: () => new Promise<never>(() => {}) } }],
    [
      'a retry that is asked about',
      {
        refresh: async () => Promise.reject(Object.assign(new Error(), { status: 503 })),
        retry: { shouldRetry: () => new Promise<never>(() => {}) },
      },
    ],
  ])('%s: the call ends when refreshTimeoutMs is over', async (_name, more) => {
    const guarded = new Guarded();
    const { client } = await attached(guarded.answer, { auth: { ...guarded.auth, ...more, refreshTimeoutMs: 50 } });
    const failure = failureOf(await rejectionOf(client.get('/x')));
    expect(failure).toMatchObject({ kind: 'refresh-failed', sends: 1 });
    expect(failure?.summary).toContain('the refresh took longer than 50 ms');
  });

  it('token(), when the attachment is closed meanwhile: its call is refused at once', async () => {
    const guarded = new Guarded();
    const { client, holdfast } = await attached(guarded.answer, {
      auth: { ...guarded.auth, token: () => new Promise<never>(() => {}) },
    });
    const call = rejectionOf(client.get('/x'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await holdfast.close();
    expect(await call).toMatchObject({ code: 'ERR_TOKEN_REFRESH' });
  });
});

describe('what an option of auth gives that it must not', () => {
  const key = (made: unknown) => ({ key: () => made as string });

  it.each([
    ['a promise', Promise.resolve('contoso'), 'a promise'],
    ['a number', 7, '7'],
    ['an object', {}, 'an object'],
  ])('auth.key: %s is refused, not 50 credentials made of it', async (_name, made, shown) => {
    const guarded = new Guarded();
    const { client, server } = await attached(guarded.answer, { auth: { ...guarded.auth, ...key(made) } });
    for (const error of await Promise.all(Array.from({ length: 50 }, () => rejectionOf(client.get('/x'))))) {
      expect(error).toBeInstanceOf(TypeError);
      expect((error as Error).message).toContain(`auth.key must return a string, got ${shown}`);
    }
    expect([server.seen.length, guarded.refreshes.length]).toEqual([0, 0]);
  });

  it('auth.apply: a promise, by which the header would come too late', async () => {
    const guarded = new Guarded();
    const apply = (async () => {
      throw new Error('nobody hears it');
    }) as never;
    const { client, server } = await attached(guarded.answer, { auth: { ...guarded.auth, apply } });
    const error = await rejectionOf(client.get('/x'));
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toContain('auth.apply must write the headers at once');
    expect(server.seen).toHaveLength(0);
  });
});
