/** How many sends does each retry rule make of one call when things fail, and what does it save? */
import { startServer } from './server.js';

export const title = 'Sends per call when things fail';

export const about = `Calls at a steady rate to an API that answers with 503 after 20 ms: all of them (a total outage), or as many as stated, at
random. Sends per call is what the server has to bear, relative to what was asked of it; success is how many of the calls got
an answer. The clock is moved by hand, for all but one case, and the randomness is seeded: nothing waits. holdfast is the whole library attached to an
axios instance, axios-retry is the package with \`exponentialDelay\`; both run as they are, with their timers on that clock.
The other four are rules of retry budgets after their published descriptions (\`rules/\`), around bare axios; so that nothing
but the rule differs, all four wait as holdfast does (250 to 500 ms · 2ⁿ) and retry as often as the others, three times where not said otherwise.

The first cases are a new client's first minutes: calls that all begin at once and are each answered with 503 once, and calls one after
another that each get 503, 503, 200. Whoever gives up on those has given up on a server that was well a second later.

A client is new when the outage begins, but in the case that says so. In the second minute of an outage, the calls
count that were begun in it. The short outage lasts 10 s; over HTTP it is real: a server on
loopback, which counts the sends, real time, and axios' own adapter. With two origins, both are called
at the rate that is stated; one is out, and the figures are those of the other, where one send of ten fails. There, each rule
has a budget for each of them, as holdfast has by default; the last case gives them one for both (holdfast: \`budget.key\`).`;

export const candidates = {
  holdfast: { file: 'candidates/holdfast.js', package: 'axios-holdfast' },
  'axios-retry': { file: 'candidates/axios-retry.js', package: 'axios-retry' },
  'AWS standard mode of 2026': { file: 'candidates/aws-standard.js' },
  'gRPC, 10 tokens, ratio 0.1': { file: 'candidates/grpc.js' },
  '.NET 11, ratio 0.1': { file: 'candidates/dotnet.js' },
  'Finagle, 20 % and 10/s': { file: 'candidates/finagle.js' },
};

/**
 * Calls are made all at once (`atOnce`), one after another (`inTurn`), or `perSecond`, for as long as the size's `seconds` say
 * under the name `lasts`.
 *
 * `failing` has for each origin how likely a send fails; the first is the one that the figures are of. `failingSends` of each
 * call fail before that. `wellSeconds` precede, in which nothing fails, or `outSeconds`, in which everything does; they are
 * not counted.
 */
const burst = { failingSends: 1, retries: 3 };
const sequence = { failingSends: 2, retries: 3 };
const outage = { failing: [1], lasts: 'outage', retries: 3 };
const random = { perSecond: 100, lasts: 'random', retries: 3 };
const twoOrigins = { perSecond: 10, failing: [0.1, 1], lasts: 'random', retries: 3 };

export const cases = {
  '50 calls at once, each answered with 503 once': { ...burst, atOnce: 50 },
  '100 calls at once, each answered with 503 once': { ...burst, atOnce: 100 },
  '150 calls one after another, each answered with 503, 503, 200': { ...sequence, inTurn: 150 },
  '200 calls one after another, each answered with 503, 503, 200': { ...sequence, inTurn: 200 },
  'total outage of 60 s, 1 call/s': { ...outage, perSecond: 1 },
  'total outage of 60 s, 10 calls/s': { ...outage, perSecond: 10 },
  'total outage of 60 s, 100 calls/s': { ...outage, perSecond: 100 },
  'second minute of a total outage, 1 call/s': { ...outage, perSecond: 1, outSeconds: 60 },
  'second minute of a total outage, 10 calls/s': { ...outage, perSecond: 10, outSeconds: 60 },
  'second minute of a total outage, 100 calls/s': { ...outage, perSecond: 100, outSeconds: 60 },
  'total outage of 60 s after a minute without a failure, 1 call/s': { ...outage, perSecond: 1, wellSeconds: 60 },
  'short total outage, 10 calls/s': { ...outage, perSecond: 10, lasts: 'http' },
  'the same over HTTP, in real time': { ...outage, perSecond: 10, lasts: 'http', overHttp: true },
  '5 % fail at random, 100 calls/s': { ...random, failing: [0.05] },
  '10 % fail at random, 100 calls/s': { ...random, failing: [0.1] },
  '20 % fail at random, 100 calls/s': { ...random, failing: [0.2] },
  '30 % fail at random, 100 calls/s': { ...random, failing: [0.3] },
  '50 % fail at random, 100 calls/s': { ...random, failing: [0.5] },
  '5 % fail at random, 100 calls/s, two retries': { ...random, failing: [0.05], retries: 2 },
  '10 % fail at random, 100 calls/s, two retries': { ...random, failing: [0.1], retries: 2 },
  '20 % fail at random, 100 calls/s, two retries': { ...random, failing: [0.2], retries: 2 },
  '30 % fail at random, 100 calls/s, two retries': { ...random, failing: [0.3], retries: 2 },
  '50 % fail at random, 100 calls/s, two retries': { ...random, failing: [0.5], retries: 2 },
  'two origins, one of them out, 10 calls/s': twoOrigins,
  'two origins, one of them out, 10 calls/s, one budget for both': { ...twoOrigins, oneBudget: true },
};

export const metrics = {
  sendsPerCall: { label: 'sends per call', digits: 3 },
  success: { label: 'success %', digits: 2 },
};

export const compared = 'sendsPerCall';

/** Every round has a seed of its own. About 7 minutes. */
export const full = {
  launches: 1,
  warmups: 0,
  rounds: 3,
  timeoutMs: 120_000,
  seconds: { outage: 60, random: 200, http: 10 },
};

export const quick = { launches: 1, warmups: 0, rounds: 1, seconds: { outage: 60, random: 20, http: 2 } };

export const prepare = startServer;
