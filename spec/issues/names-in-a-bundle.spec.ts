import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as holdfast from 'axios-holdfast';
import { build } from 'esbuild';
import { expect, it, onTestFinished } from 'vitest';

it('errors keep their names where a bundler has shortened those of the classes', async () => {
  const { InvalidPolicyError, LimitError, TokenRefreshError, CircuitOpenError } = await minified();
  const errors = [
    new InvalidPolicyError([]),
    new LimitError('ERR_LIMIT_CLOSED', ''),
    new TokenRefreshError('', new Error('no network')),
    new CircuitOpenError('', 0),
  ];
  const names = ['InvalidPolicyError', 'LimitError', 'TokenRefreshError', 'CircuitOpenError'];
  expect(errors.map(({ name }) => name)).toEqual(names);
});

it('a class of your own that extends one has its own name', async () => {
  const { LimitError } = await minified();
  class Mine extends LimitError {}
  expect(new Mine('ERR_LIMIT_CLOSED', '').name).toBe('Mine');
});

/** The main entry as a production build of a page has it. */
async function minified(): Promise<typeof holdfast> {
  const folder = await mkdtemp(join(tmpdir(), 'minified-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const outfile = join(folder, 'bundle.cjs');
  const entry = fileURLToPath(new URL('../../lib/index.ts', import.meta.url));
  await build({ entryPoints: [entry], outfile, bundle: true, minify: true, platform: 'node', format: 'cjs' });
  return createRequire(import.meta.url)(outfile);
}
