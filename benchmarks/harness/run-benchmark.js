/**
 * Runs every candidate of every case and gathers what the batches report.
 *
 * A machine drifts: it heats up, and other programs come and go. So the candidates take turns batch by batch, there and
 * back (A B C, C B A, …), and a ratio is only ever formed within a round. A process is also lucky or unlucky for life, with
 * what its compiler decided to inline, so `launches` starts all of them afresh several times.
 */
import { Candidate } from './candidate.js';

/**
 * → [{ name, candidates: [{ name, rounds, failure? }] }], one for each case. `rounds` holds what each round reported; the
 * same index is the same round for all.
 */
export async function runBenchmark(benchmark, { folder, quick, progress }) {
  const size = quick ? benchmark.quick : benchmark.full;
  const prepared = (await benchmark.prepare?.()) ?? {};
  const outcome = [];
  try {
    for (const [name, value] of Object.entries(benchmark.cases ?? { '': null })) {
      const context = { case: value, size, shared: prepared.shared };
      const candidates = Object.entries(benchmark.candidates)
        .filter(([, { cases }]) => cases === undefined || cases.includes(name))
        .map(([name]) => ({ name, rounds: [], failure: undefined }));
      outcome.push({ name, candidates });
      for (let launch = 0; launch < size.launches; launch++) {
        await runLaunch({ benchmark, folder, candidates, context, launch }, (step) =>
          progress(`${name} launch ${launch + 1} of ${size.launches}, ${step}`.trimStart()),
        );
      }
    }
  } finally {
    await prepared.close?.();
  }
  progress('done', true);
  return outcome;
}

/** One life of all the processes of a case: setup, warm-up, rounds, teardown. */
async function runLaunch({ benchmark, folder, candidates, context, launch }, progress) {
  const { warmups, rounds, timeoutMs = 60_000 } = context.size;
  const children = new Map();

  /** Takes one step with each candidate that has not failed yet; a failure takes its candidate out, and nobody else. */
  const forEach = async (order, label, step) => {
    for (const candidate of order) {
      if (candidate.failure !== undefined) continue;
      progress(`${label}: ${candidate.name}`);
      try {
        await step(children.get(candidate), candidate);
      } catch (error) {
        candidate.failure = `${label}: ${error.message}`;
        children.get(candidate)?.kill();
      }
    }
  };

  try {
    await forEach(candidates, 'setup', async (_, candidate) => {
      const { file, value } = benchmark.candidates[candidate.name];
      const child = new Candidate(new URL(file, folder), Object.keys(benchmark.metrics), timeoutMs);
      children.set(candidate, child);
      await child.setup({ ...context, value });
    });
    for (let warmup = 0; warmup < warmups; warmup++) {
      await forEach(candidates, `warm-up ${warmup + 1} of ${warmups}`, (child) => child.run());
    }
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? candidates : candidates.toReversed();
      await forEach(order, `round ${round + 1} of ${rounds}`, async (child, candidate) => {
        candidate.rounds[launch * rounds + round] = await child.run();
      });
    }
    await forEach(candidates, 'teardown', (child) => child.stop());
  } finally {
    for (const child of children.values()) child.kill();
  }
}
