import { describe, expect, it } from 'vitest';
import { memoryTokenStore } from '../../lib/auth/memory-token-store.ts';
import { rejectionOf } from '../support/attached.ts';

describe(memoryTokenStore.name, () => {
  it('keeps for each key what its last refresh gave, under the next generation', async () => {
    const store = memoryTokenStore();
    expect(await store.read('a')).toBeUndefined();
    const first = await store.refresh('a', 0, async () => ({ value: 'a1', refreshToken: 'r1' }));
    expect(first).toEqual({ value: 'a1', refreshToken: 'r1', generation: 1 });
    expect(await store.read('a')).toEqual(first);
    await store.refresh('a', 1, async () => ({ value: 'a2' }));
    expect(await store.read('a')).toEqual({ value: 'a2', generation: 2 });
    expect(await store.read('b')).toBeUndefined();
  });

  it('knows of no refresh but those it is asked to make, so it never tells of a newer token', async () => {
    const store = memoryTokenStore();
    const told: unknown[] = [];
    for (const generation of [0, 0]) {
      await store.refresh('a', generation, async (...args) => {
        told.push(args);
        return { value: 'a1' };
      });
    }
    expect(told).toEqual([[], []]);
  });

  it('rejects as the refresh does, and keeps what it had', async () => {
    const store = memoryTokenStore();
    await store.refresh('a', 0, async () => ({ value: 'a1' }));
    const refusal = new Error('invalid_grant');
    expect(await rejectionOf(store.refresh('a', 1, () => Promise.reject(refusal)))).toBe(refusal);
    expect(await store.read('a')).toEqual({ value: 'a1', generation: 1 });
  });

  it('is shared by nobody', async () => {
    await memoryTokenStore().refresh('a', 0, async () => ({ value: 'a1' }));
    expect(await memoryTokenStore().read('a')).toBeUndefined();
  });
});
