import { Gcra, type LimitWindow } from './gcra.ts';
import { SlidingLog } from './sliding-log.ts';

/** A window of a limit: nothing has left yet. */
export const windowOf = (window: LimitWindow): Gcra =>
  window.burst === 'all' ? new SlidingLog(window) : new Gcra(window);

/**
 * The windows under other numbers, which count what has left: each goes on from the one that had its numbers, else from the tightest
 * that was as long, else from the one of its own limit in its place. `others` are those of other limits for the same bucket.
 */
export function windowsAfter(
  own: readonly Gcra[],
  others: readonly Gcra[],
  windows: readonly LimitWindow[],
  nowMs: number,
): readonly Gcra[] {
  const free = new Set(own);
  const all = [...own, ...others];
  return windows.map((window, i) => {
    const [tightest] = all.filter((each) => each.isAsLongAs(window)).sort((a, b) => a.most - b.most);
    const before = all.find((each) => each.has(window)) ?? tightest ?? own[i];
    if (before === undefined) return windowOf(window);
    // What another goes on from as well can only be copied.
    const isFree = free.delete(before);
    if (isFree && before.has(window)) return before;
    const changed = windowOf(window);
    changed.follow(before, nowMs, !isFree);
    return changed;
  });
}
