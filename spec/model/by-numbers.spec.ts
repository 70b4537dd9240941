import { describe, expect, it, vi } from 'vitest';
import { ByNumbers } from '../../lib/model/by-numbers.ts';

describe(ByNumbers.name, () => {
  it('makes one thing for each set of numbers, when it is first asked for', () => {
    const make = vi.fn((options: object) => ({ options }));
    const things = new ByNumbers(make);
    expect([make.mock.calls.length, things.all()]).toEqual([0, []]);
    const [a, b] = [{ capacity: 5 }, { capacity: 6 }];
    const [first, second] = [things.of(a), things.of(b)];
    expect(first).toEqual({ options: a });
    expect(second).toEqual({ options: b });
    expect(things.of({ capacity: 5 })).toBe(first);
    expect(things.of(b)).toBe(second);
    expect(things.of(a)).toBe(first);
    expect(make).toHaveBeenCalledTimes(2);
    expect(things.all()).toEqual([first, second]);
  });

  it('looks at the numbers that count, and at them once for options that come again and again', () => {
    const numbersOf = vi.fn(({ capacity }: { capacity: number; key?: () => string }) => capacity);
    const things = new ByNumbers(() => ({}), numbersOf);
    const options = { capacity: 5, key: () => 'a' };
    const thing = things.of(options);
    expect(things.of(options)).toBe(thing);
    expect(numbersOf).toHaveBeenCalledTimes(1);
    expect(things.of({ capacity: 5, key: () => 'b' })).toBe(thing);
    expect(things.of({ capacity: 6 })).not.toBe(thing);
  });
});
