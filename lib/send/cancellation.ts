import type { InternalAxiosRequestConfig } from 'axios';
import type { Cancellation } from '../call/cancellation.ts';

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
