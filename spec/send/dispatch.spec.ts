import { getEventListeners } from 'node:events';
import { PassThrough } from 'node:stream';
import { type AxiosAdapter, AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../lib/call/outcome.ts';
import { cancellationOf } from '../../lib/send/cancellation.ts';
import { BoundedSend, dispatch } from '../../lib/send/dispatch.ts';
import { SendSignal } from '../../lib/send/send-signal.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { unhandledDuring } from '../support/unhandled.ts';

const ANSWER = { status: 200, data: 'x', headers: {}, config: {} } as never;
const configOf = (config: object = {}): InternalAxiosRequestConfig => ({ headers: new AxiosHeaders(), ...config });

/** A send that the test ends. */
function send(ms: number, config: InternalAxiosRequestConfig) {
  const clock = new ManualClock();
  const seen: { timeout?: number | undefined; signal?: unknown } = {};
  const settlers: { resolve: (response: never) => void; reject: (error: unknown) => void }[] = [];
  const adapter: AxiosAdapter = (sent) => {
    Object.assign(seen, { timeout: sent.timeout, signal: sent.signal });
    return new Promise((resolve, reject) => settlers.push({ resolve, reject }));
  };
  const overdue: Outcome = { error: new Error('overdue') };
  const cancelled: Outcome = { error: new Error('cancelled') };
  const bounds = { ms, onTimeout: () => overdue, cancellation: cancellationOf(config), onCancel: () => cancelled };
  const state: { outcome?: Outcome } = {};
  const dispatched = new BoundedSend(bounds, adapter, config, clock);
  const promise = dispatched.outcome.then((outcome) => {
    state.outcome = outcome;
  });
  return {
    clock,
    seen,
    aborter: dispatched.aborter,
    state,
    overdue,
    cancelled,
    promise,
    ...(settlers[0] as (typeof settlers)[number]),
  };
}

describe(dispatch.name, () => {
  it('gives the response', async () => {
    expect(await dispatch(() => Promise.resolve(ANSWER), configOf())).toEqual({ response: ANSWER });
  });

  it.each([[new Error('no')], ['a string'], [undefined], [null], [0]])(
    'gives what it rejects with: %s',
    async (reason) => {
      const outcome = await dispatch(() => Promise.reject(reason), configOf());
      expect(outcome).toEqual({ error: reason });
      expect('error' in outcome).toBe(true);
    },
  );

  it('gives what an adapter throws', async () => {
    const error = new Error('no');
    const throwing = () => {
      throw error;
    };
    expect(await dispatch(throwing, configOf())).toEqual({ error });
  });

  it('takes an answer that is no promise, and a promise of another make', async () => {
    expect(await dispatch((() => ANSWER) as never, configOf())).toEqual({ response: ANSWER });
    // biome-ignore lint/suspicious/noThenProperty: it is to be a promise of another make.
    const thenable = { then: (resolve: (value: unknown) => void) => resolve(ANSWER) };
    expect(await dispatch((() => thenable) as never, configOf())).toEqual({ response: ANSWER });
  });
});

describe(BoundedSend.name, () => {
  describe.each([
    ['an adapter of axios', 'http'],
    ['an adapter function', () => Promise.resolve(ANSWER)],
  ] as const)('around %s', (_, adapter) => {
    it('gives an outcome that comes in time, and leaves nothing', async () => {
      const { signal } = new AbortController();
      const { clock, state, promise, resolve } = send(1_000, configOf({ adapter, signal }));
      await clock.advance(999);
      resolve(ANSWER);
      await promise;
      expect(state.outcome).toEqual({ response: ANSWER });
      expect(clock.pending).toBe(0);
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    });

    it('gives a failure that comes in time', async () => {
      const { state, promise, reject } = send(1_000, configOf({ adapter }));
      reject('odd');
      await promise;
      expect(state.outcome).toEqual({ error: 'odd' });
    });

    it('ends it at the deadline, and not before', async () => {
      const { clock, state, overdue, promise } = send(1_000, configOf({ adapter }));
      await clock.advance(999);
      expect(state.outcome).toBeUndefined();
      await clock.advance(1);
      await promise;
      expect(state.outcome).toBe(overdue);
    });

    it('puts the config back as it was, whatever comes first', async () => {
      const { signal } = new AbortController();
      for (const own of [{}, { timeout: 7 }, { timeout: 0, signal }]) {
        const config = configOf({ adapter, ...own });
        const before = Object.entries(config);
        const inTime = send(1_000, config);
        inTime.resolve(ANSWER);
        await inTime.promise;
        expect(Object.entries(config)).toEqual(before);
        const late = send(1_000, config);
        await late.clock.advance(1_000);
        expect(Object.entries(config)).toEqual(before);
      }
    });

    it('gets rid of the body of an answer that comes too late, accepted or not', async () => {
      const accepted = send(10, configOf({ adapter }));
      const rejected = send(10, configOf({ adapter }));
      const bodies = [new PassThrough(), new PassThrough()];
      await accepted.clock.advance(10);
      await rejected.clock.advance(10);
      accepted.resolve({ status: 200, data: bodies[0] } as never);
      rejected.reject(Object.assign(new Error('503'), { response: { status: 503, data: bodies[1] } }));
      await settle();
      expect(bodies.map(({ destroyed }) => destroyed)).toEqual([true, true]);
      expect(accepted.state.outcome).toBe(accepted.overdue);
    });

    it('swallows a rejection that comes too late', async () => {
      const { clock, reject } = send(10, configOf({ adapter }));
      const unhandled = await unhandledDuring(async () => {
        await clock.advance(10);
        reject(new Error('late'));
      });
      expect(unhandled).toEqual([]);
    });

    it('arms no timer, and lends no signal, where nothing bounds it', () => {
      const { clock, seen, aborter } = send(Number.POSITIVE_INFINITY, configOf({ adapter }));
      expect(clock.pending).toBe(0);
      expect(seen.signal).toBeUndefined();
      expect(aborter).toBeUndefined();
    });
  });

  it('cuts an adapter of axios off by a signal, and leaves its timeout alone', async () => {
    const { clock, seen } = send(1_000, configOf({ adapter: 'http', timeout: 5_000 }));
    expect(seen.timeout).toBe(5_000);
    const signal = seen.signal as SendSignal;
    expect(signal).toBeInstanceOf(SendSignal);
    let told = 0;
    signal.addEventListener('abort', () => {
      told += 1;
    });
    await clock.advance(1_000);
    expect(signal.aborted).toBe(true);
    expect(told).toBe(1);
  });

  it('cuts an adapter function off by a real AbortSignal, and leaves its timeout alone', async () => {
    const { signal } = new AbortController();
    const config = configOf({ adapter: () => Promise.resolve(ANSWER), timeout: 5_000, signal });
    const { clock, seen, state, overdue } = send(1_000, config);
    const lent = seen.signal as AbortSignal;
    expect(lent).toBeInstanceOf(AbortSignal);
    expect(lent).not.toBe(signal);
    expect(seen.timeout).toBe(5_000);
    await clock.advance(999);
    expect(lent.aborted).toBe(false);
    await clock.advance(1);
    expect(lent.aborted).toBe(true);
    expect(state.outcome).toBe(overdue);
    expect(config.signal).toBe(signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it("hands the caller's abort on to an adapter function, with its reason", () => {
    const controller = new AbortController();
    const { seen } = send(1_000, configOf({ adapter: () => Promise.resolve(ANSWER), signal: controller.signal }));
    controller.abort('enough');
    expect(seen.signal).toMatchObject({ aborted: true, reason: 'enough' });
  });

  it("hears the caller until the body of an adapter function's answer is over", async () => {
    const controller = new AbortController();
    const config = configOf({ adapter: () => Promise.resolve(ANSWER), signal: controller.signal });
    const { aborter, promise, resolve } = send(1_000, config);
    resolve({ status: 200, data: new PassThrough() } as never);
    await promise;
    // One of the adapter's signal; of the call that is over none.
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    aborter?.end();
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('does not wait for an adapter function that is deaf to the signal', async () => {
    const controller = new AbortController();
    const config = configOf({ adapter: () => Promise.resolve(ANSWER), signal: controller.signal });
    const { clock, state, cancelled, resolve } = send(Number.POSITIVE_INFINITY, config);
    controller.abort();
    await settle();
    expect(state.outcome).toBe(cancelled);
    expect(clock.pending).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    const body = new PassThrough();
    resolve({ status: 200, data: body } as never);
    await settle();
    expect(body.destroyed).toBe(true);
  });
});
