/** What does a permit cost in one process, and somebody who waits for one? */

export const title = 'Permits in one process';

export const about = `A limiter of 10 slots in front of an empty async function. One after the other: what a call takes longer than without a limiter,
in batches of 100. So many at once: the slots are taken, that many calls queue up, then the slots are given back; counted is the time to
queue up and the time until the last has run, for each permit; permits per s is its inverse. Waiting bytes is what the heap grows by for each that
waits, after a garbage collection, with the promises of its caller; aborted is one out of the middle of the queue, by its signal (Bottleneck knows none: its caller turns away, and
the job keeps its place). These columns are 0 where nobody waits. The longest queue is 10,000 and not a million because of Bottleneck, which
is also given no more than half a second to let through what it can; the others let all through.`;

export const baseline = 'holdfast';

export const candidates = {
  holdfast: { file: 'candidates/holdfast.js', package: 'axios-holdfast' },
  Bottleneck: { file: 'candidates/bottleneck.js', package: 'bottleneck' },
  'p-queue': { file: 'candidates/p-queue.js', package: 'p-queue' },
};

/** How many calls are made at once. */
export const cases = { 'one after the other': 1, '1,000 at once': 1_000, '10,000 at once': 10_000 };

export const metrics = {
  us: { label: 'µs per permit', digits: 2 },
  perSecond: { label: 'permits per s' },
  queueUs: { label: 'of it, µs to queue up', digits: 2 },
  bytes: { label: 'waiting bytes' },
  abortUs: { label: 'µs to abort', digits: 2 },
  leftPercent: { label: 'aborted, still queued, %' },
};

export const compared = 'us';

// Most of it is Bottleneck, which takes 10 s to drop 10,000 jobs.
const size = { launches: 1, batchMs: 300, drainMs: 500 };

/** About 2 minutes. */
export const full = { ...size, warmups: 1, rounds: 7 };

export const quick = { ...size, warmups: 0, rounds: 2 };
