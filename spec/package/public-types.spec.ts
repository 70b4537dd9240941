import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly exports: { readonly [entry: string]: string | { readonly import: string } };
};
const ENTRIES = Object.entries(exports).flatMap(([entry, at]) =>
  typeof at === 'string' ? [] : [[entry, posix.basename(at.import).replace(/js$/, 'd.ts')] as const],
);

/** A declaration file, as tsc writes it: statement by statement. */
interface Declarations {
  readonly path: string;
  /** Its own declarations, by name. */
  readonly own: ReadonlyMap<string, string>;
  /** What it has from other files, by the name that it has here. */
  readonly foreign: ReadonlyMap<string, { readonly path: string; readonly name: string }>;
  /** The names that it hands on from other files. */
  readonly handedOn: readonly string[];
  /** What it does to the types of others. */
  readonly augmented: readonly string[];
}

function parse(path: string, text: string): Declarations {
  const own = new Map<string, string>();
  const foreign = new Map<string, { path: string; name: string }>();
  const handedOn: string[] = [];
  const augmented: string[] = [];
  for (const statement of text.split(/^(?=(?:import|export|declare|interface|type|class|function|const)\b)/m)) {
    const [, verb, list, from] = /^(import|export) (?:type )?\{([^}]*)\} from '(\.[^']+)'/.exec(statement) ?? [];
    for (const each of list?.split(',').filter((one) => one.trim() !== '') ?? []) {
      const [name = '', as = name] = each
        .trim()
        .replace(/^type /, '')
        .split(' as ');
      foreign.set(as, { path: posix.join(posix.dirname(path), String(from).replace(/\.[jt]s$/, '.d.ts')), name });
      if (verb === 'export') handedOn.push(as);
    }
    const name =
      /^(?:export )?(?:declare )?(?:default )?(?:abstract )?(?:interface|type|class|function|const) (\w+)/.exec(
        statement,
      )?.[1];
    const shown = statement.replace(/^\s*(?:private .*|#private;)\n/gm, '').trim();
    if (/^declare module/.test(statement)) augmented.push(shown);
    else if (name !== undefined) own.set(name, own.has(name) ? `${own.get(name)}\n${shown}` : shown);
    else if (verb === undefined && /^export/.test(statement) && shown !== 'export {};')
      own.set(`${shown} of ${path}`, shown);
  }
  return { path, own, foreign, handedOn, augmented };
}

describe('the public types', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-types-'));
  const files = new Map<string, Declarations>();

  beforeAll(() => {
    const options = ['--emitDeclarationOnly', '--removeComments', '--outDir', folder];
    execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json', ...options], {
      cwd: root,
      stdio: 'pipe',
    });
    for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (path.endsWith('.d.ts')) files.set(path, parse(path, readFileSync(join(folder, path), 'utf8')));
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** A declaration, and all that it names of ours: types, and values by `typeof`. */
  function collect(path: string, name: string, seen: Map<string, string>): void {
    const file = files.get(path);
    const text = file?.own.get(name);
    const from = file?.foreign.get(name);
    if (text === undefined && from !== undefined) collect(from.path, from.name, seen);
    if (text === undefined || seen.has(`${path} ${name}`)) return;
    seen.set(`${path} ${name}`, text);
    for (const [word] of text.matchAll(/\b[A-Z]\w*|(?<=\btypeof )\w+/g)) collect(path, word, seen);
  }

  it('are these: a change here is a change for everybody who uses the package', async () => {
    const shown = new Map<string, string>();
    const entries = ENTRIES.map(([entry, path]) => {
      const { handedOn, own } = files.get(path) as Declarations;
      const names = [...handedOn, ...[...own].flatMap(([name, text]) => (/^export/.test(text) ? name : []))].sort();
      for (const name of names) collect(path, name, shown);
      return [`// ${posix.join('axios-holdfast', entry)}`, ...names.map((name) => `//   ${name}`)].join('\n');
    });
    expect(entries.join()).toContain('attachForTest');
    const augmented = [...files.values()].flatMap((file) => file.augmented);
    const text = [...entries, ...augmented, ...[...shown.values()].sort()].join('\n\n');
    await expect(`${text}\n`).toMatchFileSnapshot('public-types.txt');
  });
});
