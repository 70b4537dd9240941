import PQueue from 'p-queue';
import { permitsOf, SLOTS } from '../permits-of.js';

export const setup = permitsOf(() => {
  const queue = new PQueue({ concurrency: SLOTS });
  return {
    call: (work, signal) => queue.add(work, signal && { signal }),
    queued: () => queue.size,
    close: () => queue.clear(),
  };
});
