import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('the packed package', () => {
  const consumer = mkdtempSync(join(tmpdir(), 'holdfast-'));
  const modules = join(consumer, 'node_modules');
  const run = (command: string, ...args: string[]) =>
    execFileSync(command, args, { cwd: consumer, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  let files: string[] = [];

  beforeAll(() => {
    const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', consumer], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [{ filename, files: listed }] = JSON.parse(packed.slice(packed.indexOf('[\n')));
    files = listed.map(({ path }: { path: string }) => path);
    mkdirSync(join(modules, 'axios-holdfast'), { recursive: true });
    run('tar', 'xzf', filename, '-C', join(modules, 'axios-holdfast'), '--strip-components=1');
    for (const name of [
      'axios',
      'axios-retry',
      'bottleneck',
      'is-network-error',
      'is-retry-allowed',
      'p-retry',
      'structured-headers',
    ]) {
      symlinkSync(join(root, 'node_modules', name), join(modules, name));
    }
  }, 60_000);
  afterAll(() => rmSync(consumer, { recursive: true, force: true }));

  const script = 'console.log(typeof attach(axios.create()).detach)';

  it('holds what is built and what a reader needs, and nothing else', () => {
    expect(files.filter((path) => !path.startsWith('dist/')).sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'package.json',
    ]);
    expect(files.filter((path) => !/\.(js|d\.ts|js\.map)$/.test(path) && path.startsWith('dist/'))).toEqual([]);
  });

  it('can be imported', () => {
    writeFileSync(
      join(consumer, 'a.mjs'),
      `import axios from 'axios'; import { attach } from 'axios-holdfast'; ${script}`,
    );
    expect(run('node', 'a.mjs')).toBe('function\n');
  });

  it.each([
    ['redis', 'redisTokenStore'],
    ['redis', 'redisLimiter'],
    ['bottleneck', 'bottleneckLimiter'],
  ])('has an entry %s with %s', (entry, name) => {
    writeFileSync(
      join(consumer, 'e.mjs'),
      `import { ${name} } from 'axios-holdfast/${entry}'; console.log(typeof ${name});`,
    );
    expect(run('node', 'e.mjs')).toBe('function\n');
  });

  it('can be required, although it is ESM', () => {
    const loaded = "const axios = require('axios'); const { attach } = require('axios-holdfast');";
    writeFileSync(join(consumer, 'a.cjs'), `${loaded} ${script}`);
    expect(run('node', '--no-warnings', 'a.cjs')).toBe('function\n');
  });

  const typed = `
    import axios from 'axios';
    import { attach, failureOf, type Policy } from 'axios-holdfast';
    const policy: Policy = { deadlineMs: undefined, retry: { maxRetries: 2 } };
    const client = axios.create();
    const off: () => void = attach(client, policy).on('finished', ({ report }) => { report.elapsedMs.toFixed(); });
    off();
    const sends: number | undefined = failureOf(1)?.sends;
    // @ts-expect-error there is no such option
    attach(client, { retry: { maxRetry: 2 } });
  `;
  // axios has typings of its own for CommonJS, with `export =`, which cannot be augmented from here.
  const perCall = `
    axios.create({ holdfast: policy }).get('/x', { holdfast: false }).then(() => sends);
    // @ts-expect-error there is no such option
    client.get('/x', { holdfast: { retry: { maxRetry: 2 } } });
  `;

  it.each([
    ['nodenext', 'esm.mts', typed + perCall],
    ['bundler', 'esm.mts', typed + perCall],
    ['nodenext', 'cjs.cts', typed],
  ])('has types that a strict project can use: %s, %s', (moduleResolution, file, source) => {
    const module = moduleResolution === 'bundler' ? 'esnext' : 'nodenext';
    writeFileSync(join(consumer, file), source);
    run(
      join(root, 'node_modules/.bin/tsc'),
      ...['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--lib', 'es2022,dom'],
      ...['--module', module, '--moduleResolution', moduleResolution, file],
    );
  });
});
