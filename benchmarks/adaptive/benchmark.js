/** How well is a quota used that nobody has stated? */
export const title = 'Learning an unknown quota';

export const about = `A discrete-event simulation of five minutes; no waiting, and the same seeds for all. Workers that always have a next request (32,
where not said otherwise) send to a server that tells no quota (but in the last two cases), only Retry-After in whole seconds. One-way latency is 5 to 30 ms,
and timers are as late as Node's. Cold is the first minute, warm the rest. Goodput is what was admitted, in percent of what the
quota offers: a server's burst and the phase of a fixed window may make it more than 100; beside a stranger it is what he leaves.
429s are in percent of the requests. Seconds to follow: from a change of the quota until five seconds together are at 0.9 of the new
one. Fair is the smallest share of a process divided by the largest. Too early is what was sent before a time that
the server had named, in percent. Figures are means over the seeds; the quartiles are the same, since a round repeats them all.

AIMD: × 0.7 and + 1/s every second, paced, pauses as told. AWS CUBIC is the adaptive retry mode of the AWS SDKs, where only the refused
request waits; the last row makes it pause as told.`;

export const candidates = {
  holdfast: { file: 'candidates/holdfast.js', package: 'axios-holdfast' },
  AIMD: { file: 'candidates/aimd.js' },
  'AWS CUBIC': { file: 'candidates/aws-cubic.js' },
  'AWS CUBIC that pauses': { file: 'candidates/aws-cubic-pausing.js' },
};

const nginx = { server: 'nginx', perSecond: 50, burst: 5 };
const bucket = { server: 'bucket', perSecond: 50, burst: 20 };
const sliding = { server: 'sliding', perSecond: 100, windowMs: 1_000 };
const long = { server: 'sliding', perSecond: 50, windowMs: 12_000 };
const fixed = { server: 'fixed', perSecond: 100, windowMs: 1_000 };

/** Halved after one minute, and back after two. */
const changes = [
  { atMs: 60_000, factor: 0.5 },
  { atMs: 120_000, factor: 1 },
];
const stranger = 0.3;

export const cases = {
  'nginx, 50/s, burst 5': nginx,
  'bucket, 50/s, burst 20': bucket,
  'sliding window, 100 in 1 s': sliding,
  'sliding window, 600 in 12 s': long,
  'fixed window, 100 in 1 s': fixed,
  'nginx, 50/s, burst 5, halved for a minute': { ...nginx, changes },
  'bucket, 50/s, burst 20, halved for a minute': { ...bucket, changes },
  'sliding window, 100 in 1 s, halved for a minute': { ...sliding, changes },
  'nginx, 50/s, burst 5, and a stranger who takes 30 %': { ...nginx, stranger },
  'bucket, 50/s, burst 20, and a stranger who takes 30 %': { ...bucket, stranger },
  'sliding window, 600 in 12 s, and a stranger who takes 30 %': { ...long, stranger },
  'bucket, 0.5/s, burst 5, 8 workers': { server: 'bucket', perSecond: 0.5, burst: 5, workers: 8 },
  'nginx, 500/s, burst 50, 64 workers': { server: 'nginx', perSecond: 500, burst: 50, workers: 64, seeds: 0.25 },
  'nginx, 50/s, burst 5, 8 processes that share nothing': { ...nginx, processes: 8 },
  'nginx, 50/s, burst 5, round trip of 0.8 to 1.2 s, 256 workers': { ...nginx, oneWayMs: [400, 600], workers: 256 },
  'bucket, 50/s, burst 5, that states its quota': { server: 'stating', perSecond: 50, burst: 5 },
  'fixed window, 3000 in 60 s, that tells what is left': { server: 'telling', perSecond: 50, windowMs: 60_000 },
};

export const metrics = {
  coldGoodput: { label: 'cold goodput %', digits: 1 },
  coldWorst: { label: 'worst seed', digits: 1 },
  coldRefused: { label: 'cold 429s %', digits: 2 },
  warmGoodput: { label: 'warm goodput %', digits: 1 },
  warmWorst: { label: 'worst seed', digits: 1 },
  warmRefused: { label: 'warm 429s %', digits: 2 },
  down: { label: 's to follow down', digits: 1 },
  up: { label: 's to follow up', digits: 1 },
  fair: { label: 'fair', digits: 2 },
  early: { label: 'too early %', digits: 2 },
};

export const compared = 'warmGoodput';

/** `seeds` is how many; a case may take a part of them. One round is enough, since it repeats itself exactly. */
export const full = { launches: 1, warmups: 0, rounds: 1, seeds: 20 };

export const quick = { launches: 1, warmups: 0, rounds: 1, seeds: 3 };
