import { getEventListeners } from 'node:events';
import axios, { type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it, vi } from 'vitest';
import { cancellationOf } from '../../lib/send/cancellation.ts';
import { settle } from '../support/manual-clock.ts';

const of = (config: object) => cancellationOf(config as InternalAxiosRequestConfig);
const listenersOf = (token: unknown) => (token as { _listeners?: unknown[] | null })._listeners ?? [];

describe(cancellationOf.name, () => {
  it('is none where the config has none', () => {
    expect(of({})).toBeUndefined();
    expect(of({ signal: null, cancelToken: undefined })).toBeUndefined();
  });

  it('is requested when the signal is aborted', () => {
    const controller = new AbortController();
    const cancellation = of({ signal: controller.signal });
    expect(cancellation?.requested).toBe(false);
    controller.abort();
    expect(cancellation?.requested).toBe(true);
  });

  it('is requested when the token is cancelled, with or without a message', () => {
    for (const message of [undefined, '', 'enough']) {
      const { token, cancel } = axios.CancelToken.source();
      const cancellation = of({ cancelToken: token });
      expect(cancellation?.requested).toBe(false);
      cancel(message);
      expect(cancellation?.requested).toBe(true);
    }
  });

  it('tells of either, and takes its listener away from both', async () => {
    const controller = new AbortController();
    const { token, cancel } = axios.CancelToken.source();
    const cancellation = of({ signal: controller.signal, cancelToken: token });
    const listener = vi.fn();
    const gone = vi.fn();
    cancellation?.subscribe(listener);
    const unsubscribe = cancellation?.subscribe(gone);
    unsubscribe?.();
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    expect(listenersOf(token)).toHaveLength(1);
    controller.abort();
    expect(listener).toHaveBeenCalledTimes(1);
    cancel();
    await settle();
    expect(listener).toHaveBeenCalledTimes(2);
    expect(gone).not.toHaveBeenCalled();
  });

  it('gets along with what merely looks like a signal or a token', () => {
    const cancellation = of({ signal: { aborted: false }, cancelToken: { promise: Promise.resolve() } });
    expect(cancellation?.requested).toBe(false);
    expect(() => cancellation?.subscribe(() => {})()).not.toThrow();
  });
});
