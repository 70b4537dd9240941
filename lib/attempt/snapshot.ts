import type { InternalAxiosRequestConfig } from 'axios';

/**
 * The same headers as an object of their own, of whichever copy of axios they came from. axios' http adapter writes into
 * the headers that it is given; copying by prototype costs a quarter of `new AxiosHeaders(headers)`.
 */
export function copyOfHeaders(headers: InternalAxiosRequestConfig['headers']): InternalAxiosRequestConfig['headers'] {
  return Object.assign(Object.create(Object.getPrototypeOf(headers)), headers);
}

/** A config for one send: what is written into it or its headers does not show on the caller's. */
export function copyOfConfig(config: InternalAxiosRequestConfig): InternalAxiosRequestConfig {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(config)), config);
  copy.headers = copyOfHeaders(config.headers);
  return copy;
}

/** Changes a config for as long as it is lent out; gives the function that puts everything back as it was. */
export function lend(config: InternalAxiosRequestConfig, changes: Partial<InternalAxiosRequestConfig>): () => void {
  const own = config as unknown as Record<string, unknown>;
  const before = Object.keys(changes).map((name) => ({ name, had: Object.hasOwn(own, name), value: own[name] }));
  Object.assign(config, changes);
  return () => {
    for (const { name, had, value } of before) {
      if (had) own[name] = value;
      else delete own[name];
    }
  };
}
