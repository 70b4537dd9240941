/** `npm --prefix benchmarks test`: does the harness measure what it says, and does it tell when something fails? */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { renderSection, replaceSection } from './results.js';
import { runBenchmark } from './run-benchmark.js';
import { ratios, summarize } from './statistics.js';

const module = (source) => ({ file: `data:text/javascript,${encodeURIComponent(source)}` });
const returning = (run) => module(`export const setup = (context) => ({ run: () => (${run}) });`);
const folder = new URL('.', import.meta.url);

const benchmark = (candidates) => ({
  title: 'A title',
  about: 'About it.',
  baseline: 'one',
  compared: 'cost',
  metrics: { cost: { label: 'cost', digits: 1 } },
  candidates,
  full: { launches: 2, warmups: 1, rounds: 3, timeoutMs: 1_000, cost: 4 },
});

const run = (definition) => runBenchmark(definition, { folder, quick: false, progress() {} });

test('summarizes by the median and the quartiles', () => {
  assert.deepEqual(summarize([5, 1, 2, 4, 3]), { median: 3, low: 2, high: 4 });
});

test('forms ratios within a round, and only where both took part', () => {
  assert.deepEqual(ratios([{ cost: 3 }, { cost: 8 }], [{ cost: 2 }, undefined], 'cost'), [1.5]);
});

test('runs all rounds of all launches with the same size for everybody', async () => {
  const definition = benchmark({ one: returning('{ cost: 2 }'), two: returning('{ cost: context.size.cost }') });
  const [{ candidates }] = await run(definition);
  assert.deepEqual(
    candidates.map(({ name, rounds, failure }) => [name, rounds.length, failure]),
    [
      ['one', 6, undefined],
      ['two', 6, undefined],
    ],
  );
  assert.match(renderSection(definition, [{ name: '', candidates }], []), /two .* \*\*2\.000\*\* \(2\.000–2\.000\)/);
});

test('hands what was prepared to every candidate and closes it afterwards', async () => {
  let closed = 0;
  const prepare = async () => ({ shared: { cost: 7 }, close: async () => void closed++ });
  const [{ candidates }] = await run({ ...benchmark({ one: returning('context.shared') }), prepare });
  assert.deepEqual(candidates[0].rounds[0], { cost: 7 });
  assert.equal(closed, 1);
});

test('gives a candidate its value, and leaves it out of the cases that are not its own', async () => {
  const first = { ...returning('{ cost: context.value }'), value: 7 };
  const cases = { both: null, 'only one': null };
  const definition = benchmark({ one: first, two: { ...first, value: 9, cases: ['both'] } });
  const outcome = await run({ ...definition, cases });
  assert.deepEqual(
    outcome.map(({ candidates }) => candidates.map(({ name, rounds }) => [name, rounds[0].cost])),
    [
      [
        ['one', 7],
        ['two', 9],
      ],
      [['one', 7]],
    ],
  );
});

const failures = {
  'throws while it is loaded': [module('throw new Error("no such thing")'), /setup: Error: no such thing/],
  'rejects in a batch': [returning('Promise.reject(new Error("lost"))'), /warm-up 1 of 1: Error: lost/],
  'gives no number': [returning('{}'), /cost: undefined, not a finite number/],
  'never answers': [returning('new Promise(() => {})'), /no answer within 1000 ms/],
  'ends its process': [returning('process.exit(3)'), /the process ended with code 3/],
  'prints before it ends': [returning('console.error("why") ?? process.exit(3)'), /it printed:\nwhy/],
  'does not let go of a timer': [
    module('export const setup = () => ({ run: () => ({ cost: 1 }), teardown() { setInterval(() => {}, 1_000); } })'),
    /teardown: something keeps its event loop alive/,
  ],
};

for (const [what, [candidate, expected]] of Object.entries(failures)) {
  test(`reports a candidate that ${what}, and measures the others`, async () => {
    const definition = benchmark({ one: returning('{ cost: 2 }'), bad: candidate, three: returning('{ cost: 3 }') });
    const outcome = await run(definition);
    const [one, bad, three] = outcome[0].candidates;
    assert.match(bad.failure, expected);
    assert.deepEqual(
      [one.failure, one.rounds.length, three.failure, three.rounds.length],
      [undefined, 6, undefined, 6],
    );
    assert.match(renderSection(definition, outcome, []), expected);
  });
}

test('replaces the section of one benchmark and leaves the others alone', () => {
  const file = pathToFileURL(join(mkdtempSync(join(tmpdir(), 'results-')), 'RESULTS.md'));
  replaceSection(file, 'a', 'first');
  replaceSection(file, 'b', 'second');
  replaceSection(file, 'a', 'third');
  const text = readFileSync(file, 'utf8');
  assert.match(
    text,
    /^# Results\n[\s\S]*<!-- begin a -->\nthird\n<!-- end a -->\n\n<!-- begin b -->\nsecond\n<!-- end b -->\n$/,
  );
  assert.doesNotMatch(text, /first/);
});
