/** Workers that make one call after the other, and how long each call took. */
import { setMaxListeners } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';

/** `call(signal)` makes one call. Begins at once. */
export function closedLoop(workers, call) {
  const abort = new AbortController();
  // Every worker listens, and so does whatever is measured: that is no leak to warn of.
  setMaxListeners(0, abort.signal);
  const underWay = new Set();
  let waits = [];
  let failed = 0;

  async function work() {
    while (!abort.signal.aborted) {
      const begun = { at: performance.now() };
      underWay.add(begun);
      try {
        await call(abort.signal);
        if (!abort.signal.aborted) waits.push(performance.now() - begun.at);
      } catch {
        if (!abort.signal.aborted) failed += 1;
        // A candidate that refuses without I/O must not keep the process busy with nothing else.
        await after(1);
      } finally {
        underWay.delete(begun);
      }
    }
  }

  const working = Array.from({ length: workers }, work);
  return {
    /** Forgets the waits and failures so far. */
    mark() {
      waits = [];
      failed = 0;
    },
    /** Ends all calls. A call that still waits counts with what it has waited: else those that starve would not count at all. */
    async end() {
      const now = performance.now();
      const result = { failed, waits: [...waits, ...[...underWay].map(({ at }) => now - at)] };
      abort.abort();
      // Not everybody's waits can be cut short; the candidate's own `close` and the end of the process do the rest.
      await Promise.race([Promise.allSettled(working), after(100, undefined, { ref: false })]);
      return result;
    },
  };
}
