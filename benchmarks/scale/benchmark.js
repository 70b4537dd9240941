/** Does a call cost the same where there are many, and what does one hold while it waits and when it is over? */

export const title = 'Scale';

export const about = `Processor time and heap for each permit, call or key, where there are so many; what should be flat or logarithmic reads so down a column. Permits and
calls wait for a limiter of one slot; counted is the time to queue up and the time until the last is through, and the heap that one
who waits holds after a garbage collection, with the promises of its caller. Without holdfast the same calls have been sent and wait for their answers. Keys are
origins, each with a bucket, a circuit and a budget of its own; what is remembered of them is bounded, and weighed from 1,000 on. A finished call is a POST of 10 kB: its heap
is what is left of it where the application keeps the response, or part of it.`;

const package_ = 'axios-holdfast';
const QUEUED = 'permits that wait';
const CALLS = 'calls that wait';
const KEYS = 'calls to so many keys';
const FINISHED = 'finished calls';

const number = (count) => count.toLocaleString('en-US');
const permits = (count) => [
  `${number(count)} permits`,
  { file: 'candidates/permits.js', package: package_, value: count, cases: [QUEUED] },
];
const calls = (count, isAttached) => [
  `${number(count)} calls${isAttached ? '' : ', bare axios'}`,
  { file: 'candidates/calls.js', package: package_, value: { calls: count, isAttached }, cases: [CALLS] },
];
const keys = (count) => [
  count === 1 ? '1 key' : `${number(count)} keys`,
  { file: 'candidates/keys.js', package: package_, value: count, cases: [KEYS] },
];
const finished = (policy, kept) => [
  `${policy === undefined ? 'bare axios' : `holdfast, ${policy}`}; kept: ${kept}`,
  { file: 'candidates/finished.js', package: package_, value: { policy, kept }, cases: [FINISHED] },
];

export const candidates = Object.fromEntries([
  ...[100, 1_000, 10_000, 100_000, 1_000_000].map(permits),
  calls(10_000, false),
  ...[100, 1_000, 10_000].map((count) => calls(count, true)),
  ...[1, 10, 100, 1_000, 10_000, 100_000].map(keys),
  ...[undefined, 'defaults', 'everything'].flatMap((policy) =>
    ['nothing', 'data', 'response', 'response without its config'].map((kept) => finished(policy, kept)),
  ),
]);

export const cases = { [QUEUED]: null, [CALLS]: null, [KEYS]: null, [FINISHED]: null };

export const metrics = { us: { label: 'cpu µs each', digits: 2 }, bytes: { label: 'heap bytes each' } };

export const compared = 'us';

/** About 3 minutes. */
export const full = {
  launches: 1,
  warmups: 2,
  rounds: 7,
  permits: 100_000,
  calls: 10_000,
  finished: 2_000,
};

export const quick = { ...full, warmups: 1, rounds: 2, permits: 10_000, calls: 4_000, finished: 500 };
