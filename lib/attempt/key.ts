import type { InternalAxiosRequestConfig } from 'axios';
import { shown } from '../check.ts';
import { originOf } from '../model/address.ts';

/**
 * What a call shares with others: by the policy's function, else its origin.
 *
 * @throws {TypeError} where the function gives no string: any two objects, or promises, would be two keys, and nobody would know
 */
export function keyOf(
  key: ((config: InternalAxiosRequestConfig) => string) | undefined,
  config: InternalAxiosRequestConfig,
  option: string,
): string {
  const made: unknown = key?.(config) ?? originOf(config);
  if (typeof made === 'string') return made;
  throw new TypeError(`${option} must return a string, got ${shown(made)}`);
}
