import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import {
  aBoolean,
  aCount,
  aFunction,
  bare,
  type Check,
  integer,
  isRecord,
  kindOf,
  listOf,
  missing,
  must,
  number,
  object,
  required,
  shown,
} from '../check.ts';
import { InvalidPolicyError, type PolicyProblem } from '../failure/errors.ts';
import { type Filled, Group } from '../group.ts';
import { ADAPTIVE_DEFAULTS, type AdaptiveOptions, type ResolvedAdaptive } from './adaptive/rate.ts';
import { ADJUSTABLE, AdjustedLimiter, isAdjusted, numbersIn } from './adjusted-limiter.ts';
import { isLimiter, type Limiter, STORE, type Store } from './limiter.ts';
import { LIMIT_NAMES } from './other-names.ts';
import type { ToldQuota } from './quota/reader.ts';
import { burstOf, type LimitWindow, mostOf } from './windows/gcra.ts';

/**
 * How fast sends may leave. A send is what is counted, so a retry takes a permit of its own.
 *
 * Every bucket (`key`, by default the origin) has these bounds for itself. Without any, as `limit: {}`, one thing is left: a 429, or a 503
 * with Retry-After, pauses the whole bucket, and not only its own call.
 *
 * @example
 * // 50 a second, and at most 10 under way; orders go first.
 * attach(client, { limit: { requests: 50, perMs: 1_000, maxConcurrent: 10, priority: ({ url }) => (url === '/orders' ? 0 : 1) } });
 */
export interface LimitOptions extends Optional<LimitWindow> {
  /** More windows; a send leaves when all of them let it. `[{ requests: 10_000, perMs: 3_600_000, burst: 100 }]`: and 10,000 an hour. */
  readonly windows?: readonly LimitWindow[] | undefined;
  /** Sends under way at once; one with a streamed answer until its body has ended. An integer from 1; default `Infinity`. */
  readonly maxConcurrent?: number | undefined;
  /** Sends that may wait; one more is refused with `ERR_LIMIT_QUEUE_FULL`. An integer from 0; default 10,000. */
  readonly maxQueue?: number | undefined;
  /**
   * How long a send may wait for its permit, in ms; one that would wait longer is refused with `ERR_LIMIT_WAIT_TOO_LONG`, at once where that
   * can be told. From 0; default `Infinity`: the call's `deadlineMs` bounds it.
   */
  readonly maxWaitMs?: number | undefined;
  /**
   * Which bucket a send draws on: asked of the call, and again of what `beforeSend` made of it. Default: the origin. In a list of several
   * limits it may give `false`: then that limit does not count the send.
   *
   * @example
   * // One write a second. Reads have no limit.
   * attach(client, { limit: [{ requests: 1, perMs: 1_000, key: ({ method }) => (method === 'get' ? false : 'writes') }] });
   */
  readonly key?: ((config: InternalAxiosRequestConfig) => string | false) | undefined;
  /** Who goes first among those who wait: the smaller number. Default: 0 for all, first come first served. */
  readonly priority?: ((config: InternalAxiosRequestConfig) => number) | undefined;
  /**
   * How many permits a send needs. Under a quota of tokens (or points) give the send's tokens: then `requests` counts tokens. Asked of the
   * call, whose `data` is what is sent: a string, where it was an object. An integer from 1, or the call fails. More than a window ever holds
   * is refused with a `RangeError`. Default: 1 for all.
   *
   * A send leaves when its whole weight is due. Give a `burst` of at least the heaviest send: one that is heavier wastes about half of the
   * limit, and a process warning says so, once. `maxConcurrent` counts sends, whatever they weigh.
   *
   * @example
   * // 90,000 tokens a minute: about four characters a token, and what it may answer at most.
   * weight: ({ data }) => Math.ceil(String(data).length / 4) + 500,
   */
  readonly weight?: ((config: InternalAxiosRequestConfig) => number) | undefined;
  /**
   * What a send really cost, by its answer. If it is more than the weight, the rest is charged; if less, the rest is given back. Asked of
   * each answer, good or bad. `undefined`: the weight stays. `response.data` is what `transformResponse` makes of it. A finite number from
   * 0; anything else, or an error, counts as `undefined`, and a process warning says so, once.
   *
   * @example
   * settle: ({ data }) => data.usage?.total_tokens,
   */
  readonly settle?: ((response: AxiosResponse, weight: number) => number | undefined) | undefined;
  /**
   * Reads from an answer what is left of the quota, for `adaptive` (or another limiter that learns), where no RateLimit header says it.
   * Asked first; `undefined`: look at the headers. It counts in weights. `response.data` is what `transformResponse` makes of it. If it
   * throws, or gives what is no quota, the headers are read, and a process warning says so, once.
   *
   * @example
   * quota: ({ headers }) => ({
   *   limit: 100,
   *   remaining: Number(headers['x-budget-left']),
   *   resetMs: 1_000 * Number(headers['x-budget-ends-in']),
   * }),
   */
  readonly quota?: ((response: AxiosResponse) => ToldQuota | undefined) | undefined;
  /**
   * Learns the quota from the server's answers: from RateLimit headers, and from the 429s. Needs no numbers; those that are given
   * are the most that it sends. Default `false`.
   */
  readonly adaptive?: boolean | AdaptiveOptions | undefined;
}

type Optional<T> = { readonly [name in keyof T]?: T[name] | undefined };

type LimitDefaults = Filled<Pick<LimitOptions, 'burst' | 'maxConcurrent' | 'maxQueue' | 'maxWaitMs'>> & {
  readonly adaptive: false | ResolvedAdaptive;
};

/** The options with their defaults filled in. */
export type ResolvedLimit = LimitOptions & LimitDefaults;

/** One limit, or one of several. */
export type OneLimit = ResolvedLimit | Limiter;
export type ResolvedLimits = OneLimit | readonly OneLimit[];

/** Whether there are several. */
export const isList = (limit: unknown): limit is readonly OneLimit[] => Array.isArray(limit);

/** The windows of a limit, wherever they were written. */
export function windowsOf({ requests, perMs, burst, windows = [] }: LimitOptions): readonly LimitWindow[] {
  return requests === undefined || perMs === undefined ? windows : [{ requests, perMs, burst }, ...windows];
}

/** The most that one send may weigh: no window ever holds more. */
export function maxWeightOf(windows: readonly LimitWindow[]): number {
  return Math.min(...windows.map(mostOf));
}

/** What all of them let leave at once after a rest: what weighs more has to be waited for, before and after it. */
export function leastBurstOf(windows: readonly LimitWindow[]): number {
  return Math.min(...windows.map(burstOf));
}

/** What a bucket is told of a limit. */
export const boundsOf = <T extends LimitOptions>(options: T, windows: readonly LimitWindow[]) => ({
  ...options,
  maxWeight: maxWeightOf(windows),
  leastBurst: leastBurstOf(windows),
});

/** An update changes numbers, and not whom they are for. */
export function asBefore(name: string, value: unknown): PolicyProblem {
  const [path, bound] = [`limit.${name}`, 'left out of an update, which changes numbers, or the same as before'];
  return { path, bound, value, message: `${path} must be ${bound}` };
}

/** Fills in what was left out. */
export const fillIn = (options: LimitOptions): ResolvedLimit =>
  LIMIT.freeze(LIMIT.resolve(false, options) as ResolvedLimit);

const finite = Number.MAX_SAFE_INTEGER;
/** Of requests, and of ms. */
const SMALLEST = 0.001;
const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const isBurst = (value: unknown): boolean =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 1_000_000;
/** The most instants that a window with `burst: 'all'` remembers. */
const MOST_REMEMBERED = 100_000;
const isPositive = (value: unknown): boolean => typeof value === 'number' && value > 0;

const window = {
  requests: number(SMALLEST, finite),
  perMs: number(SMALLEST, finite),
  burst: must("an integer from 1 to 1000000, or 'all'", (value) => value === 'all' || isBurst(value)),
};

/** The `adaptive` of a limit. */
export const ADAPTIVE = new Group<AdaptiveOptions, ResolvedAdaptive>({
  fields: {
    startConcurrency: [integer(1, 1_000_000), ADAPTIVE_DEFAULTS.startConcurrency],
    headers: [aBoolean, ADAPTIVE_DEFAULTS.headers],
  },
  value: { is: (value) => !isRecord(value), check: must('true, false or { startConcurrency?, headers? }', isBoolean) },
});

/** The list of further windows, of which each remembers so many instants at most. */
export const windowsWith =
  (mostRemembered: number): Check =>
  (value, path, problems) => {
    listOf('an array of { requests, perMs, burst? }', isRecord)(value, path, problems);
    if (!Array.isArray(value)) return;
    value
      .filter(isRecord)
      .map(bare)
      .forEach((each, index) => {
        const at = `${path}.${index}`;
        object(window, { names: LIMIT_NAMES })(each, at, problems);
        whole(each, at, problems, mostRemembered);
        if (each.requests === undefined && each.perMs === undefined)
          problems.push(missing(`${at}.requests`, 'given in a window'));
      });
  };

/** What the port asks of a limiter. A semaphore has `acquire` as well, and permits that nobody could give back. */
const PORT = ['acquire', 'pause', 'close', 'stats'] as const satisfies readonly (keyof Limiter)[];

const checkPort: Check = (value, path, problems) => {
  const lacking = PORT.filter((name) => typeof (value as Limiter)[name] !== 'function').join(', ');
  const bound = `a Limiter, with ${PORT.join(', ')}`;
  const message = `${path} must be ${bound}; ${kindOf(value)} lacks ${lacking}`;
  if (lacking !== '') problems.push({ path, bound, value, message });
};

/** A list of limits: a send needs all of them. */
const checkList = (value: readonly unknown[], path: string, problems: PolicyProblem[]): void => {
  const bound = '{ requests, perMs, … } or a Limiter in each place, and at least one';
  if (value.length === 0)
    problems.push({ path, bound, value, message: `${path} must be ${bound}, got an empty array` });
  listOf(bound, isRecord)(value, path, problems);
  for (const [n, each] of value.entries()) {
    if (!isRecord(each)) continue;
    LIMIT.check(each, `${path}.${n}`, problems);
    const first = value.findIndex((other) => sharesBuckets(storeOf(other), storeOf(each)));
    if (first >= 0 && first < n) problems.push(oneStore(`${path}.${n}`, `${path}.${first}`, storeOf(each)?.prefix));
  }
};

const storeOf = (limit: unknown): Store | undefined => {
  const limiter = isLimiter(limit) && isAdjusted(limit) ? limit.limiter : limit;
  return isRecord(limiter) ? (limiter as { [STORE]?: Store })[STORE] : undefined;
};

const sharesBuckets = (one: Store | undefined, other: Store | undefined): boolean =>
  one !== undefined &&
  one.client === other?.client &&
  one.prefix === other.prefix &&
  one.keeps.some((each) => other.keeps.includes(each));

/** Each send would be counted twice in one bucket. */
function oneStore(path: string, other: string, value: string | undefined): PolicyProblem {
  const at = `${path}.prefix`;
  const bound = `another than ${other}.prefix, since redisLimiters of one client with the same prefix and perMs have the same buckets`;
  return { path: at, bound, value, message: `${at} must be ${bound}; got '${value}'` };
}

/** Lays what a call says for itself over one limit or several, where it has no numbers. */
function adjust(limit: unknown, options: LimitOptions): unknown {
  if (numbersIn(options).length > 0) return undefined;
  if (isLimiter(limit)) return new AdjustedLimiter(limit, options);
  if (!isList(limit)) return undefined;
  const { priority, maxWaitMs, ...own } = options;
  const problems = Object.entries(own).flatMap(([name, value]): PolicyProblem[] => {
    const [path, bound] = [`limit.${name}`, 'left out where there are several limits, each with one of its own'];
    return value === undefined ? [] : [{ path, bound, value, message: `${path} must be ${bound}` }];
  });
  if (problems.length > 0) throw new InvalidPolicyError(problems);
  return limit.map((each) => LIMIT.resolve(each, { priority, maxWaitMs }));
}

/** What a policy has as its limit: numbers, for a limiter that is then made of them; a limiter; or a list of them. */
export const LIMIT: Group<
  LimitOptions,
  LimitDefaults,
  ResolvedLimits,
  LimitOptions | Limiter | readonly (LimitOptions | Limiter)[]
> = new Group({
  fields: {
    ...window,
    burst: [window.burst, 1],
    windows: windowsWith(MOST_REMEMBERED),
    maxConcurrent: [aCount(1), Number.POSITIVE_INFINITY],
    maxQueue: [aCount(0), 10_000],
    maxWaitMs: [number(0), Number.POSITIVE_INFINITY],
    key: aFunction,
    priority: aFunction,
    weight: aFunction,
    settle: aFunction,
    quota: aFunction,
    adaptive: ADAPTIVE,
  },
  advice: {
    names: LIMIT_NAMES,
    on: 'it needs numbers, { requests, perMs } or { maxConcurrent }; { adaptive: true } learns them',
    number: 'to bound retries it is retry.maxRetries; to bound sends { maxConcurrent }, or { requests, perMs }',
  },
  also: (options, path, problems) => {
    whole(options, path, problems);
    burstOfNothing(options, path, problems);
  },
  value: {
    is: (value) => isList(value) || isLimiter(value),
    check: (value, path, problems) => (isList(value) ? checkList : checkPort)(value as never, path, problems),
    adjust,
    copy: (value, fills) => {
      if (!isList(value)) return value;
      return value.map((each) => (isLimiter(each) ? each : fills ? fillIn(each) : { ...(each as LimitOptions) }));
    },
  },
  complete: ({ windows, adaptive, ...options }) => ({
    ...options,
    // The caller's own objects are not ours to freeze.
    ...(windows && { windows: windows.map((each) => Object.freeze(bare(each))) }),
    adaptive: adaptive === true ? ADAPTIVE.defaults : adaptive,
  }),
  ofCall: { options: ADJUSTABLE, instead: 'make a localLimiter once, and give it as limit' },
});

/**
 * The fields of an engine in which every send waits, if only for some ms: with no place to wait in, or no time, it would refuse all of
 * them for ever.
 *
 * @param forWhat what is waited for
 */
export function fieldsThatWait(forWhat: string): { readonly maxQueue: Check; readonly maxWaitMs: Check } {
  const why = `since every call waits for ${forWhat}, if only for some ms`;
  return { maxQueue: aCount(1, `, ${why}`), maxWaitMs: must(`a number above 0, ${why}`, isPositive) };
}

/** The same of a call's own `maxWaitMs`. */
export function wrongWait(maxWaitMs: number | undefined, forWhat: string): InvalidPolicyError | undefined {
  if (maxWaitMs === undefined || maxWaitMs > 0) return undefined;
  const problems: PolicyProblem[] = [];
  fieldsThatWait(forWhat).maxWaitMs(maxWaitMs, 'limit.maxWaitMs', problems);
  return new InvalidPolicyError(problems);
}

/**
 * @param mostRemembered how many instants each of its windows remembers at most
 * @throws {InvalidPolicyError} with every problem of an engine's options
 */
export function requireLimit(
  options: unknown,
  more?: { readonly [name: string]: Check },
  mostRemembered?: number,
): asserts options is LimitOptions {
  const problems: PolicyProblem[] = [];
  required(object({ ...LIMIT.checks, ...more }, { names: LIMIT_NAMES }))(options, 'limit', problems);
  if (isRecord(options)) {
    whole(bare(options), 'limit', problems, mostRemembered);
    burstOfNothing(bare(options), 'limit', problems);
  }
  if (problems.length > 0) throw new InvalidPolicyError(problems);
}

/** A burst bounds nothing by itself, and whoever gives one alone believes that something is bounded. */
function burstOfNothing(
  { requests, perMs, burst }: Record<string, unknown>,
  path: string,
  problems: PolicyProblem[],
): void {
  const isWrong = burst === 'all' || (isBurst(burst) && burst !== 1);
  if (!isWrong || requests !== undefined || perMs !== undefined) return;
  const at = `${path}.burst`;
  const bound = `left out without ${path}.requests and perMs, of which it says how many may leave at once`;
  problems.push({ path: at, bound, value: burst, message: `${at} must be ${bound}; got ${shown(burst)}` });
}

/** Requests are per something; and those of which each is remembered can be counted. */
function whole(
  { requests, perMs, burst }: Record<string, unknown>,
  path: string,
  problems: PolicyProblem[],
  mostRemembered = MOST_REMEMBERED,
): void {
  const isRemembered = burst === 'all' && typeof requests === 'number';
  if (isRemembered && !(Number.isInteger(requests) && requests >= 1 && requests <= mostRemembered)) {
    const bound = `an integer from 1 to ${mostRemembered} with burst 'all', which remembers when each of them left`;
    const message = `${path}.requests must be ${bound}; got ${requests}`;
    problems.push({ path: `${path}.requests`, bound, value: requests, message });
  }
  if (requests !== undefined && perMs === undefined)
    problems.push(missing(`${path}.perMs`, `given with ${path}.requests`));
  if (requests === undefined && perMs !== undefined)
    problems.push(missing(`${path}.requests`, `given with ${path}.perMs`));
}
