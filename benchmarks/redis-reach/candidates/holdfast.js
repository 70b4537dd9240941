/** A fleet of limiters that draw on the same buckets, and what Redis says of it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { startMember } from '../../fleet/start-member.js';
import { workOf } from '../../fleet/work-of-redis.js';

const member = fileURLToPath(new URL('../member.js', import.meta.url));

export async function setup({ case: load, size, shared, value: limiters }) {
  const ports = load.isCluster ? shared.cluster : shared.redis;
  const nodes = ports.map((port) => new Redis(port, '127.0.0.1'));
  const processes = Math.min(limiters, size.processes);
  const fleet = await Promise.all(Array.from({ length: processes }, () => startMember(member, [])));
  const all = (task, message) => Promise.all(fleet.map((each) => each(task, message)));
  const work = () => Promise.all(nodes.map(workOf));
  const requests = load.requests ?? load.each * limiters;

  return {
    async run() {
      // Nothing that an earlier run left in Redis must matter.
      for (const node of nodes) await node.flushall();
      const context = { ...load, ports, requests, prefix: randomUUID() };
      await Promise.all(fleet.map((ask, i) => ask('open', { ...context, names: namesOf(i, limiters / processes) })));
      await all('begin');
      await after(size.warmUpMs);

      const [before] = await Promise.all([work(), all('mark')]);
      await after(size.countedMs);
      const [now, counts] = await Promise.all([work(), all('count')]);
      const failed = await all('end');

      const spent = now.map(({ atMs, scripts, busyUs }, i) => ({
        ms: atMs - before[i].atMs,
        trips: scripts - before[i].scripts,
        busyUs: busyUs - before[i].busyUs,
      }));
      const permits = sum(counts);
      const trips = sum(spent.map((each) => each.trips));
      const seconds = Math.max(...spent.map(({ ms }) => ms)) / 1_000;
      return {
        perSecond: permits / seconds,
        trips: trips / seconds,
        tripsPerPermit: trips / permits,
        redisUs: sum(spent.map(({ busyUs }) => busyUs)) / trips,
        full: Math.max(...spent.map(({ busyUs, ms }) => busyUs / ms / 10)),
        failed: sum(failed),
      };
    },
    teardown() {
      for (const node of nodes) node.disconnect();
      for (const each of fleet) each.leave();
    },
  };
}

const namesOf = (process, count) => Array.from({ length: count }, (_, i) => process * count + i);

const sum = (numbers) => numbers.reduce((total, each) => total + each, 0);
