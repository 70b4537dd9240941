import type { Limiter } from 'axios-holdfast';

/** Several limits as one limiter, in which each has the same key. */
export function underOneKey(limiter: Limiter, count: number): Limiter {
  const keyOf = (key: string) => JSON.stringify(Array.from({ length: count }, () => key));
  return {
    takesNested: true,
    acquire: (request) => limiter.acquire({ ...request, key: keyOf(request.key) }),
    pause: (key, untilAt) => limiter.pause(keyOf(key), untilAt),
    close: () => limiter.close(),
    stats: () => limiter.stats(),
  };
}
