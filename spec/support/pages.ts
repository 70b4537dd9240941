import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A page of the documentation. */
export interface Page {
  /** From the root of the repository: `README.md`, `docs/migrating.md`. */
  readonly path: string;
  readonly text: string;
  /** Its blocks of TypeScript, in order. */
  readonly blocks: readonly string[];
  /** What the blocks are called in the titles of their specs. Default: their numbers. */
  readonly titles?: readonly string[];
  /**
   * The rows of the table between `<!-- name -->` and `<!-- /name -->`, cell by cell.
   *
   * @throws where there is no such table, or it has no rows
   */
  table(name: string): readonly (readonly string[])[];
}

/** What the blocks of a page need to run. */
export interface World {
  /** What stands in the page, and what is put in its place to run it: `['https://api.example.com', server.url]`. */
  readonly replaced: readonly (readonly [written: string, real: string])[];
  close?(): Promise<unknown>;
}

/** The blocks of a page, once they are checked. */
export interface Blocks {
  /** Runs the block that holds this text once more, and gives what it exports. */
  run(text: string): Promise<Record<string, unknown>>;
}

/**
 * A page, to be checked by a spec of its own: `spec/docs/migrating.spec.ts` has `docs/migrating.md`.
 *
 * @example
 * const page = pageOf('docs/streams.md');
 *
 * describe('the blocks of docs/streams.md', () => {
 *   // Each compiles as it stands, and runs against this server without a word on `console.error`.
 *   const blocks = checkBlocks(page, async () => {
 *     const server = await loopback(status(200));
 *     return { replaced: [['https://api.example.com', server.url]], close: () => server.close() };
 *   });
 *
 *   it('prints what it says', async () => {
 *     const told = vi.spyOn(console, 'log').mockImplementation(() => {});
 *     await blocks.run('stats().refreshes');
 *     expect(told.mock.calls).toEqual([[1]]);
 *   });
 * });
 *
 * describe('the rows of docs/streams.md', () => {
 *   // A row without a proof fails, and so does a proof without a row. Each is named by the first cell, and given all of them.
 *   proveRows(page.table('kinds'), { Blob: async () => {}, stream: async ([, meaning]) => expect(meaning).toBe('…') });
 * });
 */
export function pageOf(path: string): Page {
  const text = readFileSync(`${root}${path}`, 'utf8');
  return {
    path,
    text,
    blocks: [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code ?? ''),
    table: (name) => {
      const [, table = ''] = text.match(new RegExp(`<!-- ${name} -->\\n[^|]*(.*?)<!-- /${name} -->`, 's')) ?? [];
      const rows = table.trim().split('\n').slice(2).map(cellsOf);
      if (rows.length === 0) throw new Error(`${path} has no table "${name}"`);
      return rows;
    },
  };
}

/**
 * Checks every block of a page: it compiles as it stands, and runs against what `world` gives.
 *
 * @param skip why a block cannot run on this machine, if it can't
 */
export function checkBlocks(
  { path, blocks, titles }: Pick<Page, 'path' | 'blocks' | 'titles'>,
  world: () => Promise<World>,
  skip: (code: string) => string | undefined = () => undefined,
): Blocks {
  const folder = `${root}spec/.pages/${path.replaceAll('/', '-')}`;
  let close: World['close'];

  beforeAll(async () => {
    const { replaced, ...rest } = await world();
    close = rest.close;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    blocks.forEach((code, i) => {
      const runnable = replaced.reduce((text, [written, real]) => text.replaceAll(written, real), code);
      writeFileSync(`${folder}/block-${i}.ts`, `${runnable}\nexport {};\n`);
    });
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await close?.();
  });

  it('compile as they stand', async () => {
    writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ extends: '../../../tsconfig.json', include: ['*.ts'] }));
    const compiled = promisify(execFile)(`${root}node_modules/.bin/tsc`, ['--noEmit', '-p', folder]);
    const { stdout } = await compiled.catch((failed: { stdout: string }) => failed);
    expect(stdout).toBe('');
  });

  const named = blocks.map((code, i) => [titles?.[i] ?? `block ${i}`, i, code] as const);
  it.for(named)('run: %s', async ([, i, code], context) => {
    const why = skip(code);
    if (why !== undefined) context.skip(why);
    vi.spyOn(console, 'log').mockImplementation(() => {});
    const failed = vi.spyOn(console, 'error').mockImplementation(() => {});
    await import(`${folder}/block-${i}.ts`);
    expect(failed).not.toHaveBeenCalled();
  });

  let times = 0;
  return {
    run: (text) => {
      const i = blocks.findIndex((code) => code.includes(text));
      if (i < 0) throw new Error(`no block of ${path} has "${text}"`);
      times += 1;
      return import(`${folder}/block-${i}.ts?again=${times}`);
    },
  };
}

/** Proves every row of a table by a test of its own. `proofs` has one for each, by its first cell without backticks. */
export function proveRows(
  rows: readonly (readonly string[])[],
  proofs: { readonly [row: string]: (cells: readonly string[]) => void | Promise<void> },
): void {
  const named = rows.map((cells) => [bare(cells[0] ?? ''), cells] as const);

  it('has a proof for each row, and no other', () => {
    expect(named.map(([name]) => name).sort()).toEqual(Object.keys(proofs).sort());
  });

  it.for(named)('%s', ([name, cells]) => proofs[name]?.(cells));
}

/** A cell without the backticks of its code. */
export const bare = (cell: string): string => cell.replaceAll('`', '');

const cellsOf = (row: string): string[] =>
  row
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
