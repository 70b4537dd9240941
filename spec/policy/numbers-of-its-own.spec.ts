import { describe, expect, it } from 'vitest';
import { FULL } from '../../lib/full.ts';
import { numbersOfItsOwn } from '../../lib/policy/numbers-of-its-own.ts';
import type { Policy } from '../../lib/policy/options.ts';
import { OneAtATime } from '../support/limiter.ts';
import { resolve } from '../support/policies.ts';

function wrongOf(own: Policy, attached: Policy): readonly string[] {
  const base = resolve(attached);
  return numbersOfItsOwn(FULL.policy, own, FULL.policy.resolve(base, own), base).map(({ message }) => message);
}

describe(numbersOfItsOwn.name, () => {
  it('says where the number stands, what it is, and what to do instead', () => {
    expect(wrongOf({ limit: { maxConcurrent: 2 }, breaker: { windowMs: 500 } }, {})).toEqual([
      'limit.maxConcurrent must be left out on a call, or as it is attached: make a localLimiter once, and give it as limit; got 2',
      'breaker.windowMs must be left out on a call, or as it is attached: give it to attach; got 500',
    ]);
    expect(wrongOf({ retry: { maxRetries: 9, budget: { capacity: 5 } } }, {})).toEqual([
      'retry.budget.capacity must be left out on a call, or as it is attached: give it to attach; got 5',
    ]);
  });

  it('takes the defaults for what is attached, where that is off', () => {
    const defaults: Policy = { breaker: { windowMs: 10_000 }, retry: { budget: { capacity: 2_100 } } };
    expect(wrongOf(defaults, { breaker: false, retry: false })).toEqual([]);
    expect(wrongOf(defaults, { breaker: { windowMs: 500 }, retry: { budget: { capacity: 5 } } })).toHaveLength(2);
  });

  it('finds none in what a call leaves undefined', () => {
    const nothing = { limit: { maxConcurrent: undefined } };
    for (const limit of [{ maxConcurrent: 3 }, false, new OneAtATime()] as const) {
      expect(wrongOf(nothing, { limit })).toEqual([]);
    }
  });
});
