import type { AxiosResponse } from 'axios';
import { isPlain, isRecord, kindOf, shown } from '../../check.ts';
import type { Quota } from './headers.ts';

/** What somebody's own reader tells of a quota: `policies` may be left out. */
export type ToldQuota = Omit<Quota, 'policies' | 'ofWeights'> & Partial<Pick<Quota, 'policies'>>;

/** What somebody's own code gave is not what it was asked for. */
export class WrongForm extends TypeError {}

type Form = (value: unknown) => boolean;

const isAmount: Form = (value) => typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;
const isText: Form = (value) => typeof value === 'string';
const optional =
  (is: Form): Form =>
  (value) =>
    value === undefined || is(value);
const each =
  (is: Form): Form =>
  (value) =>
    Array.isArray(value) && value.every(is);
const record =
  (fields: { readonly [name: string]: Form }): Form =>
  (value) =>
    isRecord(value) && Object.entries(fields).every(([name, is]) => is(value[name]));

/** What stands in a quota, and in words. */
const FIELDS: { readonly [name: string]: readonly [is: Form, bound: string] } = {
  policies: [
    each(record({ name: optional(isText), quota: isAmount, windowMs: optional(isAmount) })),
    'an array of { name?, quota, windowMs? }',
  ],
  limit: [isAmount, 'a finite number of at least 0'],
  remaining: [isAmount, 'a finite number of at least 0'],
  resetMs: [isAmount, 'a finite number of ms, at least 0'],
  counters: [
    each(record({ name: isText, limit: optional(isAmount), remaining: isAmount, resetMs: isAmount })),
    'an array of { name, limit?, remaining, resetMs }',
  ],
  concurrency: [isAmount, 'a finite number of at least 0'],
  partition: [record({ policy: isText, key: isText }), '{ policy, key }'],
};

/**
 * What a reader of somebody's own says of the quota of an answer; `undefined` where it says nothing.
 *
 * @throws {WrongForm} where that is no quota
 */
export function quotaBy(read: (response: AxiosResponse) => unknown, response: AxiosResponse): Quota | undefined {
  const told: unknown = read(response);
  if (told === undefined) return undefined;
  if (!isPlain(told)) throw new WrongForm(`must return a quota or undefined, got ${kindOf(told)}`);
  for (const name of Object.keys(told)) {
    const [is, bound] = FIELDS[name] ?? [];
    const value = told[name];
    if (is === undefined) throw new WrongForm(`gave ${name}, which no quota has: ${Object.keys(FIELDS).join(', ')}`);
    if (value !== undefined && !is(value))
      throw new WrongForm(`gave a ${name} that must be ${bound}, got ${shown(value)}`);
  }
  const { policies, ...rest } = told as ToldQuota;
  return { policies: policies ?? [], ...rest, ofWeights: true };
}
