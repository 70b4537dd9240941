import { describe, expect, it } from 'vitest';
import { bringing, broughtBy } from '../lib/room.ts';

const [LIMIT, AUTH] = [{ name: 'limit' }, { name: 'auth' }];

describe(broughtBy.name, () => {
  it('finds the room that a value brings, under its own name only', () => {
    const limiter = bringing({ schedule: 1 }, LIMIT);
    expect(broughtBy(limiter, 'limit')).toBe(LIMIT);
    expect(broughtBy(limiter, 'auth')).toBeUndefined();
    expect(Object.keys(limiter)).toEqual(['schedule']);
  });

  it('of a list, finds what the first brings that brings it', () => {
    const limiters = [{}, bringing({}, AUTH), bringing({}, LIMIT)];
    expect(broughtBy(limiters, 'limit')).toBe(LIMIT);
    expect(broughtBy([{}], 'limit')).toBeUndefined();
  });

  it.each([undefined, null, false, 7, {}, bringing({}, undefined)])('finds nothing in %o', (value) => {
    expect(broughtBy(value, 'limit')).toBeUndefined();
  });
});
