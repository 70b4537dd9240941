import { localLimiter } from '../../../dist/index.js';
import { permitsOf, SLOTS } from '../permits-of.js';

/** As the library itself takes its permits: awaited only where there is something to wait for. */
export const setup = permitsOf(() => {
  const limiter = localLimiter({
    requests: 1e9,
    perMs: 1_000,
    maxConcurrent: SLOTS,
    maxQueue: Number.POSITIVE_INFINITY,
  });
  return {
    async call(work, signal) {
      const acquired = limiter.acquire({ key: 'https://api.example', signal });
      const permit = acquired instanceof Promise ? await acquired : acquired;
      try {
        return await work();
      } finally {
        permit.release();
      }
    },
    queued: () => limiter.stats().queued,
    close: () => limiter.close(),
  };
});
