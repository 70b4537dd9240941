import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const lib = fileURLToPath(new URL('../../lib/', import.meta.url));

/** The files of which something is in a browser's bundle of a program. */
async function filesOf(program: string): Promise<readonly string[]> {
  const { metafile } = await build({
    stdin: { contents: program, resolveDir: lib, loader: 'ts' },
    absWorkingDir: lib,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    external: ['axios'],
  });
  return Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
}

const ofRoom = (files: readonly string[], room: RegExp) => files.filter((path) => room.test(path));
// What a server says of its quota is a wait that it names, too: the headers are read without any limiter.
const LIMIT = /^limit\/(?!quota\/(headers|fields|structured|reset)\.)/;
const ROOMS = [
  ['limit', LIMIT, 'attach(client, { limit: localLimiter({ maxConcurrent: 1 }) })', 'localLimiter'],
  ['auth', /^auth\/|p-retry/, "attach(client, { auth: credentials({ refresh: () => 't' }) })", 'credentials'],
  ['breaker', /^breaker\//, 'attach(client, { breaker: circuitBreaker() })', 'circuitBreaker'],
] as const;

describe('a bundle of core', () => {
  it('has no limiter, no session, no breaker, and no preset', async () => {
    const files = await filesOf("export { attach, mergePolicies, preparePolicy, failureOf } from './core.ts';");
    expect(ofRoom(files, /^loop\/loop\.ts$/)).toHaveLength(1);
    for (const [, room] of ROOMS) expect(ofRoom(files, room)).toEqual([]);
    expect(ofRoom(files, /^presets\/|^redis-client\/|\/redis\/|bottleneck/)).toEqual([]);
  });

  it.each(ROOMS)('has of these only what a policy brings: %s', async (name, room, use, maker) => {
    const files = await filesOf(`import { attach, ${maker} } from './core.ts'; export const use = (client) => ${use};`);
    expect(ofRoom(files, room).length).toBeGreaterThan(3);
    for (const [other, its] of ROOMS) if (other !== name) expect(ofRoom(files, its)).toEqual([]);
  });

  it('is a part of the main entry, which has them all', async () => {
    const files = await filesOf("export * from './index.ts';");
    for (const [, room] of ROOMS) expect(ofRoom(files, room).length).toBeGreaterThan(3);
    for (const path of await filesOf("export { attach } from './core.ts';")) {
      if (path !== 'core.ts' && path !== 'policy/unloaded.ts') expect(files).toContain(path);
    }
  });
});
