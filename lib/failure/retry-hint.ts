import type { ApiError } from './api-error.ts';

const SENTENCE = /(?:^|[.!] )Try again in (\d+) seconds?\.?$/i;

/**
 * The wait that an API gateway names in its message, in ms: 57,000 for "Rate limit is exceeded. Try again in 57
 * seconds."; `undefined` where it names none. For answers that lack a Retry-After header.
 *
 * Only errors of the shape `gateway` are read, and only whole seconds at the end of the message: in another API's
 * words such a sentence may speak of anything. Never more than `Number.MAX_SAFE_INTEGER`.
 */
export function retryHintMs(error: ApiError): number | undefined {
  if (error.shape !== 'gateway') return undefined;
  const seconds = SENTENCE.exec(error.message.trim())?.[1];
  return seconds === undefined ? undefined : Math.min(Number(seconds) * 1_000, Number.MAX_SAFE_INTEGER);
}
