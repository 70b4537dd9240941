import type { AxiosError, InternalAxiosRequestConfig } from 'axios';
import type { IAxiosRetryConfigExtended } from 'axios-retry';
import type { Call } from '../call/call.ts';
import type { RetryOptions } from './options.ts';

/**
 * What stands in a config under `axios-retry` from the beginning of its call on: the call's options, and how far it is. It is the same
 * object on the caller's config and on those of the sends, so that what a hook writes there holds for the rest of the call.
 *
 * An instance of a class, because axios clones plain objects; and `retry/beside-axios-retry.ts` tells it by that from the real one's.
 */
export class RetryState implements RetryOptions, IAxiosRetryConfigExtended {
  retries: RetryOptions['retries'];
  shouldResetTimeout: RetryOptions['shouldResetTimeout'];
  retryCondition: RetryOptions['retryCondition'];
  retryDelay: RetryOptions['retryDelay'];
  onRetry: RetryOptions['onRetry'];
  onMaxRetryTimesExceeded: RetryOptions['onMaxRetryTimesExceeded'];
  validateResponse: RetryOptions['validateResponse'];
  retryCount = 0;
  lastRequestTime: number;
  /** The call that it is of; known from its first failure on. */
  #callId: string | undefined;
  /** What the `timeout` of the next send is to be, in ms, where the tries share one. */
  #timeoutMs: number | undefined;
  /** What the sends after the first are made of. */
  #template: InternalAxiosRequestConfig | undefined;

  constructor(options: RetryOptions, lastRequestTime: number) {
    this.retries = options.retries;
    this.shouldResetTimeout = options.shouldResetTimeout;
    this.retryCondition = options.retryCondition;
    this.retryDelay = options.retryDelay;
    this.onRetry = options.onRetry;
    this.onMaxRetryTimesExceeded = options.onMaxRetryTimesExceeded;
    this.validateResponse = options.validateResponse;
    this.lastRequestTime = lastRequestTime;
  }

  /** A send of that call has been answered. */
  sent({ id, sentAt }: Call): void {
    this.#callId = id;
    if (sentAt !== undefined) this.lastRequestTime = sentAt;
  }

  /** An error that a hook throws may come from another call, and carry that one's state. */
  isOf(callId: string): boolean {
    return this.#callId === callId;
  }

  /**
   * Shares what is left of `timeout` with the next send: the whole of it, less what the last send and the wait take. With a `timeout` of
   * 1 s, a send that took 300 ms and a wait of 200 ms leave 500 ms.
   *
   * @returns whether anything is left
   */
  shareTimeout(config: InternalAxiosRequestConfig, lastedMs: number, delayMs: number): boolean {
    const timeoutMs = Number((this.#template ?? config).timeout);
    this.#timeoutMs = undefined;
    if (this.shouldResetTimeout || !(timeoutMs > 0)) return true;
    // axios cuts a fraction off, and takes 0 for no timeout at all.
    this.#timeoutMs = Math.ceil(timeoutMs - lastedMs - delayMs);
    return this.#timeoutMs > 0;
  }

  /** Tells `onRetry`, with the config that it may change. The error shows that config too, as it does with axios-retry. */
  async tellOfRetry(retry: number, error: AxiosError, template: InternalAxiosRequestConfig): Promise<void> {
    const { config } = error;
    this.#template = template;
    if (this.#timeoutMs !== undefined) template.timeout = this.#timeoutMs;
    Reflect.set(error, 'config', template);
    try {
      await this.onRetry(retry, error, template);
    } finally {
      Reflect.set(error, 'config', config);
    }
  }
}
