import type { Cancellation } from '../call/cancellation.ts';
import type { Clock } from './clock.ts';

/** A limit to how long something is waited for. `over` resolves when it is reached, or the call is cancelled. */
export class Patience {
  readonly over: Promise<void>;
  private tidy = () => {};

  constructor(ms: number, clock: Clock, cancellation: Cancellation | undefined) {
    this.over = new Promise((resolve) => {
      if (cancellation?.requested) return resolve();
      const stopTimer = clock.after(ms, resolve);
      const unsubscribe = cancellation?.subscribe(resolve);
      this.tidy = () => {
        stopTimer();
        unsubscribe?.();
        resolve();
      };
    });
  }

  /** Takes the timer and the listener away. */
  end(): void {
    this.tidy();
  }
}
