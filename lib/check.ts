import type { PolicyProblem } from './failure/errors.ts';

/** Notes what is wrong with `value`, which stands at `path`. */
export type Check = (value: unknown, path: string, problems: PolicyProblem[]) => void;

/** A check from a predicate and the words for what it allows. `undefined` always passes: it is no opinion. */
export function must(bound: string, allows: (value: unknown) => boolean, said = shown): Check {
  return (value, path, problems) => {
    if (value === undefined || allows(value)) return;
    problems.push({ path, bound, value, message: `${path} must be ${bound}, got ${said(value)}` });
  };
}

export function number(min: number, max = Number.POSITIVE_INFINITY, { above = false } = {}): Check {
  const range = `${above ? 'above' : 'of at least'} ${min}${max === Number.POSITIVE_INFINITY ? '' : ` and at most ${max}`}`;
  return must(
    `a number ${range}`,
    (value) => typeof value === 'number' && (above ? value > min : value >= min) && value <= max,
  );
}

export function integer(min: number, max: number): Check {
  return must(
    `an integer from ${min} to ${max}`,
    (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
  );
}

export function oneOf(...allowed: readonly string[]): Check {
  return must(allowed.map((each) => `'${each}'`).join(' or '), (value) => allowed.includes(value as string));
}

export const aFunction = must('a function', (value) => typeof value === 'function', kindOf);
export const aBoolean = must('true or false', (value) => typeof value === 'boolean');

export function listOf(bound: string, each: (value: unknown) => boolean): Check {
  return must(bound, (value) => Array.isArray(value) && value.every(each));
}

/** `false` turns a feature off; anything else has to pass `check`. */
export function orFalse(check: Check): Check {
  return (value, path, problems) => {
    if (value !== false) check(value, path, problems);
  };
}

/** A plain object with these fields and no others. */
export function object(fields: { readonly [name: string]: Check }): Check {
  return (value, path, problems) => {
    if (value === undefined) return;
    if (!isPlain(value)) {
      const bound = 'a plain object';
      problems.push({ path, bound, value, message: `${path || 'the policy'} must be ${bound}, got ${kindOf(value)}` });
      return;
    }
    for (const name of Object.keys(value)) {
      const at = path === '' ? name : `${path}.${name}`;
      if (Object.hasOwn(fields, name)) fields[name]?.(value[name], at, problems);
      else if (value[name] !== undefined) problems.push(unknownOption(at, name, value[name], Object.keys(fields)));
    }
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Of any realm or without a prototype. What a Map, a promise or a class instance holds would be passed over in silence. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (!isRecord(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function unknownOption(path: string, name: string, value: unknown, known: readonly string[]): PolicyProblem {
  const [near] = known
    .map((each) => ({ each, far: distance(name.toLowerCase(), each.toLowerCase()) }))
    .sort((a, b) => a.far - b.far);
  const hint = near !== undefined && near.far <= 1 + name.length / 3 ? `; did you mean ${near.each}?` : '';
  return { path, bound: `one of ${known.join(', ')}`, value, message: `${path} is not an option${hint}` };
}

/** Levenshtein's edit distance, one row at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = Number(row[j - 1]) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, Number(row[j]) + 1, Number(next[j - 1]) + 1));
    }
    row = next;
  }
  return Number(row.at(-1));
}

/** What it is, where it may be a secret that stands in the place of a function or an object: a token, for one. */
export function kindOf(value: unknown): string {
  return typeof value === 'string' ? 'a string' : shown(value);
}

/** A value for a message: short, and the inside of objects stays inside, since it may be secret. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}
