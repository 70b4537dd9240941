import type { InternalAxiosRequestConfig } from 'axios';
import {
  type Advice,
  aBoolean,
  aFunction,
  type Check,
  integer,
  isRecord,
  listOf,
  must,
  number,
  object,
} from '../check.ts';
import { InvalidPolicyError, type PolicyProblem } from '../failure/errors.ts';
import { ADAPTIVE_DEFAULTS, type AdaptiveOptions, type ResolvedAdaptive } from './adaptive/rate.ts';
import { LIMIT_NAMES } from './other-names.ts';
import type { LimitWindow } from './windows/gcra.ts';

/**
 * How fast sends may leave. A send is what is counted, so a retry takes a permit of its own.
 *
 * Every bucket (`key`) has these bounds for itself. All of them may be left out: what remains is that an answer which names
 * a time, a 429 or a 503 with Retry-After, pauses its whole bucket until then and not only its own call.
 */
export interface LimitOptions {
  /** Requests per `perMs`. From 0.001. */
  readonly requests?: number | undefined;
  /** The window of `requests`, in ms. From 0.001. */
  readonly perMs?: number | undefined;
  /**
   * How many of the `requests` may leave at once after a rest. An integer from 1; default 1: evenly spaced. Any sliding
   * `perMs` holds at most `requests + burst − 1`, rounded up.
   */
  readonly burst?: number | undefined;
  /** More windows, which hold all at the same time: 50 a second and 10,000 an hour. */
  readonly windows?: readonly LimitWindow[] | undefined;
  /** Sends under way at once; one with a streamed answer until its body has ended. An integer from 1; default `Infinity`. */
  readonly maxConcurrent?: number | undefined;
  /** Sends that may wait; one more is refused with `ERR_LIMIT_QUEUE_FULL`. An integer from 0; default 10,000. */
  readonly maxQueue?: number | undefined;
  /**
   * How long one may wait, in ms; who would wait longer is refused with `ERR_LIMIT_WAIT_TOO_LONG`, at once where that can be told.
   * From 0; default `Infinity`: the call's deadline bounds it.
   */
  readonly maxWaitMs?: number | undefined;
  /** Which bucket a send draws on: asked of the call, and again of what `beforeSend` made of it. Default: the origin. */
  readonly key?: ((config: InternalAxiosRequestConfig) => string) | undefined;
  /** Who goes first among those who wait: the smaller number. Default: 0 for all, first come first served. */
  readonly priority?: ((config: InternalAxiosRequestConfig) => number) | undefined;
  /**
   * Learns the quota from the server's answers: from RateLimit headers, and from the 429s. Needs no numbers; those that are given
   * are the most that it sends. Default `false`.
   */
  readonly adaptive?: boolean | AdaptiveOptions | undefined;
}

/** The options with their defaults filled in. */
export type ResolvedLimit = LimitOptions & {
  readonly burst: number;
  readonly maxConcurrent: number;
  readonly maxQueue: number;
  readonly maxWaitMs: number;
  readonly adaptive: false | ResolvedAdaptive;
};

export const LIMIT_DEFAULTS = {
  burst: 1,
  maxConcurrent: Number.POSITIVE_INFINITY,
  maxQueue: 10_000,
  maxWaitMs: Number.POSITIVE_INFINITY,
  adaptive: false,
} as const;

/** The windows of a limit, wherever they were written. */
export function windowsOf({ requests, perMs, burst, windows = [] }: LimitOptions): readonly LimitWindow[] {
  return requests === undefined || perMs === undefined ? windows : [{ requests, perMs, burst }, ...windows];
}

/** The most that one send may weigh: no window ever holds more. */
export function maxWeightOf(windows: readonly LimitWindow[]): number {
  return Math.min(...windows.map(({ requests, burst = 1 }) => Math.ceil(requests + burst - 1)));
}

/** Fills in what was left out. Without a prototype: one that somebody else has polluted must not speak for it. */
export function fillIn(options: LimitOptions): ResolvedLimit {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const { adaptive = false, windows }: LimitOptions = { adaptive: undefined, windows: undefined, ...options };
  // The caller's own objects are not ours to freeze.
  if (windows !== undefined) given.windows = windows.map((each) => Object.freeze(bare(each)));
  return bare({ ...LIMIT_DEFAULTS, ...given, adaptive: adaptive === false ? false : learning(adaptive) });
}

/** What it has itself, and nothing of a prototype. */
function bare<T extends object>(options: T): T {
  return Object.assign(Object.create(null), options);
}

function learning(options: true | AdaptiveOptions): ResolvedAdaptive {
  const { startConcurrency, headers } = ADAPTIVE_DEFAULTS;
  if (options === true) return ADAPTIVE_DEFAULTS;
  return { startConcurrency: options.startConcurrency ?? startConcurrency, headers: options.headers ?? headers };
}

const finite = Number.MAX_SAFE_INTEGER;
/** Of requests, and of ms. */
const SMALLEST = 0.001;
const isCount =
  (min: number) =>
  (value: unknown): boolean =>
    value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && Number(value) >= min);
const isPositive = (value: unknown): boolean => typeof value === 'number' && value > 0;
const aCount = (min: number): Check => must(`an integer of at least ${min}, or Infinity`, isCount(min));

const window = {
  requests: number(SMALLEST, finite),
  perMs: number(SMALLEST, finite),
  burst: integer(1, 1_000_000),
};

/** The fields of `LimitOptions`; an engine may have more. */
export const LIMIT_FIELDS: { readonly [name: string]: Check } = {
  ...window,
  windows: (value, path, problems) => {
    listOf('an array of { requests, perMs, burst? }', isRecord)(value, path, problems);
    if (!Array.isArray(value)) return;
    value
      .filter(isRecord)
      .map(bare)
      .forEach((each, index) => {
        const at = `${path}.${index}`;
        object(window, { names: LIMIT_NAMES })(each, at, problems);
        paired(each, at, problems);
        if (each.requests === undefined && each.perMs === undefined) missing(`${at}.requests`, 'in a window', problems);
      });
  },
  maxConcurrent: aCount(1),
  maxQueue: aCount(0),
  maxWaitMs: number(0),
  key: aFunction,
  priority: aFunction,
  adaptive: (value, path, problems) => {
    if (isRecord(value)) object({ startConcurrency: integer(1, 1_000_000), headers: aBoolean })(value, path, problems);
    else
      must('true, false or { startConcurrency?, headers? }', (each) => typeof each === 'boolean')(
        value,
        path,
        problems,
      );
  },
};

/**
 * The fields of an engine in which every send waits, if only for some ms: with no place to wait in, or no time, it would refuse all of
 * them for ever.
 *
 * @param forWhat what is waited for
 */
export function fieldsThatWait(forWhat: string): { readonly maxQueue: Check; readonly maxWaitMs: Check } {
  const why = `since every call waits for ${forWhat}, if only for some ms`;
  return {
    maxQueue: must(`an integer of at least 1, or Infinity, ${why}`, isCount(1)),
    maxWaitMs: must(`a number above 0, ${why}`, isPositive),
  };
}

/** The same of a call's own `maxWaitMs`. */
export function wrongWait(maxWaitMs: number | undefined, forWhat: string): InvalidPolicyError | undefined {
  if (maxWaitMs === undefined || maxWaitMs > 0) return undefined;
  const problems: PolicyProblem[] = [];
  fieldsThatWait(forWhat).maxWaitMs(maxWaitMs, 'limit.maxWaitMs', problems);
  return new InvalidPolicyError(problems);
}

/** Checks what a policy has as its `limit`, or what an engine is given, whose further fields those are. */
export const checkLimit =
  (more: { readonly [name: string]: Check } = {}, advice?: Advice): Check =>
  (value, path, problems) => {
    object({ ...LIMIT_FIELDS, ...more }, { names: LIMIT_NAMES, ...advice })(value, path, problems);
    if (isRecord(value)) paired(bare(value), path, problems);
  };

/** @throws {InvalidPolicyError} with every problem of an engine's options */
export function requireLimit(
  options: unknown,
  more?: { readonly [name: string]: Check },
): asserts options is LimitOptions {
  const problems: PolicyProblem[] = [];
  checkLimit(more)(options ?? null, 'limit', problems);
  if (problems.length > 0) throw new InvalidPolicyError(problems);
}

/** Requests are per something. */
function paired({ requests, perMs }: Record<string, unknown>, path: string, problems: PolicyProblem[]): void {
  if (requests !== undefined && perMs === undefined) missing(`${path}.perMs`, `with ${path}.requests`, problems);
  if (requests === undefined && perMs !== undefined) missing(`${path}.requests`, `with ${path}.perMs`, problems);
}

function missing(path: string, where: string, problems: PolicyProblem[]): void {
  const bound = `given ${where}`;
  problems.push({ path, bound, value: undefined, message: `${path} must be ${bound}, got nothing` });
}
