import { runInNewContext } from 'node:vm';
import axios, { AxiosHeaders } from 'axios';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  aBoolean,
  aFunction,
  type Check,
  integer,
  listOf,
  must,
  number,
  object,
  oneOf,
  orFalse,
  requireKey,
  shown,
} from '../lib/check.ts';
import type { PolicyProblem } from '../lib/failure/errors.ts';

function problemsOf(check: Check, value: unknown, path = 'it'): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  check(value, path, problems);
  return problems;
}

const messagesOf = (check: Check, value: unknown, path?: string) =>
  problemsOf(check, value, path).map(({ message }) => message);

describe(must.name, () => {
  it('notes path, bound and value of what it does not allow', () => {
    expect(problemsOf(aFunction, 7, 'retry.backoff')).toEqual([
      { path: 'retry.backoff', bound: 'a function', value: 7, message: 'retry.backoff must be a function, got 7' },
    ]);
  });
});

const refuse = () => {
  throw new Error('hands off');
};
/** Whoever minifies or decorates classes may leave them without a name. */
class Nameless {}
Object.defineProperty(Nameless, 'name', { value: 7 });

describe('every check', () => {
  it.each<[string, Check]>([
    ['number', number(1)],
    ['integer', integer(1, 2)],
    ['oneOf', oneOf('a')],
    ['aFunction', aFunction],
    ['aBoolean', aBoolean],
    ['listOf', listOf('names', () => false)],
    ['orFalse', orFalse(aFunction)],
    ['object', object({})],
  ])('%s takes an explicit undefined for no opinion', (_name, check) => {
    expect(problemsOf(check, undefined)).toEqual([]);
  });

  it.each<[string, Check, unknown, string]>([
    ['number', number(0), -1, 'it must be a number of at least 0, got -1'],
    ['number', number(0), Number.NaN, 'it must be a number of at least 0, got NaN'],
    ['number', number(0), '5', "it must be a number of at least 0, got '5'"],
    ['number', number(0), 5n, 'it must be a number of at least 0, got 5'],
    ['number', number(0), null, 'it must be a number of at least 0, got null'],
    ['number', number(0, 1), 1.01, 'it must be a number of at least 0 and at most 1, got 1.01'],
    ['number above', number(0, 9, { above: true }), 0, 'it must be a number above 0 and at most 9, got 0'],
    ['integer', integer(0, 5), 1.5, 'it must be an integer from 0 to 5, got 1.5'],
    ['integer', integer(0, 5), 6, 'it must be an integer from 0 to 5, got 6'],
    ['integer', integer(0, 5), '3', "it must be an integer from 0 to 5, got '3'"],
    ['oneOf', oneOf('fail', 'clamp'), 'Fail', "it must be 'fail' or 'clamp', got 'Fail'"],
    ['aBoolean', aBoolean, 'true', "it must be true or false, got 'true'"],
    ['aFunction', aFunction, {}, 'it must be a function, got an object'],
    ['listOf', listOf('some words', (each) => each === 'a'), ['a', 'b'], "it must be some words, got 'b' in it"],
    ['listOf', listOf('some words', () => true), 'a', "it must be some words, got 'a'"],
    ['orFalse', orFalse(aFunction), true, 'it must be a function, got true'],
    ['object', object({}), [], 'it must be a plain object, got an array'],
    ['object', object({}), () => {}, 'it must be a plain object, got a function'],
  ])('%s says what it wants and what it got', (_name, check, value, message) => {
    expect(messagesOf(check, value)).toEqual([message]);
  });

  it.each<[string, Check, readonly unknown[]]>([
    ['number', number(0, 1), [0, 1, 0.5, -0]],
    ['number without an upper bound', number(0), [Number.POSITIVE_INFINITY, Number.MAX_VALUE]],
    ['number above', number(0, 9, { above: true }), [Number.MIN_VALUE, 9]],
    ['integer', integer(-1, 1), [-1, 0, 1]],
    ['oneOf', oneOf('a', 'b'), ['a', 'b']],
    ['orFalse', orFalse(aFunction), [false, () => {}]],
    ['listOf', listOf('ones', (each) => each === 1), [[], [1, 1]]],
  ])('%s allows its bounds', (_name, check, values) => {
    expect(values.flatMap((value) => problemsOf(check, value))).toEqual([]);
  });
});

describe(object.name, () => {
  const check = object({ maxRetries: integer(0, 9), backoff: aFunction, inner: object({ deep: aBoolean }) });

  it('collects the problems of all its fields, at any depth, with their paths', () => {
    const value = { maxRetries: -1, backoff: 'none', inner: { deep: 1 } };
    expect(problemsOf(check, value, 'retry').map(({ path }) => path)).toEqual([
      'retry.maxRetries',
      'retry.backoff',
      'retry.inner.deep',
    ]);
    expect(problemsOf(check, value, '').map(({ path }) => path)).toEqual(['maxRetries', 'backoff', 'inner.deep']);
  });

  it.each([
    ['maxRetrys', 'maxRetries'],
    ['MAXRETRIES', 'maxRetries'],
    ['retries', 'maxRetries'],
    ['maxRetriesss', 'maxRetries'],
    ['backof', 'backoff'],
    ['backOff', 'backoff'],
    ['iner', 'inner'],
  ])('takes %s for a slip of %s', (name, near) => {
    expect(messagesOf(check, { [name]: 1 }, 'retry')).toEqual([
      `retry.${name} is not an option; did you mean ${near}?`,
    ]);
  });

  it('guesses no name that is nothing like it', () => {
    const [problem] = problemsOf(check, { colour: 'red' });
    expect(problem).toEqual({
      path: 'it.colour',
      bound: 'one of maxRetries, backoff, inner',
      value: 'red',
      message: 'it.colour is not an option',
    });
  });

  it('lets an unknown option pass that holds undefined, as a spread of optional settings does', () => {
    expect(problemsOf(check, { colour: undefined })).toEqual([]);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('knows no option called %s', (name) => {
    expect(messagesOf(check, JSON.parse(`{"${name}":{"maxRetries":1}}`))).toEqual([
      expect.stringContaining(`it.${name} is not an option`),
    ]);
  });

  it.each([
    ['an instance of Map', new Map([['maxRetries', 1]])],
    ['an instance of Date', new Date(0)],
    ['a promise: await it?', Promise.resolve({ maxRetries: 1 })],
    ['an axios instance', axios.create()],
    ['an instance of AxiosHeaders', new AxiosHeaders({ maxRetries: '1' })],
    ['the class Options', class Options {}],
    ['the function someOptions: call it, someOptions()', function someOptions() {}],
    ['a function', (() => () => {})()],
    [
      'an instance of Options',
      new (class Options {
        readonly maxRetries = 1;
      })(),
    ],
    ['an object', Object.create({ maxRetries: 1 })],
  ])('refuses %s, whose contents it would pass over in silence', (name, value) => {
    expect(messagesOf(check, value)).toEqual([`it must be a plain object, got ${name}`]);
  });

  it.each([
    ['a literal', { maxRetries: 1 }],
    ['an object without a prototype', Object.assign(Object.create(null), { maxRetries: 1 })],
    ['an object of another realm', runInNewContext('({ maxRetries: 1 })')],
    ['a frozen object', Object.freeze({ maxRetries: 1 })],
  ])('takes %s', (_name, value) => {
    expect(problemsOf(check, value)).toEqual([]);
  });
});

describe('advice', () => {
  const check = object({}, { on: 'give {}', number: 'give { n }', text: 'give { t }' });
  it.each([
    [true, 'true: give {}'],
    [5, '5: give { n }'],
    ['five', 'a string: give { t }'],
    [null, 'null'],
  ])('is for whoever wrote %o', (value, got) => {
    expect(messagesOf(check, value)).toEqual([`it must be a plain object, got ${got}`]);
  });

  it.each([true, 5, 'five'])('is none where there is none, as for %o', (value) => {
    const got = value === 'five' ? 'a string' : String(value);
    expect(messagesOf(object({}), value)).toEqual([`it must be a plain object, got ${got}`]);
  });

  it('is to call a factory, but not what was written in place, which has the name of the option', () => {
    const { backoff } = { backoff: () => {} };
    const got = (path: string) => messagesOf(object({}), backoff, path)[0];
    expect(got('retry.backoff')).toMatch(/got the function backoff$/);
    expect(got('backoff')).toMatch(/got the function backoff$/);
    expect(got('retry.delay')).toMatch(/got the function backoff: call it, backoff\(\)$/);
  });
});

describe(requireKey.name, () => {
  it('gives the key, and refuses what is none: any two objects would be two keys', () => {
    expect(requireKey('', 'auth.key')).toBe('');
    for (const [key, got] of [
      [7, '7'],
      [undefined, 'undefined'],
      [Promise.resolve('a'), 'a promise: await it?'],
    ])
      expect(() => requireKey(key, 'auth.key')).toThrow(new TypeError(`auth.key must return a string, got ${got}`));
  });
});

describe(shown.name, () => {
  it.each<[string, unknown]>([
    ["a module: import its default, as in `import axios from 'axios'`", { __esModule: true }],
    ["a module: import its default, as in `import axios from 'axios'`", { [Symbol.toStringTag]: 'Module' }],
    ['an array', []],
    ['an object', new (class {})()],
    ['an object', new Nameless()],
    ['an object', { constructor: { name: 's3cret' } }],
    ['the class Nameless', Object.assign(class Nameless {})],
    ['a function', Object.defineProperty(() => {}, 'name', { value: 7 })],
    [
      'the function classOf',
      function classOf() {
        return 'class';
      },
    ],
    [
      'the function use',
      Object.defineProperty(
        Object.assign(() => {}, { interceptors: {} }),
        'name',
        { value: 'use' },
      ),
    ],
    ['an object', new Proxy({}, { getPrototypeOf: refuse, get: refuse })],
  ])('says %s', (kind, value) => {
    expect(shown(value)).toBe(kind);
  });

  it('cuts a long string', () => {
    expect(shown('x'.repeat(41))).toBe(`'${'x'.repeat(40)}…'`);
    expect(shown('x'.repeat(40))).toBe(`'${'x'.repeat(40)}'`);
  });

  it('shows nothing of what an object, an array or a function holds', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12 }), (secret) => {
        for (const value of [{ secret }, [secret], () => secret, { [secret]: { secret } }]) {
          expect(['an object', 'an array', 'a function']).toContain(shown(value));
        }
      }),
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withNullPrototype: true, withDate: true }), (value) => {
        expect(typeof shown(value)).toBe('string');
      }),
    );
    expect(shown(Symbol('s'))).toBe('Symbol(s)');
    expect(shown(Object.create(null))).toBe('an object');
  });
});
