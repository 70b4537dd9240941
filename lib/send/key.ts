import type { InternalAxiosRequestConfig } from 'axios';
import { originOf } from '../call/address.ts';
import { requireKey } from '../check.ts';

/**
 * What a call shares with others: by the policy's function, else its origin.
 *
 * @throws {TypeError} where the function gives no string
 */
export function keyOf(
  key: ((config: InternalAxiosRequestConfig) => string) | undefined,
  config: InternalAxiosRequestConfig,
  option: string,
): string {
  return requireKey(key?.(config) ?? originOf(config), option);
}
