import type { AxiosInstance } from 'axios';

/**
 * By what the request interceptor of axios-retry is known. From 4.1 on, for the sake of `validateResponse`, it does away with
 * `validateStatus`, and before 4.0 it notes when a request was made: both survive a minifier. That of 4.0 calls a function of this name.
 */
const SIGNS = [/\.validateResponse\b[\s\S]*\.validateStatus\s*=/, /\.lastRequestTime\s*=[^=]/, /\bsetCurrentState\(/];

/** Whether axios-retry itself is registered on an instance. */
export function hasAxiosRetry({ interceptors }: Pick<AxiosInstance, 'interceptors'>): boolean {
  const { handlers } = interceptors.request as unknown as {
    handlers?: readonly ({ readonly fulfilled?: unknown } | null)[];
  };
  return handlers?.some((handler) => isTheirs(handler?.fulfilled)) ?? false;
}

function isTheirs(fulfilled: unknown): boolean {
  if (typeof fulfilled !== 'function') return false;
  const text = Function.prototype.toString.call(fulfilled);
  return SIGNS.some((sign) => sign.test(text));
}
