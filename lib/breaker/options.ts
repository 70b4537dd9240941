import type { InternalAxiosRequestConfig } from 'axios';
import { aFunction, integer, number, TURNS_ON } from '../check.ts';
import type { Evidence } from '../classify/options.ts';
import { type Filled, Group } from '../group.ts';
import { MAX_TIMER_MS } from '../time/clock.ts';
import { BREAKER_NAMES } from './other-names.ts';

/**
 * A circuit per key. It opens when enough sends fail: no answer (a lost connection, a timeout), or a 5xx but 501 and 505. Everything
 * below 500 is an answer, and counts as one, whatever a judge makes of it. While it is open, calls end at once with a
 * `CircuitOpenError`, or, if they have been answered before, with that answer, and `circuit-open`. Then one send goes out as a probe: if
 * that is no failure, the circuit closes.
 *
 * A deadline or an `AbortSignal.timeout()` counts as a timeout, unless the send had less time than it had waited before and the server
 * answers others. All calls of an attachment share its circuits. A call may say `false`, or have a `key` or an `isFailure` of its own; other numbers are
 * refused.
 */
export interface BreakerOptions {
  /** The part of the sends in the window that has to fail. Above 0, at most 1; default 0.5. */
  readonly failureRatio?: number | undefined;
  /** And so many sends there have to be in it. An integer from 1; default 20. */
  readonly minimumThroughput?: number | undefined;
  /** The sliding window, in ms. From 100 to 2³¹−1; default 10,000. */
  readonly windowMs?: number | undefined;
  /** How long it stays open before a probe, in ms. Above 0, at most 2³¹−1; default 5,000. */
  readonly openMs?: number | undefined;
  /** Which circuit a send goes through: asked of the call, and again of what `beforeSend` made of it. Default: the origin. */
  readonly key?: ((config: InternalAxiosRequestConfig) => string) | undefined;
  /**
   * Whether a send shows that the server is ill. Asked first, with what a judge of `classify` is shown; `undefined` means no opinion.
   * Not asked where the caller has given up. If it throws, or gives anything else, the call rejects.
   */
  readonly isFailure?: ((evidence: Evidence) => boolean | undefined) | undefined;
}

export type ResolvedBreaker = Filled<BreakerOptions, 'key' | 'isFailure'>;

export const BREAKER = new Group<BreakerOptions, ResolvedBreaker>({
  fields: {
    failureRatio: [number(0, 1, { above: true }), 0.5],
    minimumThroughput: [integer(1, Number.MAX_SAFE_INTEGER), 20],
    windowMs: [number(100, MAX_TIMER_MS), 10_000],
    openMs: [number(0, MAX_TIMER_MS, { above: true }), 5_000],
    key: aFunction,
    isFailure: aFunction,
  },
  advice: { names: BREAKER_NAMES, on: TURNS_ON },
  ofCall: { options: ['key', 'isFailure'] },
});
