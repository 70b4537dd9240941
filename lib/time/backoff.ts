import { nearest } from '../call/nearest.ts';
import type { Verdict } from '../call/verdict.ts';
import type { Random } from './clock.ts';

/**
 * How long to wait before the next send when the server named no time, in ms. Asked once per retry; must give a finite
 * number of at least 0. All that it needs is handed to it, so one backoff serves any number of calls at once.
 */
export type Backoff = (context: {
  /** Retries made so far in this call, from 0. */
  readonly retry: number;
  readonly verdict: Verdict;
  /** The wait before, in ms; 0 at the first retry. */
  readonly previousMs: number;
  readonly random: Random;
}) => number;

/**
 * How the waits of clients that failed together are spread. With v = min(cap, base · factorⁿ):
 *
 * - `full`: U(0, v). Fewest sends and the soonest end under contention; but all the waits together may be next to nothing.
 * - `equal`: v/2 + U(0, v/2). Never waits less than half, so that a number of retries outlasts a known time; hence the default.
 * - `decorrelated`: min(cap, U(base, 3 · previous wait)). Takes no notice of `factor`.
 * - `none`: v. Clients that failed together come back together.
 *
 * Source: M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015.
 */
export type Jitter = 'full' | 'equal' | 'decorrelated' | 'none';

export interface ExponentialBackoffOptions {
  /** The first wait's bound after a transient failure, in ms; at least 0. Default 500. */
  readonly baseMs?: number | undefined;
  /** The same after throttling, in ms; at least 0. Default 1,000. */
  readonly throttledBaseMs?: number | undefined;
  /** No wait is longer, in ms; at least 0. Applied before full and equal jitter. Default 20,000. */
  readonly capMs?: number | undefined;
  /** How much the bound grows with each retry; at least 1. Default 2. */
  readonly factor?: number | undefined;
  /** Default `equal`. */
  readonly jitter?: Jitter | undefined;
}

export interface LinearBackoffOptions {
  /** The first wait, and how much longer each further one is, in ms; at least 0. Default 1,000. */
  readonly stepMs?: number | undefined;
  /** No wait is longer, in ms; at least 0. Default 20,000. */
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
 * Waits that grow with each retry, with jitter.
 *
 * @throws TypeError if there is no such option or it has the wrong type, RangeError if it is out of its range
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
    // factorⁿ overflows to Infinity, which the cap takes in; but 0 · Infinity would be NaN.
    const bound = base === 0 ? 0 : Math.min(capMs, base * factor ** retry);
    if (jitter === 'none') return bound;
    return jitter === 'equal' ? bound * ((1 + random()) / 2) : random() * bound;
  };
}

/**
 * The same wait before every retry.
 *
 * @param ms at least 0
 * @throws TypeError if it is not a number, RangeError if it is negative or not finite
 */
export function constantBackoff(ms: number): Backoff {
  requireNumber('ms', ms, 0);
  return () => ms;
}

/**
 * Waits of one step, two steps, three …, without jitter: for one client and a server that asks for it. Many clients
 * that fail together are better served by `exponentialBackoff`.
 *
 * @throws TypeError if there is no such option or it has the wrong type, RangeError if it is out of its range
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
  // Written so that a NaN, and the 0 of the first retry, give the base. The wait before may also have been the server's
  // own and longer than the cap; both bounds keep 0 · Infinity, which is NaN, out of the product.
  const previous = previousMs > base ? Math.min(previousMs, capMs) : base;
  const spread = Math.min(3 * previous, Number.MAX_VALUE) - base;
  return Math.min(capMs, base + random() * spread);
}

/** What is not read would leave the defaults in force, and nobody would know. */
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
