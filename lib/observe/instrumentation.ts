import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { acrossCopies } from '../call/across-copies.ts';
import type { LiveCall } from '../call/live-call.ts';
import type { Outcome } from '../call/outcome.ts';

/**
 * Goes along with each call of an attachment and with each of its sends. What happens in there happens within `run`, so that whoever
 * instruments it can put a context around it; a listener could not. It must give what `run` gives, and never throw.
 */
export interface Instrumentation {
  call(call: LiveCall, run: () => Promise<AxiosResponse>): Promise<AxiosResponse>;
  /** `run` makes the send that the config says, whose headers may still be written, and never rejects. */
  send(call: LiveCall, config: InternalAxiosRequestConfig, run: () => Promise<Outcome>): Promise<Outcome>;
  /** No further calls will begin. */
  detached(): void;
}

/** Who goes along with the calls of an attachment, if anybody does. */
export interface Instrumented {
  by: Instrumentation | undefined;
  isDetached: boolean;
}

/** By attachment. Here and not on it, since nobody else is to see it; for all copies, since another entry may be of another one. */
const all = acrossCopies('instrumented', () => new WeakMap<object, Instrumented>());

/** @returns `undefined` where that is no attachment */
export const instrumentedOf = (attachment: object): Instrumented | undefined => all.get(attachment);

export function setInstrumented(attachment: object, instrumented: Instrumented): void {
  all.set(attachment, instrumented);
}
