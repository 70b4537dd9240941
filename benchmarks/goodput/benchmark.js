/** How much of a quota does a client get, and how often does it have to be told that it asks too much? */
import { startQuotaServer } from '../quota-server/start.js';

export const title = 'Goodput at a quota';

export const about = `One process with 32 workers, each making one call after the other over HTTP on loopback, against a server that
admits so many and answers the rest with 429 and Retry-After in whole seconds; an admitted request takes 5 to 30 ms. Goodput is what the
server admitted, divided by quota × time: the burst is not part of the quota, so that a client that spends it may pass 1. It is measured twice: at first, from the
first call on (the first minute of a candidate that is not told the quota and has to learn it, the first 3 s of all others), and afterwards
(15 and 10 times the quota's own time, of a minute's twice; a client that sends all of a window at once may be out by one window).
Where every answer tells what is left, X-RateLimit-Reset is an epoch in whole seconds.
The two columns of 429s are shares of all requests. The rest: requests in all that came before a time which a 429 had named, calls that
the caller saw fail afterwards, and the 99th percentile of how long a call took afterwards, divided by the ideal (workers ÷ quota); a call that still
waited at the end counts with what it had waited. The quota is told as each package has it; the retrying packages know of no quota, and retry up to ten times.`;

export const candidates = {
  'holdfast, told the quota': { file: 'candidates/holdfast.js', package: 'axios-holdfast' },
  'holdfast, adaptive, not told': { file: 'candidates/holdfast-adaptive.js', package: 'axios-holdfast' },
  'Bottleneck, minTime': { file: 'candidates/bottleneck-min-time.js', package: 'bottleneck' },
  'Bottleneck, reservoir': { file: 'candidates/bottleneck-reservoir.js', package: 'bottleneck' },
  'axios-rate-limit': { file: 'candidates/axios-rate-limit.js', package: 'axios-rate-limit' },
  'axios-retry': { file: 'candidates/axios-retry.js', package: 'axios-retry' },
  'retry-axios': { file: 'candidates/retry-axios.js', package: 'retry-axios' },
};

/** What the server is reset to. Whatever is left out here stays as the case before had it, so all of them say all. */
export const cases = {
  'token bucket, 50 per s, burst 5': quota({ kind: 'bucket', requests: 50, perMs: 1_000, burst: 5 }),
  'token bucket, 50 per s, burst 20, a stranger takes 30 %': quota({
    kind: 'bucket',
    requests: 50,
    perMs: 1_000,
    burst: 20,
    stranger: 0.3,
  }),
  'sliding window, 100 per s': quota({ kind: 'sliding', requests: 100, perMs: 1_000 }),
  'fixed window, 100 per s': quota({ kind: 'fixed', requests: 100, perMs: 1_000 }),
  'fixed window, 100 per 2 s, X-RateLimit headers': quota({
    kind: 'fixed',
    requests: 100,
    perMs: 2_000,
    headers: 'x-ratelimit',
  }),
  'fixed window, 100 per minute, X-RateLimit headers': quota({
    kind: 'fixed',
    requests: 100,
    perMs: 60_000,
    headers: 'x-ratelimit',
  }),
  'express-rate-limit, 100 per 2 s, draft-8 headers': quota({ kind: 'express', requests: 100, perMs: 2_000 }),
};

export const metrics = {
  firstGoodput: { label: 'goodput at first', digits: 3 },
  firstRefused: { label: '429s at first, %', digits: 2 },
  goodput: { label: 'goodput', digits: 3 },
  refused: { label: '429s, %', digits: 2 },
  tooEarly: { label: 'sent too early' },
  failed: { label: 'failed calls' },
  p99: { label: 'p99 ÷ ideal', digits: 2 },
};

export const compared = 'goodput';

/** About 40 minutes. `windowsOfAMinute` instead of `windows` where the quota is one for a minute. */
export const full = {
  launches: 1,
  warmups: 0,
  rounds: 1,
  timeoutMs: 240_000,
  workers: 32,
  told: { firstMs: 3_000, windows: 10 },
  learning: { firstMs: 60_000, windows: 15 },
  windowsOfAMinute: 2,
};

/** About 55 seconds: enough to see that it works, not what anybody learns. */
export const quick = {
  launches: 1,
  warmups: 0,
  rounds: 1,
  workers: 32,
  told: { firstMs: 200, windows: 1 },
  learning: { firstMs: 1_000, windows: 1 },
  windowsOfAMinute: 0.02,
};

export async function prepare() {
  const { url, close } = await startQuotaServer();
  return { shared: { url }, close };
}

function quota(options) {
  return { burst: 1, stranger: 0, latencyMs: [5, 30], headers: 'retry-after', ...options };
}
