import type { ApiError } from './api-error.ts';

const SENTENCE = /(?:^|[.!] )Try again in (\d+) seconds?\.?$/i;

/**
 * The wait that an API gateway names in its message, in ms; `undefined` where it names none. "Rate limit is exceeded. Try again in 57
 * seconds." gives 57,000. For answers without a Retry-After header.
 *
 * Only errors of the shape `gateway` are read, and only whole seconds at the end of the message: elsewhere such a sentence may speak of
 * anything. At most `Number.MAX_SAFE_INTEGER`.
 */
export function retryHintMs(error: ApiError): number | undefined {
  if (error.shape !== 'gateway') return undefined;
  const seconds = SENTENCE.exec(error.message.trim())?.[1];
  return seconds === undefined ? undefined : Math.min(Number(seconds) * 1_000, Number.MAX_SAFE_INTEGER);
}
