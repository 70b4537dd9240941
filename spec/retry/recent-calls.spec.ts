import { describe, expect, it } from 'vitest';
import { RecentCalls } from '../../lib/retry/recent-calls.ts';

const WINDOW_MS = 60_000;

/** Calls that ended at these instants; `true` is a failure, met at the instant that follows or when it ended. */
function recent(...ended: readonly (readonly [at: number, failed: boolean, from?: number])[]): RecentCalls {
  const calls = new RecentCalls(WINDOW_MS);
  for (const [at, failed, from = at] of ended) calls.add(failed, at, from);
  return calls;
}

describe(RecentCalls.name, () => {
  it('are not failing where none has ended, or half of them succeeded', () => {
    expect(recent().failingSince(0)).toBeUndefined();
    expect(recent([1, true], [2, false]).failingSince(3)).toBeUndefined();
    expect(recent([1, true], [2, false], [3, true]).failingSince(3)).toBe(3);
  });

  it('are failing since the first call that made them so, as long as there is no break', () => {
    expect(recent([1_000, true], [2_000, true], [3_000, false], [4_000, true]).failingSince(9_000)).toBe(1_000);
    expect(recent([1_000, true], [2_000, false], [3_000, true], [4_000, true]).failingSince(9_000)).toBe(3_000);
  });

  it('are failing from the first failure of the row that they end with, which its call may have retried for seconds', () => {
    expect(recent([3_000, true, 400]).failingSince(4_000)).toBe(400);
    const calls = recent([1_000, true, 100], [2_000, false], [5_000, true, 2_500], [6_000, true, 2_400]);
    expect(calls.failingSince(6_000)).toBe(2_500);
  });

  it('are twenty: what was before them is forgotten', () => {
    const calls = recent();
    for (let n = 0; n < 30; n++) calls.add(false, n, n);
    for (let n = 0; n < 10; n++) calls.add(true, 100 + n, 100 + n);
    expect(calls.failingSince(200)).toBeUndefined();
    calls.add(true, 110, 110);
    expect(calls.failingSince(200), 'the row of failures began before they were the most').toBe(100);
  });

  it('are forgotten a window after they ended, which ends the failing', () => {
    const calls = recent([0, true]);
    expect(calls.failingSince(WINDOW_MS - 1)).toBe(0);
    expect(calls.failingSince(WINDOW_MS)).toBeUndefined();
    calls.add(true, 2 * WINDOW_MS, 2 * WINDOW_MS);
    expect(calls.failingSince(2 * WINDOW_MS)).toBe(2 * WINDOW_MS);
  });

  it('are forgotten one by one, so that a break between two looks is seen', () => {
    // F F S F: failing. Once the first is forgotten, two of three; once the second is, one of two: that is the break.
    const calls = recent([0, true], [1_000, true], [2_000, false], [3_000, true]);
    expect(calls.failingSince(60_500)).toBe(0);
    // Then the success is forgotten too, and the row of failures that is left began with the last.
    expect(calls.failingSince(62_500)).toBe(3_000);
  });
});
