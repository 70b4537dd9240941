import type { AxiosHeaders, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { axiosHeaders } from './axios-headers.ts';
import { lend } from './snapshot.ts';

type Transforms = InternalAxiosRequestConfig['transformResponse'];

/**
 * What the caller's `transformResponse` makes of an answer's body, for a judge that asks. It runs once: axios, which runs it over the
 * answer that ends the call, is handed what was made.
 */
export class TransformedBody {
  private readonly config: InternalAxiosRequestConfig;
  private readonly response: AxiosResponse;
  private made: { readonly value: unknown } | undefined;

  constructor(config: InternalAxiosRequestConfig, response: AxiosResponse) {
    this.config = config;
    this.response = response;
  }

  /** Makes it; `undefined` where `transformResponse` throws, as it will do for axios again. */
  make(): unknown {
    const { config, response } = this;
    // As axios has it, so that an error which a transform makes can name its answer.
    Reflect.set(config, 'response', response);
    try {
      const { data, headers, status } = response;
      this.made = { value: transform(config.transformResponse, config, data, axiosHeaders(headers), status) };
    } catch {
      // Whoever reads the error wants axios', which carries the answer.
    } finally {
      Reflect.deleteProperty(config, 'response');
    }
    return this.made?.value;
  }

  /** Has axios take what was made, if anything was. Called when the call ends with this answer. */
  handOver(ending: AxiosResponse | undefined): void {
    const { config, made, response } = this;
    if (made === undefined || ending !== response) return;
    const { transformResponse } = config;
    const raw: unknown = response.data;
    let isTaken = false;
    const take = (data: unknown, headers: AxiosHeaders, status?: number): unknown => {
      putBack();
      // Somebody in between may have changed the body, or have sent the config once more before axios came to take this.
      if (isTaken || data !== raw) return transform(transformResponse, config, data, headers, status);
      isTaken = true;
      return made.value;
    };
    const putBack = lend(config, 'transformResponse', take);
  }
}

/** As axios does it: one function or several, each with what the last one made. */
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
