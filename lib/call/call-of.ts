import { acrossCopies } from './across-copies.ts';
import type { CallState } from './call.ts';

/** A call, and the response or the error that it ended with. */
export interface Ended {
  readonly call: CallState;
  readonly ending: object;
}

/**
 * The call behind a response or an error, for `reportOf` and `failureOf`. Looks through at most 7 `cause`s, since applications wrap errors,
 * and at `error.response`, which some interceptors hand on alone.
 *
 * @throws what a getter or a proxy on the way throws
 */
export function callOf(ended: unknown): Ended | undefined {
  for (let at = ended, depth = 0; typeof at === 'object' && at !== null && depth < 8; depth++) {
    const { response, cause } = at as { response?: unknown; cause?: unknown };
    // By the response too: where axios cannot transform an answer, it makes an error of it that the loop never saw.
    const call = markOf(at) ?? markOf(response);
    if (call !== undefined) return { call, ending: at };
    at = cause;
  }
  return undefined;
}

/** Marks a response or an error as the end of a call. The last mark counts; what is no object is passed over. */
export function setCallOf(ended: unknown, call: CallState): void {
  if (typeof ended !== 'object' || ended === null) return;
  // Reflect, since a plain definition would throw on a frozen object, and the caller would lose the answer.
  if (!Reflect.defineProperty(ended, CALL, { value: call, configurable: true })) frozen.set(ended, call);
}

/**
 * The mark: a property that is not enumerable, so that neither `JSON.stringify` nor a spread nor a log shows it. A WeakMap would do the
 * same at three times the cost, for every successful call. The symbol is registered, so that a second copy of this package finds it.
 */
const CALL = Symbol.for('axios-holdfast.call');

/** The calls of frozen objects, which can't be marked. */
const frozen = acrossCopies('calls-of-frozen', () => new WeakMap<object, CallState>());

const markOf = (ended: unknown): CallState | undefined =>
  typeof ended === 'object' && ended !== null
    ? ((ended as { readonly [CALL]?: CallState })[CALL] ?? frozen.get(ended))
    : undefined;
