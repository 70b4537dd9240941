import type { InternalAxiosRequestConfig } from 'axios';
import { originOf } from '../call/address.ts';
import { requireKey } from '../check.ts';

/**
 * The key under which a call shares a budget, a circuit or a limit with others: by the policy's function, else its origin.
 *
 * @param option the name of that function, for the error
 * @throws {TypeError} where it gives no string
 */
export function keyOf(
  key: ((config: InternalAxiosRequestConfig) => string | false) | undefined,
  config: InternalAxiosRequestConfig,
  option: string,
): string {
  return requireKey(key?.(config) ?? originOf(config), option);
}
