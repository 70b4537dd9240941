import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { afterAll } from 'vitest';

/**
 * A program in TypeScript as one file that Node can start at once: with `tsx` each process of a fleet takes a second of the
 * processor first. The file is there for the tests of the spec that asks.
 */
export async function bundled(program: URL): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'program-'));
  afterAll(() => rm(folder, { recursive: true }));
  const outfile = join(folder, 'program.cjs');
  await build({ entryPoints: [fileURLToPath(program)], outfile, bundle: true, platform: 'node', format: 'cjs' });
  return outfile;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A program as a script for a page, which finds what it exports under that global name. An import of something of Node's fails it. */
export async function pageScript(globalName: string, program: Pick<BuildOptions, 'entryPoints' | 'stdin' | 'define'>) {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    ...program,
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName,
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  return { script: outputFiles[0]?.text ?? '', files: Object.keys(metafile.inputs) };
}
