import { describe, expect, it } from 'vitest';
import { type Spent, timeSpent } from '../../lib/call/spent.ts';

const nothing: Spent = { queuedMs: 0, refreshMs: 0, waitedMs: 0, sendingMs: 0 };

describe(timeSpent.name, () => {
  it.each<[number, Partial<Spent>, string]>([
    [
      40_200,
      { queuedMs: 31_000, waitedMs: 8_000, sendingMs: 1_200 },
      '40.2 s (queue 31.0 s, waits 8.0 s, sends 1.2 s)',
    ],
    [999, { waitedMs: 900 }, '999 ms'],
    [2_000, { refreshMs: 1_990, sendingMs: 10 }, '2.0 s (token 2.0 s)'],
    [1_000, { sendingMs: 400, waitedMs: 250 }, '1.0 s (waits 250 ms, sends 400 ms, other 350 ms)'],
    [1_000, { sendingMs: 1_010 }, '1.0 s (sends 1.0 s)'],
  ])('tells of %d ms what they went to', (elapsedMs, spent, words) => {
    expect(timeSpent(elapsedMs, { ...nothing, ...spent })).toBe(words);
  });
});
