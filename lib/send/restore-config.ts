import type { InternalAxiosRequestConfig } from 'axios';
import { type Outcome, responseOf } from '../call/outcome.ts';

/** Puts the caller's own config where axios hands it out, instead of the one that was sent. */
export function restoreConfig(outcome: Outcome, config: InternalAxiosRequestConfig): void {
  const { error } = outcome;
  if (error !== undefined) {
    // An adapter may reject with anything; what came without a config is left as it is.
    if (typeof error !== 'object' || error === null || !('config' in error)) return;
    Reflect.set(error, 'config', config);
  }
  const response = responseOf(outcome);
  // Reflect: something frozen keeps what it has.
  if (response !== undefined && response.config !== config) Reflect.set(response, 'config', config);
}
