import type { Cancellation } from '../call/cancellation.ts';
import type { Clock } from './clock.ts';
import { sharedTimerOf } from './shared-timer.ts';

/** What came first. */
export type Bounded<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'deadline' };

/**
 * Waits for something that is not ours to stop, but no longer than the call may last.
 *
 * @throws what the promise rejects with, if it does so in time.
 */
export function bounded<T>(
  promise: Promise<T>,
  clock: Clock,
  deadlineAt: number,
  cancellation: Cancellation | undefined,
): Promise<Bounded<T>> {
  if (cancellation?.requested) {
    promise.catch(() => {});
    return Promise.resolve({ kind: 'cancelled' });
  }
  return new Promise((resolve, reject) => {
    const stopTimer =
      deadlineAt === Number.POSITIVE_INFINITY
        ? undefined
        : sharedTimerOf(clock).after(deadlineAt - clock.now(), () => settle({ kind: 'deadline' }));
    const unsubscribe = cancellation?.subscribe(() => settle({ kind: 'cancelled' }));
    const tidy = () => {
      stopTimer?.();
      unsubscribe?.();
    };
    const settle = (result: Bounded<T>) => {
      tidy();
      resolve(result);
    };
    promise.then(
      (value) => settle({ kind: 'done', value }),
      (error) => {
        tidy();
        reject(error);
      },
    );
  });
}
