import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { delayFor, type Occasion } from '../../lib/retry/delay.ts';
import type { ResolvedRetry, ResolvedRetryAfter } from '../../lib/retry/options.ts';
import { type Backoff, constantBackoff } from '../../lib/time/backoff.ts';

type Options = Pick<ResolvedRetry, 'retryAfter' | 'backoff'>;

/** A call that was answered for the first time. */
const FIRST: Occasion = {
  verdict: { kind: 'transient' },
  retries: 0,
  previousMs: 0,
  namedMs: 0,
  random: () => 0.5,
  error: undefined,
};

const options = (changes: Partial<ResolvedRetryAfter> = {}, backoff: Backoff = constantBackoff(400)): Options => ({
  retryAfter: { maxMs: 60_000, whenLonger: 'fail', jitterMs: 0, ...changes },
  backoff,
});

const named = (retryAfterMs: number | undefined, given = options(), random = () => 0.5) =>
  delayFor({ ...FIRST, verdict: { kind: 'throttled', retryAfterMs }, random }, given);

describe(delayFor.name, () => {
  it('is exactly what the server named', () => {
    expect(named(7_000)).toEqual({ ms: 7_000, backoff: false, namedMs: 7_000 });
    expect(named(60_000)).toEqual({ ms: 60_000, backoff: false, namedMs: 60_000 });
  });

  it('takes a wait of nothing for one that was named', () => {
    expect(named(0)).toEqual({ ms: 0, backoff: false, namedMs: 0 });
  });

  it('is the backoff where the server named none', () => {
    expect(named(undefined)).toEqual({ ms: 400, backoff: true, namedMs: 0 });
  });

  it('tells the backoff everything in one frozen argument', () => {
    let told: unknown;
    const backoff: Backoff = (context) => {
      told = context;
      return 0;
    };
    const verdict = { kind: 'transient' } as const;
    const random = () => 0;
    delayFor({ ...FIRST, verdict, retries: 2, previousMs: 350, random }, options({}, backoff));
    expect(told).toEqual({ retry: 2, verdict, previousMs: 350, random });
    expect(Object.isFrozen(told)).toBe(true);
  });

  it('is too long above the cap', () => {
    expect(named(60_001)).toBe('too-long');
    expect(named(1, options({ maxMs: 0 }))).toBe('too-long');
  });

  it("is the cap above the cap with whenLonger: 'clamp'", () => {
    expect(named(3_600_000, options({ whenLonger: 'clamp' }))).toEqual({ ms: 60_000, backoff: false, namedMs: 60_000 });
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
    expect(named(1_000, options({ jitterMs: 500 }), () => 0.5)).toEqual({ ms: 1_250, backoff: false, namedMs: 1_000 });
  });

  it('sends at once rather than in the past if a judge names a negative wait', () => {
    expect(named(-5)).toEqual({ ms: 0, backoff: false, namedMs: 0 });
  });

  it('takes a wait of NaN, named by a judge, for no opinion', () => {
    expect(named(Number.NaN)).toEqual({ ms: 400, backoff: true, namedMs: 0 });
  });

  it('takes an endless wait, named by a judge, for too long', () => {
    expect(named(Number.POSITIVE_INFINITY)).toBe('too-long');
  });

  it('is too long where all named waits together would pass the cap, jitter and backoff not counted', () => {
    const next = (namedMs: number, retryAfterMs: number, changes: Partial<ResolvedRetryAfter> = {}) =>
      delayFor({ ...FIRST, verdict: { kind: 'throttled', retryAfterMs }, namedMs }, options(changes));
    expect(next(57_000, 3_000)).toEqual({ ms: 3_000, backoff: false, namedMs: 3_000 });
    expect(next(57_000, 3_001)).toBe('too-long');
    expect(next(60_000, 0)).toEqual({ ms: 0, backoff: false, namedMs: 0 });
    expect(next(57_000, 3_000, { jitterMs: 1_000 })).toEqual({ ms: 3_500, backoff: false, namedMs: 3_000 });
    expect(delayFor({ ...FIRST, namedMs: 60_000 }, options())).toEqual({ ms: 400, backoff: true, namedMs: 0 });
    expect(next(120_000, 90_000, { whenLonger: 'clamp' })).toEqual({ ms: 60_000, backoff: false, namedMs: 60_000 });
  });

  it('is the backoff with retryAfter: false, whatever the server names', () => {
    expect(named(3_600_000, { ...options(), retryAfter: false })).toEqual({ ms: 400, backoff: true, namedMs: 0 });
  });

  it.each([
    [Number.NaN, 'NaN'],
    [-1, '-1'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [undefined, 'undefined'],
    ['500', "'500'"],
    [Promise.resolve(5), 'a promise: await it?'],
    [constantBackoff(5), 'a function'],
  ])('refuses %s of a backoff, by name, and keeps the error of the send', (ms, got) => {
    const error = new Error('503');
    const wrong = (() => ms) as unknown as Backoff;
    const message = `retry.backoff must return a finite number of ms, at least 0, and at once; got ${got}`;
    expect(() => delayFor({ ...FIRST, error }, options({}, wrong))).toThrow(new TypeError(message, { cause: error }));
  });
});
