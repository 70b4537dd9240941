import { AxiosHeaders } from 'axios';
import { describe, expect, it } from 'vitest';
import type { AuthOptions, Limiter, Permit } from '../../lib/index.ts';
import { enter } from '../../lib/loop/enter.ts';
import { settle } from '../support/manual-clock.ts';
import { underWay } from '../support/under-way.ts';

/** A call under a policy whose limiter and credentials note what is asked of them, and answer when the test says so. */
function setUp({
  limited = false,
  token,
}: {
  limited?: boolean;
  token?: () => ReturnType<NonNullable<AuthOptions['token']>>;
} = {}) {
  const log: string[] = [];
  const waiting: (() => void)[] = [];
  /** Whether a permit has to be waited for. */
  const state = { queues: false, refuses: false };
  const permit = (): Permit => ({ release: () => void log.push('release'), drop: () => void log.push('drop') });
  const limiter: Limiter = {
    acquire: () => {
      log.push('permit');
      if (state.refuses) throw new Error('full');
      return state.queues ? new Promise((resolve) => waiting.push(() => resolve(permit()))) : permit();
    },
    pause: () => {},
    close: async () => {},
    stats: () => ({ queued: 0, running: 0 }),
  };
  const { call, plan, clock } = underWay(
    { url: 'https://api.example.com/', baseURL: 'https://api.example.com/', headers: new AxiosHeaders() },
    {
      ...(limited && { limit: limiter }),
      ...(token && {
        auth: {
          token: () => {
            log.push('token');
            return token();
          },
          refresh: async () => {
            log.push('refresh');
            return 'fresh';
          },
        },
      }),
    },
  );
  const letThrough = async () => {
    waiting.shift()?.();
    await settle();
  };
  return { call, plan, clock, log, state, letThrough };
}

describe(enter.name, () => {
  it('has nothing to wait for without a limiter and credentials', () => {
    const { call, plan } = setUp();
    expect(enter(call, plan)).toBeUndefined();
  });

  it('gets a permit, at once where there is one', () => {
    const { call, log, plan } = setUp({ limited: true });
    expect(enter(call, plan)).toBeUndefined();
    expect(log).toEqual(['permit']);
  });

  it('gets a token, and no permit where no limiter is', async () => {
    const { call, log, plan } = setUp({ token: () => 'a' });
    expect(await enter(call, plan)).toBeUndefined();
    expect(log).toEqual(['token']);
    expect(call.auth?.token?.value).toBe('a');
  });

  it('gets the token first, so that no permit is held meanwhile, and both once where nobody waits', async () => {
    const { call, log, plan } = setUp({ limited: true, token: () => 'a' });
    expect(await enter(call, plan)).toBeUndefined();
    expect(log).toEqual(['token', 'permit']);
  });

  it('waits for a token that takes time', async () => {
    const { call, clock, log, plan } = setUp({
      limited: true,
      token: () => new Promise((resolve) => void clock.after(300, () => resolve('a'))),
    });
    const entered = enter(call, plan);
    await clock.advance(299);
    expect(log).toEqual(['token']);
    await clock.advance(1);
    expect(await entered).toBeUndefined();
    expect(log).toEqual(['token', 'permit']);
    expect(call.refreshMs).toBe(300);
  });

  it('takes no permit where the token cannot be had', async () => {
    const { call, log, plan } = setUp({ limited: true, token: async () => Promise.reject(new Error('no session')) });
    await Promise.resolve(enter(call, plan)).then(
      (refused) => expect(refused).toBeDefined(),
      () => {},
    );
    expect(log).not.toContain('permit');
  });

  it('gives the reason where the permit is refused', async () => {
    const { call, plan, state } = setUp({ limited: true, token: () => 'a' });
    state.refuses = true;
    expect(await enter(call, plan)).toMatchObject({ outcome: { error: { message: 'full' } }, why: 'limited' });
  });

  describe('after a queue', () => {
    it('asks for the token once more, since it may have expired', async () => {
      const session = { token: 'a' };
      const { call, clock, letThrough, log, plan, state } = setUp({ limited: true, token: () => session.token });
      state.queues = true;
      const entered = Promise.resolve(enter(call, plan));
      await clock.advance(5_000);
      session.token = 'b';
      await letThrough();
      expect(await entered).toBeUndefined();
      expect(log).toEqual(['token', 'permit', 'token']);
      expect(call.auth?.token?.value).toBe('b');
    });

    it('does not where the permit was had at once, or took no time', async () => {
      const { call, letThrough, log, plan, state } = setUp({ limited: true, token: () => 'a' });
      state.queues = true;
      const entered = Promise.resolve(enter(call, plan));
      await letThrough();
      expect(await entered).toBeUndefined();
      expect(log).toEqual(['token', 'permit']);
    });

    it('has nothing to ask for without credentials', async () => {
      const { call, clock, letThrough, log, plan, state } = setUp({ limited: true });
      state.queues = true;
      const entered = Promise.resolve(enter(call, plan));
      await clock.advance(5_000);
      await letThrough();
      expect(await entered).toBeUndefined();
      expect(log).toEqual(['permit']);
    });

    it('gives the permit back and stands in the queue again where the token takes a refresh', async () => {
      const session = { value: 'a', expiresAt: Date.UTC(2027, 0, 1) };
      const { call, clock, letThrough, log, plan, state } = setUp({ limited: true, token: () => ({ ...session }) });
      state.queues = true;
      const entered = Promise.resolve(enter(call, plan));
      await clock.advance(5_000);
      session.expiresAt = clock.wall() - 1;
      state.queues = false;
      await letThrough();
      expect(await entered).toBeUndefined();
      expect(log.filter((step) => step !== 'token')).toEqual(['permit', 'drop', 'refresh', 'permit']);
      expect(call.auth?.token?.value).toBe('fresh');
    });

    it('stands in the queue for the third time at most, however short the tokens live, and goes then as it is', async () => {
      const expired = (value: string) => ({ value, expiresAt: Date.UTC(2026, 0, 1) - 1 });
      const session = { token: { value: 'a' } as { value: string; expiresAt?: number } };
      const { call, clock, letThrough, log, plan, state } = setUp({ limited: true, token: () => session.token });
      state.queues = true;
      let isIn = false;
      const entered = Promise.resolve(enter(call, plan)).then((refused) => {
        isIn = true;
        return refused;
      });
      for (const value of ['b', 'c', 'd']) {
        await clock.advance(5_000);
        expect(isIn).toBe(false);
        session.token = expired(value);
        await letThrough();
      }
      expect(await entered).toBeUndefined();
      expect(log.filter((step) => step === 'permit')).toHaveLength(3);
      expect(log.filter((step) => step === 'drop')).toHaveLength(2);
    });

    it('gives the reason where the permit is refused in the second queue', async () => {
      const session = { value: 'a', expiresAt: Date.UTC(2027, 0, 1) };
      const { call, clock, letThrough, plan, state } = setUp({ limited: true, token: () => ({ ...session }) });
      state.queues = true;
      const entered = Promise.resolve(enter(call, plan));
      await clock.advance(5_000);
      session.expiresAt = clock.wall() - 1;
      Object.assign(state, { queues: false, refuses: true });
      await letThrough();
      expect(await entered).toMatchObject({ why: 'limited' });
    });

    it('waits for `token` no longer than a second, since it may wait for the permit that is held', async () => {
      let asked = 0;
      const { call, clock, letThrough, log, plan, state } = setUp({
        limited: true,
        token: () => (++asked === 2 ? new Promise(() => {}) : 'a'),
      });
      state.queues = true;
      const entered = Promise.resolve(enter(call, plan));
      await clock.advance(5_000);
      state.queues = false;
      await letThrough();
      await clock.advance(999);
      expect(log).not.toContain('drop');
      await clock.advance(1);
      expect(await entered).toBeUndefined();
      expect(log).toEqual(['token', 'permit', 'token', 'drop', 'token', 'permit']);
      expect(call.refreshMs).toBe(1_000);
    });
  });
});
