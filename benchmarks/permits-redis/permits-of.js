/** The work that is the same for every candidate: a fleet of processes that take permits, and what Redis says of it. */
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { quantile } from '../harness/statistics.js';

const member = fileURLToPath(new URL('member.js', import.meta.url));

/** A candidate's `setup`: `file` is its own URL, which every process of the fleet loads for its `open` (member.js). */
export function permitsOf(file) {
  return async ({ case: members, size, shared }) => {
    const redis = new Redis(shared.redisPort, '127.0.0.1');
    const fleet = await Promise.all(Array.from({ length: members }, () => startMember(file)));
    const all = (task, message) => Promise.all(fleet.map((each) => each(task, message)));
    return {
      async run() {
        // Nothing that an earlier run left in Redis must matter.
        await redis.flushall();
        await all('open', { redisPort: shared.redisPort, id: randomUUID() });
        const waits = await fleet[0]('alone', { forMs: size.aloneMs });
        await all('begin', { workers: size.workers });
        await after(size.warmUpMs);

        const [before] = await Promise.all([look(redis), all('mark')]);
        await after(size.countedMs);
        const [now, counts] = await Promise.all([look(redis), all('count')]);
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

/** How many scripts Redis has run by now, and how long it has been busy with everything. */
async function look(redis) {
  const info = await redis.info('all');
  const number = (pattern) => Number(pattern.exec(info)?.[1] ?? 0);
  return {
    atMs: performance.now(),
    scripts: number(/^cmdstat_evalsha:calls=(\d+)/m) + number(/^cmdstat_eval:calls=(\d+)/m),
    busyUs: (number(/^used_cpu_sys:([\d.]+)/m) + number(/^used_cpu_user:([\d.]+)/m)) * 1e6,
  };
}

const sum = (numbers) => numbers.reduce((total, each) => total + each, 0);

/** → a function that asks the process to do a task, once it is there. */
async function startMember(file) {
  const child = fork(member, [file], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(child, 'exit').then(([code]) => ({ error: `a process of the fleet ended with code ${code}` }));
  const answer = async () => {
    const [{ value, error }] = await Promise.race([once(child, 'message'), ended.then((how) => [how])]);
    if (error !== undefined) throw new Error(error);
    return value;
  };
  const ask = (task, message = {}) => {
    const answered = answer();
    child.send({ task, ...message });
    return answered;
  };
  ask.leave = () => child.connected && child.disconnect();
  await answer();
  return ask;
}
