/** How far does one Redis go, and from where on should the keys be spread over a Cluster? */
import { startCluster, startRedis } from '../fleet/redis.js';
import { beyond, measured } from './beyond.js';

export const title = 'How far one Redis goes';

export const about = `So many limiters, each of them what a process of a fleet is (a connection, a queue and a name of its own), in up to four processes. All of them
always want more; a permit is given back at once. A round trip is one call of a script, by Redis' own count, and µs of Redis are its processor time
for everything, the network included, divided by the round trips: a busy machine leaves that figure about as it is, where the
counts per second fall; where there are few round trips, what an idle Redis does is a large part of it. Full is the share of one core that Redis was
busy, on a Cluster that of its busiest master. Redis and all processes share the machine's cores.`;

export const candidates = Object.fromEntries(
  [1, 8, 32, 128].map((limiters) => [
    limiters === 1 ? '1 process' : `${limiters} processes`,
    { file: 'candidates/holdfast.js', package: 'axios-holdfast', value: limiters },
  ]),
);

const MANY_BUCKETS = '128 buckets of 20 a second, each process draws on 8 of them';
const eightEach = { buckets: 128, drawnOn: 8, requests: 20, workers: 2 };

/** `requests` a second of each bucket, or `each` times the limiters; a limiter draws on so many of the `buckets`, with `workers` for each. */
export const cases = {
  'one bucket, 100 a second for each process': { buckets: 1, drawnOn: 1, each: 100, workers: 16 },
  'one bucket, a quota that is never used up': { buckets: 1, drawnOn: 1, requests: 1e9, burst: 1e6, workers: 16 },
  [MANY_BUCKETS]: eightEach,
  'the same on a Cluster of three masters': { ...eightEach, isCluster: true },
};

export const metrics = {
  perSecond: { label: 'permits per s' },
  trips: { label: 'round trips per s' },
  tripsPerPermit: { label: 'round trips per permit', digits: 3 },
  redisUs: { label: 'µs of Redis per round trip', digits: 1 },
  full: { label: 'full, %', digits: 1 },
  failed: { label: 'failed' },
};

export const compared = 'redisUs';

const size = { launches: 1, warmups: 0, processes: 4 };

/** About 5 minutes. */
export const full = { ...size, rounds: 3, warmUpMs: 1_500, countedMs: 3_000 };

export const quick = { ...size, rounds: 1, warmUpMs: 500, countedMs: 1_000 };

export async function prepare() {
  const redis = await startRedis();
  const cluster = await startCluster(3);
  const close = async () => {
    await cluster.close();
    await redis.close();
  };
  return { shared: { redis: [redis.port], cluster: cluster.ports }, close };
}

export const supplement = ({ outcome }) => beyond(measured(outcome, MANY_BUCKETS, '128 processes', 'redisUs'));
