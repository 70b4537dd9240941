/** So many permits that wait for a limiter of one slot, each given back as soon as it is had. */
import { localLimiter } from '../../../dist/index.js';
import { heapUsed } from '../heap.js';
import { cpuUsOf } from '../measured.js';

export const setup = ({ size, value: queued }) => ({
  async run() {
    const { bytes } = await episode(queued, true);
    let us = 0;
    let permits = 0;
    for (; permits < size.permits; permits += queued) us += (await episode(queued, false)).us;
    return { us: us / permits, bytes };
  },
});

async function episode(queued, weighs) {
  const limiter = localLimiter({
    requests: 1e9,
    perMs: 1_000,
    burst: 1e6,
    maxConcurrent: 1,
    maxQueue: Number.POSITIVE_INFINITY,
  });
  const want = { key: 'https://api.example' };
  const first = limiter.acquire(want);
  const before = weighs ? await heapUsed() : 0;
  const waiting = [];
  let us = await cpuUsOf(() => {
    for (let i = 0; i < queued; i++) waiting.push(limiter.acquire(want).then((permit) => permit.release()));
  });
  const bytes = weighs ? ((await heapUsed()) - before) / queued : 0;
  us += await cpuUsOf(async () => {
    first.release();
    await waiting.at(-1);
  });
  await limiter.close();
  return { us, bytes };
}
