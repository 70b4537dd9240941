import { InvalidPolicyError } from 'axios-holdfast';
import { describe, expect, it, vi } from 'vitest';
import { AdjustedLimiter, numbersIn } from '../../lib/limit/adjusted-limiter.ts';
import { Layers } from '../../lib/limit/layers.ts';
import type { Limiter, Permit } from '../../lib/limit/limiter.ts';
import { isLimiter } from '../../lib/limit/limiter.ts';
import { Limiters } from '../../lib/limit/limiters.ts';
import { LocalBuckets } from '../../lib/limit/local/local-buckets.ts';
import { fillIn, type LimitOptions, type OneLimit, type ResolvedLimit } from '../../lib/limit/options.ts';
import { waitsForOthers } from '../../lib/limit/station.ts';
import { rejectionOf } from '../support/attached.ts';
import { Noted } from '../support/limiters.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { lentBy } from '../support/under-way.ts';

const permit: Permit = { release: () => {} };

describe(isLimiter.name, () => {
  it('tells a limiter from the numbers for one, and from anything else', () => {
    expect(isLimiter(new Noted())).toBe(true);
    for (const other of [fillIn({ requests: 5, perMs: 1_000 }), {}, null, undefined, false, { acquire: 5 }]) {
      expect(isLimiter(other)).toBe(false);
    }
  });
});

describe(waitsForOthers.name, () => {
  it.each<[LimitOptions, boolean]>([
    [{}, false],
    [{ requests: 5, perMs: 1_000 }, false],
    [{ maxConcurrent: Number.POSITIVE_INFINITY }, false],
    [{ maxConcurrent: 1_000_000 }, true],
    [{ adaptive: true }, true],
  ])('holds where a permit may depend on the end of another send: %j is %s', (options, waits) => {
    expect(waitsForOthers(fillIn(options))).toBe(waits);
  });

  it('holds for a limiter that was handed in: nobody knows what it does', () => {
    expect(waitsForOthers(new Noted())).toBe(true);
  });
});

describe(numbersIn.name, () => {
  it('names what cannot be laid over a limiter: how fast, but not who goes where and for how long', () => {
    const [weight, settle, quota] = [() => 1, () => 1, () => undefined];
    const adjustable = { key: () => 'k', priority: () => 0, maxWaitMs: 5, weight, settle, quota };
    expect(numbersIn(adjustable)).toEqual([]);
    expect(numbersIn({ ...adjustable, requests: 5, perMs: 1_000, burst: undefined, maxQueue: 0 })).toEqual([
      'requests',
      'perMs',
      'maxQueue',
    ]);
  });
});

describe(AdjustedLimiter.name, () => {
  const [key, priority] = [() => 'old', () => 1];
  const [otherKey, otherPriority] = [() => 'new', () => 2];

  it('weighs and settles in its own way, and where it has none, as the limiter under it', () => {
    const [weight, settle, quota] = [() => 1, () => 1, () => undefined];
    const under = Object.assign(new Noted(), { weight, settle, quota });
    const otherWeight = () => 2;
    expect(new AdjustedLimiter(under, {})).toMatchObject({ weight, settle, quota });
    expect(new AdjustedLimiter(under, { weight: otherWeight })).toMatchObject({ weight: otherWeight, settle, quota });
  });

  it('has its own key, priority and patience, and where it has none, those of the limiter under it', () => {
    const under = Object.assign(new Noted(), { key, priority });
    expect(new AdjustedLimiter(under, {})).toMatchObject({ key, priority, maxWaitMs: undefined });
    const own = new AdjustedLimiter(under, { key: otherKey, priority: otherPriority, maxWaitMs: 0 });
    expect(own).toMatchObject({ limiter: under, key: otherKey, priority: otherPriority, maxWaitMs: 0 });
    // Over one that is adjusted already, what it says goes, and what it does not say stays.
    expect(new AdjustedLimiter(own, { key })).toMatchObject({
      limiter: under,
      key,
      priority: otherPriority,
      maxWaitMs: 0,
    });
    expect(new AdjustedLimiter(own, { priority, maxWaitMs: 9 })).toMatchObject({
      key: otherKey,
      priority,
      maxWaitMs: 9,
    });
  });

  it('leaves everything else to the limiter', async () => {
    const stats = { queued: 3, running: 4, paused: 5 };
    const under = {
      acquire: vi.fn(() => permit),
      pause: vi.fn(),
      close: vi.fn(async () => {}),
      stats: () => stats,
    } satisfies Limiter;
    const adjusted = new AdjustedLimiter(under, {});
    const request = { key: 'k' };
    expect(adjusted.acquire(request)).toBe(permit);
    expect(under.acquire).toHaveBeenCalledExactlyOnceWith(request);
    adjusted.pause('k', 7);
    expect(under.pause).toHaveBeenCalledExactlyOnceWith('k', 7);
    await adjusted.close();
    expect(under.close).toHaveBeenCalledTimes(1);
    expect(adjusted.stats()).toBe(stats);
  });
});

describe(Limiters.name, () => {
  const made = (
    attached: false | Limiter | LimitOptions = false,
    storeLost: (key: string, error: unknown) => void = () => {},
  ) => {
    const clock = new ManualClock();
    const limit = attached === false || isLimiter(attached) ? attached : fillIn(attached);
    return { clock, limiters: new Limiters(limit, { ...lentBy(clock), storeLost }) };
  };

  it('makes one for all calls, of the numbers that are attached, on its clock', async () => {
    const { clock, limiters } = made({ requests: 10, perMs: 1_000 });
    const limiter = limiters.of(fillIn({ requests: 10, perMs: 1_000, key: () => 'k', maxWaitMs: 5 }));
    expect(limiters.of(fillIn({}))).toBe(limiter);
    limiter.acquire({ key: 'k' });
    const begun = clock.now();
    await clock.run(Promise.resolve(limiter.acquire({ key: 'k' })));
    expect(clock.now() - begun).toBe(101);
  });

  it.each([false, new Noted()] as const)(
    'has one without numbers for calls that turn it on where there is none: %s',
    (attached) => {
      const { limiters } = made(attached);
      const limiter = limiters.of(fillIn({}));
      for (let i = 0; i < 1_000; i++) expect(limiter.acquire({ key: 'k' })).not.toBeInstanceOf(Promise);
    },
  );

  it('gives one that was handed in as it is, also from under an adjusted one', () => {
    const { limiters } = made();
    const noted = new Noted();
    expect(limiters.of(noted)).toBe(noted);
    expect(limiters.of(new AdjustedLimiter(noted, { key: () => 'k' }))).toBe(noted);
  });

  it('hears once of the loss of a store, however often the limiter is used, and no more when it is closed', async () => {
    const storeLost = vi.fn();
    const { limiters } = made(false, storeLost);
    const listeners = new Set<(key: string, error: unknown) => void>();
    const limiter = Object.assign(new Noted(), {
      onStoreLost(listener: (key: string, error: unknown) => void) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    });
    limiters.of(limiter);
    limiters.of(limiter);
    limiters.of(new AdjustedLimiter(limiter, {}));
    expect(listeners.size).toBe(1);
    const error = new Error('gone');
    for (const tell of listeners) tell('k', error);
    expect(storeLost).toHaveBeenCalledExactlyOnceWith('k', error);
    await limiters.close();
    expect(listeners.size).toBe(0);
  });

  it('counts the paused buckets of the one that it made, and closes that and no other', async () => {
    const { clock, limiters } = made();
    const own = limiters.of(fillIn({}));
    const handedIn = Object.assign(new Noted(), { close: vi.fn(async () => {}) });
    limiters.of(handedIn);
    expect(limiters.paused()).toBe(0);
    own.pause('a', clock.now() + 5);
    own.pause('b', clock.now() + 5);
    expect(limiters.paused()).toBe(2);
    await limiters.close();
    expect(await rejectionOf(Promise.resolve(own.acquire({ key: 'a' })))).toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
    expect(handedIn.close).not.toHaveBeenCalled();
  });

  describe('of several', () => {
    const [own, other] = [{ maxConcurrent: 1 }, { maxConcurrent: 2, maxWaitMs: 5 }].map(fillIn) as [
      ResolvedLimit,
      ResolvedLimit,
    ];
    const several = (...attached: readonly OneLimit[]) => {
      const clock = new ManualClock();
      return { clock, limiters: new Limiters(attached, { ...lentBy(clock), storeLost: () => {} }) };
    };
    const errorOf = (make: () => unknown) => {
      try {
        make();
        return undefined;
      } catch (error) {
        return error;
      }
    };

    it('makes those that are numbers, takes those that are handed in, and asks all of them', () => {
      const noted = new Noted();
      const { limiters } = several(own, noted, other);
      const all = limiters.of([own, noted, other]) as Layers;
      expect(all).toBeInstanceOf(Layers);
      expect(all.layers.map(({ limiter }) => limiter)).toEqual([
        expect.any(LocalBuckets),
        noted,
        expect.any(LocalBuckets),
      ]);
      // All calls share those that were made.
      const again = limiters.of([own, noted, other]) as Layers;
      expect(again.layers.map(({ limiter }) => limiter)).toEqual(all.layers.map(({ limiter }) => limiter));
      expect(new Set([...again.layers, ...all.layers].map(({ limiter }) => limiter)).size).toBe(3);
    });

    it('has the keys, the order and the patience that each says for itself', () => {
      const [key, priority] = [() => 'k', () => 1];
      const mine = { ...own, key, priority };
      const handedIn = new AdjustedLimiter(new Noted(), { key, maxWaitMs: 7 });
      const all = several(mine, handedIn, other).limiters.of([mine, handedIn, other]) as Layers;
      expect(all.layers).toMatchObject([
        { key, priority, maxWaitMs: Number.POSITIVE_INFINITY },
        { limiter: handedIn.limiter, key, maxWaitMs: 7 },
        { key: undefined, maxWaitMs: 5 },
      ]);
    });

    it('lets a call say how long it waits, and bring a Limiter in any place, but no numbers of its own', () => {
      const { limiters } = several(own, new Noted());
      const noted = new Noted();
      const made = (...limits: readonly OneLimit[]) => (limiters.of(limits) as Layers).layers;
      expect(made({ ...own, maxWaitMs: 9 })[0]?.maxWaitMs).toBe(9);
      expect(made(noted, noted, noted).map(({ limiter }) => limiter)).toEqual([noted, noted, noted]);
      const [faster, limits] = [{ ...own, maxConcurrent: 9 }, [own, noted, own]];
      for (const [wrong, n] of [
        [[faster], 0],
        [[noted, own], 1],
        [limits, 2],
      ] as const) {
        const bound = 'a Limiter on a call, or as it is attached: make a localLimiter once, and give it here';
        const problem = { path: `limit.${n}`, bound, value: wrong[n], message: `limit.${n} must be ${bound}` };
        expect(errorOf(() => limiters.of(wrong))).toMatchObject({ code: 'ERR_POLICY_INVALID', problems: [problem] });
      }
      expect(errorOf(() => several(own).limiters.of([noted, own]))).toBeInstanceOf(InvalidPolicyError);
      const one = new Limiters(own, { ...lentBy(new ManualClock()), storeLost: () => {} });
      expect(errorOf(() => one.of([own]))).toBeInstanceOf(InvalidPolicyError);
    });

    it('counts the paused buckets of all, and closes those that were made', async () => {
      const paused = (count: number) =>
        Object.assign(new Noted(), { stats: () => ({ queued: 0, running: 0, paused: count }), close: vi.fn() });
      const handedIn = paused(3);
      const { clock, limiters } = several(own, handedIn, new Noted());
      const [layer] = (limiters.of([own]) as Layers).layers;
      layer?.limiter.pause('k', clock.now() + 5);
      expect(limiters.paused()).toBe(4);
      await limiters.close();
      expect(handedIn.close).not.toHaveBeenCalled();
      const late = rejectionOf(Promise.resolve(layer?.limiter.acquire({ key: 'k' })));
      expect(await late).toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
      expect(made(paused(2)).limiters.paused()).toBe(2);
    });
  });
});
