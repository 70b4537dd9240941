import type { InternalAxiosRequestConfig } from 'axios';
import { type Outcome, responseOf } from '../call/outcome.ts';

/** Replaces the config of a response or an error, which is that of the send, by the caller's own: so axios hands that out. */
export function restoreConfig(outcome: Outcome, config: InternalAxiosRequestConfig): void {
  const { error } = outcome;
  if (error !== undefined) {
    // An adapter may reject with anything. What came without a config gets none.
    if (typeof error !== 'object' || error === null || !('config' in error)) return;
    Reflect.set(error, 'config', config);
  }
  const response = responseOf(outcome);
  // Reflect, since a plain assignment would throw on a frozen response; that keeps what it has.
  if (response !== undefined && response.config !== config) Reflect.set(response, 'config', config);
}
