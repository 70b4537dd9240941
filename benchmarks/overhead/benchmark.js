/** What does a call cost when nothing goes wrong? The price everybody pays, always. */

export const title = 'Overhead per successful call';

export const about = `Sequential calls through an axios instance with a base URL and two headers. The adapter answers from memory with a small
JSON body, so all that is measured is axios and what is attached to it. Compared is processor time, the garbage
collector's included; bytes is what a call allocates. The adapter is a function that never reads its signal, so a
call with a deadline makes no AbortController; over HTTP it makes none either.`;

export const baseline = 'bare axios';

export const candidates = {
  'bare axios': { file: 'candidates/bare-axios.js' },
  'empty adapter wrap': { file: 'candidates/empty-adapter-wrap.js' },
  'axios-retry': { file: 'candidates/axios-retry.js', package: 'axios-retry' },
  'holdfast as axios-retry': { file: 'candidates/holdfast-axios-retry.js', package: 'axios-holdfast' },
  'retry-axios': { file: 'candidates/retry-axios.js', package: 'retry-axios' },
  'holdfast defaults': { file: 'candidates/holdfast-defaults.js', package: 'axios-holdfast' },
  'holdfast deadline, judge, key, listener': { file: 'candidates/holdfast-all-policies.js', package: 'axios-holdfast' },
  'holdfast and token, limit, breaker': {
    file: 'candidates/holdfast-token-limit-breaker.js',
    package: 'axios-holdfast',
  },
  'bare axios, a config on the call': { file: 'candidates/bare-axios-config.js' },
  'holdfast, a policy on the call': { file: 'candidates/holdfast-policy-on-call.js', package: 'axios-holdfast' },
  'holdfast, a prepared one': { file: 'candidates/holdfast-prepared-on-call.js', package: 'axios-holdfast' },
  'bare axios, a signal on the call': { file: 'candidates/bare-axios-signal.js' },
  'holdfast, a shared limiter and a signal': {
    file: 'candidates/holdfast-shared-limiter.js',
    package: 'axios-holdfast',
  },
};

export const cases = { GET: 'get', POST: 'post' };

export const metrics = {
  wallNs: { label: 'wall ns/call' },
  cpuNs: { label: 'cpu ns/call' },
  bytes: { label: 'bytes/call' },
};

export const compared = 'cpuNs';

// A batch is long enough to pay for its own garbage: several collections fall into each.
export const full = { launches: 5, warmups: 5, rounds: 20, calls: 4_000 };

export const quick = { launches: 1, warmups: 4, rounds: 15, calls: 4_000 };
