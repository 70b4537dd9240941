import { nearest } from './call/nearest.ts';
import type { PolicyProblem } from './failure/errors.ts';

/** Adds what is wrong with `value`, which stands at `path`, to the problems. */
export type Check = (value: unknown, path: string, problems: PolicyProblem[]) => void;

/**
 * Makes a check of a predicate and of the words for what it allows. `undefined` always passes: it is no opinion.
 *
 * @param said how a wrong value is shown
 */
export function must(bound: string, allows: (value: unknown) => boolean, said = shown): Check {
  return (value, path, problems) => {
    if (value === undefined || allows(value)) return;
    problems.push({ path, bound, value, message: `${path} must be ${bound}, got ${said(value)}` });
  };
}

/** A number of at least `min` (or above it) and at most `max`. The check takes `Infinity` where there is no `max`. */
export function number(min: number, max = Number.POSITIVE_INFINITY, { above = false } = {}): Check {
  const range = `${above ? 'above' : 'of at least'} ${min}${atMost(max)}`;
  return must(
    `a number ${range}`,
    (value) => typeof value === 'number' && (above ? value > min : value >= min) && value <= max,
  );
}

/** An integer from `min` to `max`. */
export function integer(min: number, max: number): Check {
  return must(
    max === Number.MAX_SAFE_INTEGER ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`,
    (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
  );
}

export function aCount(min: number, why = ''): Check {
  return must(
    `an integer of at least ${min}, or Infinity${why}`,
    (value) => value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && Number(value) >= min),
  );
}

/** The words for an upper bound. The largest safe integer is no bound that anybody chose: it only means that there is one. */
function atMost(max: number): string {
  if (max === Number.POSITIVE_INFINITY) return '';
  return max === Number.MAX_SAFE_INTEGER ? ' and finite' : ` and at most ${max === MAX_INT_32 ? '2³¹−1' : max}`;
}

const MAX_INT_32 = 2 ** 31 - 1;

export function oneOf(...allowed: readonly string[]): Check {
  return must(allowed.map((each) => `'${each}'`).join(' or '), (value) => allowed.includes(value as string));
}

/** A wrong value is shown by its kind only: where a function belongs, people put tokens. */
export const aFunction = must('a function', (value) => typeof value === 'function', kindOf);
export const aBoolean = must('true or false', (value) => typeof value === 'boolean');

/** An array in which `each` holds for every element; the problem shows the first that is wrong. */
export function listOf(bound: string, each: (value: unknown) => boolean, said = shown): Check {
  const wrongIn = (value: unknown): unknown => (Array.isArray(value) ? value.find((one) => !each(one)) : value);
  return must(
    bound,
    (value) => Array.isArray(value) && value.every(each),
    (value) => `${said(wrongIn(value))}${Array.isArray(value) ? ' in it' : ''}`,
  );
}

export const functionsOr = (said = kindOf): Check =>
  must(
    'a function or an array of functions',
    (value) =>
      typeof value === 'function' || (Array.isArray(value) && value.every((each) => typeof each === 'function')),
    said,
  );

/** A header's name is a token (RFC 9110 §5.1), and so is a method (§9.1). */
const isToken = (value: unknown): boolean => typeof value === 'string' && /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/.test(value);
export const aHeaderName = must('a header name', isToken);
export const methodNames = listOf('an array of method names', isToken);

/** Advice to whoever writes `true`, and to whoever writes the name of a header. */
export const TURNS_ON = '`{}` turns it on';
export const A_HEADER = 'here it is { header }';

/** The problem that nothing stands at `path`. */
export function missing(path: string, bound: string): PolicyProblem {
  return { path, bound, value: undefined, message: `${path} must be ${bound}, got nothing` };
}

/** The same where `undefined` is no opinion, but nothing at all. */
export function required(check: Check): Check {
  return (value, path, problems) => {
    if (value !== undefined) return check(value, path, problems);
    const found: PolicyProblem[] = [];
    check(null, path, found);
    problems.push(
      ...found.map((each) => ({ ...each, value, message: each.message.replace('got null', 'got undefined') })),
    );
  };
}

/** `false` turns a feature off; anything else has to pass `check`. */
export function orFalse(check: Check): Check {
  return (value, path, problems) => {
    if (value !== false) check(value, path, problems);
  };
}

export type Names = { readonly [name: string]: string };

/** What to write for each of these names, which is no option here. */
export const eachMeans = (words: string, ...names: readonly string[]): Names =>
  Object.fromEntries(names.map((name) => [name, words]));

export const hereItIs = (ours: string, ...names: readonly string[]): Names => eachMeans(`here it is ${ours}`, ...names);

/** What to say to whoever wrote something else than a group of options takes. */
export interface Advice {
  /** By a name that is no option here: what to write for it. */
  readonly names?: Names | undefined;
  /** What to write for `true`. */
  readonly on?: string | undefined;
  /** What to write for a number. */
  readonly number?: string | undefined;
  /** What to write for a string. */
  readonly text?: string | undefined;
  /** What the fields are called, where the answer to a wrong name lists all of them. */
  readonly all?: string | undefined;
}

/** A plain object with these fields and no others. */
export function object(fields: { readonly [name: string]: Check }, advice: Advice = {}): Check {
  return (value, path, problems) => {
    if (value === undefined) return;
    if (!isPlain(value)) {
      const bound = 'a plain object';
      const found = `${kindOf(value)}${adviceOn(value, path, advice)}`;
      problems.push({ path, bound, value, message: `${path || 'the policy'} must be ${bound}, got ${found}` });
      return;
    }
    for (const name of Object.keys(value)) {
      const at = path === '' ? name : `${path}.${name}`;
      if (Object.hasOwn(fields, name)) fields[name]?.(value[name], at, problems);
      else if (value[name] !== undefined) problems.push(unknownOption(at, name, value[name], fields, advice));
    }
  };
}

/**
 * What the `key` function of an option gave.
 *
 * @throws {TypeError} where that is no string. Any two objects or promises would be two keys, and nobody would notice
 */
export function requireKey(made: unknown, option: string): string {
  if (typeof made === 'string') return made;
  throw new TypeError(`${option} must return a string, got ${shown(made)}`);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What it has itself, and nothing of a prototype: one that somebody else has polluted must not speak for it. */
export function bare<T extends object>(options: T): T {
  return Object.assign(Object.create(null), options);
}

/** A plain object, of any realm or without a prototype. No Map, promise or class instance: nobody would read the options in it. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (!isRecord(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function adviceOn(value: unknown, path: string, { on, number, text }: Advice): string {
  if (value === true && on !== undefined) return `: ${on}`;
  if (typeof value === 'number' && number !== undefined) return `: ${number}`;
  if (typeof value === 'string' && text !== undefined) return `: ${text}`;
  // Somebody forgot to call a factory. A function that is written in place has the name of the option.
  const [, name] = /^the function (.+)/.exec(kindOf(value)) ?? [];
  if (name !== undefined && name !== path.split('.').at(-1)) return `: call it, ${name}()`;
  return '';
}

function unknownOption(
  path: string,
  name: string,
  value: unknown,
  fields: { readonly [name: string]: Check },
  { names = {}, all }: Advice,
): PolicyProblem {
  const known = Object.keys(fields);
  const near = nearest(name, known);
  const meant = Object.hasOwn(names, name) ? `; ${names[name]}` : near === undefined ? '' : `; did you mean ${near}?`;
  const listed = all === undefined ? '' : ` (${all}: ${known.join(', ')})`;
  return {
    path,
    bound: `one of ${known.join(', ')}`,
    value,
    message: `${path} is not an option${meant}${listed}`,
  };
}

/** What kind of thing a value is, for a message. It shows no text: where a function belongs, people put tokens. */
export function kindOf(value: unknown): string {
  return typeof value === 'string' ? 'a string' : shown(value);
}

/** A value, for a message: at most 40 characters of a text, and nothing from within an object, since that may be secret. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
  if (typeof value !== 'function' && (typeof value !== 'object' || value === null)) return String(value);
  // A proxy may throw at any question, and an object may have no constructor.
  try {
    return typeof value === 'function' ? kindOfFunction(value) : kindOfObject(value);
  } catch {
    return 'an object';
  }
}

function kindOfFunction(value: object & { readonly name?: unknown }): string {
  if (isInstance(value)) return 'an axios instance';
  if (typeof value.name !== 'string' || value.name === '') return 'a function';
  return `the ${isClass(value) ? 'class' : 'function'} ${value.name}`;
}

function kindOfObject(value: object): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof (value as { then?: unknown }).then === 'function') return 'a promise: await it?';
  if (isModule(value)) return "a module: import its default, as in `import axios from 'axios'`";
  if (isPlain(value)) return 'an object';
  const { name } = value.constructor as { name?: unknown };
  return typeof name === 'string' && name !== '' && name !== 'Object' ? `an instance of ${name}` : 'an object';
}

/** What `import * as axios` gives, also as compilers to CommonJS have it. */
const isModule = (value: object): boolean =>
  Object.prototype.toString.call(value) === '[object Module]' || '__esModule' in value;

const isInstance = (value: object): boolean =>
  typeof (value as { interceptors?: { request?: { use?: unknown } } }).interceptors?.request?.use === 'function';

const isClass = (value: object): boolean => /^class\b/.test(Function.prototype.toString.call(value));
