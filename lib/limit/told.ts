import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { oneLine } from '../call/one-line.ts';
import { kindOf, shown } from '../check.ts';
import { warn } from '../observe/warn.ts';
import type { LimitOptions } from './options.ts';
import type { Quota } from './quota/headers.ts';
import { quotaBy, WrongForm } from './quota/reader.ts';

/** An answer as the policy's own code is shown it: the body as `transformResponse` makes it, made when it is asked for. */
export interface ShownAnswer {
  readonly headers: AxiosResponse['headers'];
  readonly data: unknown;
}

/** What the policy's own code says of an answer. */
export interface Told {
  /** What the send really weighed. */
  readonly cost: number | undefined;
  readonly quota: Quota | undefined;
  /** Of several limits: of each its own. */
  readonly each?: readonly Told[] | undefined;
}

/** Of several limits: how much a send weighs in each. */
type Weights = readonly (number | undefined)[];

/** What the policy's own code tells a limiter: how much a send weighs, what it cost, what is left. */
export class TellingCode {
  readonly #weight: LimitOptions['weight'];
  readonly #settle: LimitOptions['settle'];
  readonly #quota: LimitOptions['quota'];

  constructor(limit: Pick<LimitOptions, 'weight' | 'settle' | 'quota'>) {
    // A limiter of somebody's own may have anything under these names.
    this.#weight = functionOr(limit.weight);
    this.#settle = functionOr(limit.settle);
    this.#quota = functionOr(limit.quota);
  }

  /** Whether it looks at answers. */
  get readsAnswers(): boolean {
    return this.#settle !== undefined || this.#quota !== undefined;
  }

  /**
   * How many permits a send of that config needs; `undefined` where nobody says.
   *
   * @throws {TypeError} where it says no number
   * @throws {RangeError} where that is no weight
   */
  weightOf(config: InternalAxiosRequestConfig): number | undefined {
    if (this.#weight === undefined) return undefined;
    const weight: unknown = this.#weight(config);
    if (typeof weight !== 'number') throw new TypeError(`limit.weight must return a number, got ${kindOf(weight)}`);
    if (Number.isSafeInteger(weight) && weight >= 1) return weight;
    throw new RangeError(`limit.weight must return an integer of at least 1, got ${weight}`);
  }

  /** There is one limit only. */
  weightsOf(_config: InternalAxiosRequestConfig): undefined {}

  /**
   * What it says of an answer to a send of that weight. Where it fails, the call has its answer all the same.
   *
   * @param hearsQuota whether anybody would heed what is left
   */
  read(response: AxiosResponse, shown: ShownAnswer, weight: number | Weights | undefined, hearsQuota: boolean): Told {
    const answer: AxiosResponse = {
      ...response,
      headers: shown.headers,
      get data() {
        return shown.data;
      },
    };
    const [settle, quota] = [this.#settle, hearsQuota ? this.#quota : undefined];
    return {
      cost:
        settle && asked('limit.settle', settle, () => costOf(settle(answer, typeof weight === 'number' ? weight : 1))),
      quota: quota && asked('limit.quota', quota, () => quotaBy(quota, answer)),
    };
  }
}

/** The same of several limits: each has a weight, a cost and a reader of its own. */
export class TellingCodes {
  readonly #codes: readonly TellingCode[];

  constructor(limits: readonly Pick<LimitOptions, 'weight' | 'settle' | 'quota'>[]) {
    this.#codes = limits.map((limit) => new TellingCode(limit));
  }

  get readsAnswers(): boolean {
    return this.#codes.some(({ readsAnswers }) => readsAnswers);
  }

  weightOf(_config: InternalAxiosRequestConfig): undefined {}

  weightsOf(config: InternalAxiosRequestConfig): Weights {
    return this.#codes.map((code) => code.weightOf(config));
  }

  read(response: AxiosResponse, shown: ShownAnswer, weights: number | Weights | undefined, hearsQuota: boolean): Told {
    const weightIn = (n: number) => (typeof weights === 'number' ? weights : weights?.[n]);
    const each = this.#codes.map((code, n) =>
      code.readsAnswers ? code.read(response, shown, weightIn(n), hearsQuota) : { cost: undefined, quota: undefined },
    );
    return { cost: undefined, quota: undefined, each };
  }
}

const wrong = new WeakSet<object>();

/** What code of the policy's own says; where that is of no use, who runs the program is told once. */
function asked<T>(option: string, code: object, ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (!wrong.has(code)) {
      wrong.add(code);
      const what = error instanceof WrongForm ? error.message : `threw ${wordsOf(error)}`;
      warn('HOLDFAST_LIMIT_CODE', `${option} ${what}. So it says nothing of that answer, and the call goes on.`);
    }
    return undefined;
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? oneLine(String(error), 200) : kindOf(error));

/** @throws {WrongForm} */
function costOf(told: unknown): number | undefined {
  if (told === undefined || (typeof told === 'number' && told >= 0 && told < Number.POSITIVE_INFINITY)) return told;
  throw new WrongForm(`must return a finite number of at least 0, or undefined, got ${shown(told)}`);
}

const functionOr = <F>(value: F): F | undefined => (typeof value === 'function' ? value : undefined);
