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

/** What axios tries where a config names no adapter. */
const BUILT_IN: NonNullable<AxiosRequestConfig['adapter']> = ['xhr', 'http', 'fetch'];

/**
 * The adapter that axios would have used for this config.
 *
 * An instance from another copy of axios has adapters, headers and error classes of its own, and no way to reach
 * them but to send through it. So there a bare instance of that copy is the adapter, with the transforms, which have
 * run already, left out.
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
        // That instance writes the data of every answer, also of one that broke off before it had any.
        const response = responseOf({ error });
        if (response?.data === undefined) Reflect.deleteProperty(response ?? {}, 'data');
        throw error;
      },
    );
}
