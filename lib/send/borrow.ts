import type { InternalAxiosRequestConfig } from 'axios';
import { copyOfHeaders } from './snapshot.ts';

/** What the caller's config held before a request borrowed it. */
export interface Borrowed {
  readonly lent: InternalAxiosRequestConfig['headers'];
  readonly headers: InternalAxiosRequestConfig['headers'];
  readonly adapter: InternalAxiosRequestConfig['adapter'];
  readonly env: InternalAxiosRequestConfig['env'];
  readonly beforeRedirect: InternalAxiosRequestConfig['beforeRedirect'];
}

/**
 * Makes ready the caller's own config for a send, with headers of its own. To copy all of it would cost a tenth of a bare call.
 *
 * @returns what `giveBack` needs
 */
export function borrow(config: InternalAxiosRequestConfig): Borrowed {
  const { adapter, beforeRedirect, env, headers } = config;
  const lent = copyOfHeaders(headers);
  config.headers = lent;
  return { lent, headers, adapter, env, beforeRedirect };
}

/**
 * Puts back what the send may have changed. Mock adapters take themselves off the config that they are given. One that was frozen meanwhile
 * stays as it is.
 */
export function giveBack(config: InternalAxiosRequestConfig, borrowed: Borrowed): void {
  const { adapter, beforeRedirect, env, headers, lent } = borrowed;
  // Another call may have been given the same config, and have put its own back by now.
  if (config.headers === lent) Reflect.set(config, 'headers', headers);
  if (env !== config.env) putBack(config, 'env', env);
  if (beforeRedirect !== config.beforeRedirect) putBack(config, 'beforeRedirect', beforeRedirect);
  if (adapter !== undefined && config.adapter !== adapter) Reflect.set(config, 'adapter', adapter);
}

function putBack(config: InternalAxiosRequestConfig, name: 'env' | 'beforeRedirect', value: unknown): void {
  if (value === undefined) Reflect.deleteProperty(config, name);
  else Reflect.set(config, name, value);
}
