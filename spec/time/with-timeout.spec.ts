import { getEventListeners } from 'node:events';
import axios from 'axios';
import { describe, expect, it } from 'vitest';
import { cancellationOf } from '../../lib/send/cancellation.ts';
import { answerOf, withTimeout } from '../../lib/time/with-timeout.ts';
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

const NOTHING = { timers: 0, listeners: 0 };

/** What a promise has settled to so far; `undefined` while it has not. */
function stateOf(promise: Promise<unknown>): { settled: unknown } {
  const state: { settled: unknown } = { settled: undefined };
  promise.then(
    (value) => (state.settled = { value }),
    (error: unknown) => (state.settled = { error }),
  );
  return state;
}

describe(withTimeout.name, () => {
  it('gives what the promise gives, and leaves neither timer nor listener', async () => {
    const { left, ...bounds } = setting();
    expect(await withTimeout(Promise.resolve(7), { ms: 1_000, ...bounds })).toEqual({ kind: 'done', value: 7 });
    expect(left()).toEqual(NOTHING);
  });

  it('rejects as the promise does, and leaves nothing', async () => {
    const { left, ...bounds } = setting();
    const error = new Error('no');
    await expect(withTimeout(Promise.reject(error), { ms: 1_000, ...bounds })).rejects.toBe(error);
    expect(left()).toEqual(NOTHING);
  });

  it('waits until the time is up, and not beyond', async () => {
    const { left, ...bounds } = setting();
    const state = stateOf(withTimeout(never(), { ms: 1_000, ...bounds }));
    await bounds.clock.advance(999);
    expect(state.settled).toBeUndefined();
    await bounds.clock.advance(1);
    expect(state.settled).toEqual({ value: { kind: 'timeout' } });
    expect(left()).toEqual(NOTHING);
  });

  it('waits no longer than the call is wanted', async () => {
    const { left, ...bounds } = setting();
    const result = withTimeout(never(), { ms: 1_000, ...bounds });
    bounds.controller.abort();
    expect(await result).toEqual({ kind: 'cancelled' });
    expect(left()).toEqual(NOTHING);
  });

  it.each([
    ['a signal', { signal: AbortSignal.abort() }],
    ['a CancelToken', { cancelToken: new axios.CancelToken((cancel) => cancel()) }],
  ])('does not wait where %s has ended the call before', async (_, config) => {
    const { clock } = setting();
    const cancellation = cancellationOf(config as never);
    const result = withTimeout(Promise.resolve(7), { ms: 1_000, clock, cancellation });
    expect(clock.pending).toBe(0);
    expect(await result).toEqual({ kind: 'cancelled' });
  });

  it.each([0, -5])('gives what is there already, with %d ms left', async (ms) => {
    const { clock, cancellation } = setting();
    const there = withTimeout(Promise.resolve(7), { ms, clock, cancellation });
    const nothing = withTimeout(never(), { ms, clock, cancellation });
    expect(await clock.run(Promise.all([there, nothing]))).toEqual([{ kind: 'done', value: 7 }, { kind: 'timeout' }]);
  });

  it.each([
    [Number.POSITIVE_INFINITY, undefined],
    [2 ** 40, 2 ** 40],
  ])('sets a timer only where there is a bound (%d ms)', async (ms, set) => {
    const { clock } = setting();
    const result = withTimeout(settle(), { ms, clock });
    expect(clock.nextIn).toBe(set);
    expect(await result).toEqual({ kind: 'done', value: undefined });
  });

  it('shares one timer of the clock with all others', () => {
    const { clock } = setting();
    for (const ms of [1_000, 2_000, 3_000]) void withTimeout(never(), { ms, clock });
    expect(clock.pending).toBe(1);
  });

  it('takes a thenable that is no promise', async () => {
    const { clock } = setting();
    // biome-ignore lint/suspicious/noThenProperty: what `token` gives may be one
    const thenable = { then: (onDone: (value: number) => void) => onDone(7) } as PromiseLike<number>;
    expect(await withTimeout(thenable, { ms: 1_000, clock })).toEqual({ kind: 'done', value: 7 });
    expect(clock.pending).toBe(0);
  });

  it('leaves a rejection that comes after the end to nobody', async () => {
    const { clock, controller, cancellation } = setting();
    const unhandled = await unhandledDuring(async () => {
      const late = () => settle().then(() => Promise.reject(new Error('late')));
      const cut = withTimeout(late(), { ms: 0, clock, cancellation });
      const cancelled = withTimeout(late(), { ms: 1_000, clock, cancellation });
      controller.abort();
      const before = withTimeout(late(), { ms: 1_000, clock, cancellation });
      await clock.run(Promise.all([cut, cancelled, before]));
      await settle();
    });
    expect(unhandled).toEqual([]);
  });
});

describe(answerOf.name, () => {
  const ask = <T>(answer: Promise<T>) => {
    const clock = new ManualClock();
    const result = answerOf('The store', answer, { ms: 500, clock });
    return { clock, result, state: stateOf(result) };
  };

  it('gives what comes in time, and leaves no timer', async () => {
    const { clock, result } = ask(Promise.resolve('PONG'));
    expect(await result).toBe('PONG');
    expect(clock.pending).toBe(0);
  });

  it('rejects as the answer does, and leaves no timer', async () => {
    const refusal = new Error('READONLY');
    const { clock, result } = ask(Promise.reject(refusal));
    await expect(result).rejects.toBe(refusal);
    expect(clock.pending).toBe(0);
  });

  it('gives up when the time is up, says who did not answer, and leaves no timer', async () => {
    const { clock, state } = ask(never());
    await clock.advance(519);
    expect(state.settled).toBeUndefined();
    await clock.advance(1);
    expect(state.settled).toMatchObject({
      error: { message: 'The store did not answer within 500 ms', code: 'ETIMEDOUT' },
    });
    expect(clock.pending).toBe(0);
  });

  it('takes an answer that lay unread when the time was up: timers run before sockets are read', async () => {
    let answer = (_: string) => {};
    const { clock, state } = ask(new Promise<string>((resolve) => (answer = resolve)));
    await clock.advance(500);
    answer('PONG');
    await clock.advance(1_000);
    expect(state.settled).toEqual({ value: 'PONG' });
    expect(clock.pending).toBe(0);
  });

  it('leaves what the answer does later to nobody', async () => {
    const unhandled = await unhandledDuring(async () => {
      let refuse = (_: Error) => {};
      const { clock } = ask(new Promise((_, reject) => (refuse = reject)));
      await clock.advance(520);
      refuse(new Error('too late'));
      await settle();
    });
    expect(unhandled).toEqual([]);
  });
});
