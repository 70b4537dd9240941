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

  it.each<[unknown, string]>([
    [{}, "an object without a kind; it must give a verdict such as { kind: 'transient' }, or undefined for no opinion"],
    [{ kind: undefined }, 'an object without a kind;'],
    [false, 'false; it must give a verdict'],
    [
      { kind: 'retry' },
      "a verdict with kind 'retry'; it must be one of 'success', 'pending', 'throttled', 'transient', 'unauthorized', 'permanent', 'cancelled'",
    ],
    [{ kind: 'transient', reason: 7 }, 'a verdict with reason 7; it must be a string'],
    [
      { kind: 'transient', retryAfterMs: -1 },
      'a verdict with retryAfterMs -1; it must be a number of at least 0, in ms',
    ],
    [{ kind: 'transient', retryAfterMs: Number.NaN }, 'a verdict with retryAfterMs NaN; it must be a number'],
    [{ kind: 'transient', retryAfterMs: '7' }, "a verdict with retryAfterMs '7'; it must be a number"],
    [{ kind: 'transient', unapplied: 1 }, 'a verdict with unapplied 1; it must be true or false'],
    [{ kind: 'transient', reject: 'yes' }, "a verdict with reject 'yes'; it must be true or false"],
    [{ kind: 'transient', accept: null }, 'a verdict with accept null; it must be true or false'],
    [{ kind: 'transient', final: 0 }, 'a verdict with final 0; it must be true or false'],
    [{ kind: 'success', reject: true, accept: true }, 'a verdict with both reject and accept; it must be one of them'],
  ])('refuses %o and says why', (given, why) => {
    expect(() => checkedVerdict(given)).toThrow(`classify gave ${why}`);
    expect(() => checkedVerdict(given, 'a promise of ')).toThrow(`classify gave a promise of ${why}`);
  });

  it.each(['success', 'pending', 'throttled', 'transient', 'unauthorized', 'permanent', 'cancelled'])(
    'takes the kind %s',
    (kind) => {
      expect(checkedVerdict({ kind })).toEqual({ kind });
    },
  );
});
