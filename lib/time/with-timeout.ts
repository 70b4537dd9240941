import type { Cancellation } from '../call/cancellation.ts';
import type { Clock } from './clock.ts';
import { sharedTimerOf } from './shared-timer.ts';

/** How long something is waited for. */
export interface Timeout {
  /** Milliseconds from now, however many; `Infinity` is no bound, and 0 or less leaves what is there already. */
  readonly ms: number;
  readonly clock: Clock;
  /** Ends the wait as well. */
  readonly cancellation?: Cancellation | undefined;
}

/** What came first. */
export type Timed<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'timeout' };

const CANCELLED = Object.freeze({ kind: 'cancelled' });
const TIMEOUT = Object.freeze({ kind: 'timeout' });

/**
 * Waits for something that is not ours to stop: until it has come, the time is up, or nobody wants it any more. Either way no timer and
 * no listener stays.
 *
 * Rejects as the promise does. A rejection that comes after the end is nobody's error.
 */
export function withTimeout<T>(promise: PromiseLike<T>, { ms, clock, cancellation }: Timeout): Promise<Timed<T>> {
  return new Promise((resolve, reject) => {
    let stopTimer: (() => void) | undefined;
    let unsubscribe: (() => void) | undefined;
    const tidy = () => {
      stopTimer?.();
      unsubscribe?.();
    };
    const settle = (result: Timed<T>) => {
      tidy();
      resolve(result);
    };
    if (cancellation?.requested) resolve(CANCELLED);
    else {
      if (ms !== Number.POSITIVE_INFINITY) stopTimer = sharedTimerOf(clock).after(ms, () => settle(TIMEOUT));
      unsubscribe = cancellation?.subscribe(() => settle(CANCELLED));
    }
    promise.then(
      (value) => settle({ kind: 'done', value }),
      (error: unknown) => {
        tidy();
        reject(error);
      },
    );
  });
}

/** How long an answer may lie unread when its time is up, in ms: timers run before sockets are read. */
const UNREAD_MS = 20;

/**
 * What a server answers, if it does so in time, an answer that has arrived but is still to be read included.
 *
 * Rejects as the answer does, or with an error of code `ETIMEDOUT` that says who did not answer.
 */
export async function answerOf<T>(
  who: string,
  answer: Promise<T>,
  { ms, clock }: Pick<Timeout, 'ms' | 'clock'>,
): Promise<T> {
  let result = await withTimeout(answer, { ms, clock });
  if (result.kind !== 'done') result = await withTimeout(answer, { ms: UNREAD_MS, clock });
  if (result.kind === 'done') return result.value;
  throw Object.assign(new Error(`${who} did not answer within ${Math.round(ms)} ms`), { code: 'ETIMEDOUT' });
}
