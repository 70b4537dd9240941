import type { AxiosResponse } from 'axios';

/**
 * What one send gave, just as the adapter gave it: the response that it resolved with, or whatever it rejected with.
 *
 * As a rule a bad status is a rejected `AxiosError`. Where `validateStatus` lets it through it is a response. So `outcome.response` alone
 * misses most bad answers; the `response` of a judge's evidence has both. `response.data` is the raw body here, before
 * `transformResponse`; the `data` of the evidence is what `transformResponse` makes of it.
 */
export type Outcome =
  | { readonly response: AxiosResponse; readonly error?: undefined }
  | { readonly error: unknown; readonly response?: undefined };

/**
 * The server's answer in an outcome, whether axios resolved with it or rejected; `undefined` where no answer came, or where an adapter
 * gave something that is no response.
 */
export function responseOf(outcome: Outcome): AxiosResponse | undefined {
  const response: unknown = outcome.response ?? (outcome.error as { response?: unknown } | null | undefined)?.response;
  return typeof response === 'object' && response !== null ? (response as AxiosResponse) : undefined;
}

/** Whether a 2xx broke off on its way: then axios' http adapter rejects with a response that never got its `data`. */
export function brokeOff(outcome: Outcome): boolean {
  if (outcome.error === undefined) return false;
  const response = responseOf(outcome);
  return response !== undefined && response.status >= 200 && response.status < 300 && !('data' in response);
}
