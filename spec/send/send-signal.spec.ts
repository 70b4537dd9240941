import { getEventListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { SendSignal } from '../../lib/send/send-signal.ts';

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
