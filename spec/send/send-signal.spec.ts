import { getEventListeners } from 'node:events';
import { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it, vi } from 'vitest';
import { lendSignal, SendSignal } from '../../lib/send/send-signal.ts';

describe(SendSignal.name, () => {
  it('is aborted once it is cut', () => {
    const signal = new SendSignal(undefined);
    expect(signal.aborted).toBe(false);
    signal.abort();
    expect(signal.aborted).toBe(true);
  });

  it("is aborted when the caller's signal is, with its reason", () => {
    const controller = new AbortController();
    const signal = new SendSignal(controller.signal);
    controller.abort('enough');
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe('enough');
  });

  it('tells its listeners of a cut, with an event as a signal would', () => {
    const signal = new SendSignal(new AbortController().signal);
    const listener = vi.fn(function (this: unknown, event: unknown) {
      expect(this).toBe(signal);
      expect(event).toMatchObject({ type: 'abort' });
    });
    signal.addEventListener('abort', listener);
    signal.abort();
    expect(listener).toHaveBeenCalledOnce();
  });

  it("tells its listeners when the caller's signal is aborted", () => {
    const controller = new AbortController();
    const signal = new SendSignal(controller.signal);
    const listener = vi.fn();
    signal.addEventListener('abort', listener);
    controller.abort();
    expect(listener).toHaveBeenCalledOnce();
  });

  it("takes a listener away from the caller's signal as well", () => {
    const controller = new AbortController();
    const signal = new SendSignal(controller.signal);
    const listener = vi.fn();
    signal.addEventListener('abort', listener);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    signal.removeEventListener('abort', listener);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    signal.abort();
    expect(listener).not.toHaveBeenCalled();
  });

  it('tells everybody even when one listener takes itself away meanwhile', () => {
    const signal = new SendSignal(undefined);
    const last = vi.fn();
    const first = () => signal.removeEventListener('abort', first);
    signal.addEventListener('abort', first);
    signal.addEventListener('abort', last);
    signal.abort();
    expect(last).toHaveBeenCalledOnce();
  });

  it('gets along with something that merely looks like a signal', () => {
    const signal = new SendSignal({ aborted: false });
    signal.addEventListener('abort', () => {});
    signal.removeEventListener('abort', () => {});
    expect(signal.aborted).toBe(false);
    expect(signal.reason).toBeUndefined();
  });
});

describe(lendSignal.name, () => {
  const configOf = (config: object): InternalAxiosRequestConfig => ({ headers: new AxiosHeaders(), ...config });
  const adapter = async () => Promise.reject();

  it("lends axios' own adapters what looks like a signal, and puts back the caller's", () => {
    const { signal } = new AbortController();
    const config = configOf({ signal });
    const { abort, end, putBack } = lendSignal(config);
    expect(config.signal).toBeInstanceOf(SendSignal);
    abort();
    expect(config.signal?.aborted).toBe(true);
    putBack();
    end();
    expect(config.signal).toBe(signal);
  });

  describe('to an adapter that is a function', () => {
    it('is a real signal, one and the same', () => {
      const config = configOf({ adapter });
      const { abort } = lendSignal(config);
      expect(config.signal).toBeInstanceOf(AbortSignal);
      expect(config.signal).toBe(config.signal);
      expect(config.signal?.aborted).toBe(false);
      abort();
      expect(config.signal?.aborted).toBe(true);
    });

    it('is aborted already where it is read after we aborted it', () => {
      const config = configOf({ adapter });
      const { abort } = lendSignal(config);
      expect(abort).not.toThrow();
      expect(config.signal?.aborted).toBe(true);
    });

    it("is aborted when the caller's is, with its reason, whenever that is", () => {
      for (const isEarly of [true, false]) {
        const outer = new AbortController();
        const config = configOf({ adapter, signal: outer.signal });
        lendSignal(config);
        if (isEarly) outer.abort('enough');
        const lent = config.signal as AbortSignal;
        if (!isEarly) outer.abort('enough');
        expect([lent.aborted, lent.reason]).toEqual([true, 'enough']);
      }
    });

    it("lets go of the caller's signal at its end", () => {
      const outer = new AbortController();
      const config = configOf({ adapter, signal: outer.signal });
      const { end, putBack } = lendSignal(config);
      void config.signal;
      expect(getEventListeners(outer.signal, 'abort')).toHaveLength(1);
      putBack();
      end();
      expect(getEventListeners(outer.signal, 'abort')).toHaveLength(0);
      expect(config.signal).toBe(outer.signal);
    });

    it('gets along with something that merely looks like a signal', () => {
      const config = configOf({ adapter, signal: { aborted: false } });
      const { abort, end } = lendSignal(config);
      void config.signal;
      abort();
      expect(config.signal?.aborted).toBe(true);
      expect(end).not.toThrow();
    });
  });
});
