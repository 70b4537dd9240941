import type { AxiosResponse } from 'axios';

/**
 * What one send gave: the response that axios resolved, or whatever the adapter rejected with.
 *
 * A bad status arrives as a rejected `AxiosError` normally and as a resolved response when `validateStatus` lets it
 * through, so that `outcome.response` alone misses most bad answers: a judge's `response` is that of either. `response.data` is the
 * raw, untransformed body here; a judge's `data` is the other.
 */
export type Outcome =
  | { readonly response: AxiosResponse; readonly error?: undefined }
  | { readonly error: unknown; readonly response?: undefined };

/**
 * The server's answer in an outcome, whichever way axios delivered it; `undefined` if there was none, or if an adapter gave
 * what is no response.
 */
export function responseOf(outcome: Outcome): AxiosResponse | undefined {
  const response: unknown = outcome.response ?? (outcome.error as { response?: unknown } | null | undefined)?.response;
  return typeof response === 'object' && response !== null ? (response as AxiosResponse) : undefined;
}
