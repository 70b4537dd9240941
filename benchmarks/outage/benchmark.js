/** How does a server get on its feet again that was overloaded for a while? */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawChart } from './chart.js';
import { startServer } from './start.js';

export const title = 'Recovery from an overload';

export const about = `A server on loopback with 20 workers that take 100 ms for a request: 200 requests per second. 200 more can wait in line, first come
first served; the next one gets a 503. The server does not notice when a client has given up and works for it all the same. It is asked 150
times a second, at random instants that are the same for all candidates and whatever becomes of the calls (GETs). By one client; or by 150 that take
turns and know nothing of each other, so that what one may do the many may each: these have been well for half a minute. The timeout is 500 ms. For
15 s, 14 of the workers stand still; then all of them work again. Whoever goes on asking more than 200 times a second from then on keeps the
line full, and in a full line everybody waits for longer than the timeout: nobody is served although everybody works.

Goodput is how many answers with 200 the callers get, in percent of the calls that they make meanwhile: before, during the overload, and in the 55 s
after. Seconds to recover: from the end of the overload until two seconds together are at 95 % of before; 55 is never.
A breaker that has just opened again when the overload ends stays open for another 5 s: its figure is a matter of luck, from 0 to 5.
Sends per call is what the server counts, from the beginning of the overload on. All that retry do so up to three times, timeouts included,
with their own default waits (axios-retry: \`exponentialDelay\`, and it has to be told to retry timeouts). The chart, \`docs/outage.svg\`, is of the one client.`;

/** The names also stand in the chart. */
export const candidates = {
  'no retries': { file: 'candidates/no-retries.js' },
  holdfast: { file: 'candidates/holdfast.js', package: 'axios-holdfast' },
  'holdfast, breaker': { file: 'candidates/holdfast-breaker.js', package: 'axios-holdfast' },
  'axios-retry': { file: 'candidates/axios-retry.js', package: 'axios-retry' },
  'retry-axios': { file: 'candidates/retry-axios.js', package: 'retry-axios' },
  got: { file: 'candidates/got.js', package: 'got' },
};

/** `chart`: draw it, after a full run. `warmUp` names one of the size's `seconds`. */
export const cases = {
  'one client, 150 calls/s': { clients: 1, chart: true, warmUp: 'warmUp' },
  '150 clients, 1 call/s each': { clients: 150, chart: false, warmUp: 'longWarmUp' },
};

export const metrics = {
  before: { label: 'goodput before, %', digits: 1 },
  during: { label: 'during, %', digits: 1 },
  after: { label: 'after, %', digits: 1 },
  recoverySeconds: { label: 's to recover', digits: 1 },
  sendsPerCall: { label: 'sends per call', digits: 2 },
};

export const compared = 'recoverySeconds';

const load = { perSecond: 150, timeoutMs: 500 };
const server = { workers: 20, serviceMs: 100, line: 200 };
const overload = { workers: 6 };

/** About 75 s for each candidate and case. */
export const full = {
  launches: 1,
  warmups: 0,
  rounds: 1,
  timeoutMs: 120_000,
  chart: true,
  load,
  server,
  overload,
  seconds: { warmUp: 1, longWarmUp: 25, before: 4, during: 15, after: 55 },
};

export const quick = {
  ...full,
  chart: false,
  seconds: { warmUp: 0.5, longWarmUp: 0.5, before: 1, during: 2.5, after: 5 },
};

/** The candidates leave what they measured in a folder; when all have done so, it is drawn. */
export async function prepare() {
  const { url, close } = await startServer();
  const folder = await mkdtemp(join(tmpdir(), 'outage-'));
  return {
    shared: { url, folder },
    async close() {
      await close();
      await drawChart(folder, Object.keys(candidates));
      await rm(folder, { recursive: true });
    },
  };
}
