import type { AxiosAdapter, InternalAxiosRequestConfig } from 'axios';
import type { Cancellation } from '../model/cancellation.ts';
import { type Outcome, responseOf } from '../model/outcome.ts';
import { type Clock, MAX_TIMER_MS } from '../wait/clock.ts';
import { discard } from './response-body.ts';
import { SendSignal } from './send-signal.ts';
import { lend } from './snapshot.ts';

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
  /** Until the deadline. */
  readonly leftMs: number;
  readonly overdue: () => Outcome;
  readonly cancellation: Cancellation | undefined;
  readonly cancelled: () => Outcome;
}

/**
 * Sends, and ends the send at the deadline, or where an adapter function might not see that the caller has given up.
 *
 * Lowering `timeout` is not enough: once the headers have come, axios' http adapter bounds only the silence between two
 * chunks, so that a body which drips keeps a call for ever. So a timer ends it, through a signal for the adapters of
 * axios. A function in their place may want a real AbortSignal, so it gets the lowered `timeout`, and is left behind if
 * it ignores that.
 */
export function dispatchWithin(
  { leftMs, overdue, cancellation, cancelled }: Bounds,
  adapter: AxiosAdapter,
  config: InternalAxiosRequestConfig,
  clock: Clock,
): Promise<Outcome> {
  const isFunction = typeof config.adapter === 'function';
  if (isFunction && cancellation?.requested) return Promise.resolve(cancelled());
  const timed = leftMs <= MAX_TIMER_MS;
  const signal = timed && !isFunction ? new SendSignal(config.signal) : undefined;
  const putBack = signal
    ? lend(config, 'signal', signal)
    : timed && lend(config, 'timeout', lowered(config.timeout, leftMs));
  return new Promise((resolve) => {
    let over = false;
    const settle = (outcome: Outcome) => {
      // Nobody will read what comes too late; its connection must not stay open for it.
      if (over) return void discard(responseOf(outcome)?.data, Promise.resolve());
      over = true;
      if (putBack) putBack();
      stopTimer?.();
      unsubscribe?.();
      resolve(outcome);
    };
    const cut = () => {
      settle(overdue());
      signal?.cut();
    };
    const stopTimer = timed ? clock.after(leftMs, cut) : undefined;
    const unsubscribe = isFunction ? cancellation?.subscribe(() => settle(cancelled())) : undefined;
    dispatch(adapter, config).then(settle);
  });
}

function lowered(timeout: number | undefined, leftMs: number): number {
  return Math.max(1, Math.ceil(Math.min(timeout || Number.POSITIVE_INFINITY, leftMs)));
}
