import { CanceledError, type InternalAxiosRequestConfig } from 'axios';
import type { Cancellation } from '../model/cancellation.ts';

/** The cancellation that a config carries; `undefined` where it carries none. */
export function cancellationOf({ signal, cancelToken }: InternalAxiosRequestConfig): Cancellation | undefined {
  if (!signal && !cancelToken) return undefined;
  return {
    get requested() {
      return Boolean(signal?.aborted || cancelToken?.reason);
    },
    subscribe(listener) {
      signal?.addEventListener?.('abort', listener);
      const token = cancelToken as SubscribableToken | undefined;
      token?.subscribe?.(listener);
      return () => {
        signal?.removeEventListener?.('abort', listener);
        token?.unsubscribe?.(listener);
      };
    },
  };
}

/** What axios' own typings leave out. */
interface SubscribableToken {
  subscribe?(listener: () => void): void;
  unsubscribe?(listener: () => void): void;
}

/** The very error that axios rejects a cancelled request with. */
export function canceledError(config: InternalAxiosRequestConfig): unknown {
  if (config.cancelToken?.reason) return config.cancelToken.reason;
  // axios' typings give it the constructor of AxiosError; it is (message, config, request).
  const Canceled = CanceledError as unknown as new (message: null, config: InternalAxiosRequestConfig) => Error;
  return new Canceled(null, config);
}
