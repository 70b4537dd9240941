import { describe, expect, it } from 'vitest';
import { checkedVerdict } from '../../lib/classify/checked-verdict.ts';

describe(checkedVerdict.name, () => {
  it.each([
    { kind: 'success', accept: true },
    { kind: 'permanent', reject: true, accept: false, reason: 'no' },
    { kind: 'throttled', retryAfterMs: 0, final: true },
    { kind: 'transient', retryAfterMs: Number.POSITIVE_INFINITY, unapplied: false, reason: undefined },
    { kind: 'cancelled', note: 'for a backoff of mine' },
  ])('lets through the very verdict: %j', (verdict) => {
    expect(checkedVerdict(verdict)).toBe(verdict);
  });

  it('lets undefined through: no opinion', () => expect(checkedVerdict(undefined)).toBeUndefined());

  it('says how it was given', () => {
    expect(() => checkedVerdict(true, 'a promise of ')).toThrow(
      new TypeError(
        "classify gave a promise of true; it must give a verdict such as { kind: 'transient' }, or undefined for no opinion",
      ),
    );
  });

  it.each([0, '', [], () => ({ kind: 'transient' }), Symbol('verdict'), [{ kind: 'transient' }]])(
    'refuses what has no kind: %o',
    (given) => {
      expect(() => checkedVerdict(given)).toThrow(TypeError);
    },
  );
});
