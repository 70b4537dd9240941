import { acrossCopies } from './across-copies.ts';
import type { CallState } from './call.ts';

/**
 * Which call a response or an error belongs to, for `reportOf` and `failureOf`.
 *
 * A property that nobody sees (not enumerable, so neither `JSON.stringify` nor a spread nor a log shows it) rather than
 * a WeakMap: it costs a third of the time on every successful call. Under a registered symbol, so that a
 * second copy of this package finds it as well.
 */
const CALL = Symbol.for('axios-holdfast.call');

/** The calls of what is frozen and so cannot be marked. */
const frozen = acrossCopies('calls-of-frozen', () => new WeakMap<object, CallState>());

interface Marked {
  readonly [CALL]?: CallState;
}

export function setCallOf(ended: unknown, call: CallState): void {
  if (typeof ended !== 'object' || ended === null) return;
  // Reflect: something frozen must not take the caller's answer down.
  if (!Reflect.defineProperty(ended, CALL, { value: call, configurable: true })) frozen.set(ended, call);
}

/** A call, and the response or the error that it ended with. */
export interface Ended {
  readonly call: CallState;
  readonly ending: object;
}

/**
 * The call behind a response or an error; looks through a few `cause`s, since applications wrap errors. The ending of a
 * rejected call may also be its `error.response`, which some interceptors hand on alone.
 *
 * @throws what a getter or a proxy in its way throws.
 */
export function callOf(ended: unknown): Ended | undefined {
  for (let at = ended, depth = 0; typeof at === 'object' && at !== null && depth < 8; depth++) {
    const { response, cause } = at as { response?: unknown; cause?: unknown };
    // Through the response too: what axios makes of an answer that it then can't transform is an error that we never saw.
    const call = callOn(at) ?? callOn(response);
    if (call !== undefined) return { call, ending: at };
    at = cause;
  }
  return undefined;
}

const callOn = (ended: unknown): CallState | undefined =>
  typeof ended === 'object' && ended !== null ? ((ended as Marked)[CALL] ?? frozen.get(ended)) : undefined;
