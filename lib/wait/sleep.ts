import type { Cancellation } from '../model/cancellation.ts';
import { type Clock, MAX_TIMER_MS } from './clock.ts';

/** Node's timers may fire a little before their time by the wall clock. */
const EARLY_MS = 50;
const MAX_CORRECTIONS = 8;

/**
 * Waits `ms`, however long that is, and never less: the server named the instant.
 *
 * Resolves to `true`, or to `false` as soon as the cancellation is requested. Either way no timer and no listener stays.
 */
export function sleep(ms: number, clock: Clock, cancellation?: Cancellation): Promise<boolean> {
  if (cancellation?.requested) return Promise.resolve(false);
  return new Promise((resolve) => {
    const until = clock.now() + ms;
    let left = ms;
    let corrections = 0;
    let stopTimer = () => {};
    const settle = (waited: boolean) => {
      stopTimer();
      unsubscribe?.();
      resolve(waited);
    };
    const rest = (stretch: number) => {
      stopTimer = clock.after(stretch, () => {
        left -= stretch;
        // By the timers first, since a clock that is set back must not prolong the wait by hours.
        if (left > 0) return rest(Math.min(left, MAX_TIMER_MS));
        const early = until - clock.now();
        // A few times only: a clock that stands still, as a test's may, would have it wait for ever.
        if (early > 0 && early <= EARLY_MS && corrections++ < MAX_CORRECTIONS) return rest(early);
        settle(true);
      });
    };
    const unsubscribe = cancellation?.subscribe(() => settle(false));
    rest(Math.min(left, MAX_TIMER_MS));
  });
}
