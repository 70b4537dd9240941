import type { GenericAbortSignal, InternalAxiosRequestConfig } from 'axios';
import { lend, lendSignalOf } from './snapshot.ts';

/** Aborts a send from our side, by a signal that is lent to its config. */
export interface Aborter {
  abort(): void;
  /** Gives the config its own signal again: the adapter has settled. */
  putBack(): void;
  /** Lets go of the caller's signal: the send has ended, and its body too. */
  end(): void;
}

/** Lends a config a signal by which we can abort the send. The caller's own signal aborts it as before. */
export function lendSignal(config: InternalAxiosRequestConfig): Aborter {
  if (typeof config.adapter === 'function') return lendRealSignal(config);
  const signal = new SendSignal(config.signal);
  return { abort: () => signal.abort(), putBack: lend(config, 'signal', signal), end: () => {} };
}

/**
 * The signal of one send: aborted where the caller's signal is, or where we abort it.
 *
 * axios' own adapters take anything that looks like a signal, and nobody else sees this one. An AbortController for each call would cost a
 * sixth of a bare call.
 */
export class SendSignal implements GenericAbortSignal {
  readonly #outer: GenericAbortSignal | undefined;
  readonly #listeners = new Set<(event: unknown) => void>();
  #aborted = false;

  constructor(outer: GenericAbortSignal | undefined) {
    this.#outer = outer;
  }

  get aborted(): boolean {
    return this.#aborted || this.#outer?.aborted === true;
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

  abort(): void {
    this.#aborted = true;
    for (const listener of [...this.#listeners]) listener.call(this, { type: 'abort' });
  }
}

/**
 * An adapter that is a function may hand its signal to `fetch`, which takes a real one only. That is made when the adapter first reads
 * it: many never do, and it would cost a tenth of a bare call.
 */
function lendRealSignal(config: InternalAxiosRequestConfig): Aborter {
  const outer = config.signal;
  let controller: AbortController | undefined;
  let isAborted = false;
  const abort = () => {
    isAborted = true;
    controller?.abort((outer as { reason?: unknown } | undefined)?.reason);
  };
  const read = () => {
    if (controller === undefined) {
      controller = new AbortController();
      if (isAborted || outer?.aborted) abort();
      else outer?.addEventListener?.('abort', abort);
    }
    return controller.signal;
  };
  return {
    abort,
    putBack: lendSignalOf(config, read),
    end: () => outer?.removeEventListener?.('abort', abort),
  };
}
