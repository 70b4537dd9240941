import { type AxiosAdapter, AxiosError, type InternalAxiosRequestConfig } from 'axios';
import type { Outcome } from '../model/outcome.ts';
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

/** axios' own error for a send that the call's deadline cut off. */
export function deadlineError(config: InternalAxiosRequestConfig, deadlineMs: number): AxiosError {
  return new AxiosError(`deadline of ${Math.round(deadlineMs)}ms exceeded`, AxiosError.ETIMEDOUT, config);
}

/**
 * Sends, and ends the send when `leftMs` are over.
 *
 * Lowering `timeout` is not enough: once the headers have come, axios' http adapter bounds only the silence between two
 * chunks, so that a body which drips keeps a call for ever. So a timer ends it, through a signal for the adapters of
 * axios. A function in their place may want a real AbortSignal, so it gets the lowered `timeout`, and is left behind if
 * it ignores that.
 */
export function dispatchWithin(
  leftMs: number,
  deadlineMs: number,
  adapter: AxiosAdapter,
  config: InternalAxiosRequestConfig,
  clock: Clock,
): Promise<Outcome> {
  if (leftMs > MAX_TIMER_MS) return dispatch(adapter, config);
  const signal = typeof config.adapter !== 'function' ? new SendSignal(config.signal) : undefined;
  const timeout = Math.max(1, Math.ceil(Math.min(config.timeout || Number.POSITIVE_INFINITY, leftMs)));
  const putBack = lend(config, signal ? { signal } : { timeout });
  return new Promise((resolve) => {
    let over = false;
    const settle = (outcome: Outcome) => {
      if (over) return void discard(outcome.response?.data, Promise.resolve());
      over = true;
      putBack();
      stopTimer();
      resolve(outcome);
    };
    const stopTimer = clock.after(leftMs, () => {
      settle({ error: deadlineError(config, deadlineMs) });
      signal?.cut();
    });
    dispatch(adapter, config).then(settle);
  });
}
