import type { AxiosResponse } from 'axios';
import { describe, expect, it } from 'vitest';
import { quotaBy, WrongForm } from '../../../lib/limit/quota/reader.ts';

const response = { status: 200 } as AxiosResponse;
const told = (quota: unknown) => quotaBy(() => quota, response);

describe(quotaBy.name, () => {
  it('is shown the answer, and need not say anything of it', () => {
    const seen: unknown[] = [];
    expect(quotaBy((answer) => void seen.push(answer), response)).toBeUndefined();
    expect(seen).toEqual([response]);
  });

  it('counts weights, and names no policies where it is told none', () => {
    expect(told({})).toEqual({ policies: [], ofWeights: true });
    expect(told({ limit: 100, remaining: 0, resetMs: 0.5 })).toEqual({
      policies: [],
      limit: 100,
      remaining: 0,
      resetMs: 0.5,
      ofWeights: true,
    });
  });

  it('takes all that a quota has, and what is left undefined in it', () => {
    const quota = {
      policies: [{ name: 'minute', quota: 60, windowMs: 60_000 }, { quota: 9 }],
      limit: undefined,
      counters: [
        { name: 'minute', limit: 60, remaining: 5, resetMs: 100 },
        { name: 'day', remaining: 5, resetMs: 100 },
      ],
      concurrency: 4,
      partition: { policy: 'user', key: '7' },
    };
    expect(told(quota)).toEqual({ ...quota, ofWeights: true });
  });

  it.each<[unknown, string]>([
    [null, 'must return a quota or undefined, got null'],
    [5, 'must return a quota or undefined, got 5'],
    ['secret', 'must return a quota or undefined, got a string'],
    [Promise.resolve({}), 'must return a quota or undefined, got a promise: await it?'],
    [
      { left: 5 },
      'gave left, which no quota has: policies, limit, remaining, resetMs, counters, concurrency, partition',
    ],
    [
      { ofWeights: false },
      'gave ofWeights, which no quota has: policies, limit, remaining, resetMs, counters, concurrency, partition',
    ],
  ])('refuses %o, which is no quota', (quota, message) => {
    expect(() => told(quota)).toThrow(new WrongForm(message));
  });

  const AMOUNT = 'a finite number of at least 0';
  const POLICIES = 'an array of { name?, quota, windowMs? }';
  const COUNTERS = 'an array of { name, limit?, remaining, resetMs }';
  const PARTITION = '{ policy, key }';
  it.each<[string, unknown, string]>([
    ['limit', '100', AMOUNT],
    ['limit', -1, AMOUNT],
    ['remaining', Number.NaN, AMOUNT],
    ['remaining', null, AMOUNT],
    ['concurrency', Number.POSITIVE_INFINITY, AMOUNT],
    ['resetMs', new Date(0), 'a finite number of ms, at least 0'],
    ['policies', { quota: 5 }, POLICIES],
    ['policies', [{ quota: 5 }, { quota: '5' }], POLICIES],
    ['policies', [{ name: 5, quota: 5 }], POLICIES],
    ['policies', [{ quota: 5, windowMs: -1 }], POLICIES],
    ['policies', [5], POLICIES],
    ['counters', [{ name: 'a', remaining: 1 }], COUNTERS],
    ['counters', [{ remaining: 1, resetMs: 1 }], COUNTERS],
    ['counters', [{ name: 'a', resetMs: 1 }], COUNTERS],
    ['counters', [{ name: 'a', limit: '5', remaining: 1, resetMs: 1 }], COUNTERS],
    ['partition', { policy: 'user' }, PARTITION],
    ['partition', { key: '7' }, PARTITION],
    ['partition', 'user', PARTITION],
  ])('refuses the %s %o: it must be %s', (name, value, bound) => {
    expect(() => told({ [name]: value })).toThrow(WrongForm);
    expect(() => told({ [name]: value })).toThrow(`gave a ${name} that must be ${bound}, got `);
  });

  it('throws what the reader throws', () => {
    const mine = new Error('mine');
    expect(() =>
      quotaBy(() => {
        throw mine;
      }, response),
    ).toThrow(mine);
  });
});
