import { Gcra, type LimitWindow } from './gcra.ts';
import { SlidingLog } from './sliding-log.ts';

/** A window of a limit: nothing has left yet. */
export const windowOf = (window: LimitWindow): Gcra =>
  window.burst === 'all' ? new SlidingLog(window) : new Gcra(window);

/** The same window under other numbers, which count what has left. */
export function windowAfter(before: Gcra, window: LimitWindow, nowMs: number): Gcra {
  if (before.has(window)) return before;
  const changed = windowOf(window);
  changed.follow(before, nowMs);
  return changed;
}
