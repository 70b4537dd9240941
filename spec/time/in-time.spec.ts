import { describe, expect, it, vi } from 'vitest';
import { inTime } from '../../lib/time/in-time.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { unhandledDuring } from '../support/unhandled.ts';

function begin<T>(answer: Promise<T>, late?: () => void) {
  const clock = new ManualClock();
  const result = inTime(answer, { ms: 500, clock, who: 'The store', late });
  const state: { settled: unknown } = { settled: undefined };
  result.then(
    (value) => {
      state.settled = { value };
    },
    (error: unknown) => {
      state.settled = { error };
    },
  );
  return { clock, state, result };
}

describe(inTime.name, () => {
  it('gives what comes in time, and leaves no timer', async () => {
    const { clock, result } = begin(Promise.resolve('PONG'));
    expect(await result).toBe('PONG');
    expect(clock.pending).toBe(0);
  });

  it('rejects as the answer does, and leaves no timer', async () => {
    const refusal = new Error('READONLY');
    const { clock, result } = begin(Promise.reject(refusal));
    await expect(result).rejects.toBe(refusal);
    expect(clock.pending).toBe(0);
  });

  it('gives up when the time is up, says who did not answer, and leaves no timer', async () => {
    const late = vi.fn();
    const { clock, state } = begin(new Promise(() => {}), late);
    await clock.advance(519);
    expect([state.settled, late.mock.calls.length]).toEqual([undefined, 0]);
    await clock.advance(1);
    expect(state.settled).toMatchObject({
      error: { message: 'The store did not answer within 500 ms', code: 'ETIMEDOUT' },
    });
    expect(late).toHaveBeenCalledTimes(1);
    expect(clock.pending).toBe(0);
  });

  it('takes an answer that lay unread when the time was up: timers run before sockets are read', async () => {
    let answer = (_: string) => {};
    const late = vi.fn();
    const { clock, state } = begin(new Promise<string>((resolve) => (answer = resolve)), late);
    await clock.advance(500);
    answer('PONG');
    await clock.advance(1_000);
    expect(state.settled).toEqual({ value: 'PONG' });
    expect(late).not.toHaveBeenCalled();
    expect(clock.pending).toBe(0);
  });

  it('needs nobody to be told that the time is up', async () => {
    const { clock, state } = begin(new Promise(() => {}));
    await clock.advance(520);
    expect(state.settled).toMatchObject({ error: { code: 'ETIMEDOUT' } });
  });

  it('leaves what the answer does later to nobody', async () => {
    const unhandled = await unhandledDuring(async () => {
      let refuse = (_: Error) => {};
      const { clock } = begin(new Promise((_, reject) => (refuse = reject)));
      await clock.advance(520);
      refuse(new Error('too late'));
      await settle();
    });
    expect(unhandled).toEqual([]);
  });
});
