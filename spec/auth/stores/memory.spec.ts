import { describe, expect, it } from 'vitest';
import { memoryTokenStore } from '../../../lib/auth/stores/memory.ts';
import { rejectionOf } from '../../support/attached.ts';

describe(memoryTokenStore.name, () => {
  it('makes each refresh that it is asked for, and gives what comes of it under the next generation', async () => {
    const first = await memoryTokenStore().refresh('a', 0, async () => ({ value: 'a1', refreshToken: 'r1' }));
    expect(first).toEqual({ value: 'a1', refreshToken: 'r1', generation: 1 });
    expect(await memoryTokenStore().refresh('a', 1, async () => ({ value: 'a2' }))).toEqual({
      value: 'a2',
      generation: 2,
    });
  });

  it('keeps nothing: it has nothing to be read, and never tells of a newer token', async () => {
    const told: unknown[] = [];
    for (const generation of [0, 0]) {
      await memoryTokenStore().refresh('a', generation, async (...args) => {
        told.push(args);
        return { value: 'a1' };
      });
    }
    expect(told).toEqual([[], []]);
    expect(memoryTokenStore()).not.toHaveProperty('read');
  });

  it('rejects as the refresh does', async () => {
    const refusal = new Error('invalid_grant');
    expect(await rejectionOf(memoryTokenStore().refresh('a', 1, () => Promise.reject(refusal)))).toBe(refusal);
  });
});
