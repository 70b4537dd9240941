import { getEventListeners } from 'node:events';
import axios from 'axios';
import { describe, expect, it } from 'vitest';
import { cancellationOf } from '../../lib/send/cancellation.ts';
import { Patience } from '../../lib/time/patience.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';

function begin(ms: number, config: object = {}) {
  const clock = new ManualClock();
  const patience = new Patience(ms, clock, cancellationOf(config as never));
  const state = { clock, patience, over: false };
  patience.over.then(() => {
    state.over = true;
  });
  return state;
}

describe(Patience.name, () => {
  it('is over after its time, and not before', async () => {
    const state = begin(1_000);
    await state.clock.advance(999);
    expect(state.over).toBe(false);
    await state.clock.advance(1);
    expect(state.over).toBe(true);
  });

  it('is over as soon as the call is cancelled', async () => {
    const controller = new AbortController();
    const state = begin(1_000, { signal: controller.signal });
    controller.abort();
    await settle();
    expect(state.over).toBe(true);
  });

  it.each([
    ['a signal', () => ({ signal: AbortSignal.abort() })],
    ['a CancelToken', () => ({ cancelToken: new axios.CancelToken((cancel) => cancel()) })],
  ])('is over at once when %s has ended the call before', async (_, config) => {
    const state = begin(1_000, config());
    await settle();
    expect(state.over).toBe(true);
    expect(state.clock.pending).toBe(0);
    state.patience.end();
  });

  it('leaves neither timer nor listener, however it ends', async () => {
    const { signal } = new AbortController();
    const early = begin(1_000, { signal });
    early.patience.end();
    const late = begin(1_000, { signal });
    await late.clock.advance(1_000);
    late.patience.end();
    await settle();
    expect([early.over, late.over]).toEqual([true, true]);
    expect([early.clock.pending, late.clock.pending]).toEqual([0, 0]);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('may be ended twice', () => {
    const { clock, patience } = begin(1_000);
    patience.end();
    patience.end();
    expect(clock.pending).toBe(0);
  });
});
