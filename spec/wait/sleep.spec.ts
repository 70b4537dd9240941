import { getEventListeners } from 'node:events';
import axios from 'axios';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cancellationOf } from '../../lib/attempt/cancellation.ts';
import type { Clock } from '../../lib/wait/clock.ts';
import { MAX_TIMER_MS } from '../../lib/wait/clock.ts';
import { sleep } from '../../lib/wait/sleep.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { AdjustedClock, HastyClock, OverflowingClock } from '../support/odd-clocks.ts';

/** A wait, and whether it is over. */
function begin(ms: number, clock: Clock, config: object = {}) {
  const state: { waited: boolean | undefined; promise: Promise<void> } = {
    waited: undefined,
    promise: Promise.resolve(),
  };
  state.promise = sleep(ms, clock, cancellationOf(config as never)).then((waited) => {
    state.waited = waited;
  });
  return state;
}

describe(sleep.name, () => {
  it('waits as long as it was told, and not a millisecond less', async () => {
    const clock = new ManualClock();
    const wait = begin(1_500, clock);
    await clock.advance(1_499);
    expect(wait.waited).toBeUndefined();
    await clock.advance(1);
    expect(wait.waited).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('lets the loop turn even where there is nothing to wait for', async () => {
    const clock = new ManualClock();
    const wait = begin(0, clock);
    expect(clock.pending).toBe(1);
    await clock.advance(0);
    expect(wait.waited).toBe(true);
  });

  it.each([1, 7, 50])('rests again when a timer fires %i ms early', async (earlyMs) => {
    const clock = new HastyClock(earlyMs);
    const begun = clock.now();
    const wait = begin(1_000, clock);
    await clock.advance(1_000 - earlyMs);
    expect(wait.waited).toBeUndefined();
    expect(clock.nextIn).toBe(earlyMs);
    await clock.run(wait.promise);
    expect(clock.now() - begun).toBe(1_000);
    expect(clock.pending).toBe(0);
  });

  it('rests again as often as timers fire early', async () => {
    const clock = new HastyClock(1, 3);
    const begun = clock.now();
    // The second timer is armed for the 1 ms that is missing and fires at once, as does the third.
    await clock.run(begin(10, clock).promise);
    expect(clock.now() - begun).toBe(10);
  });

  it('waits no longer than a few corrections for a clock that stands still', async () => {
    const clock = new OverflowingClock();
    const now = clock.now();
    clock.now = () => now;
    await clock.run(sleep(10, clock));
    expect(clock.asked).toEqual(Array.from({ length: 9 }, () => 10));
  });

  it('goes by the timers when the clock is set back by an hour', async () => {
    const clock = new AdjustedClock();
    const wait = begin(2_000, clock);
    await clock.advance(500);
    clock.adjust(-3_600_000);
    await clock.advance(1_499);
    expect(wait.waited).toBeUndefined();
    await clock.advance(1);
    expect(wait.waited).toBe(true);
  });

  it('is not cut short when the clock is set forward', async () => {
    const clock = new AdjustedClock();
    const wait = begin(2_000, clock);
    clock.adjust(3_600_000);
    await clock.advance(1_999);
    expect(wait.waited).toBeUndefined();
    await clock.advance(1);
    expect(wait.waited).toBe(true);
  });

  it('waits longer than a timer can, in stretches', async () => {
    const clock = new OverflowingClock();
    const begun = clock.now();
    const long = 2 * MAX_TIMER_MS + 5;
    const wait = begin(long, clock);
    await clock.advance(long - 1);
    expect(wait.waited).toBeUndefined();
    await clock.run(wait.promise);
    expect(clock.asked).toEqual([MAX_TIMER_MS, MAX_TIMER_MS, 5]);
    expect(clock.now() - begun).toBe(long);
  });

  it('goes by the timers over a long wait as well', async () => {
    const clock = new AdjustedClock();
    const wait = begin(MAX_TIMER_MS + 10, clock);
    await clock.advance(MAX_TIMER_MS);
    clock.adjust(-86_400_000);
    await clock.advance(9);
    expect(wait.waited).toBeUndefined();
    await clock.advance(1);
    expect(wait.waited).toBe(true);
  });

  it('waits exactly as long as told, whatever that is', async () => {
    const waits = fc.oneof(fc.nat(100), fc.nat(20_000), fc.integer({ min: MAX_TIMER_MS - 2, max: 5 * MAX_TIMER_MS }));
    await fc.assert(
      fc.asyncProperty(waits, async (ms) => {
        const clock = new OverflowingClock();
        const begun = clock.now();
        await clock.run(sleep(ms, clock));
        expect(clock.now() - begun).toBe(ms);
      }),
      { numRuns: 50 },
    );
  });

  describe('when it is cancelled', () => {
    it('ends at once, and leaves neither timer nor listener', async () => {
      const clock = new ManualClock();
      const { signal, ...controller } = controlled();
      const wait = begin(60_000, clock, { signal });
      await clock.advance(100);
      expect(getEventListeners(signal, 'abort')).toHaveLength(1);
      controller.abort();
      await settle();
      expect(wait.waited).toBe(false);
      expect(clock.pending).toBe(0);
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    });

    it('ends at once by a CancelToken', async () => {
      const clock = new ManualClock();
      const { token, cancel } = axios.CancelToken.source();
      const wait = begin(60_000, clock, { cancelToken: token });
      cancel('enough');
      await settle();
      expect(wait.waited).toBe(false);
      expect(clock.pending).toBe(0);
    });

    it.each([
      ['a signal', () => ({ signal: AbortSignal.abort() })],
      ['a CancelToken', () => ({ cancelToken: new axios.CancelToken((cancel) => cancel()) })],
    ])('does not begin when %s has ended it before', async (_, config) => {
      const clock = new ManualClock();
      const wait = begin(60_000, clock, config());
      expect(clock.pending).toBe(0);
      await settle();
      expect(wait.waited).toBe(false);
    });

    it('takes its listener away when it has waited', async () => {
      const clock = new ManualClock();
      const { signal } = controlled();
      const { token } = axios.CancelToken.source();
      await clock.run(begin(1_000, clock, { signal, cancelToken: token }).promise);
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
      expect((token as unknown as { _listeners?: unknown[] })._listeners ?? []).toHaveLength(0);
    });

    it('keeps to the first answer when both happen in one turn', async () => {
      const clock = new ManualClock();
      const controller = controlled();
      const wait = begin(1_000, clock, { signal: controller.signal });
      // The timer fires, and the signal before anything that waits for the timer gets its turn.
      clock.after(1_000, () => controller.abort());
      await clock.advance(1_000);
      expect(wait.waited).toBe(true);
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    });
  });
});

function controlled() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
