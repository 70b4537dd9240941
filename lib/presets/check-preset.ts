import {
  aFunction,
  aHeaderName,
  type Check,
  isRecord,
  kindOf,
  listOf,
  missing,
  must,
  number,
  object,
  oneOf,
} from '../check.ts';
import { STATUSES } from '../classify/options.ts';
import { InvalidPolicyError, type PolicyProblem } from '../failure/errors.ts';
import { IDEMPOTENCY } from '../idempotency/options.ts';
import { LIMIT } from '../limit/options.ts';
import { RETRY } from '../retry/options.ts';

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isStatus = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 100 && Number(value) <= 999;
const oneOrMore = (bound: string, is: (value: unknown) => boolean): Check =>
  must(`${bound}, or an array of them`, (value) =>
    Array.isArray(value) ? value.length > 0 && value.every(is) : is(value),
  );

const text = must('a text that is not empty', isText);
const functions = listOf('an array of functions', (value) => typeof value === 'function');
const wait = number(0, Number.MAX_SAFE_INTEGER);

const rule = object({
  status: oneOrMore('a status from 100 to 999', isStatus),
  code: oneOrMore('a text that is not empty', isText),
  header: must(
    "an object like { 'x-remaining': '0' }, with names in lower case and a text or true",
    (value) =>
      isRecord(value) &&
      Object.entries(value).every(
        ([name, of]) => name === name.toLowerCase() && (of === true || typeof of === 'string'),
      ),
  ),
  message: must(
    'a regular expression without g and y',
    (value) => value instanceof RegExp && !/[gy]/.test(value.flags),
  ),
  method: oneOrMore('a method in upper case', (value) => isText(value) && value === String(value).toUpperCase()),
  when: aFunction,
  means: oneOf('throttled', 'exhausted', 'refused', 'retry', 'fail', 'refresh', 'pending'),
  why: text,
  waitMs: (value, path, problems) => (typeof value === 'function' ? undefined : wait(value, path, problems)),
  source: text,
});

const { key: _, ...ofLimit } = LIMIT.checks;
const limit = object({ ...ofLimit, bucket: aFunction, source: text });

/** A list in which each has what `needs` names. */
const each =
  (check: Check, ...needs: readonly string[]): Check =>
  (value, path, problems) => {
    listOf('an array of objects', isRecord)(value, path, problems);
    if (!Array.isArray(value)) return;
    for (const [n, one] of value.entries()) {
      if (!isRecord(one)) continue;
      check(one, `${path}.${n}`, problems);
      for (const name of needs) if (one[name] === undefined) problems.push(missing(`${path}.${n}.${name}`, 'given'));
    }
  };

const account = must('a text or a function', (value) => typeof value === 'string' || typeof value === 'function');

const PRESET = object({
  name: text,
  options: listOf('an array of names', isText),
  statuses: STATUSES.check,
  rules: each(rule, 'means', 'source'),
  waits: functions,
  limits: each(limit, 'source'),
  account,
  api: aFunction,
  budget: aFunction,
  idempotency: IDEMPOTENCY.check,
  correlation: aHeaderName,
  ids: listOf('an array of names', isText),
  readError: aFunction,
  retry: RETRY.check,
  source: oneOrMore('a text that is not empty', isText),
});

/** @throws {InvalidPolicyError} with everything that is wrong with the data of a preset; paths begin with its name */
export function checkPreset(data: unknown): void {
  const problems: PolicyProblem[] = [];
  const name = isRecord(data) && isText(data.name) ? String(data.name) : 'preset';
  PRESET(data ?? null, name, problems);
  for (const needed of ['name', 'source']) {
    if (isRecord(data) && data[needed] === undefined) problems.push(missing(`${name}.${needed}`, 'given'));
  }
  if (problems.length > 0) throw new InvalidPolicyError(problems);
}

const unchecked = (name: string): [string, Check] => [name, () => {}];
const OPTIONS = 'a policy is laid over it by mergePolicies; its own options';

const anObject = must('a plain object such as { account }', isRecord, kindOf);

/**
 * @param names of the options besides `account`; `undefined` where they are not known
 * @throws {InvalidPolicyError} where somebody gave a preset no object, an option that it does not have, or an account that is none: accounts
 * would share a quota
 */
export function checkOptions(preset: string, options: unknown, names: readonly string[] | undefined): void {
  const problems: PolicyProblem[] = [];
  const path = `${preset}(options)`;
  anObject(options, path, problems);
  if (isRecord(options)) {
    const known = names ?? Object.keys(options);
    const fields = { account, ...Object.fromEntries(known.filter((name) => name !== 'account').map(unchecked)) };
    object(fields, { all: OPTIONS })({ ...options }, path, problems);
  }
  if (problems.length > 0) throw new InvalidPolicyError(problems);
}
