import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { MAX_TIMER_MS, systemClock } from '../../lib/time/clock.ts';
import { SharedTimer, sharedTimerOf } from '../../lib/time/shared-timer.ts';
import { ManualClock } from '../support/manual-clock.ts';

function setting<C extends ManualClock>(clock: C) {
  const timer = new SharedTimer(clock);
  const begun = clock.now();
  const fired: (readonly [name: unknown, ms: number])[] = [];
  const set = (ms: number, name: unknown = ms) => timer.after(ms, () => fired.push([name, clock.now() - begun]));
  return { clock, timer, fired, set };
}

describe(SharedTimer.name, () => {
  it('fires each at its time, whatever the order in which they were set, on one timer of the clock', async () => {
    const { clock, fired, set } = setting(new ManualClock());
    for (const ms of [30, 10, 50, 20, 40, 10]) set(ms);
    expect(clock.pending).toBe(1);
    await clock.advance(100);
    expect(fired).toEqual([10, 10, 20, 30, 40, 50].map((ms) => [ms, ms]));
    expect(clock.pending).toBe(0);
  });

  it('measures each from when it was set', async () => {
    const { clock, fired, set } = setting(new ManualClock());
    set(30, 'first');
    await clock.advance(20);
    set(5, 'second');
    set(30, 'third');
    await clock.advance(100);
    expect(fired).toEqual([
      ['second', 25],
      ['first', 30],
      ['third', 50],
    ]);
  });

  it('never fires sooner than asked, not by a part of a millisecond', async () => {
    const { clock, fired, set } = setting(new ManualClock());
    set(10.4);
    await clock.advance(10);
    expect(fired).toEqual([]);
    await clock.advance(1);
    expect(fired).toHaveLength(1);
  });

  it('does not fire what was taken back, and runs no timer when nothing is left', async () => {
    const { clock, fired, set } = setting(new ManualClock());
    const [stopFirst, stopSecond] = [set(10), set(20)];
    stopFirst();
    stopFirst();
    await clock.advance(15);
    expect(clock.nextIn).toBe(5);
    stopSecond();
    expect(clock.pending).toBe(0);
    await clock.advance(100);
    expect(fired).toEqual([]);
  });

  it('may be set and taken back while it fires', async () => {
    const { clock, timer, fired, set } = setting(new ManualClock());
    timer.after(10, () => {
      stop();
      set(5, 'inner');
    });
    const stop = set(10, 'taken back');
    await clock.advance(20);
    expect(fired).toEqual([['inner', 15]]);
    expect(clock.pending).toBe(0);
  });

  it('waits for ever without a timer', () => {
    const { clock, set } = setting(new ManualClock());
    set(Number.POSITIVE_INFINITY)();
    expect(clock.pending).toBe(0);
  });

  it('reaches beyond what one timer can', async () => {
    const { clock, fired, set } = setting(new ManualClock());
    const ms = 2 * MAX_TIMER_MS + 7;
    set(ms);
    await clock.advance(ms - 1);
    expect(fired).toEqual([]);
    await clock.advance(1);
    expect(fired).toEqual([[ms, ms]]);
  });

  it('holds a hundred thousand, and takes each back in next to no time', async () => {
    const { clock, fired, set } = setting(new ManualClock());
    const chance = (n: number) => (n * 7_919) % 100_003;
    const stops = Array.from({ length: 100_000 }, (_, n) => set(1 + chance(n)));
    expect(clock.pending).toBe(1);
    // All but those of every 10,000th.
    for (const [n, stop] of stops.entries()) if (n % 10_000 !== 0) stop();
    await clock.advance(200_000);
    const left = Array.from({ length: 10 }, (_, n) => 1 + chance(n * 10_000)).sort((a, b) => a - b);
    expect(fired).toEqual(left.map((ms) => [ms, ms]));
    expect(clock.pending).toBe(0);
  });

  it('goes on where what it fires throws', async () => {
    const clock = new ManualClock();
    const timer = new SharedTimer(clock);
    const fired: string[] = [];
    timer.after(10, () => {
      throw new Error('no');
    });
    timer.after(10, () => fired.push('second'));
    await expect(clock.advance(10)).rejects.toThrow('no');
    await clock.advance(10);
    expect(fired).toEqual(['second']);
  });
});

describe(sharedTimerOf.name, () => {
  it('gives the one of a clock', () => {
    const clock = new ManualClock();
    expect(sharedTimerOf(clock)).toBe(sharedTimerOf(clock));
    expect(sharedTimerOf(new ManualClock())).not.toBe(sharedTimerOf(clock));
  });
});

describe('a shared timer of the platform', () => {
  const bound = () => sharedTimerOf(systemClock).after(30_000, () => {});

  it('is set once for bounds that come and go one after the other', () => {
    const set = vi.spyOn(globalThis, 'setTimeout');
    for (let n = 0; n < 100; n++) bound()();
    expect(set.mock.calls.length).toBeLessThanOrEqual(1);
  });

  it('keeps the process alive while somebody is bound by it, and no longer', async () => {
    const source = (after: string) => `
      import { systemClock } from ${JSON.stringify(new URL('../../lib/time/clock.ts', import.meta.url).href)};
      import { sharedTimerOf } from ${JSON.stringify(new URL('../../lib/time/shared-timer.ts', import.meta.url).href)};
      const timer = sharedTimerOf(systemClock);
      timer.after(600_000, () => {})();
      ${after}`;
    const run = (after: string) =>
      promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source(after)]);
    await expect(run('')).resolves.toMatchObject({ stdout: '' });
    await expect(run(`timer.after(20, () => console.log('fired'));`)).resolves.toMatchObject({ stdout: 'fired\n' });
  });

  it('goes by fake timers as soon as there are any, though a real one rests', async () => {
    bound()();
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    let fired = false;
    sharedTimerOf(systemClock).after(40_000, () => {
      fired = true;
    });
    await vi.advanceTimersByTimeAsync(39_999);
    expect(fired).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(fired).toBe(true);
  });
});
