import { acrossCopies } from './across-copies.ts';
import type { CallState } from './call.ts';
import { Foreign } from './foreign.ts';

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

/** Marks a failure: an error, or the response that tells of it. The last mark counts; what is no object is passed over. */
export function setCallOf(ended: unknown, call: CallState): void {
  if (typeof ended !== 'object' || ended === null) return;
  // A function, since a proxy such as Vue's would give a proxy of the call. Reflect: what is frozen takes no property.
  Reflect.defineProperty(ended, CALL, { value: () => call, configurable: true });
  // It may have been a success before: an adapter may give one object twice.
  marks.set(ended, call);
}

/**
 * Marks the response of a success, which is to cost next to nothing: by a private field, ten times as fast as to define a property. But it
 * is not seen through a proxy, as frameworks put them around an application's state; a failure is looked for there.
 */
export function setCallOfSuccess(response: unknown, call: CallState): void {
  if (typeof response === 'object' && response !== null) marks.set(response, call);
}

/**
 * The mark of a failure: a property that is not enumerable, so that neither `JSON.stringify` nor a spread nor a log shows it. The symbol is
 * registered, so that a second copy of this package finds it.
 */
const CALL = Symbol.for('axios-holdfast.call');

/** Keeps calls in a private field of other objects, frozen ones too. */
class Mark extends Foreign {
  #call: CallState;

  private constructor(object: object, call: CallState) {
    super(object);
    this.#call = call;
  }

  static set(object: object, call: CallState): void {
    if (#call in object) object.#call = call;
    else new Mark(object, call);
  }

  static get(object: object): CallState | undefined {
    return #call in object ? object.#call : undefined;
  }
}

/** One class for all copies of this package: each would only see its own marks. */
const marks: Pick<typeof Mark, 'get' | 'set'> = acrossCopies('marks', () => Mark);

const markOf = (ended: unknown): CallState | undefined =>
  typeof ended === 'object' && ended !== null
    ? (marks.get(ended) ?? (ended as { readonly [CALL]?: () => CallState })[CALL]?.())
    : undefined;
