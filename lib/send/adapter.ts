import {
  type AxiosAdapter,
  AxiosHeaders,
  type AxiosInstance,
  type AxiosRequestConfig,
  getAdapter,
  type InternalAxiosRequestConfig,
} from 'axios';
import { responseOf } from '../call/outcome.ts';
import { restoreConfig } from './restore-config.ts';

/** What axios tries, in this order, where a config names no adapter. */
const BUILT_IN: NonNullable<AxiosRequestConfig['adapter']> = ['xhr', 'http', 'fetch'];

/**
 * The adapter that axios would have used for this config.
 *
 * An instance of another copy of axios has adapters, headers and error classes of its own, and they can only be reached by sending through
 * it. So there the adapter is a bare instance of that copy. Its transforms are left out, since they have run already.
 *
 * @param bareInstance makes an instance of the same copy of axios, without interceptors
 */
export function adapterFor(config: InternalAxiosRequestConfig, bareInstance: () => AxiosInstance): AxiosAdapter {
  const option = config.adapter ?? BUILT_IN;
  if (typeof option === 'function') return option;
  if (config.headers instanceof AxiosHeaders) return getAdapter(option, config);
  const bare = bareInstance();
  return (send) =>
    bare.request({ ...send, adapter: option, transformRequest: [], transformResponse: [] }).then(
      (response) => {
        restoreConfig({ response }, send);
        return response;
      },
      (error: unknown) => {
        restoreConfig({ error }, send);
        // That instance writes `data` on every response, also where the answer broke off, which the loop tells by its lack.
        const response = responseOf({ error });
        if (response?.data === undefined) Reflect.deleteProperty(response ?? {}, 'data');
        throw error;
      },
    );
}
