import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { delayFor } from '../../lib/decide/delay.ts';
import type { ResolvedRetry } from '../../lib/policy/options.ts';
import { type Backoff, constantBackoff } from '../../lib/wait/backoff.ts';

type Options = Pick<ResolvedRetry, 'retryAfter' | 'backoff'>;

const options = (changes: Partial<Options['retryAfter']> = {}, backoff: Backoff = constantBackoff(400)): Options => ({
  retryAfter: { maxMs: 60_000, whenLonger: 'fail', jitterMs: 0, ...changes },
  backoff,
});

const named = (retryAfterMs: number | undefined, given = options(), random = () => 0.5) =>
  delayFor({ kind: 'throttled', retryAfterMs }, 0, 0, given, random);

describe(delayFor.name, () => {
  it('is exactly what the server named', () => {
    expect(named(7_000)).toEqual({ ms: 7_000, backoff: false });
    expect(named(60_000)).toEqual({ ms: 60_000, backoff: false });
  });

  it('takes a wait of nothing for one that was named', () => {
    expect(named(0)).toEqual({ ms: 0, backoff: false });
  });

  it('is the backoff where the server named none', () => {
    expect(named(undefined)).toEqual({ ms: 400, backoff: true });
  });

  it('tells the backoff everything in one frozen argument', () => {
    let told: unknown;
    const backoff: Backoff = (context) => {
      told = context;
      return 0;
    };
    const verdict = { kind: 'transient' } as const;
    const random = () => 0;
    delayFor(verdict, 2, 350, options({}, backoff), random);
    expect(told).toEqual({ retry: 2, verdict, previousMs: 350, random });
    expect(Object.isFrozen(told)).toBe(true);
  });

  it('is too long above the cap', () => {
    expect(named(60_001)).toBe('too-long');
    expect(named(1, options({ maxMs: 0 }))).toBe('too-long');
  });

  it("is the cap above the cap with whenLonger: 'clamp'", () => {
    expect(named(3_600_000, options({ whenLonger: 'clamp' }))).toEqual({ ms: 60_000, backoff: false });
  });

  it('only ever adds jitter to what the server named', () => {
    const property = fc.property(
      fc.nat(60_000),
      fc.nat(5_000),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (retryAfterMs, jitterMs, random) => {
        const delay = named(retryAfterMs, options({ jitterMs }), () => random);
        if (delay === 'too-long') throw new Error('within the cap');
        expect(delay.ms).toBeGreaterThanOrEqual(retryAfterMs);
        expect(delay.ms).toBeLessThanOrEqual(retryAfterMs + jitterMs);
      },
    );
    fc.assert(property);
    expect(named(1_000, options({ jitterMs: 500 }), () => 0.5)).toEqual({ ms: 1_250, backoff: false });
  });

  it('sends at once rather than in the past if a judge names a negative wait', () => {
    expect(named(-5)).toEqual({ ms: 0, backoff: false });
  });

  it('takes a wait of NaN, named by a judge, for no opinion', () => {
    expect(named(Number.NaN)).toEqual({ ms: 400, backoff: true });
  });

  it('takes an endless wait, named by a judge, for too long', () => {
    expect(named(Number.POSITIVE_INFINITY)).toBe('too-long');
  });

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY, undefined as unknown as number])(
    'falls back on the default backoff where the given one miscounts: %d',
    (ms) => {
      const delay = delayFor(
        { kind: 'transient' },
        1,
        0,
        options({}, () => ms),
        () => 0.5,
      );
      expect(delay).toEqual({ ms: 750, backoff: true });
    },
  );
});
