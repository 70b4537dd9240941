// Run after tsc, which has made build/ of lib/, file by file. Makes of it what is published: ESM in dist/, the same as CommonJS in dist/cjs/.
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';

const root = fileURLToPath(new URL('..', import.meta.url));
const [lib, build, dist] = [`${root}lib/`, `${root}build/`, `${root}dist/`];
const entries = Object.values(JSON.parse(readFileSync(`${root}package.json`, 'utf8')).exports).flatMap(
  ({ import: path }) => (path === undefined ? [] : [posix.basename(path, '.js')]),
);

/** What is ESM only, so that CommonJS cannot require it on older versions of Node: it becomes part of what needs it. */
const ESM_ONLY = ['p-retry', 'is-network-error'];

/**
 * Other folders of lib become one file each. Of these a program may need one file and not another, and bundlers leave out whole files best.
 * Nor is any file above 32 kB: npm packs it beside its twin in dist/cjs/, and that far back gzip sees that they are nearly the same.
 */
const FILE_BY_FILE = [
  '.',
  'auth',
  'auth/stores',
  'call',
  'failure',
  'limit',
  'limit/local',
  'limit/quota',
  'limit/redis',
  'observe',
  'presets',
  'time',
];

await make(dist, 'es', []);
await make(`${dist}cjs/`, 'cjs', ESM_ONLY);
// This makes CommonJS of the folder's `.js`, and its declarations see the CommonJS typings of axios.
writeFileSync(`${dist}cjs/package.json`, `${JSON.stringify({ type: 'commonjs', sideEffects: false })}\n`);

async function make(dir, format, included) {
  await bundle('.js', included, [findsModules(included), withoutWhitespace()], dir, format);
  await bundle('.d.ts', included, [dts({ includeExternal: included })], dir, format);
  for (const path of readdirSync(lib, { recursive: true })) if (path.endsWith('.cjs')) cpSync(lib + path, dir + path);
}

/** Writes all entries, and beside them in rooms/ what they share. */
async function bundle(end, included, plugins, dir, format) {
  const made = await rollup({
    input: Object.fromEntries(entries.map((entry) => [entry, build + entry + end])),
    external: (id) => id.endsWith('.cjs') || !(/^[./]/.test(id) || included.includes(id)),
    plugins,
    treeshake: { moduleSideEffects: false },
    onLog(level, { code, message }) {
      // Declarations may need each other, and a file may have none that is public; of code, files that need each other could not be required.
      if (level === 'warn' && end === '.js') throw new Error(`${code}: ${message}`);
    },
  });
  await made.write({
    dir,
    format,
    entryFileNames: `[name]${end}`,
    chunkFileNames: `rooms/[name]${end}`,
    manualChunks: (id) => roomOf(id, end),
    exports: 'named',
    esModule: true,
    interop: 'default',
    hoistTransitiveImports: false,
    minifyInternalExports: false,
  });
}

/** The name of the file that one of build/ becomes part of; an entry is its own, and what is from elsewhere goes where it is needed. */
function roomOf(id, end) {
  const path = posix.relative(build, id).slice(0, -end.length);
  if (path.startsWith('..') || entries.includes(path)) return undefined;
  const folder = posix.dirname(path);
  const name = folder === '.' || (end === '.js' && FILE_BY_FILE.includes(folder)) ? path : folder;
  return name.replaceAll('/', '-');
}

function findsModules(included) {
  return {
    name: 'finds modules',
    resolveId: (id) => (included.includes(id) ? fileURLToPath(import.meta.resolve(id)) : null),
  };
}

function withoutWhitespace() {
  return {
    name: 'without white space',
    renderChunk: (code) => transform(code, { minifyWhitespace: true, minifySyntax: true, target: 'es2022' }),
  };
}
