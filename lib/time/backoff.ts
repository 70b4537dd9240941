import { nearest } from '../call/nearest.ts';
import type { Verdict } from '../call/verdict.ts';
import type { Random } from './clock.ts';

/**
 * How long to wait before a retry where the server named no wait, in ms. It is called once for each retry, and must give a finite number of
 * at least 0. It is told all that it needs and keeps nothing, so one backoff serves any number of calls.
 *
 * @example
 * const backoff: Backoff = ({ retry, random }) => (retry === 0 ? 0 : 1_000 * (1 + random())); // at once, then after 1 to 2 s
 */
export type Backoff = (context: {
  /** How many retries this call has made: 0 before the first. */
  readonly retry: number;
  /** What the last outcome means. */
  readonly verdict: Verdict;
  /** The last wait of this call, in ms; 0 before the first retry. */
  readonly previousMs: number;
  /** Gives a number from 0 up to but not including 1. Use it in place of `Math.random`, so that tests can choose it. */
  readonly random: Random;
}) => number;

/**
 * How chance spreads the waits of clients that failed at the same time. The n-th retry (from 0) has the bound v = min(cap, base · factorⁿ);
 * with the defaults 500, 1,000 and 2,000 ms.
 *
 * - `full`: anything from 0 to v. Spreads best, but all waits of a call together may be next to nothing.
 * - `equal`: anything from v/2 to v. The retries of a call outlast a time that is known beforehand (1.75 s with the defaults), so this is the
 *   default.
 * - `decorrelated`: anything from base to three times the last wait, at most the cap. `factor` has no effect.
 * - `none`: v. Clients that failed together come back together.
 *
 * Source: M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015.
 */
export type Jitter = 'full' | 'equal' | 'decorrelated' | 'none';

/** What `exponentialBackoff` is given. All of it may be left out. */
export interface ExponentialBackoffOptions {
  /** The bound of the first wait after a transient failure, in ms; at least 0. Default 500. */
  readonly baseMs?: number | undefined;
  /** The bound of the first wait after throttling, in ms; at least 0. Default 1,000. */
  readonly throttledBaseMs?: number | undefined;
  /** The longest wait, in ms; at least 0. Default 20,000. */
  readonly capMs?: number | undefined;
  /** By how much the bound is multiplied at each retry; at least 1. Default 2. */
  readonly factor?: number | undefined;
  /** Default `equal`. */
  readonly jitter?: Jitter | undefined;
}

/** What `linearBackoff` is given. All of it may be left out. */
export interface LinearBackoffOptions {
  /** The first wait, and by how much each further one is longer, in ms; at least 0. Default 1,000. */
  readonly stepMs?: number | undefined;
  /** The longest wait, in ms; at least 0. Default 20,000. */
  readonly capMs?: number | undefined;
}

/**
 * The defaults of every backoff. Three retries after transient failures take 1.75 to 3.5 s, 2.6 s in the median: enough for a
 * server that restarts. The cap is that of the AWS SDKs' standard retry mode.
 */
export const BACKOFF_DEFAULTS = {
  baseMs: 500,
  throttledBaseMs: 1_000,
  stepMs: 1_000,
  capMs: 20_000,
  factor: 2,
  jitter: 'equal',
} as const satisfies Required<ExponentialBackoffOptions & LinearBackoffOptions>;

const JITTERS: readonly unknown[] = ['full', 'equal', 'decorrelated', 'none'] satisfies Jitter[];

/**
 * Waits that grow with each retry, with jitter: the default. With its own defaults the waits are 250–500, 500–1,000 and 1,000–2,000 ms after
 * transient failures, and twice that after throttling.
 *
 * @throws {TypeError} where an option has the wrong type, or there is none of that name
 * @throws {RangeError} where an option is out of its range
 *
 * @example
 * attach(client, { retry: { backoff: exponentialBackoff({ baseMs: 200, capMs: 5_000 }) } });
 */
export function exponentialBackoff(options: ExponentialBackoffOptions = {}): Backoff {
  requireOptions('exponentialBackoff', options, ['baseMs', 'throttledBaseMs', 'capMs', 'factor', 'jitter']);
  const {
    baseMs = BACKOFF_DEFAULTS.baseMs,
    throttledBaseMs = BACKOFF_DEFAULTS.throttledBaseMs,
    capMs = BACKOFF_DEFAULTS.capMs,
    factor = BACKOFF_DEFAULTS.factor,
    jitter = BACKOFF_DEFAULTS.jitter,
  } = options;
  requireNumber('baseMs', baseMs, 0);
  requireNumber('throttledBaseMs', throttledBaseMs, 0);
  requireNumber('capMs', capMs, 0);
  requireNumber('factor', factor, 1);
  if (!JITTERS.includes(jitter))
    throw new RangeError(`jitter must be one of ${JITTERS.join(', ')}; got ${shown(jitter)}`);

  return ({ retry, verdict, previousMs, random }) => {
    const base = verdict.kind === 'throttled' ? throttledBaseMs : baseMs;
    if (jitter === 'decorrelated') return decorrelated(base, capMs, previousMs, random);
    // factorⁿ may be Infinity, which the cap bounds. But 0 · Infinity would be NaN.
    const bound = base === 0 ? 0 : Math.min(capMs, base * factor ** retry);
    if (jitter === 'none') return bound;
    return jitter === 'equal' ? bound * ((1 + random()) / 2) : random() * bound;
  };
}

/**
 * The same wait before every retry.
 *
 * @param ms finite, at least 0
 * @throws {TypeError} where it is no number
 * @throws {RangeError} where it is negative or not finite
 */
export function constantBackoff(ms: number): Backoff {
  requireNumber('ms', ms, 0);
  return () => ms;
}

/**
 * Waits of one step, two steps, three …, without jitter: with the defaults 1, 2, 3 s. For a single client. Where many clients may fail
 * together, use `exponentialBackoff`.
 *
 * @throws {TypeError} where an option has the wrong type, or there is none of that name
 * @throws {RangeError} where an option is out of its range
 */
export function linearBackoff(options: LinearBackoffOptions = {}): Backoff {
  requireOptions('linearBackoff', options, ['stepMs', 'capMs']);
  const { stepMs = BACKOFF_DEFAULTS.stepMs, capMs = BACKOFF_DEFAULTS.capMs } = options;
  requireNumber('stepMs', stepMs, 0);
  requireNumber('capMs', capMs, 0);
  return ({ retry }) => Math.min(capMs, stepMs * (retry + 1));
}

function decorrelated(baseMs: number, capMs: number, previousMs: number, random: Random): number {
  const base = Math.min(baseMs, capMs);
  // A NaN, and the 0 before the first retry, give the base. The last wait may have been the server's, and longer than the cap. Neither bound
  // may be Infinity: 0 · Infinity is NaN.
  const previous = previousMs > base ? Math.min(previousMs, capMs) : base;
  const spread = Math.min(3 * previous, Number.MAX_VALUE) - base;
  return Math.min(capMs, base + random() * spread);
}

/** Refuses options that nobody would read: the defaults would hold, and nobody would notice. */
function requireOptions(factory: string, options: unknown, known: readonly [first: string, ...others: string[]]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const meant = typeof options === 'number' ? `; did you mean { ${known[0]}: ${options} }?` : '';
    throw new TypeError(`${factory} takes { ${known.join(', ')} }; got ${shown(options)}${meant}`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.includes(name)) continue;
    const near = nearest(name, known);
    const hint = near === undefined ? `its options are ${known.join(', ')}` : `did you mean ${near}?`;
    throw new TypeError(`${name} is not an option of ${factory}; ${hint}`);
  }
}

function requireNumber(option: string, value: unknown, least: number): void {
  if (typeof value === 'number' && value >= least && value < Infinity) return;
  const problem = `${option} must be a finite number of at least ${least}; got ${shown(value)}`;
  throw typeof value === 'number' ? new RangeError(problem) : new TypeError(problem);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
