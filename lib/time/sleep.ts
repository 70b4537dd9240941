import type { Cancellation } from '../call/cancellation.ts';
import type { Clock } from './clock.ts';

/** Waits `ms` and gives `true`, or `false` as soon as the cancellation is requested. Either way no timer and no listener stays. */
export function sleep(ms: number, clock: Clock, cancellation?: Cancellation): Promise<boolean> {
  if (cancellation?.requested) return Promise.resolve(false);
  return new Promise((resolve) => {
    const settle = (waited: boolean) => {
      stopTimer();
      unsubscribe?.();
      resolve(waited);
    };
    const stopTimer = clock.after(ms, () => settle(true));
    const unsubscribe = cancellation?.subscribe(() => settle(false));
  });
}
