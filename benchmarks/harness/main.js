/**
 * The command: `npm run bench -- NAME [--quick]`. Finds `NAME/benchmark.js`, runs it, prints the result and, after a
 * full run without a failure, replaces that benchmark's section of RESULTS.md.
 *
 * A benchmark is a module with these named exports:
 *
 *   title       the heading of its section
 *   about       what is measured, in a few sentences (Markdown)
 *   candidates  { [name]: { file, package?, value?, cases? } }: `file` is relative to the benchmark's folder and runs in a
 *               child process of its own; `package` names the npm package whose version the results should state; `value`
 *               is any JSON value that it is handed; `cases` names those that it takes part in, where that is not all
 *   metrics     { [key]: { label, digits? } }: what a batch reports, in the order of the columns
 *   compared    the key of the metric that is compared by ratio
 *   baseline?   the candidate that the others are divided by; without one there is no column of ratios
 *   cases?      { [name]: any JSON value }: each case gets its own processes and its own table
 *   full, quick { launches, warmups, rounds, … }: how much to run. `launches` is how often all processes are started
 *               afresh, `warmups` and `rounds` are batches for each launch; `timeoutMs?` bounds a batch (60 s). Whatever
 *               else stands here is handed to the candidates, the size of a batch for example
 *   prepare?    async () => ({ shared, close? }): runs once in the parent, to start a server that everybody calls for
 *               example; `shared` is a JSON value that every candidate receives
 *   supplement? async ({ size, outcome }) => Markdown: what does not fit a table of candidates; it stands after them. It runs in the
 *               parent, and starts what it measures itself; `outcome` is what the candidates reported (run-benchmark.js)
 *
 * A candidate's file exports
 *
 *   setup({ case, size, shared, value })  → { run, teardown? }, or a promise of it. `case` is the case's value, `size` is `full`
 *                                    or `quick`, `value` the candidate's. `run()` does one batch and returns, or promises, the metrics as finite
 *                                    numbers; `teardown()` lets go of timers and sockets. A process that goes on living
 *                                    after that has failed.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { competitors, describeEnvironment, requireOneAxios } from './environment.js';
import { renderSection, replaceSection } from './results.js';
import { runBenchmark } from './run-benchmark.js';

const home = new URL('../', import.meta.url);
const { positionals, values } = parseArgs({ allowPositionals: true, options: { quick: { type: 'boolean' } } });
const [name] = positionals;
const quick = values.quick === true;

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function main() {
  const names = readdirSync(home).filter((folder) => existsSync(new URL(`${folder}/benchmark.js`, home)));
  if (positionals.length !== 1 || !names.includes(name)) {
    throw new Error(`usage: npm run bench -- NAME [--quick]\nbenchmarks: ${names.join(', ')}`);
  }
  installOnce();
  requireOneAxios();

  const folder = new URL(`${name}/`, home);
  const benchmark = await import(new URL('benchmark.js', folder).href);
  const startedAt = Date.now();
  const outcome = await runBenchmark(benchmark, { folder, quick, progress: showProgress(startedAt) });
  const supplement = await benchmark.supplement?.({ size: quick ? benchmark.quick : benchmark.full, outcome });
  const environment = describeEnvironment(benchmark, `npm run bench -- ${name}${quick ? ' --quick' : ''}`, startedAt);
  const section = renderSection(benchmark, outcome, environment, supplement);
  console.log(section);

  const failures = outcome.flatMap((tested) => tested.candidates.filter(({ failure }) => failure !== undefined));
  if (failures.length > 0) {
    console.error(`${failures.length} failed; RESULTS.md is left as it was.`);
    return 1;
  }
  if (quick) {
    console.error('A quick run is for orientation; RESULTS.md is left as it was.');
  } else {
    replaceSection(new URL('RESULTS.md', home), name, section);
    console.error('Written to benchmarks/RESULTS.md.');
  }
  return 0;
}

/** A fresh clone has the library's dependencies, but not the competitors. */
function installOnce() {
  const missing = competitors().filter((name) => !existsSync(new URL(`node_modules/${name}`, home)));
  if (missing.length === 0) return;
  console.error(`${missing.join(', ')} not found in benchmarks/node_modules: running \`npm ci\` there, once.`);
  // The prefix is given outright because npm hands the one that it was called with down through the environment.
  execFileSync('npm', ['ci', '--prefix', fileURLToPath(home), '--no-audit', '--no-fund'], {
    cwd: fileURLToPath(home),
    stdio: ['ignore', 2, 2],
  });
}

/** On stderr, so that stdout holds the result alone: one line that is rewritten on a terminal, else a line now and then. */
function showProgress(startedAt) {
  let shownAt = 0;
  return (text, isLast = false) => {
    const now = Date.now();
    const line = `[${((now - startedAt) / 1000).toFixed(0).padStart(3)} s] ${text}`;
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\u001b[K${line}${isLast ? '\n' : ''}`);
    } else if (isLast || now - shownAt >= 5_000) {
      shownAt = now;
      process.stderr.write(`${line}\n`);
    }
  };
}
