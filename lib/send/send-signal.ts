import type { GenericAbortSignal, InternalAxiosRequestConfig } from 'axios';
import { lend } from './snapshot.ts';

/** What ends a send from our side, while it is lent to the config of that send. */
export interface Aborter {
  /** Ends the send. */
  abort(): void;
  /** The adapter has settled: the config has its own signal again. */
  putBack(): void;
  /** The send is over, its body too. */
  end(): void;
}

/** Lends a config the signal by which a send can be cut; the caller's own signal still counts. */
export function lendSignal(config: InternalAxiosRequestConfig): Aborter {
  if (typeof config.adapter === 'function') return lendRealSignal(config);
  const signal = new SendSignal(config.signal);
  return { abort: () => signal.abort(), putBack: lend(config, 'signal', signal), end: () => {} };
}

/**
 * The signal of one send: the caller's, and ours.
 *
 * axios' own adapters take anything that looks like a signal. An AbortController for every call would cost a sixth of a
 * bare call; this costs next to nothing, and nobody but those adapters ever sees it.
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

  /** Ends the send. */
  abort(): void {
    this.#aborted = true;
    for (const listener of [...this.#listeners]) listener.call(this, { type: 'abort' });
  }
}

/** An adapter function may hand its signal to `fetch`, so it gets a real one. */
function lendRealSignal(config: InternalAxiosRequestConfig): Aborter {
  const outer = config.signal;
  const controller = new AbortController();
  const follow = () => controller.abort((outer as { reason?: unknown } | undefined)?.reason);
  if (outer?.aborted) follow();
  else outer?.addEventListener?.('abort', follow);
  return {
    abort: follow,
    putBack: lend(config, 'signal', controller.signal),
    end: () => outer?.removeEventListener?.('abort', follow),
  };
}
