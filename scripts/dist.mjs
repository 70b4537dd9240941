// Run after tsc, which has made dist as ESM with declarations: makes the same as CommonJS in dist/cjs.
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const [lib, dist, cjs] = [`${root}lib/`, `${root}dist/`, `${root}dist/cjs/`];
const entries = Object.values(JSON.parse(readFileSync(`${root}package.json`, 'utf8')).exports).flatMap(
  ({ import: path }) => (path === undefined ? [] : [posix.relative('dist', path)]),
);
const filesIn = (folder, end) => readdirSync(folder, { recursive: true }).filter((path) => path.endsWith(end));

/** What is ESM only, so that CommonJS cannot require it on older versions of Node: it becomes part of what needs it. */
const ESM_ONLY = ['p-retry', 'is-network-error'];

const declarations = new Set();
for (const entry of entries) declare(entry.replace(/\.js$/, '.d.ts'));
for (const path of filesIn(dist, '.d.ts')) if (!declarations.has(path)) rmSync(dist + path);

// File by file, so that all entries share what they have in common.
await build({
  entryPoints: filesIn(dist, '.js').map((path) => dist + path),
  outbase: dist,
  outdir: cjs,
  bundle: true,
  format: 'cjs',
  platform: 'neutral',
  target: 'es2022',
  logLevel: 'warning',
  plugins: [
    {
      name: 'everything else is required',
      setup: ({ onResolve }) =>
        onResolve({ filter: /./ }, ({ path, kind }) =>
          kind === 'entry-point' || ESM_ONLY.includes(path) ? undefined : { path, external: true },
        ),
    },
  ],
});

// This makes CommonJS of the folder's `.js`, and its declarations see the CommonJS typings of axios.
writeFileSync(`${cjs}package.json`, `${JSON.stringify({ type: 'commonjs', sideEffects: false })}\n`);
for (const path of declarations) {
  // Versions of TypeScript before 5 do not know `.ts` here, which is what tsc leaves.
  const declared = readFileSync(dist + path, 'utf8').replace(/(['"]\.[^'"]+)\.ts(?=['"])/g, '$1.js');
  const up = posix.relative(posix.dirname(path), '') || '.';
  writeFileSync(dist + path, declared);
  writeFileSync(
    cjs + path,
    ESM_ONLY.reduce((text, name) => text.replace(`'${name}'`, `'${up}/${name}.js'`), declared),
  );
}
for (const name of ESM_ONLY) cpSync(`${root}node_modules/${name}/index.d.ts`, `${cjs}${name}.d.ts`);
for (const path of filesIn(lib, '.cjs')) for (const to of [dist, cjs]) cpSync(lib + path, to + path);

/** Notes a declaration that an entry needs, and what that needs. */
function declare(path) {
  if (declarations.has(path)) return;
  declarations.add(path);
  for (const [, to] of readFileSync(dist + path, 'utf8').matchAll(/['"](\.[^'"]+)\.[jt]s['"]/g)) {
    declare(posix.join(posix.dirname(path), `${to}.d.ts`));
  }
}
