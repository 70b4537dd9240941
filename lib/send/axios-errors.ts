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

/** In axios' typings it has the constructor of AxiosError; in fact it takes (message, config, request). */
type NewCanceledError = new (message: null, config: InternalAxiosRequestConfig) => Error;

/**
 * Makes the AxiosErrors and CanceledErrors that the loop needs, of the classes of the instance's own copy of axios. So `instanceof` holds
 * for whoever catches them: an application that `require`s axios has other classes than the ESM that we import.
 */
export class AxiosErrors {
  readonly #bareInstance: () => AxiosInstance;
  #AxiosError: NewAxiosError = AxiosError as unknown as NewAxiosError;
  #CanceledError: NewCanceledError = CanceledError as unknown as NewCanceledError;
  #learning: Promise<void> | undefined;
  #learnt = false;

  /** @param bareInstance makes an instance of that copy, without interceptors */
  constructor(bareInstance: () => AxiosInstance) {
    this.#bareInstance = bareInstance;
  }

  /**
   * What the first call of an instance of another copy has to wait for, until its classes are known: a few microtasks, in which nothing is
   * sent. `undefined` for every call after that, and for an instance of our own copy.
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

  /** What axios itself would reject a cancelled request with: the reason of a CancelToken, else a CanceledError. */
  canceledError(config: InternalAxiosRequestConfig): unknown {
    return config.cancelToken?.reason ?? new this.#CanceledError(null, config);
  }

  /** Learns the classes of that copy, which does not export them: a request that is cancelled before it begins rejects with one. */
  async #learn(): Promise<void> {
    try {
      await this.#bareInstance().request({ url: '', signal: { aborted: true } });
    } catch (error) {
      // An instance that can't make another one (`new Axios()`): then it gets errors of our classes.
      if (!isCancel(error)) return;
      this.#CanceledError = (error as object).constructor as NewCanceledError;
      this.#AxiosError = Object.getPrototypeOf(this.#CanceledError.prototype).constructor as NewAxiosError;
    } finally {
      this.#learnt = true;
    }
  }
}
