import { afterEach, describe, expect, it, vi } from 'vitest';
import { MAX_TIMER_MS, randomId, systemClock, systemRandom } from '../../lib/wait/clock.ts';

const UUID_4 = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

describe('systemClock', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("tells the system's time and fires once, when it is due", () => {
    vi.useFakeTimers({ now: 1_000 });
    const fire = vi.fn();
    systemClock.after(50, fire);
    vi.advanceTimersByTime(49);
    expect([systemClock.now(), fire.mock.calls.length]).toEqual([1_049, 0]);
    vi.advanceTimersByTime(1);
    expect([systemClock.now(), fire.mock.calls.length]).toEqual([1_050, 1]);
    vi.advanceTimersByTime(1_000);
    expect(fire).toHaveBeenCalledTimes(1);
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
    [Infinity, 2_147_483_647],
    [-5, 0],
  ])('asks for no timer that would overflow, or lie in the past: for %d ms, %d', (ms, asked) => {
    vi.useFakeTimers();
    const arm = vi.spyOn(globalThis, 'setTimeout');
    systemClock.after(ms, () => {})();
    expect(arm).toHaveBeenCalledExactlyOnceWith(expect.any(Function), asked);
  });

  it('names the longest time that a timer takes', () => {
    expect(MAX_TIMER_MS).toBe(2_147_483_647);
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
