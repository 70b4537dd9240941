import { describe, expect, it } from 'vitest';
import { Life } from '../../lib/auth/life.ts';
import { TokenRefreshError } from '../../lib/failure/errors.ts';

const over = (why: string) => new TokenRefreshError(why, undefined);

describe(Life.name, () => {
  it('lasts until it is ended, for the reason that came first', () => {
    const life = new Life();
    expect([life.requested, life.over]).toEqual([false, undefined]);
    const first = over('closed');
    life.end(first);
    life.end(over('closed again'));
    expect([life.requested, life.over]).toEqual([true, first]);
  });

  it('tells whoever listens then', () => {
    const life = new Life();
    const told: string[] = [];
    life.subscribe(() => told.push('one'));
    life.subscribe(() => told.push('other'))();
    expect(told).toEqual([]);
    life.end(over('closed'));
    expect(told).toEqual(['one']);
  });
});
