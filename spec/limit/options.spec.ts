import { InvalidPolicyError, type LimitOptions, localLimiter } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import type { PolicyProblem } from '../../lib/failure/errors.ts';
import { fieldsThatWait, fillIn, LIMIT, maxWeightOf, windowsOf, wrongWait } from '../../lib/limit/options.ts';

describe('the options of a limit', () => {
  it.each<[unknown, RegExp]>([
    [{ requests: 0, perMs: 1 }, /limit\.requests must be a number of at least 0\.001.*got 0/],
    [{ requests: Number.POSITIVE_INFINITY, perMs: 1 }, /limit\.requests/],
    [{ requests: 5 }, /limit\.perMs must be given with limit\.requests/],
    [{ perMs: 5 }, /limit\.requests must be given with limit\.perMs/],
    [{ requests: 1e-300, perMs: 1 }, /limit\.requests/],
    [{ burst: 0 }, /limit\.burst/],
    [{ requests: 5, perMs: 1_000, burst: 1.5 }, /limit\.burst must be an integer from 1/],
    [{ windows: {} }, /limit\.windows must be an array/],
    [{ maxConcurrent: 0 }, /limit\.maxConcurrent must be an integer of at least 1, or Infinity, got 0/],
    [{ maxQueue: -1 }, /limit\.maxQueue/],
    [{ maxWaitMs: -1 }, /limit\.maxWaitMs/],
    [{ key: 'x' }, /limit\.key must be a function/],
    [{ priority: 1 }, /limit\.priority must be a function/],
    [{ adaptive: 1 }, /limit\.adaptive must be true, false or/],
    [{ adaptive: { startConcurrency: 0 } }, /limit\.adaptive\.startConcurrency/],
    [{ request: 1 }, /limit\.request is not an option; did you mean requests/],
    [undefined, /limit must be a plain object, got undefined/],
    [null, /limit must be a plain object, got null/],
    [{ burst: 'all' }, /limit\.burst must be left out without limit\.requests and perMs, .*; got 'all'/],
    [{ maxConcurrent: 5, burst: 5 }, /limit\.burst must be left out without limit\.requests/],
    [
      { burst: 'all', windows: [{ requests: 5, perMs: 1_000 }] },
      /limit\.burst must be left out without limit\.requests/,
    ],
    [{ windows: [5] }, /limit\.windows must be an array of/],
  ])('are refused when they are wrong: %j', (options, message) => {
    expect(() => localLimiter(options as LimitOptions)).toThrow(InvalidPolicyError);
    expect(() => localLimiter(options as LimitOptions)).toThrow(message);
  });

  it.each<[LimitOptions, readonly string[]]>([
    [{ windows: [{} as never] }, ['limit.windows.0.requests must be given in a window, got nothing']],
    [
      { windows: [{ perMs: 5 } as never] },
      ['limit.windows.0.requests must be given with limit.windows.0.perMs, got nothing'],
    ],
    [
      { windows: [{ requests: 5 } as never] },
      ['limit.windows.0.perMs must be given with limit.windows.0.requests, got nothing'],
    ],
    [{ windows: [5 as never] }, ['limit.windows must be an array of { requests, perMs, burst? }, got 5 in it']],
  ])('say each thing that is wrong once: %j', (options, messages) => {
    let thrown: unknown;
    try {
      localLimiter(options);
    } catch (error) {
      thrown = error;
    }
    expect((thrown as InvalidPolicyError).problems.map(({ message }) => message)).toEqual(messages);
  });

  it.each<LimitOptions>([
    {},
    { requests: 0.001, perMs: 0.001, burst: 1_000_000 },
    { windows: [{ requests: 5, perMs: 1_000 }] },
    { windows: [] },
    { maxConcurrent: 1, maxQueue: 0, maxWaitMs: 0 },
    {
      maxConcurrent: Number.POSITIVE_INFINITY,
      maxQueue: Number.POSITIVE_INFINITY,
      maxWaitMs: Number.POSITIVE_INFINITY,
    },
    { adaptive: false },
    { adaptive: { startConcurrency: 1, headers: false } },
    { requests: undefined, perMs: undefined, key: undefined, priority: undefined },
  ])('may be %j', async (options) => {
    await localLimiter(options).close();
  });
});

describe(fillIn.name, () => {
  it('puts the defaults where nothing was said, also where that was said of it', () => {
    expect(fillIn({})).toEqual(LIMIT.defaults);
    expect(fillIn({ burst: undefined, maxQueue: undefined, windows: undefined })).toEqual(LIMIT.defaults);
    expect(fillIn({ burst: 3, maxQueue: 0 })).toEqual({ ...LIMIT.defaults, burst: 3, maxQueue: 0 });
  });

  it("copies the windows and freezes the copies, since the others are the caller's", () => {
    const mine = { requests: 5, perMs: 1_000 };
    const { windows = [] } = fillIn({ windows: [mine] });
    expect(windows).toEqual([mine]);
    expect([Object.isFrozen(windows[0]), Object.isFrozen(mine)]).toEqual([true, false]);
  });

  it.each<[LimitOptions['adaptive'], unknown]>([
    [undefined, false],
    [false, false],
    [true, { startConcurrency: 8, headers: true }],
    [{}, { startConcurrency: 8, headers: true }],
    [
      { startConcurrency: 3, headers: undefined },
      { startConcurrency: 3, headers: true },
    ],
    [{ headers: false }, { startConcurrency: 8, headers: false }],
  ])('fills in what is to be learnt: %j', (adaptive, filled) => {
    expect(fillIn({ adaptive }).adaptive).toEqual(filled);
  });
});

describe(windowsOf.name, () => {
  const window = { requests: 9, perMs: 60_000 };

  it('gives all windows, wherever they are written', () => {
    expect(windowsOf({})).toEqual([]);
    expect(windowsOf({ windows: [window] })).toEqual([window]);
    const options = { requests: 5, perMs: 1_000, burst: 2, windows: [window] };
    expect(windowsOf(options)).toEqual([{ requests: 5, perMs: 1_000, burst: 2 }, window]);
  });

  it('takes no half for a window', () => {
    expect(windowsOf({ requests: 5, windows: [window] })).toEqual([window]);
    expect(windowsOf({ perMs: 5, windows: [window] })).toEqual([window]);
  });
});

describe(maxWeightOf.name, () => {
  it('is what the smallest window holds at once', () => {
    expect(maxWeightOf([{ requests: 10, perMs: 1_000 }])).toBe(10);
    expect(maxWeightOf([{ requests: 10, perMs: 1_000, burst: 5 }])).toBe(14);
    expect(
      maxWeightOf([
        { requests: 10, perMs: 1_000, burst: 5 },
        { requests: 2.5, perMs: 60_000 },
      ]),
    ).toBe(3);
  });
});

describe('an engine in which every send waits', () => {
  const why = 'since every call waits for Redis, if only for some ms';
  const problemsOf = (field: 'maxQueue' | 'maxWaitMs', value: unknown) => {
    const problems: PolicyProblem[] = [];
    fieldsThatWait('Redis')[field](value, `limit.${field}`, problems);
    return problems.map(({ message }) => message);
  };

  it.each([1, 7, Number.POSITIVE_INFINITY, undefined])('takes %s places, or ms', (value) => {
    expect(problemsOf('maxQueue', value)).toEqual([]);
    expect(problemsOf('maxWaitMs', value)).toEqual([]);
    expect(wrongWait(value, 'Redis')).toBeUndefined();
  });

  it('would refuse every send without a place, or time, to wait in', () => {
    expect(problemsOf('maxQueue', 0)).toEqual([
      `limit.maxQueue must be an integer of at least 1, or Infinity, ${why}, got 0`,
    ]);
    for (const [value, shown] of [
      [0, '0'],
      [-1, '-1'],
      [Number.NaN, 'NaN'],
      ['7', "'7'"],
    ] as const) {
      expect(problemsOf('maxWaitMs', value)).toEqual([
        `limit.maxWaitMs must be a number above 0, ${why}, got ${shown}`,
      ]);
    }
  });

  it('says so of a wait that a call has of its own', () => {
    const error = wrongWait(0, 'Redis');
    expect(error).toBeInstanceOf(InvalidPolicyError);
    expect(error?.problems).toEqual([
      expect.objectContaining({
        path: 'limit.maxWaitMs',
        message: `limit.maxWaitMs must be a number above 0, ${why}, got 0`,
      }),
    ]);
  });
});
