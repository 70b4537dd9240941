import type { AxiosAdapter, InternalAxiosRequestConfig } from 'axios';
import type { Cancellation } from '../call/cancellation.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import type { Clock } from '../time/clock.ts';
import { sharedTimerOf } from '../time/shared-timer.ts';
import { discard, isUnread } from './response-body.ts';
import { type Aborter, lendSignal } from './send-signal.ts';

/** Sends. Never rejects, not even where an adapter throws instead of rejecting, or gives no promise. */
export function dispatch(adapter: AxiosAdapter, config: InternalAxiosRequestConfig): Promise<Outcome> {
  try {
    return Promise.resolve(adapter(config)).then(succeeded, failed);
  } catch (error) {
    return Promise.resolve({ error });
  }
}

const succeeded = (response: Outcome['response']): Outcome => ({ response }) as Outcome;
const failed = (error: unknown): Outcome => ({ error });

/** What may end a send from outside, and what it then comes to. */
export interface Bounds {
  /** The send may take so long, in ms; `Infinity`: as long as it likes. */
  readonly ms: number;
  onTimeout(): Outcome;
  readonly cancellation: Cancellation | undefined;
  onCancel(): Outcome;
}

/**
 * A send that is ended when its time is up, or where an adapter function might not see that the caller has given up.
 *
 * An adapter's own `timeout` is not enough. axios' http adapter counts from when the request has a socket, which a proxy that hangs up
 * never gives it, and once the headers have come it bounds only the silence between two chunks, so that a body which drips keeps a
 * call for ever. So our timer ends the send and aborts the request by a signal. An adapter that ignores the signal is left behind:
 * what still comes of it is destroyed, and nobody is told.
 */
export class BoundedSend {
  readonly outcome: Promise<Outcome>;
  /** What may still end its body, where the send is bounded; whoever takes that over ends it. */
  readonly aborter: Aborter | undefined;
  #resolve!: (outcome: Outcome) => void;
  #stopTimer: (() => void) | undefined;
  #unsubscribe: (() => void) | undefined;
  #hasEnded = false;

  constructor(bounds: Bounds, adapter: AxiosAdapter, config: InternalAxiosRequestConfig, clock: Clock) {
    const { cancellation, ms } = bounds;
    const isFunction = typeof config.adapter === 'function';
    if (isFunction && cancellation?.requested) {
      this.outcome = Promise.resolve(bounds.onCancel());
      return;
    }
    if (ms !== Number.POSITIVE_INFINITY) {
      this.aborter = lendSignal(config);
      this.#stopTimer = sharedTimerOf(clock).after(ms, () => this.#abort(bounds.onTimeout()));
    }
    if (isFunction) this.#unsubscribe = cancellation?.subscribe(() => this.#abort(bounds.onCancel()));
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    dispatch(adapter, config).then((outcome) => this.#settle(outcome));
  }

  #settle(outcome: Outcome): void {
    const body = responseOf(outcome)?.data;
    // Nobody will read what comes too late; its connection must not stay open for it.
    if (this.#hasEnded) return void discard(body);
    this.#hasEnded = true;
    this.#tidy();
    if (!isUnread(body)) this.aborter?.end();
    this.#resolve(outcome);
  }

  #abort(outcome: Outcome): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#resolve(outcome);
    try {
      // While the signal is still lent: an adapter that hears of it may look at the config once more.
      this.aborter?.abort();
    } finally {
      this.#tidy();
      this.aborter?.end();
    }
  }

  #tidy(): void {
    this.aborter?.putBack();
    this.#stopTimer?.();
    this.#unsubscribe?.();
  }
}
