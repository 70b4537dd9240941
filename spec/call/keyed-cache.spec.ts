import { describe, expect, it, vi } from 'vitest';
import { KeyedCache } from '../../lib/call/keyed-cache.ts';

const HALF = 5_000;

function made({ held = [] as readonly string[] } = {}) {
  const make = vi.fn((key: string) => ({ key }));
  const things = new KeyedCache(make, ({ key }) => held.includes(key));
  const fill = (from: number, to: number) => {
    for (let i = from; i < to; i++) things.of(`key ${i}`);
  };
  /** Which of these are remembered; looking must not count as a use. */
  const remembered = (...keys: string[]) => {
    const all = new Set(things.all().map(({ key }) => key));
    return keys.filter((key) => all.has(key));
  };
  return { make, things, fill, remembered };
}

describe(KeyedCache.name, () => {
  it('makes one thing for each key, when it is first asked for', () => {
    const { make, things } = made();
    const [a, b] = [things.of('a'), things.of('b')];
    expect([things.of('b'), things.of('a'), things.of('a')]).toEqual([b, a, a]);
    expect(things.of('a')).toBe(a);
    expect(make.mock.calls).toEqual([['a'], ['b']]);
    expect(things.all()).toEqual([a, b]);
  });

  it('knows an empty key, and one that is the name of a property of every object', () => {
    const { make, things } = made();
    for (const key of ['', '__proto__', 'constructor']) expect(things.of(key)).toEqual({ key });
    expect(make).toHaveBeenCalledTimes(3);
  });

  it('remembers ten thousand at most, and forgets what has not been asked for the longest', () => {
    const { things, fill, remembered } = made();
    fill(0, 2 * HALF);
    expect(things.all()).toHaveLength(2 * HALF);
    fill(2 * HALF, 2 * HALF + 1);
    expect(things.all()).toHaveLength(HALF + 1);
    expect(remembered('key 0', `key ${HALF - 1}`, `key ${HALF}`)).toEqual([`key ${HALF}`]);
  });

  it('keeps the very thing for whoever uses it, however many other keys there are', () => {
    const { things, fill } = made();
    const mine = things.of('mine');
    for (let i = 0; i < 20; i++) {
      fill(i * (HALF - 1), (i + 1) * (HALF - 1));
      expect(things.of('mine')).toBe(mine);
    }
    expect(things.all().length).toBeLessThanOrEqual(2 * HALF);
  });

  it('does not forget what is held, and has it once', () => {
    const { things, fill, remembered } = made({ held: ['key 0', 'key 1'] });
    const first = things.of('key 0');
    fill(0, 8 * HALF);
    expect(remembered('key 0', 'key 1', 'key 2')).toEqual(['key 0', 'key 1']);
    expect(things.of('key 0')).toBe(first);
    expect(things.all().filter(({ key }) => key === 'key 0')).toEqual([first]);
    expect(things.all().length).toBeLessThanOrEqual(2 * HALF + 2);
  });

  it('takes one back that was forgotten, in place of the one that was made since', () => {
    const { things, fill } = made();
    const mine = things.of('mine');
    fill(0, 2 * HALF);
    expect(things.of('mine')).not.toBe(mine);
    expect(things.keep('mine', mine)).toBe(mine);
    expect(things.of('mine')).toBe(mine);
  });

  it('holds nothing beyond its bound unless it is told what is held', () => {
    const things = new KeyedCache((key: string) => ({ key }));
    for (let i = 0; i < 5 * HALF; i++) things.of(`key ${i}`);
    expect(things.all().length).toBeLessThanOrEqual(2 * HALF);
  });
});
