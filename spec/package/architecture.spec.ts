import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const lib = join(root, 'lib');

/** From the ground up: a file imports from lower floors, or from its own folder. Type imports count. */
const FLOORS = [
  'call',
  'time',
  'observe',
  'failure',
  'check.ts',
  'group.ts',
  'room.ts',
  'redis-client',
  'send',
  'limit',
  'classify',
  'auth',
  'poll',
  'retry',
  'breaker',
  'idempotency',
  'correlation',
  'policy',
  'presets',
  'loop',
  'interceptor.ts',
  'instance.ts',
  'attach.ts',
  'core.ts',
  'full.ts',
  'otel',
  'axios-retry',
  'testing',
  'index.ts',
  'presets.ts',
  'redis.ts',
  'web.ts',
  'bottleneck.ts',
  'testing.ts',
  'otel.ts',
  'axios-retry.ts',
];

interface Import {
  readonly from: string;
  /** A path within lib, or the name of a package. */
  readonly to: string;
  readonly typeOnly: boolean;
}

interface Source {
  readonly path: string;
  /** Without comments. */
  readonly code: string;
  readonly imports: readonly Import[];
}

const sources: readonly Source[] = readdirSync(lib, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => read(path.split(sep).join('/')));

function read(path: string): Source {
  const code = readFileSync(join(lib, path), 'utf8').replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '');
  const statements = code.matchAll(
    /^\s*(?:import|export)\s+(type\s)?([^'";]*?from\s+)?'([^']+)'|import\(\s*'([^']+)'\s*\)/gm,
  );
  const imports = [...statements].map(([, type, , fixed, dynamic]): Import => {
    const to = String(fixed ?? dynamic);
    return {
      from: path,
      to: to.startsWith('.') ? posix.join(posix.dirname(path), to) : to,
      typeOnly: type !== undefined,
    };
  });
  return { path, code, imports };
}

const imports = sources.flatMap((source) => source.imports);
const isOurs = ({ to }: Import) => /\.(?:ts|cjs)$/.test(to);
const placeOf = (path: string): string => path.split('/')[0] ?? '';
const floorOf = (path: string): number => FLOORS.indexOf(placeOf(path));

describe('the architecture', () => {
  it('is read right', () => {
    expect(sources.map(({ path }) => path)).toEqual(expect.arrayContaining(['index.ts', 'call/call.ts']));
    expect(imports).toEqual(
      expect.arrayContaining([
        { from: 'attach.ts', to: 'policy/resolve.ts', typeOnly: false },
        { from: 'call/outcome.ts', to: 'axios', typeOnly: true },
        { from: 'index.ts', to: 'time/retry-after.ts', typeOnly: false },
      ]),
    );
    expect(relative(root, dirname(join(lib, 'index.ts')))).toBe('lib');
  });

  it('has a floor for everything', () => {
    expect(sources.map(({ path }) => path).filter((path) => floorOf(path) < 0)).toEqual([]);
  });

  it('lets a file import from lower floors and from its own folder only', () => {
    const upwards = imports
      .filter(isOurs)
      .filter(({ from, to }) => placeOf(from) !== placeOf(to) && floorOf(to) >= floorOf(from))
      .map(({ from, to }) => `${from} → ${to}`);
    expect(upwards).toEqual([]);
  });

  it('has no circle of imports that are there at run time', () => {
    const next = new Map(
      sources.map(({ path, imports }) => [
        path,
        imports.filter((each) => isOurs(each) && !each.typeOnly).map(({ to }) => to),
      ]),
    );
    const circles: string[] = [];
    const walk = (path: string, way: readonly string[]): void => {
      if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(' → '));
      else for (const to of next.get(path) ?? []) walk(to, [...way, path]);
    };
    walk('index.ts', []);
    expect([...new Set(circles)]).toEqual([]);
  });

  it('takes from outside only what package.json declares, and nothing of Node, since it runs in browsers', () => {
    const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const declared = Object.keys({ ...dependencies, ...peerDependencies });
    const foreign = imports.filter((each) => !isOurs(each)).filter(({ to }) => !declared.includes(to));
    expect(foreign).toEqual([]);
  });

  it.each([
    ['the time', /\bDate\.now\b|\bnew Date\(\s*\)|(?<!new )\bDate\(|\bperformance\b/],
    ['timers', /\bset(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b|\bnextTick\b|\bAbortSignal\.timeout\b/],
    ['chance', /\bMath\.random\b|\bcrypto\b(?!\?\.subtle)/],
  ])('asks nobody but time/clock.ts for %s', (_name, ambient) => {
    // A turn of the event loop takes no time.
    const asking = sources.filter(({ code, path }) => ambient.test(code) && path !== 'testing/turn.ts');
    expect(asking.map(({ path }) => path)).toEqual(['time/clock.ts']);
  });

  it('writes nothing to the console but from one place', () => {
    const writers = sources.filter(({ code }) => /\bconsole\b/.test(code)).map(({ path }) => path);
    expect(writers).toEqual(['observe/print.ts']);
  });

  it('re-exports names one by one', () => {
    expect(sources.filter(({ code }) => /export \*/.test(code)).map(({ path }) => path)).toEqual([]);
  });
});
