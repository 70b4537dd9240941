/**
 * What the numbers were measured on, and the condition under which they can be compared: one copy of axios.
 *
 * The library is imported from ../dist by a relative path. As a `file:..` dependency it would be a symbolic link with the
 * same effect, but it would also copy the library's own dependencies into the lock file here, which then goes stale whenever
 * those change. From dist, axios resolves to ../node_modules/axios; so it does from the benchmarks' own files and from
 * the competitors, as long as there is none in benchmarks/node_modules, which .npmrc sees to.
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, totalmem } from 'node:os';

const home = new URL('../', import.meta.url);

/** The packages that only the benchmarks depend on. */
export function competitors() {
  return Object.keys(readJson(new URL('package.json', home)).dependencies);
}

/** Throws, with what to do about it, unless the library, the competitors and the benchmarks load the same axios. */
export function requireOneAxios() {
  const root = new URL('../', home);
  if (!existsSync(new URL('dist/index.js', root))) {
    console.error('dist/ is missing: run `npm ci && npm run build` in the root, or the holdfast candidates will fail.');
  }
  const users = [root, home, ...competitors().map((name) => new URL(`node_modules/${name}/`, home))];
  const copies = new Set(users.map((user) => axiosOf(user)));
  if (copies.size > 1) {
    throw new Error(
      `The candidates would load ${copies.size} copies of axios: ${[...copies].join(', ')}.\nRun \`npm ci\` in benchmarks/.`,
    );
  }
}

/** → [label, value][] for the end of a section. */
export function describeEnvironment(benchmark, command, startedAt) {
  const versions = [['Node', process.versions.node]];
  for (const name of new Set(['axios', ...Object.values(benchmark.candidates).flatMap((each) => each.package ?? [])])) {
    versions.push([name, versionOf(name)]);
  }
  const processors = cpus();
  const memory = `${(totalmem() / 2 ** 30).toFixed(1)} GiB`;
  const { launches, rounds } = command.endsWith('--quick') ? benchmark.quick : benchmark.full;
  return [
    ['Versions', versions.map((pair) => pair.join(' ')).join(', ')],
    [
      'Machine',
      `${processors[0]?.model.trim() ?? process.arch}, ${processors.length} cores, ${memory}, ${process.platform}`,
    ],
    ['Command', `\`${command}\` (${launches} × ${rounds} rounds, ${((Date.now() - startedAt) / 1000).toFixed(0)} s)`],
    ['Date', new Date(startedAt).toISOString().slice(0, 10)],
  ];
}

function axiosOf(user) {
  try {
    return realpathSync(createRequire(new URL('package.json', user)).resolve('axios/package.json'));
  } catch (cause) {
    throw new Error(`axios is not found from ${user.pathname}: run \`npm ci\` in the root.`, { cause });
  }
}

function versionOf(name) {
  const root = new URL('../package.json', home);
  if (name === readJson(root).name) return readJson(root).version;
  const places = [
    new URL(`node_modules/${name}/package.json`, home),
    new URL(`../node_modules/${name}/package.json`, home),
  ];
  const file = places.find((place) => existsSync(place));
  return file === undefined ? '(not installed)' : readJson(file).version;
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
