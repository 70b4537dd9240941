/** How much of one quota do eight processes get between them, and how evenly? */
import { startQuotaServer } from '../quota-server/start.js';
import { startCluster, startRedis } from './redis.js';

export const title = 'Goodput of a fleet';

export const about = `Eight processes with 16 workers each, every worker making one call after the other over HTTP on loopback, against one server that
admits 200 a second and answers the rest with 429 and Retry-After in whole seconds; an admitted request takes 5 to 30 ms. In one case all
processes run, but only one has anything to do; in the last two the Redis is a Cluster of three masters. At first are the first 3 s of
fresh processes that begin together. Counted after these, for 12 s: goodput is what the server admitted, divided by
quota × time (the burst is not part of the quota); 429s are a share of all requests; fairness is what the worst off process got, divided by
what the best off got; failed are calls that the caller saw fail; and the 99th percentile of how long a call took is divided by the ideal (all workers that have
something to do ÷ quota), where a call that still waited at the end counts with what it had waited. Redis runs on the same machine.`;

const bucket = quota({ kind: 'bucket', burst: 20 });

const onOneNode = {
  'token bucket, 200 per s, burst 20': { quota: bucket, active: 8 },
  'sliding window, 200 per s': { quota: quota({ kind: 'sliding' }), active: 8 },
  'fixed window, 200 per s': { quota: quota({ kind: 'fixed' }), active: 8 },
  'express-rate-limit, 200 per s, draft-8 headers': { quota: quota({ kind: 'express', headers: 'draft8' }), active: 8 },
  'token bucket, one of eight has work': { quota: bucket, active: 1 },
};

const onACluster = {
  'token bucket, 200 per s, burst 20, over a Cluster': { quota: bucket, active: 8, isCluster: true },
  'sliding window, 200 per s, over a Cluster': { quota: quota({ kind: 'sliding' }), active: 8, isCluster: true },
};

export const cases = { ...onOneNode, ...onACluster };

/** Those that share nothing, and Bottleneck, whose keys of one limiter lie in one slot as on one node, would do there what they do here. */
const others = Object.keys(onOneNode);

export const candidates = {
  'holdfast, shared through Redis': { file: 'candidates/holdfast-redis.js', package: 'axios-holdfast' },
  'holdfast, an eighth each': { file: 'candidates/holdfast-static-share.js', package: 'axios-holdfast', cases: others },
  'Bottleneck, clustered, minTime': { file: 'candidates/bottleneck-min-time.js', package: 'bottleneck', cases: others },
  'Bottleneck, clustered, reservoir': {
    file: 'candidates/bottleneck-reservoir.js',
    package: 'bottleneck',
    cases: others,
  },
  'axios-retry, nothing shared': { file: 'candidates/axios-retry.js', package: 'axios-retry', cases: others },
};

export const metrics = {
  firstGoodput: { label: 'goodput at first', digits: 3 },
  firstRefused: { label: '429s at first, %', digits: 2 },
  goodput: { label: 'goodput', digits: 3 },
  refused: { label: '429s, %', digits: 2 },
  fairness: { label: 'fairness', digits: 2 },
  failed: { label: 'failed calls' },
  p99: { label: 'p99 ÷ ideal', digits: 2 },
};

export const compared = 'goodput';

/** About 9 minutes. */
export const full = {
  launches: 1,
  warmups: 0,
  rounds: 1,
  members: 8,
  workers: 16,
  firstMs: 3_000,
  afterwardsMs: 12_000,
};

/** About a minute, half of it for starting processes. */
export const quick = { ...full, firstMs: 500, afterwardsMs: 1_000 };

export async function prepare() {
  const redis = await startRedis();
  const cluster = await startCluster(3);
  const server = await startQuotaServer();
  const close = async () => {
    await server.close();
    await redis.close();
    await cluster.close();
  };
  return { shared: { url: server.url, redisPort: redis.port, clusterPorts: cluster.ports }, close };
}

function quota(options) {
  return { requests: 200, perMs: 1_000, burst: 1, latencyMs: [5, 30], headers: 'retry-after', ...options };
}
