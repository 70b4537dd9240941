import type { AxiosHeaders, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { axiosHeaders } from './axios-headers.ts';
import { lend } from './snapshot.ts';

type Transforms = InternalAxiosRequestConfig['transformResponse'];

/**
 * What the caller's `transformResponse` makes of the body of an answer, for a judge that asks. It runs once only: where axios would run it
 * again, over the answer that ends the call, axios is given what was made.
 */
export class TransformedBody {
  readonly #config: InternalAxiosRequestConfig;
  readonly #response: AxiosResponse;
  #made: { readonly value: unknown } | undefined;

  constructor(config: InternalAxiosRequestConfig, response: AxiosResponse) {
    this.#config = config;
    this.#response = response;
  }

  /** Runs `transformResponse`. `undefined` where that throws; it will throw again when axios runs it. */
  make(): unknown {
    const [config, response] = [this.#config, this.#response];
    // As axios does, so that an error that a transform makes can carry the answer.
    Reflect.set(config, 'response', response);
    try {
      const { data, headers, status } = response;
      this.#made = { value: transform(config.transformResponse, config, data, axiosHeaders(headers), status) };
    } catch {
      // The caller will get the error when axios runs it: that one carries the answer.
    } finally {
      Reflect.deleteProperty(config, 'response');
    }
    return this.#made?.value;
  }

  /** Gives axios what was made, in place of `transformResponse`, where the call ends with this very answer. */
  handOver(ending: AxiosResponse | undefined): void {
    const [config, made, response] = [this.#config, this.#made, this.#response];
    if (made === undefined || ending !== response) return;
    const { transformResponse } = config;
    const raw: unknown = response.data;
    let isTaken = false;
    const take = (data: unknown, headers: AxiosHeaders, status?: number): unknown => {
      putBack();
      // An interceptor may have changed the body in between, or sent the config once more before axios came for this.
      if (isTaken || data !== raw) return transform(transformResponse, config, data, headers, status);
      isTaken = true;
      return made.value;
    };
    const putBack = lend(config, 'transformResponse', take);
  }
}

/** As axios does it: one function or several, each over what the one before it made. */
function transform(
  transforms: Transforms,
  config: InternalAxiosRequestConfig,
  data: unknown,
  headers: AxiosHeaders,
  status: number | undefined,
): unknown {
  const each = typeof transforms === 'function' ? [transforms] : Object.values(transforms ?? []);
  return each.reduce((made, run) => run.call(config, made, headers.normalize(false), status), data);
}
