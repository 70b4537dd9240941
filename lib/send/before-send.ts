import type { InternalAxiosRequestConfig } from 'axios';
import type { Call } from '../call/call.ts';
import type { Outcome } from '../call/outcome.ts';

/**
 * Runs before every send; axios' own request interceptors run only once for a call. It may be asynchronous.
 *
 * `config` is the copy of this send: change its headers, URL or parameters; the caller's config stays as it was. `send` counts from 1.
 * `last` is the outcome of the send before it (its answer may hold a nonce); `undefined` at the first.
 *
 * If it gives `false`, nothing more is sent, and the call ends with `last`; before the first send, as if the caller had cancelled it. If it
 * throws, the call rejects with that. A call that it makes takes no permit of the same limiter, else it could wait for the one that its own
 * call holds; but only Node can tell which call that is.
 *
 * @example
 * const sign: BeforeSend = async ({ config }) => {
 *   config.headers.set('X-Signature', await signatureOf(config.method, config.url, config.data));
 * };
 */
export type BeforeSend = (argument: {
  readonly config: InternalAxiosRequestConfig;
  readonly send: number;
  readonly call: Call;
  readonly last: Outcome | undefined;
  // biome-ignore lint/suspicious/noConfusingVoidType: a function that gives nothing fits `void` only
}) => void | false | Promise<void | false>;
