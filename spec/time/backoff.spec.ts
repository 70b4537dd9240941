import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VerdictKind } from '../../lib/call/verdict.ts';
import {
  BACKOFF_DEFAULTS,
  type Backoff,
  constantBackoff,
  type ExponentialBackoffOptions,
  exponentialBackoff,
  type Jitter,
  linearBackoff,
} from '../../lib/time/backoff.ts';

function ask(
  backoff: Backoff,
  { retry = 0, kind = 'transient' as VerdictKind, previousMs = 0, random = (): number => 1 } = {},
): number {
  return backoff({ retry, verdict: { kind }, previousMs, random });
}

/** mulberry32: the same 10,000 samples in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function deciles(samples: readonly number[], from: number, to: number): number[] {
  const counts = Array<number>(10).fill(0);
  for (const sample of samples) {
    const decile = Math.floor((10 * (sample - from)) / (to - from));
    counts[decile] = (counts[decile] ?? Number.NaN) + 1;
  }
  return counts;
}

function expectUniform(samples: readonly number[], from: number, to: number): void {
  const counts = deciles(samples, from, to);
  expect(counts).toHaveLength(10);
  for (const count of counts) {
    expect(count).toBeGreaterThan(0.08 * samples.length);
    expect(count).toBeLessThan(0.12 * samples.length);
  }
}

const JITTERS: readonly Jitter[] = ['full', 'equal', 'decorrelated', 'none'];

describe(exponentialBackoff.name, () => {
  it('doubles from 500 ms after a transient failure, up to 20 s', () => {
    const waits = Array.from({ length: 11 }, (_, retry) => ask(exponentialBackoff(), { retry }));
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000, 20_000, 20_000, 20_000]);
  });

  it('starts from 1 s after throttling', () => {
    const waits = [0, 1, 2].map((retry) => ask(exponentialBackoff(), { retry, kind: 'throttled' }));
    expect(waits).toEqual([1_000, 2_000, 4_000]);
  });

  it('spreads full jitter evenly from 0 to the bound', () => {
    const random = seeded(1);
    const backoff = exponentialBackoff({ jitter: 'full' });
    const samples = Array.from({ length: 10_000 }, () => ask(backoff, { retry: 3, random }));
    expectUniform(samples, 0, 4_000);
  });

  it('caps before full jitter, so that late retries are spread as well', () => {
    const random = seeded(2);
    const backoff = exponentialBackoff({ jitter: 'full' });
    const samples = Array.from({ length: 10_000 }, () => ask(backoff, { retry: 40, random }));
    expectUniform(samples, 0, 20_000);
  });

  it('waits at least half of the bound with equal jitter', () => {
    const random = seeded(3);
    const backoff = exponentialBackoff({ jitter: 'equal' });
    const samples = Array.from({ length: 10_000 }, () => ask(backoff, { retry: 3, random }));
    expectUniform(samples, 2_000, 4_000);
  });

  it('takes equal jitter by default: three waits are from 1.75 to 3.5 s together, 2.6 s in the median', () => {
    const random = seeded(6);
    const backoff = exponentialBackoff();
    const three = () => [0, 1, 2].reduce((sum, retry) => sum + ask(backoff, { retry, random }), 0);
    const sums = Array.from({ length: 10_000 }, three).sort((a, b) => a - b);
    expect(sums[0]).toBeGreaterThanOrEqual(1_750);
    expect(sums.at(-1)).toBeLessThanOrEqual(3_500);
    expect(sums[5_000]).toBeGreaterThan(2_600);
    expect(sums[5_000]).toBeLessThan(2_650);
  });

  it('draws decorrelated jitter between the base and three times the wait before', () => {
    const random = seeded(4);
    const backoff = exponentialBackoff({ jitter: 'decorrelated' });
    const samples = Array.from({ length: 10_000 }, () => ask(backoff, { previousMs: 1_000, random }));
    expectUniform(samples, 500, 3_000);
  });

  it('caps decorrelated jitter after the draw', () => {
    const backoff = exponentialBackoff({ jitter: 'decorrelated' });
    expect(ask(backoff, { previousMs: 15_000, random: () => 0.9 })).toBe(20_000);
  });

  it.each([0, Number.NaN, -5, 100])('takes the base for the wait before when that was %d ms', (previousMs) => {
    const backoff = exponentialBackoff({ jitter: 'decorrelated' });
    expect(ask(backoff, { previousMs, random: () => 0.5 })).toBe(1_000);
  });

  it('stays finite after many decorrelated rounds', () => {
    const backoff = exponentialBackoff({ jitter: 'decorrelated' });
    const random = seeded(5);
    let previousMs = 0;
    for (let retry = 0; retry < 5_000; retry++) {
      previousMs = ask(backoff, { retry, previousMs, random });
      expect(previousMs >= 500 && previousMs <= 20_000).toBe(true);
    }
  });

  it('takes the factor that it is given', () => {
    expect(ask(exponentialBackoff({ factor: 3, jitter: 'none' }), { retry: 2 })).toBe(4_500);
    expect(ask(exponentialBackoff({ jitter: 'none' }), { retry: 2, random: () => 0.3 })).toBe(2_000);
  });

  it('takes an explicit undefined for no opinion', () => {
    const undecided = {
      baseMs: undefined,
      throttledBaseMs: undefined,
      capMs: undefined,
      factor: undefined,
      jitter: undefined,
    };
    for (const retry of [0, 3, 20]) {
      const context = { retry, random: () => 0.5 };
      expect(ask(exponentialBackoff(undecided), context)).toBe(ask(exponentialBackoff(), context));
    }
  });

  it('gives a finite wait from 0 to the cap, for every retry and every option', () => {
    const ms = fc.double({ min: 0, max: Number.MAX_VALUE, noNaN: true });
    const options = fc.record({ baseMs: ms, throttledBaseMs: ms, capMs: ms, factor: ms.map((n) => Math.max(1, n)) });
    const unit = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1));
    const context = fc.record({
      retry: fc.oneof(fc.nat(5_000), fc.constant(5_000)),
      kind: fc.constantFrom<VerdictKind>('transient', 'throttled'),
      previousMs: fc.double(),
      random: unit.map((value) => () => value),
    });
    fc.assert(
      fc.property(options, fc.constantFrom(...JITTERS), context, (given, jitter, asked) => {
        const wait = ask(exponentialBackoff({ ...given, jitter }), asked);
        return Number.isFinite(wait) && wait >= 0 && wait <= given.capMs;
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[object, new () => Error, string]>([
    [{ baseMs: -1 }, RangeError, 'baseMs must be a finite number of at least 0; got -1'],
    [{ throttledBaseMs: Number.NaN }, RangeError, 'throttledBaseMs must be a finite number of at least 0; got NaN'],
    [{ capMs: Infinity }, RangeError, 'capMs must be a finite number of at least 0; got Infinity'],
    [{ factor: 0.5 }, RangeError, 'factor must be a finite number of at least 1; got 0.5'],
    [{ baseMs: '50' }, TypeError, 'baseMs must be a finite number of at least 0; got "50"'],
    [{ baseMs: null }, TypeError, 'baseMs must be a finite number of at least 0; got null'],
    [{ jitter: 'some' }, RangeError, 'jitter must be one of full, equal, decorrelated, none; got "some"'],
  ])('refuses %o', (options, kind, message) => {
    expect(() => exponentialBackoff(options as ExponentialBackoffOptions)).toThrow(kind);
    expect(() => exponentialBackoff(options as ExponentialBackoffOptions)).toThrow(message);
  });
});

describe(constantBackoff.name, () => {
  it('always waits the same', () => {
    expect([0, 1, 5_000].map((retry) => ask(constantBackoff(250), { retry }))).toEqual([250, 250, 250]);
  });

  it.each([-1, Number.NaN, Infinity])('refuses %d', (ms) => {
    expect(() => constantBackoff(ms)).toThrow(`ms must be a finite number of at least 0; got ${ms}`);
  });
});

describe(linearBackoff.name, () => {
  it('waits one step more with each retry, up to the cap', () => {
    const backoff = linearBackoff({ stepMs: 100, capMs: 250 });
    expect([0, 1, 2, 5_000].map((retry) => ask(backoff, { retry }))).toEqual([100, 200, 250, 250]);
  });

  it('takes steps of a second up to 20 s by default', () => {
    const backoff = linearBackoff({ stepMs: undefined, capMs: undefined });
    expect([0, 1, 30].map((retry) => ask(backoff, { retry }))).toEqual([1_000, 2_000, 20_000]);
  });

  it('refuses a step below 0 and a cap without end', () => {
    expect(() => linearBackoff({ stepMs: -1 })).toThrow('stepMs must be a finite number of at least 0; got -1');
    const endless = new RangeError('capMs must be a finite number of at least 0; got Infinity');
    expect(() => linearBackoff({ capMs: Infinity })).toThrow(endless);
  });
});

describe('BACKOFF_DEFAULTS', () => {
  it('is what the documentation says', () => {
    expect(BACKOFF_DEFAULTS).toEqual({
      baseMs: 500,
      throttledBaseMs: 1_000,
      stepMs: 1_000,
      capMs: 20_000,
      factor: 2,
      jitter: 'equal',
    });
  });
});

describe('an option that a backoff does not have', () => {
  const exponential = exponentialBackoff as (options: unknown) => unknown;
  const linear = linearBackoff as (options: unknown) => unknown;
  const all = 'its options are baseMs, throttledBaseMs, capMs, factor, jitter';

  it.each<[unknown, string]>([
    [{ base: 100 }, 'base is not an option of exponentialBackoff; did you mean baseMs?'],
    [{ basems: 100 }, 'basems is not an option of exponentialBackoff; did you mean baseMs?'],
    [{ cap: 100 }, 'cap is not an option of exponentialBackoff; did you mean capMs?'],
    [{ throttled: 100 }, 'throttled is not an option of exponentialBackoff; did you mean throttledBaseMs?'],
    [{ jiter: 'full' }, 'jiter is not an option of exponentialBackoff; did you mean jitter?'],
    [{ minTimeout: 100 }, `minTimeout is not an option of exponentialBackoff; ${all}`],
    [
      500,
      'exponentialBackoff takes { baseMs, throttledBaseMs, capMs, factor, jitter }; got 500; did you mean { baseMs: 500 }?',
    ],
    [null, 'exponentialBackoff takes { baseMs, throttledBaseMs, capMs, factor, jitter }; got null'],
    [[1, 2], 'exponentialBackoff takes { baseMs, throttledBaseMs, capMs, factor, jitter }; got an array'],
    [() => 1, 'exponentialBackoff takes { baseMs, throttledBaseMs, capMs, factor, jitter }; got a function'],
  ])('is refused: exponentialBackoff(%o)', (options, message) => {
    expect(() => exponential(options)).toThrow(new TypeError(message));
  });

  it.each<[unknown, string]>([
    [{ step: 100 }, 'step is not an option of linearBackoff; did you mean stepMs?'],
    [{ delay: 100 }, 'delay is not an option of linearBackoff; its options are stepMs, capMs'],
    [500, 'linearBackoff takes { stepMs, capMs }; got 500; did you mean { stepMs: 500 }?'],
  ])('is refused: linearBackoff(%o)', (options, message) => {
    expect(() => linear(options)).toThrow(new TypeError(message));
  });

  it('is no opinion where it holds undefined', () => {
    expect(() => exponential({ base: undefined, baseMs: undefined })).not.toThrow();
  });

  it('is a number where an object is given', () => {
    expect(() => constantBackoff({ ms: 1 } as never)).toThrow(
      'ms must be a finite number of at least 0; got an object',
    );
  });
});
