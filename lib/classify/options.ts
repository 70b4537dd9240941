import type { AxiosError, AxiosHeaders, AxiosResponse } from 'axios';
import type { Call } from '../call/call.ts';
import type { Outcome } from '../call/outcome.ts';
import type { Verdict } from '../call/verdict.ts';
import { functionsOr, isPlain, kindOf, must, oneOf } from '../check.ts';
import type { ApiError } from '../failure/api-error.ts';
import { Group, type Several } from '../group.ts';

/** What a status means by a policy: see `Policy.statuses`. */
export type StatusRule = 'retry' | 'fail' | 'refresh' | 'pending';

type Digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** `'5xx'` is 500 to 599, `'52x'` 520 to 529. */
export type StatusRange = `${Exclude<Digit, 0>}${'x' | Digit}x`;

/** Rules by status (100 to 999) and by range. The narrower one counts: `503` goes before `'50x'`, and that before `'5xx'`. */
export type StatusRules = { readonly [status: number]: StatusRule | undefined } & {
  readonly [R in StatusRange]?: StatusRule | undefined;
};

/**
 * A judge of your own: it says what an outcome means. It is asked of every outcome, before the built-in rules.
 *
 * `undefined` means no opinion: the next judge is asked, and then the built-in rules. A judge may give a promise; it is waited for until the
 * call's deadline. If a judge throws, or gives anything else, the call rejects; a TypeError says what was given.
 *
 * @example
 * // A 403 is how this API throttles, whether axios rejects with it or `validateStatus` lets it through.
 * const classify: Classifier = ({ status }) => (status === 403 ? { kind: 'throttled' } : undefined);
 */
export type Classifier = (evidence: Evidence) => Verdict | undefined | Promise<Verdict | undefined>;

/** What a judge is shown of an outcome. Frozen. `headers`, `data`, `api` and `call` are made when the first judge reads them. */
export interface Evidence {
  /** The server's answer, whether axios resolves or rejects with it; `undefined` where none came. Its `data` is the raw body. */
  readonly response?: AxiosResponse | undefined;
  /** Of the answer; `undefined` where none came. */
  readonly status?: number | undefined;
  /** Of the answer, empty where none came. Names may have any letter case: `headers.get('x-should-retry')`. */
  readonly headers: InstanceType<typeof AxiosHeaders>;
  /**
   * The body as the caller will see it in `response.data`: what `transformResponse` makes of it. As a rule parsed JSON; a stream stays a
   * stream that nobody has read. `undefined` where no answer came, or `transformResponse` throws.
   */
  readonly data: AxiosResponse['data'];
  /** What the adapter rejected with: as a rule an AxiosError, but it may be anything, so that each field may be missing. */
  readonly error?: Partial<AxiosError> | undefined;
  /** The outcome as the adapter gave it: `outcome.response` is there only where axios resolves. */
  readonly outcome: Outcome;
  /** The error in the body, where it is of a known shape (see `readApiError`), also in the body of a 200. */
  readonly api?: ApiError | undefined;
  readonly call: Call;
  /**
   * How long the answer asks to wait, in ms: by its Retry-After, or from status 400 on until its used-up quota is reset. You need not copy
   * it: a `throttled` or `transient` verdict without `retryAfterMs` gets the wait that the headers name.
   */
  readonly retryAfterMs?: number | undefined;
}

/** What the judges of a call go by. */
export interface ResolvedRules {
  readonly statuses: StatusRules;
  readonly classify: readonly Classifier[];
}

/** A status as three digits, or a range. `5e2` or `0500` would never match. */
const STATUS = /^[1-9](\d\d|\dx|xx)$/;
const A_STATUS = "a status from 100 to 999, or a range such as '5xx' or '52x'";

const aRule = oneOf('retry', 'fail', 'refresh', 'pending');
const rules = must("an object like { 500: 'retry' }", isPlain, kindOf);

export const STATUSES = new Group({
  starts: 'always-on',
  fields: {},
  check: (value, path, problems) => {
    rules(value, path, problems);
    for (const [status, rule] of isPlain(value) ? Object.entries(value) : []) {
      const at = `${path}.${status}`;
      if (STATUS.test(status)) aRule(rule, at, problems);
      else problems.push({ path: at, bound: A_STATUS, value: status, message: `${at} is not ${A_STATUS}` });
    }
  },
});

export const CLASSIFY: Several = {
  laterFirst: true,
  check: functionsOr((value) =>
    isPlain(value) ? `${kindOf(value)}: rules by status stand in statuses` : kindOf(value),
  ),
};
