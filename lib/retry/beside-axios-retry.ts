import type { InternalAxiosRequestConfig } from 'axios';
import { isPlain } from '../check.ts';
import { warn } from '../observe/warn.ts';

/** Which have been warned about: one warning for an attachment is enough. */
const warned = new WeakSet<object>();
/** Of options that nobody reads there is one warning for a process. */
let hasWarnedOfLeftover = false;

/**
 * Looks whether axios-retry retries the same call: it writes its state on every config that it sees. Each of its retries is a whole
 * call to us, so that three of its and three of ours are sixteen sends.
 */
export function noticeAxiosRetry(attachment: object, config: InternalAxiosRequestConfig): void {
  const state = (config as { readonly 'axios-retry'?: unknown })['axios-retry'];
  // That of our own `axios-holdfast/axios-retry` is an instance of a class.
  if (!isPlain(state)) return;
  const { retryCount, retries } = state;
  // It writes its count on a config as soon as it sees it: without one it is not there, and nobody reads what the caller wrote for it.
  if (retryCount === undefined && Object.keys(state).length > 0 && !hasWarnedOfLeftover) {
    hasWarnedOfLeftover = true;
    warn(
      'HOLDFAST_AXIOS_RETRY',
      "a call has options for axios-retry (config['axios-retry']), which is not on this instance: they do nothing. Write config.holdfast = { retry: { maxRetries: 5 } }.",
    );
  }
  // With no retries it multiplies nothing.
  if (typeof retryCount !== 'number' || !(Number(retries) > 0) || warned.has(attachment)) return;
  warned.add(attachment);
  warn(
    'HOLDFAST_AXIOS_RETRY',
    'axios-retry is registered on an instance that holdfast is attached to: their sends multiply (3 retries each are up to 16 sends). Take one of them off.',
  );
}
