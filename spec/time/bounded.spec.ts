import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { cancellationOf } from '../../lib/send/cancellation.ts';
import { bounded } from '../../lib/time/bounded.ts';

import { ManualClock, settle } from '../support/manual-clock.ts';
import { unhandledDuring } from '../support/unhandled.ts';

const never = () => new Promise<never>(() => {});

function setting() {
  const clock = new ManualClock();
  const controller = new AbortController();
  const cancellation = cancellationOf({ signal: controller.signal } as never);
  const left = () => ({ timers: clock.pending, listeners: getEventListeners(controller.signal, 'abort').length });
  return { clock, controller, cancellation, left };
}

describe(bounded.name, () => {
  it('gives what the promise gives, and leaves nothing', async () => {
    const { clock, cancellation, left } = setting();
    const result = await bounded(Promise.resolve(7), clock, clock.now() + 1_000, cancellation);
    expect(result).toEqual({ kind: 'done', value: 7 });
    expect(left()).toEqual({ timers: 0, listeners: 0 });
  });

  it('rejects as the promise does, and leaves nothing', async () => {
    const { clock, cancellation, left } = setting();
    const error = new Error('no');
    await expect(bounded(Promise.reject(error), clock, clock.now() + 1_000, cancellation)).rejects.toBe(error);
    expect(left()).toEqual({ timers: 0, listeners: 0 });
  });

  it('waits until the deadline and not beyond', async () => {
    const { clock, cancellation, left } = setting();
    let result: unknown;
    bounded(never(), clock, clock.now() + 1_000, cancellation).then((value) => {
      result = value;
    });
    await clock.advance(999);
    expect(result).toBeUndefined();
    await clock.advance(1);
    expect(result).toEqual({ kind: 'deadline' });
    expect(left()).toEqual({ timers: 0, listeners: 0 });
  });

  it('waits no longer than the call is wanted', async () => {
    const { clock, controller, cancellation, left } = setting();
    const result = bounded(never(), clock, clock.now() + 1_000, cancellation);
    controller.abort();
    expect(await result).toEqual({ kind: 'cancelled' });
    expect(left()).toEqual({ timers: 0, listeners: 0 });
  });

  it('does not wait for what was cancelled before', async () => {
    const { clock, controller, cancellation, left } = setting();
    controller.abort();
    expect(await bounded(never(), clock, clock.now() + 1_000, cancellation)).toEqual({ kind: 'cancelled' });
    expect(left()).toEqual({ timers: 0, listeners: 0 });
  });

  it.each([
    [Number.POSITIVE_INFINITY, undefined],
    [2 ** 40, 2 ** 40],
  ])('arms a timer only where there is a deadline (in %d ms)', async (ms, armed) => {
    const { clock, cancellation } = setting();
    const result = bounded(settle(), clock, clock.now() + ms, cancellation);
    expect(clock.nextIn).toBe(armed);
    expect(await result).toEqual({ kind: 'done', value: undefined });
  });

  it('swallows a rejection that comes after the end', async () => {
    const { clock, controller, cancellation } = setting();
    const unhandled = await unhandledDuring(async () => {
      const late = () => settle().then(() => Promise.reject(new Error('late')));
      const cut = bounded(late(), clock, clock.now(), cancellation);
      const cancelled = bounded(late(), clock, clock.now() + 1_000, cancellation);
      controller.abort();
      const before = bounded(late(), clock, clock.now() + 1_000, cancellation);
      await clock.run(Promise.all([cut, cancelled, before]));
    });
    expect(unhandled).toEqual([]);
  });
});
