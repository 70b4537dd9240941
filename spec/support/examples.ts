import { createReadStream, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import axios from 'axios';
import { attach, localLimiter, type Policy } from 'axios-holdfast';
import Bottleneck from 'bottleneck';
import { Redis } from 'ioredis';
import { expect } from 'vitest';

const lib = fileURLToPath(new URL('../../lib/', import.meta.url));

/** An `@example` of a docstring, as a file that stands for itself. */
export interface Example {
  /** Where it stands: `limit/options.ts: LimitOptions.weight`, with a number where there are several. */
  readonly title: string;
  readonly code: string;
}

/** The examples of all docstrings of the library. */
export function examples(): Example[] {
  const sources = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const entries = sources.filter((name) => !name.includes('/')).sort((a, b) => rank(a) - rank(b));
  const found = sources.sort().flatMap((file) => {
    const text = readFileSync(lib + file, 'utf8');
    const names = [...(entries.includes(file) ? [file] : []), ...entries].flatMap(namesOf);
    return [...text.matchAll(DOCSTRING)].flatMap(({ index, 1: comment = '', 2: declaration = '' }) => {
      const member = /^ +(?:readonly )?(\w+)\??:/.exec(declaration)?.[1];
      const owner = [...text.slice(0, index).matchAll(/^export interface (\w+)/gm)].at(-1)?.[1] ?? '';
      const name = /(?:function|const|interface|type|class) (\w+)/.exec(declaration)?.[1] ?? declaration.trim();
      const title = `${file}: ${member === undefined ? name : `${owner}.${member}`}`;
      return examplesIn(comment).map((code) => {
        const isOption = member !== undefined && new RegExp(`^(?://.*\n)*${member}:`).test(code);
        return { title, code: isOption ? asOption(code, file, owner) : asModule(code, names) };
      });
    });
  });
  return found.map(({ title, code }, i) => {
    const n = found.slice(0, i).filter((each) => each.title === title).length;
    return { title: n === 0 ? title : `${title} (${n + 1})`, code };
  });
}

/** Comment and declaration. */
const DOCSTRING = /^ *\/\*\*\n((?: *\*.*\n)*?) *\*\/\n(?: *\/\/.*\n)*(.*)/gm;

/** The main entry says what a name is, unless the docstring stands in another. */
const rank = (entry: string): number => ['index.ts', 'core.ts'].indexOf(entry) % 2;

interface Name {
  readonly name: string;
  readonly from: string;
  readonly isType: boolean;
}

/** What an entry exports. */
function namesOf(entry: string): Name[] {
  const text = readFileSync(lib + entry, 'utf8');
  const from = `axios-holdfast/${entry.replace(/\.ts$/, '')}`.replace('/index', '');
  const listed = [...text.matchAll(/^export (type )?\{([^}]*)\}/gm)].flatMap(([, areTypes, list = '']) =>
    list
      .split(',')
      .map((one) => ({ from, name: one.replace('type ', '').trim(), isType: !!areTypes || /type /.test(one) })),
  );
  const made = [...text.matchAll(/^export (?:function|const) (\w+)/gm)];
  return [...listed, ...made.map(([, name = '']) => ({ from, name, isType: false }))].filter(({ name }) => name !== '');
}

function examplesIn(comment: string): string[] {
  const text = comment.replace(/^ *\* ?/gm, '');
  const [, ...tags] = text.split(/^@/m);
  return tags.flatMap((tag) => (tag.startsWith('example\n') ? tag.slice('example\n'.length).trim() : []));
}

/** The line of an option, as it stands in a policy or in what it is an option of. */
const asOption = (code: string, file: string, owner: string): string =>
  `import type { ${owner} } from '../../../lib/${file}';\n\nexport const options: Partial<${owner}> = {\n${code}\n};`;

/** With the imports that its reader adds, with what it takes for granted, and with a call under what it attaches. */
function asModule(code: string, names: readonly Name[]): string {
  const bare = code.replace(/\/\/ .*/g, '');
  const isTop = (name: string) => new RegExp(`^(?:import|const|class|function) ${name}\\b`, 'm').test(code);
  const isUsed = (name: string) => new RegExp(`(?<![.\\w'/-])${name}\\b(?!['\\w]|:)`).test(bare) && !isTop(name);
  const imported = new Map<string, Name>();
  for (const each of names) if (isUsed(each.name) && !imported.has(each.name)) imported.set(each.name, each);
  return [
    ...[...imported.values()].map(
      ({ name, from, isType }) => `import { ${isType ? 'type ' : ''}${name} } from '${from}';`,
    ),
    `import { given } from '../../support/examples.ts';`,
    '',
    `export const { ${['says', ...GIVEN.filter(isUsed)].join(', ')} } = given('https://api.example.com');`,
    code
      // What is said to come of it has to come of it.
      .replace(/^(\w+\(.*);(?: |\n)\/\/ (\d[\d_]*|'.*'|\[.*\])$/gm, 'says($1, $2);')
      .replace(/^(?=const |class |function )/gm, 'export '),
    ...(/\battach\(client\b/.test(bare) ? [`await client.get('/under-it');`] : []),
  ].join('\n');
}

const opened: Redis[] = [];

/** Ends the connections of the examples. */
export function disconnect(): void {
  for (const redis of opened.splice(0)) redis.disconnect();
}

/** What an example takes for granted: clients, a session, somewhere to write to. */
export function given(url: string) {
  const client = axios.create({ baseURL: url });
  return {
    axios,
    Bottleneck,
    Redis: class extends Redis {
      constructor(at: string) {
        super(at);
        opened.push(this);
      }
    },
    Semaphore: class {
      readonly taken = 0;
      readonly waiting = 0;
      constructor(_most: number) {}
      acquire = async (signal?: AbortSignal) => (): void => signal?.throwIfAborted();
    },
    client,
    orders: axios.create({ baseURL: url }),
    invoices: axios.create({ baseURL: url }),
    customers: axios.create({ baseURL: url }),
    other: axios.create({ baseURL: url }),
    /** What was attached before. */
    get holdfast() {
      return attach(client, { limit: { requests: 50, perMs: 1_000 } });
    },
    get attachment() {
      return attach(client);
    },
    limit: localLimiter({ requests: 50, perMs: 1_000 }),
    policy: { deadlineMs: 5_000 } satisfies Policy,
    session: { accessToken: 'access', refreshToken: 'refresh' },
    localStorage: {
      getItem: (_key: string): string | null => null,
      setItem: (_key: string, _value: string): void => {},
    },
    first: { value: 'access', refreshToken: 'refresh', expiresAt: Date.now() + 3_600_000 },
    token: () => 'access',
    refresh: async () => 'renewed',
    renew: async (_http: unknown, _refreshToken: unknown, _signal?: AbortSignal) => ({ value: 'renewed' }),
    signatureOf: async (...parts: unknown[]) => JSON.stringify(parts),
    currentTrace: () => ({ id: 'trace-1' }),
    order: { sku: 'A', quantity: 1 },
    path: fileURLToPath(import.meta.url),
    createReadStream,
    comeBackIn: async (_ms: number | undefined) => {},
    metrics: { retry: (..._labels: unknown[]) => {}, time: (_ms: number) => {} },
    alerts: { add: (_text: string) => {} },
    log: { debug: (..._all: unknown[]) => {}, error: (..._all: unknown[]) => {} },
    says: (given: unknown, said: unknown) => expect(given).toEqual(said),
  };
}

const GIVEN = Object.keys(given('http://127.0.0.1')).filter((name) => name !== 'says');
