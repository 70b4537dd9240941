import { describe, expect, it, vi } from 'vitest';
import type { StoredToken, Token, TokenStore } from '../../lib/auth/options.ts';
import { refreshThroughStore, type Start } from '../../lib/auth/refresh-through-store.ts';
import { rejectionOf } from '../support/attached.ts';
import { gate } from '../support/guarded.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { unhandledDuring } from '../support/unhandled.ts';

/** Refreshes through a store within a second; the process knows of three refreshes so far. */
function begin(refresh: TokenStore['refresh'], start: Start = async () => ({ value: 'fresh' })) {
  const clock = new ManualClock();
  const store = { read: async () => undefined, refresh: vi.fn(refresh) };
  const started = vi.fn(start);
  const lost = vi.fn();
  const result = refreshThroughStore(store, clock, 1_000, { key: 'tenant', generation: 3, lost }, started);
  return { clock, store, started, lost, result };
}
const forever = () => new Promise<never>(() => {});

describe(refreshThroughStore.name, () => {
  it('gives what the store gives, whether or not it was refreshed here, and leaves no timer', async () => {
    const stored = { value: 'theirs', generation: 9 };
    const { clock, started, result } = begin(async () => stored);
    expect(await result).toBe(stored);
    expect(started).not.toHaveBeenCalled();
    expect(clock.pending).toBe(0);
  });

  it('tells the store what this process knows, and how to say that it is out of reach', async () => {
    const { store, lost, result } = begin(async () => ({ value: 'theirs', generation: 4 }));
    await result;
    const [key, generation, , context] = store.refresh.mock.lastCall ?? [];
    expect([key, generation, context?.signal?.aborted]).toEqual(['tenant', 3, false]);
    expect(context?.lost).toBe(lost);
  });

  it('starts the refresh for the newest token that the store has, and lets the store keep what it gives', async () => {
    const newest: StoredToken = { value: 'newest', generation: 8 };
    const { started, result } = begin(async (_key, _generation, refresh) => ({
      ...(await refresh(newest)),
      generation: 9,
    }));
    expect(await result).toEqual({ value: 'fresh', generation: 9 });
    expect(started.mock.lastCall?.[0]).toBe(newest);
  });

  it.each([
    ['what waiting for the others left of it', 400, 600],
    ['all of it where the clock was set back meanwhile', -60_000, 1_000],
    ['one millisecond at least', 5_000, 1],
  ])('gives the refresh of its time %s', async (_name, passed, left) => {
    const { promise, open } = gate();
    const { clock, started, result } = begin(async (_key, generation, refresh) => {
      await promise;
      return { ...(await refresh()), generation };
    });
    clock.jump(passed);
    open();
    await result;
    expect(started.mock.lastCall).toEqual([undefined, left]);
  });

  it('rejects as the store does, and leaves no timer', async () => {
    const refusal = new Error('invalid_grant');
    const { clock, result } = begin(() => Promise.reject(refusal));
    expect(await rejectionOf(result)).toBe(refusal);
    expect(clock.pending).toBe(0);
  });

  describe('with a store that does not come to an end', () => {
    it('rejects when the time is up, tells the store, and leaves no timer', async () => {
      const { clock, store, result } = begin(forever);
      const error = rejectionOf(result);
      const { signal } = store.refresh.mock.lastCall?.[3] ?? {};
      await clock.advance(999);
      expect(signal?.aborted).toBe(false);
      await clock.advance(1);
      expect(await error).toMatchObject({ name: 'TimeoutError', message: 'the refresh took longer than 1000 ms' });
      expect(signal?.reason).toBe(await error);
      expect(clock.pending).toBe(0);
    });

    it('does not lose the token that the refresh gave, though no generation of the store is its', async () => {
      const { clock, result } = begin(async (_key, _generation, refresh) => {
        await refresh();
        return forever();
      });
      await clock.advance(1_000);
      expect(await result).toEqual({ value: 'fresh', generation: 3 });
    });

    it('refuses to begin when the time is up', async () => {
      const { promise, open } = gate();
      const refused = vi.fn();
      const { clock, started, result } = begin(async (_key, generation, refresh) => {
        await promise;
        const token = await refresh().catch(refused);
        return { ...(token as Token), generation };
      });
      const error = rejectionOf(result);
      await clock.advance(1_000);
      await error;
      open();
      await settle();
      expect(refused).toHaveBeenCalledWith(await error);
      expect(started).not.toHaveBeenCalled();
    });

    it('leaves what the store rejects with later to nobody', async () => {
      const { promise, shut } = gate<never>();
      const unhandled = await unhandledDuring(async () => {
        const { clock, result } = begin(() => promise);
        const error = rejectionOf(result);
        await clock.advance(1_000);
        await error;
        shut(new Error('connection is closed'));
      });
      expect(unhandled).toEqual([]);
    });
  });
});
