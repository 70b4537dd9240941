/** The work that is the same for every candidate: a fleet of processes against one quota, and what the server says of it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { between } from '../goodput/goodput-of.js';
import { quantile } from '../harness/statistics.js';
import { control } from '../quota-server/control.js';
import { startMember } from './start-member.js';

const member = fileURLToPath(new URL('member.js', import.meta.url));

/** A candidate's `setup`: `file` is its own URL, which every process of the fleet loads for its `equip` (member.js). */
export function fleetOf(file) {
  return async ({ case: { quota, active, isCluster = false }, size, shared }) => {
    const fleet = await Promise.all(
      Array.from({ length: size.members }, (_, index) => startMember(member, [file, nameOf(index)], nameOf(index))),
    );
    const all = (task, message) => Promise.all(fleet.map((each) => each(task, message)));
    return {
      async run() {
        const server = control(shared.url);
        await all('equip', {
          url: shared.url,
          redisPort: shared.redisPort,
          clusterPorts: isCluster ? shared.clusterPorts : undefined,
          quota: { requests: quota.requests, perMs: quota.perMs },
          members: size.members,
          // Nothing that an earlier run left in Redis must matter.
          id: randomUUID(),
        });
        await server.reset(quota);
        await Promise.all(fleet.slice(0, active).map((each) => each('begin', { workers: size.workers })));
        await after(size.firstMs);
        const first = await server.stats();
        await all('mark');
        await after(size.afterwardsMs);
        const last = await server.stats();
        const ends = await all('end');

        const ideal = ((active * size.workers) / quota.requests) * quota.perMs;
        const { goodput, refusedPercent } = between(first, last);
        return {
          firstGoodput: between(undefined, first).goodput,
          firstRefused: between(undefined, first).refusedPercent,
          goodput,
          refused: refusedPercent,
          fairness: fairness(first.clients, last.clients, active),
          failed: ends.reduce((total, { failed }) => total + failed, 0),
          p99:
            quantile(
              ends.flatMap(({ waits }) => waits),
              0.99,
            ) / ideal,
        };
      },
      teardown() {
        for (const each of fleet) each.leave();
      },
    };
  };
}

/** What the worst off process got, divided by what the best off got. */
function fairness(first, last, active) {
  const got = Array.from({ length: active }, (_, index) => {
    const name = nameOf(index);
    return (last[name]?.admitted ?? 0) - (first[name]?.admitted ?? 0);
  });
  return Math.min(...got) / Math.max(1, ...got);
}

function nameOf(index) {
  return `process-${index + 1}`;
}
