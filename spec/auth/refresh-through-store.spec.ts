import { describe, expect, it, vi } from 'vitest';
import type { StoredToken, Token, TokenStore } from '../../lib/auth/options.ts';
import { refreshThroughStore } from '../../lib/auth/refresh-through-store.ts';
import { rejectionOf } from '../support/attached.ts';
import { gate } from '../support/guarded.ts';
import { settle } from '../support/manual-clock.ts';
import { unhandledDuring } from '../support/unhandled.ts';

const OVER = new Error('the time is up');

/** Refreshes through a store until the end; the process knows of three refreshes so far. */
function begin(
  refresh: TokenStore['refresh'],
  start: (newest: StoredToken | undefined) => Promise<Token> = async () => ({ value: 'fresh' }),
) {
  const aborter = new AbortController();
  const store = { read: async () => undefined, refresh: vi.fn(refresh) };
  const started = vi.fn(start);
  const lost = vi.fn();
  const { signal } = aborter;
  const result = refreshThroughStore(store, { key: 'tenant', generation: 3, signal, lost }, started);
  return { end: () => aborter.abort(OVER), store, started, lost, result };
}
const forever = () => new Promise<never>(() => {});

describe(refreshThroughStore.name, () => {
  it('gives what the store gives, whether or not it was refreshed here', async () => {
    const stored = { value: 'theirs', generation: 9 };
    const { started, result } = begin(async () => stored);
    expect(await result).toBe(stored);
    expect(started).not.toHaveBeenCalled();
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

  it('rejects as the store does', async () => {
    const refusal = new Error('invalid_grant');
    const { result } = begin(() => Promise.reject(refusal));
    expect(await rejectionOf(result)).toBe(refusal);
  });

  describe('with a store that does not come to an end', () => {
    it('rejects when the time is up, and tells the store', async () => {
      const { end, store, result } = begin(forever);
      const error = rejectionOf(result);
      const { signal } = store.refresh.mock.lastCall?.[3] ?? {};
      expect(signal?.aborted).toBe(false);
      end();
      expect(await error).toBe(OVER);
      expect(signal?.reason).toBe(OVER);
    });

    it('does not lose the token that the refresh gave, though no generation of the store is its', async () => {
      const { end, result } = begin(async (_key, _generation, refresh) => {
        await refresh();
        return forever();
      });
      end();
      expect(await result).toEqual({ value: 'fresh', generation: 3 });
    });

    it('refuses to begin when the time is up', async () => {
      const { promise, open } = gate();
      const refused = vi.fn();
      const { end, started, result } = begin(async (_key, generation, refresh) => {
        await promise;
        const token = await refresh().catch(refused);
        return { ...(token as Token), generation };
      });
      const error = rejectionOf(result);
      end();
      await error;
      open();
      await settle();
      expect(refused).toHaveBeenCalledWith(await error);
      expect(started).not.toHaveBeenCalled();
    });

    it('leaves what the store rejects with later to nobody', async () => {
      const { promise, shut } = gate<never>();
      const unhandled = await unhandledDuring(async () => {
        const { end, result } = begin(() => promise);
        const error = rejectionOf(result);
        end();
        await error;
        shut(new Error('connection is closed'));
      });
      expect(unhandled).toEqual([]);
    });
  });
});
