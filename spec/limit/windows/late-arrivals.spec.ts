import { describe, expect, it } from 'vitest';
import { LateArrivals } from '../../../lib/limit/windows/late-arrivals.ts';
import { LatencySpread } from '../../../lib/limit/windows/latency-spread.ts';

describe(LateArrivals.name, () => {
  it('owes nothing before it is due', () => {
    const lateArrivals = new LateArrivals();
    lateArrivals.note(1_000, 7);
    expect(lateArrivals.takeDue(999)).toBe(0);
    expect(lateArrivals.takeDue(1_000)).toBe(7);
    expect(lateArrivals.takeDue(2_000)).toBe(0);
  });

  it('gives the most of what is due, in whatever order it came', () => {
    const lateArrivals = new LateArrivals();
    lateArrivals.note(1_020, 9);
    lateArrivals.note(1_000, 5);
    lateArrivals.note(1_010, 7);
    expect(lateArrivals.takeDue(1_010)).toBe(7);
    expect(lateArrivals.takeDue(1_020)).toBe(9);
  });

  it('forgets what one that is due before pays for as well', () => {
    const lateArrivals = new LateArrivals();
    lateArrivals.note(1_000, 9);
    lateArrivals.note(1_010, 9);
    lateArrivals.note(1_020, 4);
    lateArrivals.note(990, 12);
    expect(lateArrivals.takeDue(990)).toBe(12);
    expect(lateArrivals.takeDue(5_000)).toBe(0);
  });

  it.each([
    [9, 4],
    [9, 9],
  ])('asks for no more later where no more is owed: %i, then %i', (first, then) => {
    const [inOrder, backwards] = [new LateArrivals(), new LateArrivals()];
    inOrder.note(1_000, first);
    inOrder.note(1_010, then);
    backwards.note(1_010, then);
    backwards.note(1_000, first);
    for (const lateArrivals of [inOrder, backwards]) {
      expect(lateArrivals.takeDue(1_000)).toBe(first);
      expect(lateArrivals.takeDue(1_010)).toBe(0);
    }
  });
});

describe(LatencySpread.name, () => {
  it('knows nothing by the first answer', () => {
    expect(new LatencySpread().note(0, 30)).toEqual({ excessMs: 0, gainMs: 0 });
  });

  it('tells what an answer took longer than the fastest, and how much faster it was than all before', () => {
    const travel = new LatencySpread();
    travel.note(0, 30);
    expect(travel.note(1, 10)).toEqual({ excessMs: 0, gainMs: 20 });
    expect(travel.note(2, 25)).toEqual({ excessMs: 15, gainMs: 0 });
    expect(travel.note(3, 10)).toEqual({ excessMs: 0, gainMs: 0 });
  });

  it('forgets the fastest after one to two minutes, when the way has become longer', () => {
    const travel = new LatencySpread();
    travel.note(0, 1);
    expect(travel.note(61_000, 50).excessMs).toBe(49);
    expect(travel.note(122_000, 50).excessMs).toBe(0);
  });

  it('remembers the fastest for a minute at least', () => {
    const travel = new LatencySpread();
    travel.note(0, 1);
    travel.note(60_000, 50);
    expect(travel.note(120_000, 50).excessMs).toBe(49);
  });
});
