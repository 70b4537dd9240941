import {
  AxiosError,
  AxiosHeaders,
  type AxiosInstance,
  type AxiosResponse,
  CanceledError,
  type InternalAxiosRequestConfig,
  isCancel,
} from 'axios';

type NewAxiosError = new (
  message: string,
  code?: string,
  config?: InternalAxiosRequestConfig,
  request?: unknown,
  response?: AxiosResponse,
) => AxiosError;

/** axios' typings give it the constructor of AxiosError; it is (message, config, request). */
type NewCanceledError = new (message: null, config: InternalAxiosRequestConfig) => Error;

/**
 * The errors of axios that the loop itself makes. They are of the instance's own copy of axios, so that `instanceof` holds for
 * whoever caught them: an application that `require`s axios has other classes than the ESM that we import.
 */
export class AxiosErrors {
  readonly #bareInstance: () => AxiosInstance;
  #AxiosError: NewAxiosError = AxiosError as unknown as NewAxiosError;
  #CanceledError: NewCanceledError = CanceledError as unknown as NewCanceledError;
  #learning: Promise<void> | undefined;
  #learnt = false;

  /** @param bareInstance an instance of that copy without interceptors */
  constructor(bareInstance: () => AxiosInstance) {
    this.#bareInstance = bareInstance;
  }

  /**
   * What the first call through an instance of another copy has to wait for: some microtasks, and nothing is sent. `undefined`
   * for every call after it, and for an instance of our own copy.
   */
  ready({ headers }: InternalAxiosRequestConfig): Promise<void> | undefined {
    if (this.#learnt || headers instanceof AxiosHeaders) return undefined;
    this.#learning ??= this.#learn();
    return this.#learning;
  }

  axiosError(
    message: string,
    code: string,
    config: InternalAxiosRequestConfig,
    request?: unknown,
    response?: AxiosResponse,
  ): AxiosError {
    return new this.#AxiosError(message, code, config, request, response);
  }

  /** The very error that axios rejects a cancelled request with. */
  canceledError(config: InternalAxiosRequestConfig): unknown {
    return config.cancelToken?.reason ?? new this.#CanceledError(null, config);
  }

  /** A copy keeps its classes to itself, but a request that is cancelled before it begins rejects with one of them. */
  async #learn(): Promise<void> {
    try {
      await this.#bareInstance().request({ url: '', signal: { aborted: true } });
    } catch (error) {
      // An instance that cannot make another (`new Axios()`) keeps to our classes.
      if (!isCancel(error)) return;
      this.#CanceledError = (error as object).constructor as NewCanceledError;
      this.#AxiosError = Object.getPrototypeOf(this.#CanceledError.prototype).constructor as NewAxiosError;
    } finally {
      this.#learnt = true;
    }
  }
}
