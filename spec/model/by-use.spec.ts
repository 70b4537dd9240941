import { describe, expect, it, vi } from 'vitest';
import { ByUse } from '../../lib/model/by-use.ts';

const MANY = 10_000;

function made({ held = [] as readonly string[] } = {}) {
  const make = vi.fn((key: string) => ({ key }));
  const things = new ByUse(make, ({ key }) => held.includes(key));
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

describe(ByUse.name, () => {
  it('makes one thing for each key, when it is first asked for', () => {
    const { make, things } = made();
    const [a, b] = [things.of('a'), things.of('b')];
    expect([things.of('b'), things.of('a'), things.of('a')]).toEqual([b, a, a]);
    expect(things.of('a')).toBe(a);
    expect(make.mock.calls).toEqual([['a'], ['b']]);
    expect(things.all()).toEqual([b, a]);
  });

  it('knows an empty key, and one that is the name of a property of every object', () => {
    const { make, things } = made();
    for (const key of ['', '__proto__', 'constructor']) expect(things.of(key)).toEqual({ key });
    expect(make).toHaveBeenCalledTimes(3);
  });

  it('remembers ten thousand, and forgets what has not been asked for the longest', () => {
    const { things, fill, remembered } = made();
    fill(0, MANY);
    things.of('key 0');
    expect(things.all()).toHaveLength(MANY);
    fill(MANY, MANY + 1);
    expect(things.all()).toHaveLength(MANY);
    expect(remembered('key 0', 'key 1', 'key 2')).toEqual(['key 0', 'key 2']);
  });

  it('does not forget what is held, but the next that is not', () => {
    const { things, fill, remembered } = made({ held: ['key 0', 'key 1'] });
    fill(0, MANY + 1);
    expect(remembered('key 0', 'key 1', 'key 2', 'key 3')).toEqual(['key 0', 'key 1', 'key 3']);
    expect(things.all()).toHaveLength(MANY);
  });

  it('looks at no more than a few, and keeps them all where they are held', () => {
    const keys = Array.from({ length: MANY + 2 }, (_, i) => `key ${i}`);
    const isHeld = vi.fn(() => true);
    const things = new ByUse((key) => ({ key }), isHeld);
    for (const key of keys) things.of(key);
    expect(isHeld).toHaveBeenCalledTimes(2 * 8);
    expect(things.all()).toHaveLength(MANY + 2);
  });
});
