/** Quotas told in one header for each number: `RateLimit-Remaining`, `X-RateLimit-Reset-Tokens` and their relatives. */
import { headerOf } from '../wait/header.ts';
import { isBareDelay, parseReset } from './quota-reset.ts';
import { type Counter, type Policy, REQUESTS, readPolicies, readRemaining } from './quota-structured.ts';

/** The vendor, then the fixed word, with what is counted on either side of it: `-requests-reset`, `-reset-requests`. */
const NAME = /^(.*?)rate-?limit-(?:(.+)-)?(limit|remaining|used|reset-after|reset|next|retry-after)(?:-(.+))?$/;

/** No vendor's name is longer, in characters. */
const LONGEST = 100;

/** In the order of trust: `reset-after` needs no clock. `next` is Akamai's, `retry-after` Symfony's. */
const RESETS = ['reset-after', 'reset', 'next', 'retry-after'];

/** The headers that tell of one quota. */
interface Family {
  readonly vendor: string;
  /** What is counted, if the names say so. */
  readonly unit: string | undefined;
  /** The values by the fixed part of the name. */
  readonly fields: Map<string, string>;
}

/**
 * @param names of the headers to look at, as they are spelled
 * @param serverNow ms since the epoch
 * @param throttled whether the answer refused for rate
 */
export function readFields(
  headers: unknown,
  names: readonly string[],
  serverNow: number,
  throttled: boolean,
): { readonly counters: readonly Counter[]; readonly policies: readonly Policy[] } {
  const families = familiesOf(headers, names);
  return {
    counters: families.map((family) => counterOf(family, serverNow, throttled)),
    policies: families.flatMap(policiesOf),
  };
}

function familiesOf(headers: unknown, names: readonly string[]): readonly Family[] {
  const families = new Map<string, Family>();
  for (const name of names) {
    if (name.length > LONGEST) continue;
    const [, vendor = '', before, field, after] = NAME.exec(name.toLowerCase()) ?? [];
    const value = field && headerOf(headers, name);
    if (!field || !value) continue;
    const unit = before ?? after;
    const key = `${vendor}/${unit}`;
    const family = families.get(key) ?? { vendor, unit, fields: new Map() };
    families.set(key, family);
    family.fields.set(field, value);
  }
  return [...families.values()];
}

function counterOf({ vendor, unit, fields }: Family, serverNow: number, throttled: boolean): Counter {
  // X-RateLimit-Reset is an epoch at GitHub; elsewhere it is a delay, sent beside the limit or what was used of it. A
  // small number with neither of them may be either, which is too little to hold a call back for; unless it is all that a refusal says.
  const isLone = throttled && !fields.has('remaining');
  const isClear = isLone || vendor !== 'x-' || unit !== undefined || fields.has('limit') || fields.has('used');
  const resets = RESETS.map((field) => ({ field, value: fields.get(field) })).filter(
    ({ field, value }) => value !== undefined && (isClear || field !== 'reset' || !isBareDelay(value)),
  );
  return {
    unit: unit ?? REQUESTS,
    limit: readPolicies(fields.get('limit'))[0]?.quota,
    remaining: readRemaining(fields.get('remaining')),
    resetMs: resets.map(({ value }) => parseReset(value, serverNow)).find((ms) => ms !== undefined),
  };
}

/** Draft 03 tells the windows behind the limit, as Docker Hub still does: `RateLimit-Limit: 10, 100;w=60`. */
function policiesOf({ unit, fields }: Family): readonly Policy[] {
  return readPolicies(fields.get('limit'))
    .filter(({ windowMs }) => windowMs !== undefined)
    .map((policy) => ({ ...policy, unit: unit ?? policy.unit }));
}
