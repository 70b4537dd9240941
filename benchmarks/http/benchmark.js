/** What does it cost on the way to a real server, with so many calls under way at a time? */
import { startServer } from './start.js';

export const title = 'Overhead over HTTP';

export const about = `Calls over HTTP on loopback to a server in a process of its own, over connections that are kept alive, so many at a time: each is
followed by the next at once. GETs have a small JSON answer, POSTs a small JSON body as well. Compared is the processor time of the client's process,
the garbage collector's and that of the system's sockets included; calls per s is what came of it beside everything else that the machine does.`;

export const baseline = 'bare axios';

export const candidates = {
  'bare axios': { file: 'candidates/bare-axios.js' },
  'empty adapter wrap': { file: 'candidates/empty-adapter-wrap.js' },
  'axios-retry': { file: 'candidates/axios-retry.js', package: 'axios-retry' },
  'retry-axios': { file: 'candidates/retry-axios.js', package: 'retry-axios' },
  'holdfast defaults': { file: 'candidates/holdfast-defaults.js', package: 'axios-holdfast' },
  'holdfast, everything on': { file: 'candidates/holdfast-everything.js', package: 'axios-holdfast' },
};

export const cases = {
  'GET, one at a time': { method: 'get', atOnce: 1 },
  'GET, 32 at a time': { method: 'get', atOnce: 32 },
  'GET, 256 at a time': { method: 'get', atOnce: 256 },
  'POST, 32 at a time': { method: 'post', atOnce: 32 },
};

export const metrics = { cpuUs: { label: 'cpu µs/call', digits: 1 }, perSecond: { label: 'calls per s' } };

export const compared = 'cpuUs';

/** About 8 minutes. */
export const full = { launches: 3, warmups: 3, rounds: 12, calls: 2_048 };

export const quick = { launches: 1, warmups: 2, rounds: 5, calls: 1_024 };

export const prepare = async () => {
  const server = await startServer();
  return { shared: { url: server.url }, close: server.close };
};
