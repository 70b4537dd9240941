import type { GenericAbortSignal } from 'axios';

/**
 * The signal of one send: the caller's, and the deadline's.
 *
 * axios' own adapters take anything that looks like a signal. An AbortController for every call would cost a sixth of a
 * bare call; this costs next to nothing, and nobody but those adapters ever sees it.
 */
export class SendSignal implements GenericAbortSignal {
  readonly #outer: GenericAbortSignal | undefined;
  readonly #listeners = new Set<(event: unknown) => void>();
  #cut = false;

  constructor(outer: GenericAbortSignal | undefined) {
    this.#outer = outer;
  }

  get aborted(): boolean {
    return this.#cut || this.#outer?.aborted === true;
  }

  get reason(): unknown {
    return (this.#outer as { reason?: unknown } | undefined)?.reason;
  }

  addEventListener(type: 'abort', listener: (event: unknown) => void): void {
    this.#listeners.add(listener);
    this.#outer?.addEventListener?.(type, listener);
  }

  removeEventListener(type: 'abort', listener: (event: unknown) => void): void {
    this.#listeners.delete(listener);
    this.#outer?.removeEventListener?.(type, listener);
  }

  /** Ends the send. */
  cut(): void {
    this.#cut = true;
    for (const listener of [...this.#listeners]) listener.call(this, { type: 'abort' });
  }
}
