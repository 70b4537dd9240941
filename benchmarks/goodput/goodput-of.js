/** The work that is the same for every candidate: a closed loop against the quota, and what the server says of it. */
import http from 'node:http';
import { setTimeout as after } from 'node:timers/promises';
import axios from 'axios';
import { quantile } from '../harness/statistics.js';
import { control } from '../quota-server/control.js';
import { closedLoop } from './closed-loop.js';

/**
 * A candidate's `setup`. `equip(client, quota)` attaches what is measured and may return `{ call?, close? }`: another way to make a
 * call than `client.get('/', { signal })`, and how to let go of its timers. `learns`: it is not told the quota, so it gets more time.
 */
export function goodputOf(equip, { learns = false } = {}) {
  return ({ case: quota, size, shared }) => ({
    async run() {
      const { firstMs, windows } = learns ? size.learning : size.told;
      const server = control(shared.url);
      const httpAgent = new http.Agent({ keepAlive: true });
      const client = axios.create({ baseURL: shared.url, httpAgent });
      const equipped = equip(client, quota) ?? {};
      const call = equipped.call ?? ((signal) => client.get('/', { signal }));

      await server.reset(quota);
      const loop = closedLoop(size.workers, call);
      await after(firstMs);
      const first = await server.stats();
      loop.mark();
      // Whole windows, so that their phase matters little.
      await after((quota.perMs < 60_000 ? windows : size.windowsOfAMinute) * quota.perMs);
      const last = await server.stats();
      const { waits, failed } = await loop.end();
      await equipped.close?.();
      httpAgent.destroy();

      return {
        ...named(between(undefined, first), 'firstGoodput', 'firstRefused'),
        ...named(between(first, last), 'goodput', 'refused'),
        tooEarly: last.pauseViolations,
        failed,
        p99: quantile(waits, 0.99) / ((size.workers / quota.requests) * quota.perMs),
      };
    },
  });
}

/** What the server counted from one answer of /stats to the next: the shares of the quota and of the requests. */
export function between(earlier, { options, atMs, admitted, refused }) {
  const since = earlier ?? { atMs: 0, admitted: 0, refused: 0 };
  const sent = admitted - since.admitted + (refused - since.refused);
  return {
    goodput: (admitted - since.admitted) / ((options.requests / options.perMs) * (atMs - since.atMs)),
    refusedPercent: sent === 0 ? 0 : ((refused - since.refused) / sent) * 100,
  };
}

function named({ goodput, refusedPercent }, goodputKey, refusedKey) {
  return { [goodputKey]: goodput, [refusedKey]: refusedPercent };
}
