/** Bundles the candidate's program by each bundler, runs what comes of it, and weighs it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { bundlers } from '../bundlers.js';

// Not elsewhere: from here the bundlers, and the bundles, find what the benchmarks import.
const home = fileURLToPath(new URL('../.bundles/', import.meta.url));

export function setup({ value: { program, over } }) {
  mkdirSync(home, { recursive: true });
  const folder = mkdtempSync(home);

  async function weighed(text, name) {
    const source = `${folder}/${name}.js`;
    writeFileSync(source, text);
    const weights = {};
    for (const [bundler, bundle] of Object.entries(bundlers)) {
      const code = await bundle(source);
      await requireAnswer(code, `${folder}/${name}.${bundler}.mjs`);
      weights[bundler] = gzipSync(code, { level: 9 }).length / 1_000;
      if (bundler === 'esbuild') weights.minified = Buffer.byteLength(code) / 1_000;
    }
    return weights;
  }

  return {
    async run() {
      const weights = await weighed(program, 'program');
      if (over === undefined) return weights;
      const before = await weighed(over, 'over');
      return Object.fromEntries(Object.entries(weights).map(([key, weight]) => [key, weight - before[key]]));
    },
    teardown: () => rmSync(folder, { recursive: true }),
  };
}

/** A bundle that lacks a part is light, too. */
async function requireAnswer(code, file) {
  writeFileSync(file, code);
  const { call } = await import(pathToFileURL(file).href);
  const status = await call();
  if (status !== 200) throw new Error(`the bundle answered ${status}`);
}
