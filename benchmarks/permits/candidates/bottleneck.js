import Bottleneck from 'bottleneck';
import { permitsOf, SLOTS } from '../permits-of.js';

export const setup = permitsOf(() => {
  const limiter = new Bottleneck({ maxConcurrent: SLOTS });
  return {
    call: (work, signal) => (signal === undefined ? limiter.schedule(work) : unlessAborted(limiter, work, signal)),
    queued: () => limiter.queued(),
    // The jobs that it drops reject, one after the other.
    close: () => limiter.stop({ dropWaitingJobs: true }),
  };
});

/** All that a caller can do: turn away. */
function unlessAborted(limiter, work, signal) {
  return new Promise((resolve, reject) => {
    const turnAway = () => reject(signal.reason);
    signal.addEventListener('abort', turnAway, { once: true });
    limiter
      .schedule(async () => {
        signal.removeEventListener('abort', turnAway);
        return signal.aborted ? undefined : work();
      })
      .then(resolve, reject);
  });
}
