/** The work that is the same for every candidate: a fleet of processes that take permits, and what Redis says of it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { startMember } from '../fleet/start-member.js';
import { workOf } from '../fleet/work-of-redis.js';
import { quantile } from '../harness/statistics.js';

const member = fileURLToPath(new URL('member.js', import.meta.url));

/** A candidate's `setup`: `file` is its own URL, which every process of the fleet loads for its `open` (member.js). */
export function permitsOf(file) {
  return async ({ case: members, size, shared }) => {
    const redis = new Redis(shared.redisPort, '127.0.0.1');
    const fleet = await Promise.all(Array.from({ length: members }, () => startMember(member, [file])));
    const all = (task, message) => Promise.all(fleet.map((each) => each(task, message)));
    return {
      async run() {
        // Nothing that an earlier run left in Redis must matter.
        await redis.flushall();
        await all('open', { redisPort: shared.redisPort, id: randomUUID() });
        const waits = await fleet[0]('alone', { forMs: size.aloneMs });
        await all('begin', { workers: size.workers });
        await after(size.warmUpMs);

        const [before] = await Promise.all([workOf(redis), all('mark')]);
        await after(size.countedMs);
        const [now, counts] = await Promise.all([workOf(redis), all('count')]);
        const failed = await all('end');

        const permits = sum(counts);
        return {
          perSecond: permits / ((now.atMs - before.atMs) / 1_000),
          scripts: (now.scripts - before.scripts) / permits,
          redisUs: (now.busyUs - before.busyUs) / permits,
          aloneUs: quantile(waits, 0.5) * 1_000,
          failed: sum(failed),
        };
      },
      teardown() {
        redis.disconnect();
        for (const each of fleet) each.leave();
      },
    };
  };
}

const sum = (numbers) => numbers.reduce((total, each) => total + each, 0);
