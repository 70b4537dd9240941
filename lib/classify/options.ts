import type { AxiosError, AxiosHeaders, AxiosResponse } from 'axios';
import type { Call } from '../call/call.ts';
import type { Outcome } from '../call/outcome.ts';
import type { Verdict } from '../call/verdict.ts';
import { type Check, functionsOr, isPlain, kindOf, oneOf } from '../check.ts';
import type { ApiError } from '../failure/api-error.ts';

export type StatusRule = 'retry' | 'fail' | 'refresh' | 'pending';

type Digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** `'5xx'` is 500 to 599, `'52x'` 520 to 529. */
export type StatusRange = `${Exclude<Digit, 0>}${'x' | Digit}x`;

export type StatusRules = { readonly [status: number]: StatusRule | undefined } & {
  readonly [R in StatusRange]?: StatusRule | undefined;
};

/**
 * A judge of the caller's own, asked before the built-in rules, of every outcome: `({ status }) => status === 403 ? { kind:
 * 'throttled' } : undefined` reads a 403 that axios rejects as well as one that `validateStatus` lets through.
 *
 * `undefined` means no opinion. It may give a promise, which is waited for no longer than the call may last. If it throws, or gives
 * anything else (a TypeError says what), the call rejects.
 */
export type Classifier = (evidence: Evidence) => Verdict | undefined | Promise<Verdict | undefined>;

/** What a judge is shown. Frozen; what takes work to make is made when it is read, and once for all judges. */
export interface Evidence {
  /** The server's answer, whether axios resolves it or rejects with it; its `data` is the raw body. `undefined` where none came. */
  readonly response?: AxiosResponse | undefined;
  /** Of the answer. */
  readonly status?: number | undefined;
  /** Of the answer: `headers.get('x-should-retry')`, in any letter case. Empty where none came. */
  readonly headers: InstanceType<typeof AxiosHeaders>;
  /**
   * What the caller will see as `response.data`: what `transformResponse` makes of the body. As a rule parsed JSON; a stream
   * stays one, unread. `undefined` where there is no answer, or `transformResponse` throws. Typed as axios types it.
   */
  readonly data: AxiosResponse['data'];
  /** Whatever the adapter rejected with; as a rule an AxiosError, but none of its fields is sure. */
  readonly error?: Partial<AxiosError> | undefined;
  /** As the adapter gave it. `outcome.response` is there only where axios resolves. */
  readonly outcome: Outcome;
  /** The error that the body holds, if it is of a known shape: see `readApiError`. Also of a 200 that carries one. */
  readonly api?: ApiError | undefined;
  readonly call: Call;
  /**
   * How long the answer asks to wait, in ms: its Retry-After, or from 400 up the reset of a used-up quota. A verdict to retry without a
   * `retryAfterMs` of its own gets what the headers say, whatever the status.
   */
  readonly retryAfterMs?: number | undefined;
}

/** What the judges of a call go by. */
export interface ResolvedRules {
  readonly statuses: StatusRules;
  readonly classify: readonly Classifier[];
}

export const CLASSIFY_DEFAULTS: ResolvedRules = { statuses: {}, classify: [] };

/** As a response has it, or a range: `5e2` and `0500` would never match. */
const STATUS = /^[1-9](\d\d|\dx|xx)$/;
const A_STATUS = "a status from 100 to 999, or a range such as '5xx' or '52x'";

export const checkStatuses: Check = (value, path, problems) => {
  if (value === undefined) return;
  if (!isPlain(value)) {
    const bound = "an object like { 500: 'retry' }";
    problems.push({ path, bound, value, message: `${path} must be ${bound}, got ${kindOf(value)}` });
    return;
  }
  for (const [status, rule] of Object.entries(value)) {
    const at = `${path}.${status}`;
    if (STATUS.test(status)) oneOf('retry', 'fail', 'refresh', 'pending')(rule, at, problems);
    else problems.push({ path: at, bound: A_STATUS, value: status, message: `${at} is not ${A_STATUS}` });
  }
};

export const checkClassify = functionsOr((value) =>
  isPlain(value) ? `${kindOf(value)}: rules by status stand in statuses` : kindOf(value),
);
