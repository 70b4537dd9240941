import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** What of lib/presets is no family. */
const FORM = ['check-preset.ts', 'define-preset.ts', 'refilling.ts', 'server-says.ts'];
const families = readdirSync(`${root}lib/presets`)
  .filter((file) => !FORM.includes(file))
  .map((file) => file.replace(/\.ts$/, '').replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()));

/** Bytes that a browser loads, compressed. */
async function weightOf(program: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: root, loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    external: ['axios'],
    write: false,
    alias: { 'axios-holdfast': `${root}lib/index.ts`, 'axios-holdfast/presets': `${root}lib/presets.ts` },
  });
  return gzipSync(outputFiles[0]?.contents ?? '').length;
}

const MAIN = "import { attach, partnerApi } from 'axios-holdfast'; console.log(attach, partnerApi);";

describe('what a preset costs a browser', () => {
  it.each(families)('is 1.5 kB at most over what the main entry has: %s', async (family) => {
    const program = `${MAIN} import { ${family} as family } from 'axios-holdfast/presets'; console.log(family);`;
    expect((await weightOf(program)) - (await weightOf(MAIN))).toBeLessThanOrEqual(1_536);
  });

  it('is nothing where none is imported', async () => {
    const program = `${MAIN} import * as presets from 'axios-holdfast/presets';`;
    expect(await weightOf(program)).toBe(await weightOf(MAIN));
  });
});
