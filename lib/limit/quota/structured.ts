/** The RateLimit fields of the IETF, which are structured fields (RFC 9651). */
import { type Item, parseDictionary, parseItem, parseList } from 'structured-headers';
import { wholeMs } from '../../time/retry-after.ts';

/** The unit that a quota has unless the server says otherwise. */
export const REQUESTS = 'requests';
/** The unit of a quota that bounds how many requests may be under way. */
export const CONCURRENT_REQUESTS = 'concurrent-requests';

/** More of a partition key is not compared, in bytes. */
const LONGEST_KEY = 256;

/** A quota that the server announces. */
export interface Policy {
  readonly name: string | undefined;
  readonly quota: number;
  readonly windowMs: number | undefined;
  readonly unit: string;
  /** Where the server divides the quota: the part that this is. */
  readonly partition?: string | undefined;
}

/** What is left of one quota. */
export interface Counter {
  readonly name?: string | undefined;
  readonly unit: string;
  readonly partition?: string | undefined;
  readonly limit: number | undefined;
  readonly remaining: number | undefined;
  readonly resetMs: number | undefined;
}

/** `"burst";q=100;w=60` of draft 10, and `100;w=60` of the drafts up to 07. */
export function readPolicies(value: string | undefined): readonly Policy[] {
  return readList(value, ([bare, parameters]) => {
    const name = typeof bare === 'string' ? bare : undefined;
    const quota = name === undefined ? bare : parameters.get('q');
    const window = parameters.get('w');
    const unit = parameters.get('qu') ?? REQUESTS;
    if (!isCount(quota) || !isOptionalCount(window) || typeof unit !== 'string') return undefined;
    // A window of no length bounds nothing.
    const windowMs = window === 0 ? undefined : secondsToMs(window);
    return { name, quota, windowMs, unit, partition: partitionIn(parameters) };
  });
}

/** `"default";r=50;t=30` of draft 10, and `limit=100, remaining=50, reset=30` of draft 07. */
export function readRateLimit(value: string | undefined, policies: readonly Policy[]): readonly Counter[] {
  const policyNamed = new Map(policies.map((policy) => [policy.name, policy]));
  const policyOfPart = new Map(policies.map((policy) => [partOf(policy.name, policy.partition), policy]));
  const counters = readList(value, ([name, parameters]) => {
    const remaining = parameters.get('r');
    const reset = parameters.get('t');
    if (typeof name !== 'string' || !isCount(remaining) || !isOptionalCount(reset)) return undefined;
    const partition = partitionIn(parameters);
    const policy = policyOfPart.get(partOf(name, partition)) ?? policyNamed.get(name);
    const unit = policy?.unit ?? REQUESTS;
    return { name, unit, partition, limit: policy?.quota, remaining, resetMs: secondsToMs(reset) };
  });
  return counters.length > 0 ? counters : readCombined(value);
}

/** One string for a policy and a part of it. */
export function partOf(name: string | undefined, partition: string | undefined): string {
  return JSON.stringify([name, partition]);
}

/** A number by itself, rounded down; below 0, as Azure OpenAI counts what was used too much, it is 0. */
export function readRemaining(value: string | undefined): number | undefined {
  const [number] = (value ? orUndefined(() => parseItem(value)) : undefined) ?? [];
  return typeof number === 'number' ? Math.max(0, Math.floor(number)) : undefined;
}

function readCombined(value: string | undefined): readonly Counter[] {
  const members = value ? orUndefined(() => parseDictionary(value)) : undefined;
  const [limit, remaining, reset] = ['limit', 'remaining', 'reset'].map((key) => members?.get(key)?.[0]);
  if (!isOptionalCount(limit) || !isOptionalCount(remaining) || !isOptionalCount(reset)) return [];
  return [{ unit: REQUESTS, limit, remaining, resetMs: secondsToMs(reset) }];
}

/** The partition key, which is a byte sequence; of other types the draft says nothing, and they serve as well. */
function partitionIn(parameters: Item[1]): string | undefined {
  const key = parameters.get('pk');
  if (!(key instanceof ArrayBuffer)) return key === undefined ? undefined : String(key).slice(0, LONGEST_KEY);
  return Array.from(new Uint8Array(key).subarray(0, LONGEST_KEY), (byte) => byte.toString(16)).join('.');
}

/** The items of a List; none at all when one is malformed, because then the draft has the whole field ignored. */
function readList<T>(value: string | undefined, read: (item: Item) => T | undefined): readonly T[] {
  const list = (value ? orUndefined(() => parseList(value)) : undefined) ?? [];
  const items = list.map((member) => (isItem(member) ? read(member) : undefined));
  return items.every((item) => item !== undefined) ? items : [];
}

function orUndefined<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

function isItem(member: readonly unknown[]): member is Item {
  return !Array.isArray(member[0]);
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}

function isOptionalCount(value: unknown): value is number | undefined {
  return value === undefined || isCount(value);
}

function secondsToMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : wholeMs(seconds * 1_000);
}
