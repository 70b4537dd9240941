import type { InternalAxiosRequestConfig } from 'axios';
import { originOf } from '../call/address.ts';
import { headerOf } from '../call/header.ts';
import type { Verdict } from '../call/verdict.ts';
import type { Classifier, Evidence, StatusRules } from '../classify/options.ts';
import type { ApiError } from '../failure/api-error.ts';
import { several } from '../group.ts';
import type { IdempotencyOptions } from '../idempotency/options.ts';
import type { LimitOptions } from '../limit/options.ts';
import { parseReset } from '../limit/quota/reset.ts';
import type { Policy } from '../policy/options.ts';
import { checkOptions, checkPreset } from './check-preset.ts';

/**
 * What becomes of an answer.
 *
 * | means       | what it is                                             | what the loop does                                          |
 * | ----------- | ------------------------------------------------------ | ----------------------------------------------------------- |
 * | `throttled` | too many requests for now; nothing was applied         | waits, its bucket too, and sends again, whatever the method  |
 * | `exhausted` | a quota that no wait brings back: somebody has to pay  | ends the call, and pauses nobody                            |
 * | `refused`   | not now, and certainly nothing was applied             | sends again, whatever the method                            |
 * | `retry`     | may go well next time, and may have been applied       | sends again where a repeat is harmless                      |
 * | `fail`      | a repeat would end the same way                        | ends the call; also a 401, which then refreshes no token    |
 * | `refresh`   | the token was refused                                  | refreshes it, given `auth`                                  |
 * | `pending`   | the server has not finished                            | asks again, see `Policy.poll`                               |
 *
 * An answer below 400 that is none of a success (`pending` is) rejects, although axios takes it for good.
 */
export type Meaning = 'throttled' | 'exhausted' | 'refused' | 'retry' | 'fail' | 'refresh' | 'pending';

/** An answer that means something else than its status says. All of what is given has to be so; what is left out may be anything. */
export interface PresetRule {
  /** Default: any from 400 up. */
  readonly status?: number | readonly number[] | undefined;
  /** A code of the error in the body (`ApiError.code`), at any of its levels. */
  readonly code?: string | readonly string[] | undefined;
  /** A header by its name in lower case, with its value; with `true` it is enough that it is there. */
  readonly header?: { readonly [name: string]: string | true } | undefined;
  /** Found in the message of the error. */
  readonly message?: RegExp | undefined;
  /** In upper case. */
  readonly method?: string | readonly string[] | undefined;
  /** What data cannot say. */
  readonly when?: ((evidence: Evidence) => boolean) | undefined;
  readonly means: Meaning;
  /** Words for the summary and the report, such as `the quota is used up`. */
  readonly why?: string | undefined;
  /**
   * How long to wait, in ms, where the answer names no time; or a function, which says it in any case: `undefined` is what the answer
   * names. Of a rule that ends the call it has no effect.
   */
  readonly waitMs?: number | ((evidence: Evidence) => number | undefined) | undefined;
  /** Where it is written: a URL, or what of the vendor's source. */
  readonly source: string;
}

/** One limit of several. */
export interface PresetLimit extends Omit<LimitOptions, 'key'> {
  /**
   * Which part of the account's quota a send draws on, as `search` or the id of a model. `false`: this limit is not of such sends. Default:
   * all sends of the account draw on one. The origin and the account are always part of the key.
   */
  readonly bucket?: ((config: InternalAxiosRequestConfig) => string | false) | undefined;
  readonly source: string;
}

/** What a vendor's documents say of a family of APIs. Plain data, and functions where data cannot say it. */
export interface PresetData {
  /** For messages about wrong data. */
  readonly name: string;
  /**
   * The options that the function takes, besides `account`: then any other name is refused, where it would do nothing. Default: no name is. (Data
   * that is no function takes `account` alone.)
   */
  readonly options?: readonly string[] | undefined;
  /** What a status means wherever no rule says otherwise. A policy that is laid over the preset changes it. */
  readonly statuses?: StatusRules | undefined;
  /**
   * Of several that hold for an answer one that ends the call counts first; else the one with the innermost code; else the first.
   */
  readonly rules?: readonly PresetRule[] | undefined;
  /**
   * Where a throttled answer without Retry-After names its wait: seconds as a number (`1.5`) or in digits, or a duration (`34.07s`, `6m0s`).
   * The first that gives one counts.
   */
  readonly waits?: readonly ((evidence: Evidence) => unknown)[] | undefined;
  readonly limits?: readonly PresetLimit[] | undefined;
  /** Whose quota a call draws on, where an option of another name says it. Default: the option `account`. */
  readonly account?: PresetOptions['account'];
  /** What keys of limits and budget begin with, where a host has several APIs that are throttled apart. Default: the origin. */
  readonly api?: ((config: InternalAxiosRequestConfig) => string) | undefined;
  /** Which part of the account has a retry budget of its own. Default: the account has one. */
  readonly budget?: ((config: InternalAxiosRequestConfig) => string) | undefined;
  readonly idempotency?: IdempotencyOptions | undefined;
  /** The header of the id that all sends of a call have in common. */
  readonly correlation?: string | undefined;
  /** Headers (or fields of the error's body) that are kept in `failure.ids`. */
  readonly ids?: readonly string[] | undefined;
  /** Reads the error's body where `readApiError` does not. */
  readonly readError?: Policy['readError'];
  readonly retry?: Exclude<Policy['retry'], false> | undefined;
  /** Where statuses, ids and the idempotency key are written. */
  readonly source: string | readonly string[];
}

/** What every preset takes. */
export interface PresetOptions {
  /**
   * Whose quota a call draws on, where a process uses several accounts (tokens, tenants, shops); or a function that says it of a call. It
   * becomes part of the keys of budget and limits, which events show: never give a secret. Default: all calls are of one account.
   */
  readonly account?: string | ((config: InternalAxiosRequestConfig) => string) | undefined;
}

/**
 * Gives a policy like any other: `mergePolicies(github(), mine)`.
 *
 * @throws {InvalidPolicyError} where the options are no object, where there is no such option, or where the `account` is neither a text nor a
 * function
 */
export type Preset<Options = PresetOptions> = (options?: Options) => Policy;

/**
 * Makes a preset of what a vendor's documents say: all that come with the package are made this way.
 *
 * @param data what the documents say; or a function of the preset's options that gives it. It is called once at once, with `{}`: each option
 * may be left out
 * @throws {InvalidPolicyError} where the data is wrong, with all problems at once: the path, what is allowed there, what was found
 *
 * @example
 * const acme = definePreset({
 *   name: 'acme',
 *   statuses: { 500: 'retry' },
 *   rules: [
 *     { status: 403, code: 'RATE', means: 'throttled', source: 'https://acme.example/docs/limits' },
 *     { code: 'NO_CREDIT', means: 'exhausted', why: 'the credit is used up', source: 'https://acme.example/docs/billing' },
 *   ],
 *   waits: [({ data }) => data.retry_in_seconds],
 *   limits: [{ requests: 10, perMs: 1_000, source: 'https://acme.example/docs/limits' }],
 *   ids: ['x-acme-request-id'],
 *   source: 'https://acme.example/docs/errors',
 * });
 * attach(client, mergePolicies(acme(), { deadlineMs: 30_000 }));
 */
export function definePreset<Options extends PresetOptions = PresetOptions>(
  data: PresetData | ((options: Options) => PresetData),
): Preset<Options> {
  const dataFor = (options: Options): PresetData => {
    const made = typeof data === 'function' ? data(options) : data;
    checkPreset(made);
    return made;
  };
  const plain = dataFor({} as Options);
  const preset: Preset<Options> = (options) => {
    checkOptions(plain.name, options, typeof data === 'function' ? plain.options : []);
    return policyOf(options === undefined ? plain : dataFor(options), options ?? {});
  };
  // Whoever forgets to call it is told its name.
  return Object.defineProperty(preset, 'name', { value: plain.name });
}

function policyOf(data: PresetData, options: PresetOptions): Policy {
  const { statuses, rules = [], waits = [], limits = [], api = originOf, budget, correlation, retry, ...rest } = data;
  const { idempotency, ids, readError, account = options.account } = rest;
  const keyWith = (bucket: PresetLimit['bucket']) => (config: InternalAxiosRequestConfig) => {
    const part = bucket?.(config);
    if (part === false) return false;
    const whose = typeof account === 'function' ? account(config) : account;
    return [api(config), whose, part].filter(Boolean).join(' ');
  };
  const made = limits.map(({ bucket, source: _, ...limit }): LimitOptions => ({ ...limit, key: keyWith(bucket) }));
  const budgetKey = keyWith(budget) as (config: InternalAxiosRequestConfig) => string;
  return {
    statuses,
    classify: rules.length + waits.length === 0 ? undefined : judgeOf(rules, waits),
    ids,
    readError,
    idempotency,
    correlation: correlation === undefined ? undefined : { header: correlation },
    retry: { ...retry, budget: retry?.budget === false ? false : { key: budgetKey, ...retry?.budget } },
    // One may be changed option by option by a policy that is laid over it.
    limit: made.length > 1 ? made : made[0],
  };
}

type Ending = { readonly [M in Meaning]: Verdict };

const VERDICTS: Ending = {
  throttled: { kind: 'throttled' },
  exhausted: { kind: 'throttled', final: true },
  refused: { kind: 'transient', unapplied: true },
  retry: { kind: 'transient' },
  fail: { kind: 'permanent' },
  refresh: { kind: 'unauthorized' },
  pending: { kind: 'pending' },
};

/** What no repeat helps against. */
const ENDS: ReadonlySet<unknown> = new Set<Meaning>(['fail', 'exhausted']);

function judgeOf(rules: readonly PresetRule[], waits: NonNullable<PresetData['waits']>): Classifier {
  const questions = rules.map(questionOf);
  const good = new Set(rules.flatMap(({ status }) => several(status)).filter((status) => status < 400));
  return (evidence) => {
    const { status } = evidence;
    // Without an answer a vendor's documents say nothing, and of most successes neither.
    if (status === undefined || (status < 400 && !good.has(status))) return undefined;
    let rule: PresetRule | undefined;
    let deepest = -1;
    for (const [n, depthIn] of questions.entries()) {
      const depth = depthIn(evidence, status);
      if (depth === undefined) continue;
      if (depth > deepest) [rule, deepest] = [rules[n], depth];
      if (ENDS.has(rules[n]?.means)) {
        rule = rules[n];
        break;
      }
    }
    const { means = status === 429 ? 'throttled' : undefined, why, waitMs } = rule ?? {};
    if (means === undefined) return undefined;
    // What the headers name is added to the verdict by itself.
    const { retryAfterMs } = evidence;
    const toldMs = means === 'throttled' && retryAfterMs === undefined ? toldIn(waits, evidence) : undefined;
    if (rule === undefined && toldMs === undefined) return undefined;
    const ownMs = typeof waitMs === 'function' ? waitMs(evidence) : undefined;
    const fallbackMs = typeof waitMs === 'number' && retryAfterMs === undefined ? waitMs : undefined;
    return {
      ...VERDICTS[means],
      reason: why,
      retryAfterMs: ENDS.has(means) ? undefined : (ownMs ?? toldMs ?? fallbackMs),
      reject: (status < 400 && means !== 'pending') || undefined,
    };
  };
}

/** How deep the code stands that a rule names, 0 without one; `undefined` where the rule does not hold. */
type Question = (evidence: Evidence, status: number) => number | undefined;

/** Asked of every answer, successes too: the body comes last, since it may have to be parsed. */
function questionOf({ status, code, header = {}, message, method, when }: PresetRule): Question {
  const [statuses, codes, methods] = [several(status), several(code), several(method)];
  const headers = Object.entries(header);
  return (evidence, answered) => {
    if (statuses.length > 0 ? !statuses.includes(answered) : answered < 400) return undefined;
    if (methods.length > 0 && !methods.includes(evidence.call.method)) return undefined;
    for (const [name, value] of headers) {
      const found = headerOf(evidence.response?.headers, name);
      if (value === true ? found === undefined : found !== value) return undefined;
    }
    if (when !== undefined && !when(evidence)) return undefined;
    if (message !== undefined && !message.test(evidence.api?.message ?? '')) return undefined;
    return codes.length === 0 ? 0 : depthOf(codes, evidence.api);
  };
}

function depthOf(codes: readonly string[], api: ApiError | undefined): number | undefined {
  let deepest: number | undefined;
  for (let at = api, depth = 0; at !== undefined; at = at.inner, depth++) {
    if (codes.includes(at.code)) deepest = depth;
  }
  return deepest;
}

/** No wait that a body names is longer, in ms: a year. */
const LONGEST_MS = 31_536_000_000;

/** The wait that a body names, in ms. */
function toldIn(waits: NonNullable<PresetData['waits']>, evidence: Evidence): number | undefined {
  for (const read of waits) {
    const told = read(evidence);
    const ms = typeof told === 'number' || typeof told === 'string' ? parseReset(String(told), 0) : undefined;
    if (ms !== undefined) return Math.min(ms, LONGEST_MS);
  }
  return undefined;
}
