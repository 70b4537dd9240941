import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../lib/call/verdict.ts';
import { isHarmless, type Repeat } from '../../lib/retry/harmless.ts';
import type { ResolvedRetry } from '../../lib/retry/options.ts';

type Rules = Pick<ResolvedRetry, 'unsafe' | 'idempotentMethods'>;

const isHarmlessTo = ({
  unsafe = 'when-unapplied',
  idempotentMethods = [],
  ...changes
}: Partial<Repeat & Rules>): boolean =>
  isHarmless(
    { method: 'POST', sameKey: false, verdict: { kind: 'transient' }, ...changes },
    { idempotentMethods },
    unsafe,
  );

describe(isHarmless.name, () => {
  it.each([
    'GET',
    'HEAD',
    'OPTIONS',
    'TRACE',
    'PUT',
    'DELETE',
    'QUERY',
    'PROPFIND',
    'REPORT',
    'COPY',
    'SEARCH',
    'UNLINK',
  ])('holds for %s, which is idempotent by definition, whatever the policy', (method) => {
    for (const unsafe of ['when-unapplied', 'always', 'never'] as const) {
      expect(isHarmlessTo({ method, unsafe })).toBe(true);
    }
  });

  it('goes by the definition alone where there is no policy of retries', () => {
    const repeat = { sameKey: false, verdict: { kind: 'unauthorized', unapplied: false } } as const;
    expect(isHarmless({ ...repeat, method: 'PUT' }, false, 'when-unapplied')).toBe(true);
    expect(isHarmless({ ...repeat, method: 'PURGE' }, false, 'when-unapplied')).toBe(false);
  });

  it.each(['POST', 'PATCH', 'CONNECT', 'LOCK', 'PURGE', 'post-office', ''])(
    'does not hold for %s where the send may have been applied',
    (method) => {
      expect(isHarmlessTo({ method })).toBe(false);
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
    expect(isHarmlessTo({ verdict })).toBe(harmless);
  });

  it("holds for any method with the same idempotency key, also with unsafe: 'never'", () => {
    for (const unsafe of ['when-unapplied', 'always', 'never'] as const) {
      expect(isHarmlessTo({ sameKey: true, unsafe })).toBe(true);
    }
  });

  it("holds for a POST that may have been applied with unsafe: 'always'", () => {
    expect(isHarmlessTo({ unsafe: 'always' })).toBe(true);
  });

  it("does not hold for a POST that was not applied with unsafe: 'never'", () => {
    for (const verdict of [{ kind: 'throttled' }, { kind: 'transient', unapplied: true }] as const) {
      expect(isHarmlessTo({ verdict, unsafe: 'never' })).toBe(false);
    }
  });

  it('holds for the methods that the policy names, in any letter case, whatever else it says', () => {
    for (const unsafe of ['when-unapplied', 'always', 'never'] as const) {
      expect(isHarmlessTo({ method: 'PURGE', unsafe, idempotentMethods: ['purge', 'Poke'] })).toBe(true);
    }
    expect(isHarmlessTo({ method: 'POST', idempotentMethods: ['purge'] })).toBe(false);
  });
});
