/** What the machine has no room for: the same fleet, simulated, at the price of a round trip that was just measured. */
import { table } from '../harness/results.js';
import { summarize } from '../harness/statistics.js';
import { simulate } from './simulation.js';

/** Each process draws on all buckets; `each` is what it may have a second of each. */
const SCENARIOS = [
  { processes: 128, buckets: 1, each: 100 },
  { processes: 128, buckets: 8, each: 20 },
  { processes: 128, buckets: 128, each: 1 },
  { processes: 1_024, buckets: 1, each: 20 },
  { processes: 1_024, buckets: 2, each: 20 },
  { processes: 4_096, buckets: 1, each: 5 },
  { processes: 256, buckets: 16, each: 20 },
];

/** @param tripUs what a round trip costs Redis */
export async function beyond(tripUs) {
  const rows = [];
  for (const scenario of SCENARIOS) {
    const { processes, buckets, each } = scenario;
    const { permits, trips, full, answerMs } = await simulate({ ...scenario, tripUs });
    const numbers = [processes, buckets, processes * buckets * each, permits, trips].map((each) => format(each));
    rows.push([...numbers, format(trips / permits, 2), format(100 * full), format(answerMs, 1)]);
  }
  const head = ['processes', 'buckets', 'quota per s', 'permits per s', 'round trips per s', 'per permit', 'full, %'];
  return `### Beyond that, simulated

The library's limiters on a simulated clock, before a Redis that does one thing after the other and takes ${format(tripUs, 1)} µs for each round trip, the median of the
128 processes above that draw on 128 buckets. Here each process draws on all buckets, with two calls at a time for each; a way takes 0.25 ms. A core is full at
${format(1e6 / tripUs)} round trips a second. What a limiter cannot get in time it gets later, and then reserves for as long ahead as three answers take.

${table([[...head, 'an answer, ms'], ...rows])}`;
}

/** The median of one column of one row. */
export function measured(outcome, caseName, candidateName, metric) {
  const { candidates } = outcome.find(({ name }) => name === caseName);
  const { rounds } = candidates.find(({ name }) => name === candidateName);
  return summarize(rounds.map((round) => round[metric])).median;
}

function format(number, digits = 0) {
  return number.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
