/** Quotas told in one header for each number: `RateLimit-Remaining`, `X-RateLimit-Reset-Tokens` and their relatives. */
import { headerOf } from '../../call/header.ts';
import { isBareDelay, parseReset } from './reset.ts';
import { type Counter, type Policy, REQUESTS, readPolicies, readRemaining } from './structured.ts';

/** The vendor, then the fixed word, with what is counted on either side of it: `-requests-reset`, `-reset-requests`. */
const NAME = /^(.*?)rate-?limit-(?:(.+)-)?(limit|remaining|used|reset-after|reset|next|retry-after|window)(?:-(.+))?$/;

/** No vendor's name is longer, in characters. */
const LONGEST = 100;

/** In the order of trust: `reset-after` needs no clock. `next` is Akamai's, `retry-after` Symfony's. */
const RESETS = ['reset-after', 'reset', 'next', 'retry-after'];

/** Words for a time that vendors put where others say what is counted, as `X-RateLimit-Limit-Minute` of Kong. */
const UNIT_WINDOWS: { readonly [word: string]: number } = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  month: 2_592_000_000,
};
const WINDOW_WORD = /^(?:(second|minute|hour|month)(?:ly)?|(day|daily))$/;
/** `1m` of AspNetCoreRateLimit, which tells the window where others tell the limit; and `100/minute`, `100 per 60 s`. */
const WINDOW_IN_LIMIT =
  /^(?:(?:\d+ ?(?:\/|per) ?)(?<of>\d*) ?(?<word>s|sec|second|m|min|minute|h|hour|d|day|month)s?|(?<n>\d+)(?<letter>[smhd]))$/i;

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
 * @param announcedMs the longest window that is announced elsewhere, if any
 */
export function readFields(
  headers: unknown,
  names: readonly string[],
  serverNow: number,
  throttled: boolean,
  announcedMs?: number | undefined,
): { readonly counters: readonly Counter[]; readonly policies: readonly Policy[] } {
  const families = familiesOf(headers, names);
  return {
    counters: families.map((family) => counterOf(family, serverNow, throttled, announcedMs)),
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

function counterOf(
  { vendor, unit, fields }: Family,
  serverNow: number,
  throttled: boolean,
  announcedMs?: number,
): Counter {
  // X-RateLimit-Reset is an epoch at GitHub; elsewhere it is a delay, sent beside the limit or what was used of it. A
  // small number with neither of them may be either, which is too little to hold a call back for; unless it is all that a refusal says.
  const isLone = throttled && !fields.has('remaining');
  const isClear = isLone || vendor !== 'x-' || unit !== undefined || fields.has('limit') || fields.has('used');
  const resets = RESETS.map((field) => ({ field, value: fields.get(field) })).filter(
    ({ field, value }) => value !== undefined && (isClear || field !== 'reset' || !isBareDelay(value)),
  );
  const windowMs = windowOf(unit, fields) ?? announcedMs;
  const resetMs = resets.map(({ value }) => parseReset(value, serverNow, windowMs)).find((ms) => ms !== undefined);
  const isOfRequests = unit === undefined || (WINDOW_WORD.test(unit) && resetMs !== undefined);
  const name = `${vendor}${unit ?? ''}`;
  const about = { name, unit: isOfRequests ? REQUESTS : unit };
  if (hasNoNumbers(fields, resetMs)) {
    return { ...about, limit: undefined, remaining: undefined, resetMs: resetMs || undefined };
  }
  const remaining = readRemaining(fields.get('remaining'));
  return { ...about, limit: readPolicies(fields.get('limit'))[0]?.quota, remaining, resetMs };
}

/**
 * Some send -1 or 0 for a limit that they do not have, with as much left and a reset of 0. But -27689 left and a reset in 64 s is what
 * Azure OpenAI says of a quota that was used too much.
 */
function hasNoNumbers(fields: Family['fields'], resetMs = 0): boolean {
  const limit = fields.get('limit');
  if (limit !== undefined) return /^-\d/.test(limit) || (resetMs === 0 && /^0+$/.test(limit));
  return resetMs === 0 && /^-\d/.test(fields.get('remaining') ?? '');
}

/** The time that a quota is for, in ms, where a name, its limit or a header of its own says so. */
function windowOf(unit: string | undefined, fields: Family['fields']): number | undefined {
  const [, word, day] = WINDOW_WORD.exec(unit ?? '') ?? [];
  const named = UNIT_WINDOWS[word ?? (day && 'day') ?? ''];
  if (named !== undefined) return named;
  const limit = fields.get('limit');
  const told = readPolicies(limit).map(({ windowMs }) => windowMs);
  return told.find((windowMs) => windowMs !== undefined) ?? windowInLimit(limit) ?? parseReset(fields.get('window'), 0);
}

function windowInLimit(limit: string | undefined): number | undefined {
  const { of, word, n, letter } = WINDOW_IN_LIMIT.exec(limit?.slice(0, LONGEST) ?? '')?.groups ?? {};
  const start = (word ?? letter)?.toLowerCase();
  // `m` and `min` are minutes, which stand before the month.
  const unitMs = start && Object.entries(UNIT_WINDOWS).find(([name]) => name.startsWith(start))?.[1];
  return unitMs ? Number(of || n || 1) * unitMs : undefined;
}

/** Draft 03 tells the windows behind the limit, as Docker Hub still does: `RateLimit-Limit: 10, 100;w=60`. */
function policiesOf({ unit, fields }: Family): readonly Policy[] {
  return readPolicies(fields.get('limit'))
    .filter(({ windowMs }) => windowMs !== undefined)
    .map((policy) => ({ ...policy, unit: unit ?? policy.unit }));
}
