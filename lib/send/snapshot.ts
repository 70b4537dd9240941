import type { InternalAxiosRequestConfig } from 'axios';
import { Foreign } from '../call/foreign.ts';
import { isPlain } from '../check.ts';

/**
 * A copy of headers, of the class that they are of, whichever copy of axios has made it. axios' http adapter writes into the headers that
 * it is given. To copy fields and prototype takes a quarter of the time of `new AxiosHeaders(headers)`.
 *
 * @param kin headers whose class the copy gets, where `headers` may be a plain object
 */
export function copyOfHeaders(
  headers: InternalAxiosRequestConfig['headers'],
  kin = headers,
): InternalAxiosRequestConfig['headers'] {
  return Object.assign(Object.create(Object.getPrototypeOf(kin)), headers);
}

/** A config for one send: what is written into it, into its headers or its parameters, does not show on the caller's. */
export function copyOfConfig(config: InternalAxiosRequestConfig): InternalAxiosRequestConfig {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(config)), config);
  // axios gives it to a config without a prototype. It is not enumerable, so it has not been assigned.
  const method = Object.getOwnPropertyDescriptor(config, 'hasOwnProperty');
  if (method !== undefined) Object.defineProperty(copy, 'hasOwnProperty', method);
  copy.headers = copyOfHeaders(config.headers);
  if (config.params instanceof URLSearchParams) copy.params = new URLSearchParams(config.params);
  else if (isPlain(config.params)) copy.params = { ...config.params };
  return copy;
}

/**
 * Changes one setting of a config for a while. Returns the function that puts it back as it was, also where it was not there. Of a config
 * that was frozen meanwhile nothing can be put back, and that is no reason to fail.
 */
export function lend<K extends keyof InternalAxiosRequestConfig>(
  config: InternalAxiosRequestConfig,
  name: K,
  value: InternalAxiosRequestConfig[K],
): () => void {
  const had = Object.hasOwn(config, name);
  const before = config[name];
  config[name] = value;
  return () => {
    if (had) Reflect.set(config, name, before);
    else Reflect.deleteProperty(config, name);
  };
}

/** The same for a config's signal, which is made when somebody first reads it. */
export function lendSignalOf(config: InternalAxiosRequestConfig, read: () => Signal): () => void {
  const own = Object.getOwnPropertyDescriptor(config, 'signal');
  const before = config.signal;
  Lent.set(config, read);
  Object.defineProperty(config, 'signal', ACCESSOR);
  return () => {
    Lent.set(config, () => before);
    if (own === undefined) Reflect.deleteProperty(config, 'signal');
    else Reflect.defineProperty(config, 'signal', own);
  };
}

type Signal = InternalAxiosRequestConfig['signal'];

/** How the signal of a config is read that has been lent one. */
class Lent extends Foreign {
  #read: () => Signal;

  private constructor(config: object, read: () => Signal) {
    super(config);
    this.#read = read;
  }

  static set(config: object, read: () => Signal): void {
    if (#read in config) config.#read = read;
    else new Lent(config, read);
  }

  /** Also of what was made with the config as its prototype. */
  static get(config: object): Signal {
    for (let at: object | null = config; at !== null; at = Object.getPrototypeOf(at))
      if (#read in at) return at.#read();
    return undefined;
  }
}

/** One for all configs, since the engine keeps each pair of accessors with the shape of objects that have it. */
const ACCESSOR: PropertyDescriptor & ThisType<InternalAxiosRequestConfig> = {
  get() {
    return Lent.get(this);
  },
  // Whoever has one of their own in its place writes it, as on any config.
  set(value) {
    Object.defineProperty(this, 'signal', { value, writable: true, enumerable: true, configurable: true });
  },
  enumerable: true,
  configurable: true,
};
