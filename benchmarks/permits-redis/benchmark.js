/** What does a permit cost that a fleet shares through Redis? */
import { startRedis } from '../fleet/redis.js';

export const title = 'Permits through Redis';

export const about = `So many processes with 100 workers each, every worker taking one permit after the other and giving it back at once, through
one redis-server on loopback. The quota is a billion a second, so nobody ever has to wait for it: what is left is the price of asking. Script calls are what Redis
counts as EVALSHA and EVAL, and its processor time is all of it, the network's included. Alone is the median time of a permit where one worker of one process
takes one after the other, before the others begin; on loopback, a round trip to Redis is part of it. Redis and all processes share the machine's cores.`;

export const baseline = 'holdfast';

export const candidates = {
  holdfast: { file: 'candidates/holdfast.js', package: 'axios-holdfast' },
  'Bottleneck, clustered': { file: 'candidates/bottleneck.js', package: 'bottleneck' },
  'rate-limiter-flexible': { file: 'candidates/rate-limiter-flexible.js', package: 'rate-limiter-flexible' },
};

/** How many processes there are. */
export const cases = { '1 process': 1, '4 processes': 4, '8 processes': 8 };

export const metrics = {
  perSecond: { label: 'permits per s' },
  scripts: { label: 'script calls per permit', digits: 3 },
  redisUs: { label: 'µs of Redis per permit', digits: 1 },
  aloneUs: { label: 'µs alone' },
  failed: { label: 'failed' },
};

export const compared = 'perSecond';

const size = { launches: 1, workers: 100, aloneMs: 500, warmUpMs: 500, countedMs: 2_000 };

/** About 2½ minutes. */
export const full = { ...size, warmups: 0, rounds: 5 };

export const quick = { ...size, warmups: 0, rounds: 1, aloneMs: 300, warmUpMs: 500, countedMs: 1_000 };

export async function prepare() {
  const redis = await startRedis();
  return { shared: { redisPort: redis.port }, close: () => redis.close() };
}
