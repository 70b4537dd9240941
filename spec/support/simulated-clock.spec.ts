import { describe, expect, it } from 'vitest';
import { SimulatedClock } from './simulated-clock.ts';

describe(SimulatedClock.name, () => {
  it('moves from one thing that is due to the next, and lets all go on that takes no time before it does', async () => {
    const clock = new SimulatedClock();
    const seen: string[] = [];
    const note = (what: string) => seen.push(`${what} at ${clock.elapsedMs}`);
    clock.after(20, () => note('second'));
    clock.happens(10, async () => {
      note('first');
      await Promise.resolve();
      clock.after(5, () => note('in between'));
    });
    clock.after(20, () => note('third'));
    expect(await clock.run(() => false)).toBe('idle');
    expect(seen).toEqual(['first at 10', 'in between at 15', 'second at 20', 'third at 20']);
  });

  it('fires nothing that was taken back, and counts the timers that are left, but no event of the world', async () => {
    const clock = new SimulatedClock();
    const stop = clock.after(10, () => expect.unreachable());
    clock.after(30, () => {});
    clock.happens(20, () => {});
    expect(clock.timers).toBe(2);
    stop();
    stop();
    expect(clock.timers).toBe(1);
    expect(await clock.run(() => clock.timers === 0)).toBe('done');
    expect(clock.elapsedMs).toBe(30);
  });

  it('is in order whatever the order in which they were set', async () => {
    const clock = new SimulatedClock();
    const times = [5, 3, 9, 3, 0, 7, 1, 8, 2, 6, 4, 9];
    const fired: number[] = [];
    const stops = times.map((ms) => clock.after(ms, () => fired.push(ms)));
    stops[2]?.();
    await clock.run(() => false);
    expect(fired).toEqual([0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('has timers that are late, and events that are not', async () => {
    const clock = new SimulatedClock(() => 3);
    const at: number[] = [];
    clock.after(10, () => at.push(clock.elapsedMs));
    clock.happens(10, () => at.push(clock.elapsedMs));
    await clock.run(() => false);
    expect(at).toEqual([10, 13]);
  });

  it('says so where it never ends', async () => {
    const clock = new SimulatedClock();
    const again = () => clock.after(1, again);
    again();
    expect(await clock.run(() => false, undefined, 50)).toBe('endless');
  });
});
