/** Some limiters of the fleet, in one process. It does what the candidate's own process asks over IPC, and ends with it. */
import { Cluster, Redis } from 'ioredis';
import { redisLimiter } from '../../dist/redis.js';
import { doTasks } from '../fleet/do-tasks.js';

let opened = [];
let perKey = 0;
let working = [];
let done = 0;
let failed = 0;
let goesOn = false;

async function work(limiter, key) {
  while (goesOn) {
    try {
      const acquired = limiter.acquire({ key });
      const permit = acquired instanceof Promise ? await acquired : acquired;
      permit.release();
      done += 1;
    } catch (error) {
      if (!goesOn) break;
      if (failed === 0) console.error(error);
      failed += 1;
      // A worker that is refused takes no further part.
      break;
    }
  }
}

doTasks({
  async open({ names, ports, isCluster, requests, burst = 1, buckets, drawnOn, workers, prefix }) {
    perKey = workers;
    opened = await Promise.all(
      names.map(async (name) => {
        const [first] = ports;
        const host = '127.0.0.1';
        const redis = isCluster ? new Cluster(ports.map((port) => ({ host, port }))) : new Redis(first, host);
        await redis.ping();
        // Without Redis it would go on by itself: so whatever is lost is a failure here.
        const options = { onStoreLoss: 'closed', acquireTimeoutMs: 30_000, maxWaitMs: 600_000 };
        const limiter = redisLimiter({ redis, requests, perMs: 1_000, burst, prefix, ...options });
        const keys = Array.from({ length: drawnOn }, (_, i) => `https://api-${(name * drawnOn + i) % buckets}.example`);
        return { redis, limiter, keys };
      }),
    );
  },
  begin() {
    failed = 0;
    goesOn = true;
    working = opened.flatMap(({ limiter, keys }) =>
      keys.flatMap((key) => Array.from({ length: perKey }, () => work(limiter, key))),
    );
  },
  mark() {
    done = 0;
  },
  count: () => done,
  async end() {
    goesOn = false;
    for (const { limiter } of opened) await limiter.close();
    await Promise.all(working);
    for (const { redis } of opened) redis.disconnect();
    return failed;
  },
});
