import { afterEach, describe, expect, it, vi } from 'vitest';
import { MAX_TIMER_MS, randomId, systemClock, systemRandom, wallAheadMs } from '../../lib/time/clock.ts';
import { ManualClock } from '../support/manual-clock.ts';

const UUID_4 = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

describe('systemClock', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it('fires once, when it is due', () => {
    vi.useFakeTimers();
    const begun = systemClock.now();
    const fire = vi.fn();
    systemClock.after(50, fire);
    vi.advanceTimersByTime(49);
    expect([systemClock.now() - begun, fire.mock.calls.length]).toEqual([expect.closeTo(49, 2), 0]);
    vi.advanceTimersByTime(1);
    expect([systemClock.now() - begun, fire.mock.calls.length]).toEqual([expect.closeTo(50, 2), 1]);
    vi.advanceTimersByTime(1_000);
    expect(fire).toHaveBeenCalledTimes(1);
  });

  it('begins with the time of day, and goes on wherever that is set', () => {
    expect(Math.abs(systemClock.now() - systemClock.wall())).toBeLessThan(60_000);
    const begun = systemClock.now();
    vi.useFakeTimers({ toFake: ['Date'] });
    for (const ms of [-3_600_000, 3_600_000]) {
      vi.setSystemTime(begun + ms);
      expect(systemClock.wall()).toBe(Math.trunc(begun + ms));
      expect(systemClock.now() - begun).toBeGreaterThanOrEqual(0);
      expect(systemClock.now() - begun).toBeLessThan(60_000);
    }
  });

  it('never goes back, also where `performance` is replaced by one that begins at 0, and put back', () => {
    const before = systemClock.now();
    vi.useFakeTimers();
    const faked = systemClock.now();
    expect(faked).toBeGreaterThanOrEqual(before);
    expect(faked - before).toBeLessThan(60_000);
    vi.advanceTimersByTime(1_000);
    expect(systemClock.now() - faked).toBeCloseTo(1_000, 2);
    vi.useRealTimers();
    expect(systemClock.now()).toBeGreaterThanOrEqual(faked + 1_000 - 0.01);
  });

  it.each([
    ['the time of the timers and `performance`', undefined],
    ['the timers alone', { toFake: ['setTimeout', 'clearTimeout'] as const }],
  ])('moves on with timers that are moved by hand, where a test fakes %s', (_, fakes) => {
    vi.useFakeTimers(fakes && { toFake: [...fakes.toFake] });
    const begun = systemClock.now();
    const fired: number[] = [];
    systemClock.after(60_000, () => {
      fired.push(systemClock.now() - begun);
      systemClock.after(1_000, () => fired.push(systemClock.now() - begun));
    });
    vi.advanceTimersByTime(60_000);
    expect(fired).toHaveLength(1);
    expect(fired[0]).toBeGreaterThanOrEqual(60_000 - 0.01);
    vi.advanceTimersByTime(1_000);
    expect(fired).toHaveLength(2);
    expect(fired[1]).toBeGreaterThanOrEqual(61_000 - 0.01);
    expect(fired[1]).toBeLessThan(120_000);
  });

  it.each([1, 7, 50])('never fires before its time: it waits for the rest where a timer is %i ms early', (earlyMs) => {
    vi.useFakeTimers();
    const begun = systemClock.now();
    const arm = globalThis.setTimeout;
    const early = vi
      .spyOn(globalThis, 'setTimeout')
      .mockImplementationOnce((fire, ms) => arm(fire, Number(ms) - earlyMs));
    const fired: number[] = [];
    systemClock.after(1_000, () => fired.push(systemClock.now() - begun));
    vi.advanceTimersByTime(999);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual([expect.closeTo(1_000, 2)]);
    expect(early.mock.calls.map(([, ms]) => ms)).toEqual([1_000, earlyMs]);
  });

  it('trusts no early timer because another was moved by hand while `performance` was a different one', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    vi.spyOn(performance, 'now').mockReturnValue(1e9);
    systemClock.after(60_000, () => {});
    vi.advanceTimersByTime(60_000);
    vi.restoreAllMocks();
    vi.useFakeTimers();
    const arm = globalThis.setTimeout;
    vi.spyOn(globalThis, 'setTimeout').mockImplementationOnce((fire, ms) => arm(fire, Number(ms) - 7));
    const fire = vi.fn();
    systemClock.after(1_000, fire);
    vi.advanceTimersByTime(999);
    expect(fire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fire).toHaveBeenCalledTimes(1);
  });

  it('waits a second time only, where a clock stands still', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    vi.spyOn(performance, 'now').mockReturnValue(5);
    const begun = systemClock.now();
    const fire = vi.fn();
    systemClock.after(20, fire);
    vi.advanceTimersByTime(40);
    expect(fire).toHaveBeenCalledTimes(1);
    expect(systemClock.now() - begun).toBeCloseTo(20, 2);
  });

  it('reaches beyond what a timer of the platform can', () => {
    vi.useFakeTimers();
    const arm = vi.spyOn(globalThis, 'setTimeout');
    const begun = systemClock.now();
    const fired: number[] = [];
    systemClock.after(2 * MAX_TIMER_MS + 5, () => fired.push(systemClock.now() - begun));
    vi.advanceTimersByTime(2 * MAX_TIMER_MS + 4);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual([expect.closeTo(2 * MAX_TIMER_MS + 5, 2)]);
    expect(arm.mock.calls.map(([, ms]) => ms)).toEqual([MAX_TIMER_MS, MAX_TIMER_MS, 5]);
  });

  it('takes back a timer of any stretch, and sets none for what never comes', () => {
    vi.useFakeTimers();
    const fire = vi.fn();
    const stop = systemClock.after(MAX_TIMER_MS + 10, fire);
    vi.advanceTimersByTime(MAX_TIMER_MS + 5);
    stop();
    systemClock.after(Number.POSITIVE_INFINITY, fire)();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(1_000);
    expect(fire).not.toHaveBeenCalled();
  });

  it('never fires when the timer was taken back', () => {
    vi.useFakeTimers();
    const fire = vi.fn();
    systemClock.after(50, fire)();
    vi.advanceTimersByTime(1_000);
    expect(fire).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does in the meantime what nobody waits for: it does not keep the process alive', () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const stops = [systemClock.meanwhile?.(60_000, () => {}), systemClock.after(60_000, () => {})];
    expect(timers() - before).toBe(1);
    for (const stop of stops) stop?.();
    vi.useFakeTimers();
    const fire = vi.fn();
    systemClock.meanwhile?.(50, fire);
    systemClock.meanwhile?.(50, fire)();
    vi.advanceTimersByTime(50);
    expect(fire).toHaveBeenCalledTimes(1);
  });

  it.each([
    [2 ** 31 - 1, 2_147_483_647],
    [2 ** 31, 2_147_483_647],
    [-5, 0],
    [0.4, 1],
  ])('asks for no timer that would overflow, lie in the past or be early: for %d ms, %d', (ms, asked) => {
    vi.useFakeTimers();
    const arm = vi.spyOn(globalThis, 'setTimeout');
    systemClock.after(ms, () => {})();
    expect(arm).toHaveBeenCalledExactlyOnceWith(expect.any(Function), asked);
  });

  it('names the longest time that a timer takes', () => {
    expect(MAX_TIMER_MS).toBe(2_147_483_647);
  });
});

describe(wallAheadMs.name, () => {
  it('is how far the time of day is ahead of the clock, whenever it is asked', () => {
    const clock = new ManualClock();
    expect(wallAheadMs(clock)).toBe(0);
    clock.adjust(3_600_000);
    expect(wallAheadMs(clock)).toBe(3_600_000);
    clock.adjust(-7_200_000);
    expect(wallAheadMs(clock)).toBe(-3_600_000);
  });

  it('does not follow what two clocks differ by for their grain, so that an instant is always shown the same', () => {
    const clock = new ManualClock();
    for (const ms of [1, -1.5, 0.5]) {
      clock.adjust(ms);
      expect(wallAheadMs(clock)).toBe(0);
    }
    clock.adjust(5_000);
    const ahead = wallAheadMs(clock);
    for (const ms of [1, -1.5, 0.5]) {
      clock.adjust(ms);
      expect(wallAheadMs(clock)).toBe(ahead);
    }
  });
});

describe('systemRandom', () => {
  it('gives numbers from 0 to 1 that differ', () => {
    const numbers = Array.from({ length: 20 }, () => systemRandom());
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    expect(new Set(numbers).size).toBeGreaterThan(1);
  });
});

describe(randomId.name, () => {
  const { randomUUID } = crypto;
  afterEach(() => {
    crypto.randomUUID = randomUUID;
  });

  it("gives the platform's UUIDs", () => {
    const id = '00000000-0000-4000-8000-000000000000';
    crypto.randomUUID = () => id;
    expect(randomId()).toBe(id);
  });

  it('makes them of random bytes where the page is no secure context', () => {
    crypto.randomUUID = undefined as never;
    const ids = Array.from({ length: 200 }, () => randomId());
    for (const id of ids) expect(id).toMatch(UUID_4);
    expect(new Set(ids).size).toBe(200);
  });

  it.each([
    [0x00, '00000000-0000-4000-8000-000000000000'],
    [0x0a, '0a0a0a0a-0a0a-4a0a-8a0a-0a0a0a0a0a0a'],
    [0xff, 'ffffffff-ffff-4fff-bfff-ffffffffffff'],
  ])('sets the version and the variant, and keeps all other bits: bytes of %d', (byte, id) => {
    crypto.randomUUID = undefined as never;
    vi.spyOn(crypto, 'getRandomValues').mockImplementation(
      (bytes) => (bytes as unknown as Uint8Array).fill(byte) as never,
    );
    expect(randomId()).toBe(id);
  });
});
