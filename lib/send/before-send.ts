import type { InternalAxiosRequestConfig } from 'axios';
import type { Call } from '../call/call.ts';
import type { Outcome } from '../call/outcome.ts';

/**
 * Runs before every send, since axios' request interceptors run once per call. `config` is this send's own copy: change
 * headers, URL or parameters as you like; the caller's config stays as it was. `send` counts from 1; `last` is what the send before it
 * came to, whose answer may hold a nonce, and `undefined` on the first.
 *
 * It gives nothing, or `false`: then nothing more is sent, and the call ends with `last`; before the first send, as if the caller had
 * cancelled it. It may be asynchronous. If it throws, nothing is sent and the call rejects with what it threw. A call that it makes takes no permit of
 * the same limiter (in Node; elsewhere it could wait for the one that its own call holds).
 */
export type BeforeSend = (argument: {
  readonly config: InternalAxiosRequestConfig;
  readonly send: number;
  readonly call: Call;
  readonly last: Outcome | undefined;
  // biome-ignore lint/suspicious/noConfusingVoidType: a function that gives nothing fits `void` only
}) => void | false | Promise<void | false>;
