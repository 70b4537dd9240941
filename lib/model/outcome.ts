import type { AxiosResponse } from 'axios';

/**
 * What one send gave: the response that axios resolved, or whatever the adapter rejected with.
 *
 * A bad status arrives as a rejected `AxiosError` normally and as a resolved response when `validateStatus` lets it
 * through; `responseOf` finds the response in either. `response.data` is the raw, untransformed body here.
 */
export type Outcome =
  | { readonly response: AxiosResponse; readonly error?: undefined }
  | { readonly error: unknown; readonly response?: undefined };

/** The server's answer in an outcome, whichever way axios delivered it; `undefined` if there was none. */
export function responseOf(outcome: Outcome): AxiosResponse | undefined {
  if (outcome.response !== undefined) return outcome.response;
  const response = (outcome.error as { response?: unknown } | null | undefined)?.response;
  return typeof response === 'object' && response !== null ? (response as AxiosResponse) : undefined;
}
