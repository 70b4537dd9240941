import { describe, expect, it } from 'vitest';
import { SlidingCount } from '../../lib/time/sliding-count.ts';

const T0 = 1_750_000_000_000;
/** A minute, in parts of five seconds. */
const minute = () => new SlidingCount(60_000);

describe(SlidingCount.name, () => {
  it('counts what is in the window, to a twelfth of its length', () => {
    const count = minute();
    for (let at = 0; at < 60_000; at += 1_000) count.add(T0 + at);
    expect(count.in(T0 + 59_999)).toBe(60);
    expect(count.in(T0 + 60_000)).toBe(55);
    expect(count.in(T0 + 114_999)).toBe(5);
    expect(count.in(T0 + 115_000)).toBe(0);
  });

  it('takes back what was counted, wherever in the window that was', () => {
    const count = minute();
    const early = count.add(T0);
    const late = count.add(T0 + 50_000);
    count.takeBack(early);
    expect(count.in(T0 + 50_000)).toBe(1);
    count.takeBack(late);
    expect(count.in(T0 + 50_000)).toBe(0);
  });

  it('takes nothing back that has left the window', () => {
    const count = minute();
    const gone = count.add(T0);
    count.add(T0 + 60_000);
    count.takeBack(gone);
    expect(count.in(T0 + 60_000)).toBe(1);
  });

  it('counts what is told late with what has just been, and takes it back from there', () => {
    const count = minute();
    const parts = [count.add(T0), count.add(T0 - 6_000)];
    expect(count.in(T0)).toBe(2);
    for (const part of parts) count.takeBack(part);
    expect(count.in(T0)).toBe(0);
  });

  it('can be emptied', () => {
    const count = minute();
    count.add(T0);
    count.clear();
    expect(count.in(T0)).toBe(0);
  });
});
