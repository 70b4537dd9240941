import { getEventListeners } from 'node:events';
import axios from 'axios';
import { describe, expect, it } from 'vitest';
import { cancellationOf } from '../../lib/send/cancellation.ts';
import type { Clock } from '../../lib/time/clock.ts';
import { sleep } from '../../lib/time/sleep.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';

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

  it.each([-3_600_000, 3_600_000])('is as long where the time of day is set by %i ms', async (ms) => {
    const clock = new ManualClock();
    const wait = begin(2_000, clock);
    await clock.advance(500);
    clock.adjust(ms);
    await clock.advance(1_499);
    expect(wait.waited).toBeUndefined();
    await clock.advance(1);
    expect(wait.waited).toBe(true);
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
