import type { InternalAxiosRequestConfig } from 'axios';
import { type Advice, aFunction, integer, number, TURNS_ON } from '../check.ts';
import type { Evidence } from '../classify/options.ts';
import { type Filled, Group } from '../group.ts';
import { MAX_TIMER_MS } from '../time/clock.ts';
import { type Circuits, isBreaker } from './circuits.ts';
import { BREAKER_NAMES } from './other-names.ts';

/**
 * A circuit breaker: one circuit for each key. It opens when enough of the sends in the window fail. A failure is a send without an answer
 * (a lost connection, a timeout), or a 5xx but 501 and 505. Any other answer is none, whatever a judge makes of it: the server is there.
 *
 * While a circuit is open, nothing is sent. A call ends at once with a `CircuitOpenError`; one that has had an answer already ends with
 * that, and `circuit-open`. After `openMs` one send goes out as a probe. If it does not fail, the circuit closes; else it stays open for as
 * long again.
 *
 * A send that the call's deadline or an `AbortSignal.timeout()` ends counts as a timeout.
 *
 * All calls of an attachment share its circuits. A call may say `false`, or have a `key` or an `isFailure` of its own; other numbers are
 * refused.
 *
 * @example
 * attach(client, { breaker: { failureRatio: 0.3, openMs: 10_000 } });
 */
export interface BreakerOptions {
  /** Which part of the sends in the window must fail for the circuit to open. Above 0, at most 1; default 0.5. */
  readonly failureRatio?: number | undefined;
  /** How many sends must be in the window before it can open. An integer from 1; default 20. */
  readonly minimumThroughput?: number | undefined;
  /** The sliding window, in ms. From 100 to 2³¹−1; default 10,000. */
  readonly windowMs?: number | undefined;
  /** How long the circuit stays open before a probe, in ms. Above 0, at most 2³¹−1; default 5,000. */
  readonly openMs?: number | undefined;
  /** Which circuit a send goes through. Asked of the call, and again of what `beforeSend` made of the send. Default: the origin. */
  readonly key?: ((config: InternalAxiosRequestConfig) => string) | undefined;
  /**
   * Whether a send shows that the server fails. Given what a judge of `classify` is given, and asked before the rule above; `undefined`
   * means no opinion. Not asked where the caller has cancelled. If it throws, or gives anything else, the call rejects.
   */
  readonly isFailure?: ((evidence: Evidence) => boolean | undefined) | undefined;
}

/** Circuits for several instances; made by `circuitBreaker()`, and given to each as `breaker`. */
export interface Breaker {
  /** The keys whose circuit is open, or waits for its probe. */
  open(): readonly string[];
}

export type ResolvedBreaker = Filled<BreakerOptions, 'key' | 'isFailure'>;

export const BREAKER_ADVICE: Advice = { names: BREAKER_NAMES, on: TURNS_ON };

const NUMBERS = ['failureRatio', 'minimumThroughput', 'windowMs', 'openMs'] as const;

export const BREAKER = new Group<BreakerOptions, ResolvedBreaker, ResolvedBreaker | Circuits, BreakerOptions | Breaker>(
  {
    fields: {
      failureRatio: [number(0, 1, { above: true }), 0.5],
      minimumThroughput: [integer(1, Number.MAX_SAFE_INTEGER), 20],
      windowMs: [number(100, MAX_TIMER_MS), 10_000],
      openMs: [number(0, MAX_TIMER_MS, { above: true }), 5_000],
      key: aFunction,
      isFailure: aFunction,
    },
    advice: BREAKER_ADVICE,
    value: {
      is: isBreaker,
      // Circuits that were handed in have their numbers.
      adjust: (breaker, options) =>
        NUMBERS.some((name) => options[name] !== undefined) ? undefined : (breaker as Circuits).adjusted(options),
    },
    ofCall: { options: ['key', 'isFailure'] },
  },
);
