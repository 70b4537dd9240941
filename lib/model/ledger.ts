import type { CallState } from './call.ts';

/**
 * Which call a response or an error belongs to, for `reportOf` and `failureOf`.
 *
 * A property that nobody sees (not enumerable, so neither `JSON.stringify` nor a spread nor a log shows it) rather than
 * a WeakMap: it costs a third of the time on every successful call. Under a registered symbol, so that a
 * second copy of this package finds it as well.
 */
const CALL = Symbol.for('axios-holdfast.call');

export function remember(ended: unknown, call: CallState): void {
  if (typeof ended !== 'object' || ended === null) return;
  // Reflect: something frozen goes without a report rather than taking the caller's answer down.
  Reflect.defineProperty(ended, CALL, { value: call, configurable: true });
}

/** The call behind a response or an error; looks through a few `cause`s, since applications wrap errors. */
export function callOf(ended: unknown): CallState | undefined {
  for (let at = ended, depth = 0; typeof at === 'object' && at !== null && depth < 8; depth++) {
    const call = (at as { [CALL]?: CallState })[CALL];
    if (call !== undefined) return call;
    at = (at as { cause?: unknown }).cause;
  }
  return undefined;
}
