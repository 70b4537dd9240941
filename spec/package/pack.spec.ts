import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { inTurn, status } from '../support/attached.ts';
import { loopback } from '../support/loopback.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
/** `.`, `./redis` …: what can be loaded. */
const ENTRIES = Object.keys(manifest.exports).filter((entry) => entry !== './package.json');
const importOf = (entry: string) => posix.join('axios-holdfast', entry);
/** What some entries need, and say so where it is missing. */
const OPTIONAL = { bottleneck: 'bottleneck', otel: '@opentelemetry/api' };
/** What npm would install beside it. */
const NEEDED = ['axios-retry', 'is-network-error', 'is-retry-allowed', 'p-retry', 'structured-headers'];

describe('the packed package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-'));
  /** One with the newest axios, one with the oldest. */
  const [consumer, consumer17] = [join(folder, 'newest'), join(folder, 'oldest')];
  let files: string[] = [];
  let bytes = 0;

  beforeAll(() => {
    const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [{ filename, files: listed, size }] = JSON.parse(packed.slice(packed.indexOf('[\n')));
    bytes = size;
    files = listed.map(({ path }: { path: string }) => path);
    for (const [at, axios] of [
      [consumer, 'axios'],
      [consumer17, 'axios-1.7'],
    ] as const) {
      const modules = join(at, 'node_modules');
      mkdirSync(join(modules, 'axios-holdfast'), { recursive: true });
      execFileSync('tar', ['xzf', filename, '-C', join(modules, 'axios-holdfast'), '--strip-components=1'], {
        cwd: folder,
      });
      symlinkSync(join(root, 'node_modules', axios), join(modules, 'axios'));
      mkdirSync(join(modules, '@opentelemetry'));
      for (const name of [...NEEDED, ...Object.values(OPTIONAL)])
        symlinkSync(join(root, 'node_modules', name), join(modules, name));
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (command: string, ...args: string[]) =>
    execFileSync(command, args, { cwd: consumer, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  /** What a script of one of the two kinds prints. */
  const printed = (file: 'script.mjs' | 'script.cjs', source: string) => {
    writeFileSync(join(consumer, file), source);
    return run('node', '--no-warnings', file);
  };
  /** The names that an entry gives, as a script of one of the two kinds sees them. */
  const namesOf = (file: 'script.mjs' | 'script.cjs', entry: string): string => {
    const load = file === 'script.mjs' ? 'await import' : 'require';
    const loaded = `Object.entries(${load}('${importOf(entry)}'))`;
    return printed(file, `console.log(${loaded}.map(([name, it]) => name + ': ' + typeof it).sort().join());`);
  };

  it('weighs 250 kB at most', () => {
    expect(bytes).toBeLessThanOrEqual(250_000);
  });

  it('holds what is built and what whoever installs it must know, and nothing else', () => {
    const written = files.filter((path) => !path.startsWith('dist/'));
    expect(written.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json']);
    const built = files.filter((path) => path.startsWith('dist/') && !/\.(js|cjs|d\.ts)$/.test(path));
    expect(built).toEqual(['dist/cjs/package.json']);
  });

  it.each([
    "export { attach } from 'axios-holdfast/core';",
    "export { attach, credentials } from 'axios-holdfast/core';",
    "export { attach, circuitBreaker } from 'axios-holdfast/core';",
    "export { failureOf } from 'axios-holdfast';",
    "export * from 'axios-holdfast';",
    "export { attach } from 'axios-holdfast'; export { github } from 'axios-holdfast/presets';",
    "export * from 'axios-holdfast/redis';",
    "export * from 'axios-holdfast/web';",
  ])('gives a bundle no more than lib, file by file, would, but for 2 %%: %s', async (contents) => {
    const weightIn = async (resolveDir: string, alias = {}) => {
      const { outputFiles } = await build({
        stdin: { contents, resolveDir },
        alias,
        bundle: true,
        minify: true,
        format: 'esm',
        external: ['axios'],
        write: false,
      });
      return gzipSync(outputFiles[0]?.contents ?? '').length;
    };
    const sources = ENTRIES.map((entry) => [
      importOf(entry),
      join(root, 'lib', entry === '.' ? 'index.ts' : `${entry}.ts`),
    ]);
    const weight = await weightIn(root, Object.fromEntries(sources.reverse()));
    expect(await weightIn(consumer)).toBeLessThanOrEqual(weight * 1.02);
  });

  it.each(ENTRIES)('has an entry %s that can be imported and required, with the same names', (entry) => {
    const names = namesOf('script.mjs', entry);
    expect(names).toMatch(/: function/);
    expect(namesOf('script.cjs', entry)).toBe(names);
  });

  it('is CommonJS where it is required: older versions of Node cannot require ESM', () => {
    const loads = ENTRIES.map((entry) => `require('${importOf(entry)}');`).join('');
    const loaded = 'Object.keys(require.cache).filter((path) => /axios-holdfast.dist/.test(path))';
    const elsewhere = `${loaded}.filter((path) => !/dist.cjs/.test(path))`;
    const source = `${loads} console.log(${loaded}.length > 50, ${elsewhere}.length, process.argv.length);`;
    // Without this a `require` of ESM would work, and hide that something is left.
    writeFileSync(join(consumer, 'script.cjs'), source);
    const flags = process.allowedNodeEnvironmentFlags.has('--experimental-require-module')
      ? ['--no-experimental-require-module']
      : [];
    expect(run('node', '--no-warnings', ...flags, 'script.cjs')).toBe('true 0 2\n');
  });

  it('has one set of classes for all its entries', () => {
    const source = (load: string) => `
      const { InvalidPolicyError } = ${load}('axios-holdfast');
      const { redisLimiter } = ${load}('axios-holdfast/redis');
      try { redisLimiter(1, 2); } catch (error) { console.log(error.constructor === InvalidPolicyError); }`;
    expect(printed('script.mjs', source('await import'))).toBe('true\n');
    expect(printed('script.cjs', source('require'))).toBe('true\n');
  });

  const needy = Object.entries(OPTIONAL).flatMap((each) => [
    [...each, 'script.mjs'] as const,
    [...each, 'script.cjs'] as const,
  ]);
  it.each(needy)('says what to install where %s needs %s, which is missing: %s', (entry, needed, file) => {
    const [there, away] = [join(consumer, 'node_modules', needed), join(consumer, 'away')];
    renameSync(there, away);
    onTestFinished(() => renameSync(away, there));
    const load = file === 'script.mjs' ? 'import' : 'require';
    const asked = `(async () => ${load}('axios-holdfast/${entry}'))().catch(({ message }) => console.log(message));`;
    expect(printed(file, asked)).toMatch(new RegExp(`axios-holdfast/${entry} needs .*npm i ${needed}\n$`));
    expect(namesOf(file, '.')).toMatch(/attach: function/);
  });

  const typed = `
    import axios from 'axios';
    import { attach, failureOf, type Policy } from 'axios-holdfast';
    ${ENTRIES.map((entry, i) => `import * as entry${i} from '${importOf(entry)}';`).join('\n')}
    const names: object[] = [${ENTRIES.map((_, i) => `entry${i}`)}];
    const policy: Policy = { deadlineMs: undefined, retry: { maxRetries: 2 } };
    const client = axios.create();
    const off: () => void = attach(client, policy).on('finished', ({ report }) => { report.elapsedMs.toFixed(); });
    off();
    const sends: number | undefined = failureOf(1)?.sends;
    attach(client, {
      auth: {
        token: () => 't',
        refresh: async ({ http }) => (await http.post<{ token: string }>('/token')).data.token,
        apply: (headers, { value }) => { headers.set('X-Token', value).delete('Cookie'); },
        retry: { retries: 1, shouldRetry: ({ error }) => error.message !== '' },
      },
    });
    // @ts-expect-error there is no such option
    attach(client, { retry: { maxRetry: 2 } });
    axios.create({ holdfast: policy }).get('/x', { holdfast: false }).then(() => [sends, names]);
    client.get('/x', { holdfast: { retry: { maxRetries: 0 } } });
    // @ts-expect-error there is no such option
    client.get('/x', { holdfast: { retry: { maxRetry: 2 } } });
    // @ts-expect-error it is a number
    attach(client, { auth: { token: () => 't', refresh: () => 't', retry: { retries: '1' } } });
    // @ts-expect-error there is no such header's method
    attach(client, { auth: { token: () => 't', refresh: () => 't', apply: (headers) => headers.sett('X', '1') } });
  `;

  it.each([
    ['nodenext', 'esm.mts', consumer],
    ['bundler', 'esm.mts', consumer],
    ['nodenext', 'cjs.cts', consumer],
    ['nodenext', 'esm.mts', consumer17],
    ['nodenext', 'cjs.cts', consumer17],
  ])('has types that a strict project can use: %s, %s, in %s', (moduleResolution, file, cwd) => {
    const module = moduleResolution === 'bundler' ? 'esnext' : 'nodenext';
    writeFileSync(join(cwd, file), typed);
    const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022'];
    const libraries = ['--lib', 'es2022,dom', '--types', '--module', module, '--moduleResolution', moduleResolution];
    execFileSync(join(root, 'node_modules/.bin/tsc'), [...options, ...libraries, file], { cwd, stdio: 'pipe' });
  });

  describe('as ESM beside CommonJS in one process', () => {
    type Copy = typeof import('axios-holdfast');
    let axios: typeof import('axios').default;
    let copies: readonly (readonly [name: string, made: Copy, other: Copy])[];

    beforeAll(async () => {
      const require = createRequire(join(consumer, 'script.cjs'));
      const esm: Copy = await import(pathToFileURL(join(consumer, 'node_modules/axios-holdfast/dist/index.js')).href);
      const cjs: Copy = require('axios-holdfast');
      axios = require('axios');
      copies = [
        ['ESM', esm, cjs],
        ['CommonJS', cjs, esm],
      ];
    });

    const fast = { retry: { backoff: () => 0 } };
    async function clientOf(...statuses: readonly [number, ...number[]]) {
      const [first, ...rest] = statuses.map((code) => status(code, {}, { error: { code: 'E', message: 'no' } }));
      const server = await loopback(inTurn(first as NonNullable<typeof first>, ...rest));
      onTestFinished(() => server.close());
      return axios.create({ baseURL: server.url });
    }

    it('is two copies', () => {
      const [[, esm, cjs]] = copies as [(typeof copies)[number]];
      expect(esm.attach).not.toBe(cjs.attach);
    });

    it('explains and reports the calls of the other', async () => {
      for (const [name, made, other] of copies) {
        const client = await clientOf(503, 404);
        made.attach(client, fast);
        const error = await client.get('/x?secret=1').catch((thrown: unknown) => thrown);
        expect(other.failureOf(error), name).toMatchObject({ kind: 'rejected', status: 404, sends: 2, retries: 1 });
        expect(other.failureOf(error)).toEqual(made.failureOf(error));
        expect(other.failureOf(new Error('wrapped', { cause: error }))).toEqual(made.failureOf(error));
        expect(other.reportOf(error)).toEqual(made.reportOf(error));
        const [one, two] = [await clientOf(200), await clientOf(200)];
        made.attach(one);
        other.attach(two);
        const ids = [made.reportOf(await one.get('/'))?.id, made.reportOf(await two.get('/'))?.id];
        expect(new Set([undefined, ...ids]).size).toBe(3);
      }
    });

    it('refuses what the other is attached to, and attaches when that is detached', async () => {
      for (const [name, made, other] of copies) {
        const client = await clientOf(200);
        const holdfast = made.attach(client);
        expect(() => other.attach(client), name).toThrow(/attached to this axios instance already/);
        holdfast.detach();
        other.attach(client);
        expect(other.reportOf(await client.get('/'))?.sends).toHaveLength(1);
      }
    });

    it('instruments what the other has attached', async () => {
      const entry = createRequire(join(consumer, 'script.cjs'));
      const { instrument: cjs }: typeof import('axios-holdfast/otel') = entry('axios-holdfast/otel');
      const path = join(consumer, 'node_modules/axios-holdfast/dist/otel.js');
      const { instrument: esm }: typeof import('axios-holdfast/otel') = await import(pathToFileURL(path).href);
      for (const [name, made] of copies) {
        const holdfast = made.attach(await clientOf(200));
        const stop = (name === 'ESM' ? cjs : esm)(holdfast);
        expect(() => (name === 'ESM' ? esm : cjs)(holdfast), name).toThrow(/instrumented already/);
        stop();
      }
    });

    it('has errors that are instances of the classes of the other', async () => {
      for (const [name, made, other] of copies) {
        class Mine extends other.LimitError {}
        const client = await clientOf(200);
        const holdfast = made.attach(client, { limit: { requests: 1, perMs: 60_000 } });
        await client.get('/');
        const queued = client.get('/').catch((thrown: unknown) => thrown);
        await holdfast.close();
        const error = await queued;
        expect(error instanceof other.LimitError, name).toBe(true);
        expect(error instanceof other.CircuitOpenError).toBe(false);
        expect(error instanceof Mine).toBe(false);
        expect(other.isHoldfastError(error)).toBe(true);
        expect(other.failureOf(error)).toMatchObject({ kind: 'limited', code: 'ERR_LIMIT_CLOSED', sends: 0 });
        expect(() => made.attach(client, { retry: { maxRetries: -1 } })).toThrow(other.InvalidPolicyError);
      }
    });

    it('takes a limiter of the other, adjusted by the other too', async () => {
      for (const [name, made, other] of copies) {
        const limit = other.localLimiter({ requests: 1, perMs: 60_000 });
        onTestFinished(() => limit.close());
        const client = await clientOf(200);
        made.attach(client, other.mergePolicies({ limit }, { limit: { maxWaitMs: 1, key: () => 'all' } }));
        await client.get('/');
        const error = await client.get('/').catch((thrown: unknown) => thrown);
        expect(made.failureOf(error), name).toMatchObject({ kind: 'limited', code: 'ERR_LIMIT_WAIT_TOO_LONG' });
        expect(error instanceof made.LimitError).toBe(true);
        const again = await clientOf(200);
        other.attach(again, { limit });
        const late = again.get('/', { holdfast: { limit: { maxWaitMs: 1, key: () => 'all' } } });
        expect(other.failureOf(await late.catch((thrown: unknown) => thrown))).toMatchObject({ kind: 'limited' });
      }
    });

    it('lets a call pass that is made while a call through the other holds the only permit of a limiter', async () => {
      for (const [, made, other] of copies) {
        const limit = made.localLimiter({ maxConcurrent: 1, key: () => 'all' });
        onTestFinished(() => limit.close());
        const [inner, outer] = [await clientOf(200), await clientOf(200)];
        made.attach(inner, { limit });
        other.attach(outer, { limit, deadlineMs: 5_000, beforeSend: async () => void (await inner.get('/')) });
        expect((await outer.get('/')).status).toBe(200);
      }
    });
  });
});
