import type { InternalAxiosRequestConfig } from 'axios';
import type { Cancellation } from '../call/cancellation.ts';

/** By what the caller of this config can give the call up: `signal`, `cancelToken` or both. `undefined` where there is neither. */
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

/** What the typings of axios leave out. */
interface SubscribableToken {
  subscribe?(listener: () => void): void;
  unsubscribe?(listener: () => void): void;
}
