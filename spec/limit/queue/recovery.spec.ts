import { describe, expect, it } from 'vitest';
import { type Departed, Recovery } from '../../../lib/limit/queue/recovery.ts';

const T0 = 1_750_000_000_000;
const FREE = Number.NEGATIVE_INFINITY;

function made({ hasWindows = false, chance = 1 } = {}) {
  const recovery = new Recovery(
    () => hasWindows,
    () => chance,
  );
  const leave = (nowMs: number, call?: Departed['call'], nested = false): Departed => {
    const { pauses, isProbing } = recovery;
    recovery.sent(nowMs, nested);
    return { call, pauses, isProbe: isProbing && !nested, nested };
  };
  const end = (departed: Departed, throttled = false, isNamed = false) => {
    const pauseMs = recovery.answered(departed, throttled, isNamed);
    recovery.ended(departed);
    return pauseMs;
  };
  /** Each longer than the one before, so that it counts. */
  let ms = 0;
  const pause = () => {
    ms += 1;
    recovery.pause(T0, T0 + ms);
  };
  return { recovery, leave, end, pause };
}

describe(Recovery.name, () => {
  it('holds back nobody before the first pause', () => {
    const { recovery, leave } = made();
    for (let i = 0; i < 100; i++) leave(T0);
    expect(recovery.nextAt()).toBe(FREE);
  });

  it('keeps the longest pause, and none that is over', () => {
    const { recovery } = made();
    const paused = [T0 - 1, T0, T0 + 500, T0 + 400, T0 + 500, T0 + 600].map((untilAt) => recovery.pause(T0, untilAt));
    expect(paused).toEqual([false, false, true, false, false, true]);
    expect([recovery.pausedUntil, recovery.pauses]).toEqual([T0 + 600, 2]);
  });

  it('ends a pause before its time, for a probe', () => {
    const { recovery, leave } = made();
    recovery.pause(T0, T0 + 60_000);
    recovery.resume(T0 + 1_000);
    expect([recovery.pausedUntil, leave(T0 + 1_000).isProbe]).toEqual([T0 + 1_000, true]);
  });

  it('lets one out after a pause, and one more with every answer', () => {
    const { recovery, leave, end, pause } = made();
    pause();
    const first = leave(T0 + 500);
    expect(recovery.nextAt()).toBe(T0 + 10_500);
    end(first);
    const pair = [leave(T0 + 600), leave(T0 + 600)] as const;
    expect(recovery.nextAt()).toBe(T0 + 10_600);
    // Over without an answer: its place is free, but there is no further one.
    recovery.ended(pair[0]);
    expect(recovery.nextAt()).toBe(FREE);
    leave(T0 + 600);
    expect(recovery.nextAt()).toBe(T0 + 10_600);
  });

  it('lets all out after the first answer where windows say how fast', () => {
    const { recovery, leave, end, pause } = made({ hasWindows: true });
    pause();
    end(leave(T0));
    for (let i = 0; i < 100; i++) leave(T0);
    expect(recovery.nextAt()).toBe(FREE);
  });

  it('takes no send that left before a pause for one that left afterwards', () => {
    const { recovery, leave, end, pause } = made();
    const before = leave(T0);
    pause();
    leave(T0 + 500);
    expect(end(before, true)).toBeUndefined();
    expect(recovery.nextAt()).toBe(T0 + 10_500);
  });

  it('gives a pause for a refusal without a time, longer while they follow each other, and none for a named one', () => {
    const { leave, end, pause } = made();
    const refuse = (isNamed = false) => {
      const pauseMs = end(leave(T0), true, isNamed);
      pause();
      return pauseMs;
    };
    expect([refuse(), refuse(), refuse(true), refuse(), refuse()]).toEqual([1_000, 2_000, undefined, 1_000, 2_000]);
    end(leave(T0));
    expect(refuse()).toBe(1_000);
    for (let i = 0; i < 10; i++) refuse();
    expect(refuse()).toBe(20_000);
  });

  it('gives half of it at least', () => {
    const { leave, end } = made({ chance: 0 });
    expect(end(leave(T0), true)).toBe(500);
  });

  it('shuns the call whose two probes in a row were refused, until one is answered well', () => {
    const { recovery, leave, end, pause } = made();
    const call = { url: '/a' };
    const shunned = () => {
      pause();
      return recovery.shunned;
    };
    end(leave(T0, call), true);
    expect(shunned()).toBeUndefined();
    end(leave(T0, call), true);
    expect(shunned()).toBeUndefined();
    end(leave(T0, call), true, true);
    expect(shunned()).toBe(call);
    end(leave(T0, { url: '/b' }));
    expect(shunned()).toBeUndefined();
  });

  it('counts what leaves within another send neither as out nor as a probe, but hears it refused', () => {
    const { recovery, leave, end, pause } = made();
    pause();
    const nested = leave(T0, undefined, true);
    expect(nested.isProbe).toBe(false);
    expect(recovery.nextAt()).toBe(FREE);
    expect(end(nested, true)).toBe(1_000);
    leave(T0);
    end(leave(T0, undefined, true));
    expect(recovery.nextAt()).toBe(T0 + 10_000);
  });

  it('has a probe leave so long after the last as somebody waits, but not more often than once a second', () => {
    const { recovery, pause } = made();
    pause();
    expect([recovery.probeAt(60_000), recovery.probeAt(0)]).toEqual([T0 + 60_000, T0 + 1_000]);
  });
});
