import type { InternalAxiosRequestConfig } from 'axios';

/**
 * The same headers as an object of their own, of whichever copy of axios they came from. axios' http adapter writes into
 * the headers that it is given; copying by prototype costs a quarter of `new AxiosHeaders(headers)`.
 *
 * @param kin whose methods the copy has, where the headers may be a plain object
 */
export function copyOfHeaders(
  headers: InternalAxiosRequestConfig['headers'],
  kin = headers,
): InternalAxiosRequestConfig['headers'] {
  return Object.assign(Object.create(Object.getPrototypeOf(kin)), headers);
}

/** A config for one send: what is written into it, its headers or its parameters does not show on the caller's. */
export function copyOfConfig(config: InternalAxiosRequestConfig): InternalAxiosRequestConfig {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(config)), config);
  // What axios gives a config without a prototype; it is not enumerable, so it is not among what was assigned.
  const method = Object.getOwnPropertyDescriptor(config, 'hasOwnProperty');
  if (method !== undefined) Object.defineProperty(copy, 'hasOwnProperty', method);
  copy.headers = copyOfHeaders(config.headers);
  if (config.params instanceof URLSearchParams) copy.params = new URLSearchParams(config.params);
  else if (isPlain(config.params)) copy.params = { ...config.params };
  return copy;
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Changes one setting for as long as the config is lent out; gives the function that puts it back as it was. */
export function lend<K extends keyof InternalAxiosRequestConfig>(
  config: InternalAxiosRequestConfig,
  name: K,
  value: InternalAxiosRequestConfig[K],
): () => void {
  const had = Object.hasOwn(config, name);
  const before = config[name];
  config[name] = value;
  return () => {
    if (had) config[name] = before;
    else delete config[name];
  };
}
