/** What happens when everybody finds the token expired at the same time? */
import { startServer } from './server.js';

export const title = 'A storm of 401s';

export const about = `So many calls at a time over HTTP on loopback, all with a token that has expired, through at most 500 connections. The
token endpoint takes 100 ms, and a refresh makes every earlier token void. Counted by the server: refreshes, and sends beyond
the first of each call (replays). Lost are the calls that the caller sees fail. Compared is the time until the last call has
settled, less the 100 ms. The floor is what cannot be avoided: all calls, one refresh, all calls again, by hand with bare axios.`;

export const baseline = 'bare axios, by hand';

export const candidates = {
  'bare axios, by hand': { file: 'candidates/by-hand.js' },
  holdfast: { file: 'candidates/holdfast.js', package: 'axios-holdfast' },
  'axios-auth-refresh': { file: 'candidates/axios-auth-refresh.js', package: 'axios-auth-refresh' },
  'axios-auth-refresh, deduplicateRefresh: false': {
    file: 'candidates/axios-auth-refresh-not-deduplicated.js',
    package: 'axios-auth-refresh',
  },
};

export const cases = { '1,000 calls': 1_000, '10,000 calls': 10_000 };

export const metrics = {
  refreshes: { label: 'refreshes' },
  replays: { label: 'replays' },
  lost: { label: 'lost calls' },
  overMs: { label: 'ms over the refresh' },
};

export const compared = 'overMs';

export const full = { launches: 1, warmups: 1, rounds: 6 };

export const quick = { launches: 1, warmups: 1, rounds: 3 };

export const prepare = startServer;
