/**
 * Draws what RESULTS.md says to docs/*.svg: `npm --prefix benchmarks run charts`. With `-- measure` it first measures the goodput over
 * time, which RESULTS.md does not have.
 */
import { bars, draw, lines } from './draw.js';
import { goodputOverTime, measure } from './over-time.js';
import { medians } from './results.js';

if (process.argv.includes('measure')) await measure();

const pick = (values, names) => Object.fromEntries(Object.entries(names).map(([from, to]) => [to, values[from]]));
const said = (values, unit) =>
  Object.entries(values)
    .map(([name, value]) => `${name}: ${value} ${unit}`)
    .join('; ');

const overhead = pick(medians('overhead', 'GET', 'ratio'), {
  'empty adapter wrap': 'an empty wrap',
  'retry-axios': 'retry-axios, defaults',
  'holdfast defaults': 'holdfast, defaults',
  'axios-retry': 'axios-retry, defaults',
  'holdfast deadline, judge, key, listener': 'holdfast, deadline, judge, key and listener',
  'holdfast and token, limit, breaker': 'holdfast, and token, limit and breaker',
});
await draw('overhead', {
  title: 'A successful call: processor time against bare axios',
  description: said(overhead, 'times bare axios'),
  ...bars(overhead, { unit: 'times bare axios', from: 0, label: (value) => value.toFixed(2) }),
});

const permits = pick(medians('permits', '10,000 at once', 'permits per s'), {
  holdfast: 'holdfast',
  'p-queue': 'p-queue',
  Bottleneck: 'Bottleneck',
});
await draw('permits', {
  title: 'A limiter in one process, 10,000 calls at once',
  description: said(permits, 'permits a second'),
  ...bars(permits, {
    unit: 'permits a second, on a logarithmic scale',
    log: true,
    label: (value) => value.toLocaleString('en'),
  }),
});

const amplification = pick(medians('amplification', 'total outage of 60 s, 10 calls/s', 'sends per call'), {
  holdfast: 'holdfast',
  'axios-retry': 'axios-retry',
  'Finagle, 20 % and 10/s': 'Finagle',
  '.NET 11, ratio 0.1': '.NET 11',
  'AWS standard mode of 2026': 'AWS SDK, standard mode of 2026',
  'gRPC, 10 tokens, ratio 0.1': 'gRPC',
});
await draw('amplification', {
  title: 'A total outage of a minute: requests for each call',
  description: said(amplification, 'sends a call'),
  ...bars(amplification, { unit: 'sends a call, at 10 calls a second', from: 0, label: (value) => value.toFixed(2) }),
});

const size = pick(medians('size', undefined, 'esbuild'), {
  everything: 'holdfast, everything',
  core: 'holdfast, core',
  ky: 'ky',
  'axios-retry': 'axios-retry',
  cockatiel: 'cockatiel',
  'p-retry': 'p-retry',
});
await draw('size', {
  title: 'What it weighs in a browser',
  description: said(size, 'kB'),
  ...bars(size, { unit: 'kB, minified and compressed, over axios', from: 0, label: (value) => value.toFixed(1) }),
});

await draw('goodput', {
  title: 'A quota of 100 a second: what is admitted in each second, and what is refused',
  description:
    'holdfast stays at the quota and is not refused, or learns it within seconds; the others go on being refused.',
  ...lines(await goodputOverTime(), { x: 'seconds' }),
});
