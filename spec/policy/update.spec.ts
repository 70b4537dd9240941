import { InvalidPolicyError, type Limiter, localLimiter, type Policy, preparePolicy } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { FULL } from '../../lib/full.ts';
import { isAdjusted } from '../../lib/limit/adjusted-limiter.ts';
import { update } from '../../lib/policy/update.ts';
import { OneAtATime } from '../support/limiter.ts';
import { resolve } from '../support/policies.ts';

const changed = (current: Policy, given: Policy) => update(FULL, resolve(current), given);

describe(update.name, () => {
  it('lays the new policy over the one that holds, option by option', () => {
    const { policy, numbers } = changed(
      { retry: { maxRetries: 1, timeouts: false }, limit: { requests: 5, perMs: 1_000 } },
      { retry: { maxRetries: 2 }, limit: { requests: 9 }, deadlineMs: undefined },
    );
    expect(policy).toMatchObject({
      retry: { maxRetries: 2, timeouts: false, unsafe: 'when-unapplied' },
      limit: { requests: 9, perMs: 1_000 },
      deadlineMs: Number.POSITIVE_INFINITY,
    });
    expect(Object.isFrozen(policy) && Object.isFrozen(policy.retry)).toBe(true);
    expect(numbers).toBeUndefined();
  });

  it('takes a prepared policy, too', () => {
    expect(update(FULL, resolve({}), preparePolicy({ deadlineMs: 5 })).policy.deadlineMs).toBe(5);
  });

  it('refuses what both mean together where that is wrong, with all that is wrong', () => {
    expect(() => changed({}, { limit: { requests: 5 }, deadlineMs: 0 })).toThrow(InvalidPolicyError);
    expect(() => changed({}, { limit: { requests: 5 }, deadlineMs: 0 })).toThrow(
      /limit\.perMs must be given with limit\.requests.*deadlineMs must be a number above 0/,
    );
    for (const given of [null, [], 'strict', new Map()]) {
      expect(() => changed({}, given as never)).toThrow('the policy must be a plain object');
    }
  });

  describe('where a limiter was handed in', () => {
    const limiter = () => localLimiter({ maxConcurrent: 1 });

    it('has numbers meant for that limiter, which stays', () => {
      const limit = limiter();
      const { policy, numbers } = changed({ limit }, { limit: { requests: 5, perMs: 1_000 } });
      expect(policy.limit).toBe(limit);
      expect(numbers?.of).toBe(limit);
      expect(numbers?.options).toEqual({ requests: 5, perMs: 1_000 });
    });

    it('has what else is said beside them hold for the calls of this attachment', () => {
      const limit = limiter();
      const first = changed({ limit }, { limit: { maxConcurrent: 5, maxWaitMs: 9 } });
      expect(first.numbers?.options).toEqual({ maxConcurrent: 5 });
      expect(isAdjusted(first.policy.limit as Limiter)).toBe(true);
      expect(first.policy.limit).toMatchObject({ limiter: limit, maxWaitMs: 9 });
      const second = update(FULL, first.policy, { limit: { maxConcurrent: 7 } });
      expect(second.numbers).toEqual({ of: limit, options: { maxConcurrent: 7 } });
    });

    it('has no numbers where none are given, or another limit takes its place', () => {
      const limit = limiter();
      const other = limiter();
      expect(changed({ limit }, { limit: { maxWaitMs: 9 } })).toMatchObject({
        policy: { limit: { limiter: limit, maxWaitMs: 9 } },
        numbers: undefined,
      });
      expect(changed({ limit }, { limit: other })).toMatchObject({ policy: { limit: other }, numbers: undefined });
      expect(changed({ limit }, { limit: false })).toMatchObject({ policy: { limit: false }, numbers: undefined });
      expect(changed({ limit }, { deadlineMs: 5 })).toMatchObject({ policy: { limit }, numbers: undefined });
    });

    it('refuses numbers that are wrong, and those that nobody can tell it', () => {
      expect(() => changed({ limit: limiter() }, { limit: { maxConcurrent: 0 } })).toThrow(
        'limit.maxConcurrent must be an integer of at least 1',
      );
      const numbers = { limit: { requests: 5, perMs: 1_000 } };
      expect(() => changed({ limit: new OneAtATime() }, numbers)).toThrow(
        'limit must be another Limiter, or one that has update(): the numbers of the one that is attached cannot be changed (requests, perMs)',
      );
      const wrong = () => changed({ limit: new OneAtATime() }, { limit: { maxConcurrent: 0 } });
      expect(wrong).toThrow(/limit\.maxConcurrent must be/);
      expect(wrong).not.toThrow(/another Limiter/);
    });
  });
});
