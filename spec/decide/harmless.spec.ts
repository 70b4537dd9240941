import { describe, expect, it } from 'vitest';
import { isHarmless, type Repeat } from '../../lib/decide/harmless.ts';
import type { Verdict } from '../../lib/model/verdict.ts';

const repeat = (changes: Partial<Repeat>): Repeat => ({
  method: 'POST',
  sameKey: false,
  verdict: { kind: 'transient' },
  unsafe: 'when-unapplied',
  ...changes,
});

describe(isHarmless.name, () => {
  it.each(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY'])(
    'holds for %s, which is idempotent by definition, whatever the policy',
    (method) => {
      for (const unsafe of ['when-unapplied', 'always', 'never'] as const) {
        expect(isHarmless(repeat({ method, unsafe }))).toBe(true);
      }
    },
  );

  it.each(['POST', 'PATCH', 'CONNECT', 'LINK', 'PURGE', 'post-office', ''])(
    'does not hold for %s where the send may have been applied',
    (method) => {
      expect(isHarmless(repeat({ method }))).toBe(false);
    },
  );

  it.each<[Verdict, boolean]>([
    [{ kind: 'throttled' }, true],
    [{ kind: 'throttled', unapplied: true }, true],
    [{ kind: 'throttled', unapplied: false }, false],
    [{ kind: 'unauthorized' }, true],
    [{ kind: 'unauthorized', unapplied: false }, false],
    [{ kind: 'transient' }, false],
    [{ kind: 'transient', unapplied: true }, true],
    [{ kind: 'transient', unapplied: false }, false],
  ])('holds for a POST when the verdict says that nothing was applied: %j is %s', (verdict, harmless) => {
    expect(isHarmless(repeat({ verdict }))).toBe(harmless);
  });

  it("holds for any method with the same idempotency key, also with unsafe: 'never'", () => {
    for (const unsafe of ['when-unapplied', 'always', 'never'] as const) {
      expect(isHarmless(repeat({ sameKey: true, unsafe }))).toBe(true);
    }
  });

  it("holds for a POST that may have been applied with unsafe: 'always'", () => {
    expect(isHarmless(repeat({ unsafe: 'always' }))).toBe(true);
  });

  it("does not hold for a POST that was not applied with unsafe: 'never'", () => {
    for (const verdict of [{ kind: 'throttled' }, { kind: 'transient', unapplied: true }] as const) {
      expect(isHarmless(repeat({ verdict, unsafe: 'never' }))).toBe(false);
    }
  });
});
