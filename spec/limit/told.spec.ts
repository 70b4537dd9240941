import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it, vi } from 'vitest';
import type { LimitOptions } from '../../lib/limit/options.ts';
import { TellingCode, TellingCodes } from '../../lib/limit/told.ts';

const config = { url: '/x' } as InternalAxiosRequestConfig;
const answer = { status: 200, data: 'raw', headers: { a: '1' } } as unknown as AxiosResponse;
const shown = { headers: { shown: '1' } as never, data: { tokens: 5 } };

/** Runs it, and gives what it gave and what was warned of. */
function heard<T>(run: () => T): { readonly gave: T; readonly warnings: readonly unknown[] } {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const gave = run();
  const warnings = warned.mock.calls.map(([message]) => message);
  warned.mockRestore();
  return { gave, warnings };
}

const read = (limit: LimitOptions, weight?: number, hearsQuota = true) =>
  heard(() => new TellingCode(limit).read(answer, shown, weight, hearsQuota));

describe(TellingCode.name, () => {
  it('looks at answers only where it has something to look with', () => {
    expect(new TellingCode({ weight: () => 1 }).readsAnswers).toBe(false);
    expect(new TellingCode({ settle: () => 1 }).readsAnswers).toBe(true);
    expect(new TellingCode({ quota: () => undefined }).readsAnswers).toBe(true);
    expect(new TellingCode({ settle: 'mine', quota: 7 } as never).readsAnswers).toBe(false);
  });

  describe('says how much a send weighs', () => {
    it('where there is code for it', () => {
      const weight = vi.fn(() => 3);
      expect(new TellingCode({ weight }).weightOf(config)).toBe(3);
      expect(weight.mock.calls).toEqual([[config]]);
      expect(new TellingCode({}).weightOf(config)).toBeUndefined();
      expect(new TellingCode({ weight: 5 as never }).weightOf(config)).toBeUndefined();
    });

    it.each<[unknown, new (message: string) => Error, string]>([
      [undefined, TypeError, 'limit.weight must return a number, got undefined'],
      ['3', TypeError, 'limit.weight must return a number, got a string'],
      [0, RangeError, 'limit.weight must return an integer of at least 1, got 0'],
      [1.5, RangeError, 'limit.weight must return an integer of at least 1, got 1.5'],
      [Number.POSITIVE_INFINITY, RangeError, 'limit.weight must return an integer of at least 1, got Infinity'],
    ])('and ends the call where that is %o', (weight, Kind, message) => {
      expect(() => new TellingCode({ weight: () => weight as number }).weightOf(config)).toThrow(new Kind(message));
    });
  });

  describe('reads an answer', () => {
    it('with its body and headers as the caller will see them, and with the weight of its send', () => {
      const settle = vi.fn((response: AxiosResponse, _weight: number) => response.data.tokens);
      expect(read({ settle }, 7).gave).toEqual({ cost: 5, quota: undefined });
      expect(settle.mock.calls[0]?.[1]).toBe(7);
      expect(settle.mock.calls[0]?.[0]).toMatchObject({ status: 200, headers: { shown: '1' }, data: { tokens: 5 } });
      read({ settle });
      expect(settle.mock.calls[1]?.[1]).toBe(1);
    });

    it('for what is left, where anybody heeds it', () => {
      const quota = vi.fn(() => ({ remaining: 3 }));
      expect(read({ quota }, 1, false).gave.quota).toBeUndefined();
      expect(quota).not.toHaveBeenCalled();
      expect(read({ quota }).gave).toEqual({ cost: undefined, quota: { policies: [], remaining: 3, ofWeights: true } });
    });

    it.each([undefined, 0, 0.5])('takes %o for a cost', (cost) => {
      expect(read({ settle: () => cost })).toEqual({ gave: { cost, quota: undefined }, warnings: [] });
    });

    const SO = 'So it says nothing of that answer, and the call goes on.';
    it.each<[unknown, string]>([
      [-1, '-1'],
      [Number.POSITIVE_INFINITY, 'Infinity'],
      [Number.NaN, 'NaN'],
      ['5', "'5'"],
    ])('learns nothing of the cost %o, and says so', (cost, said) => {
      expect(read({ settle: () => cost as number })).toEqual({
        gave: { cost: undefined, quota: undefined },
        warnings: [`limit.settle must return a finite number of at least 0, or undefined, got ${said}. ${SO}`],
      });
    });

    it('says once for a policy what code failed with, and shows one line of it', () => {
      const fails = (thrown: unknown) => ({
        settle: () => {
          throw thrown;
        },
      });
      expect(read(fails(new Error('a\nb'))).warnings).toEqual([`limit.settle threw Error: a b. ${SO}`]);
      expect(read(fails('secret')).warnings).toEqual([`limit.settle threw a string. ${SO}`]);
      const always = fails(new Error('mine'));
      expect([read(always).warnings.length, read(always).warnings.length]).toEqual([1, 0]);
      expect(read({ quota: () => ({ limit: -1 }) as never }).warnings).toEqual([
        `limit.quota gave a limit that must be a finite number of at least 0, got -1. ${SO}`,
      ]);
    });
  });

  it('has one weight, since there is one limit', () => {
    expect(new TellingCode({ weight: () => 3 }).weightsOf(config)).toBeUndefined();
  });
});

describe(TellingCodes.name, () => {
  const codes = new TellingCodes([{ weight: () => 2, settle: (_, weight) => weight * 10 }, {}, { settle: () => 4 }]);

  it('weigh a send for each limit by its own code', () => {
    expect(codes.weightsOf(config)).toEqual([2, undefined, undefined]);
    expect(codes.weightOf(config)).toBeUndefined();
  });

  it('read an answer for each by its own code, and by the weight in it', () => {
    const nothing = { cost: undefined, quota: undefined };
    const each = (weights: number | readonly number[] | undefined) => codes.read(answer, shown, weights, true).each;
    expect(each([2, 1, 1])).toEqual([{ ...nothing, cost: 20 }, nothing, { ...nothing, cost: 4 }]);
    expect(each(3)?.[0]).toEqual({ ...nothing, cost: 30 });
    expect(each(undefined)?.[0]).toEqual({ ...nothing, cost: 10 });
  });

  it('look at answers where one of them does', () => {
    expect(codes.readsAnswers).toBe(true);
    expect(new TellingCodes([{}, { weight: () => 1 }]).readsAnswers).toBe(false);
  });
});
