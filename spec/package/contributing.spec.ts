import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(fileURLToPath(new URL(path, root)), 'utf8');
const text = read('CONTRIBUTING.md');

/** The lines that say what happens where: a file of lib, and a function in it. */
const steps = [...text.matchAll(/^\|.*\| `([\w/-]+\.ts)`\s*\| `(\w+)`\s*\|$/gm)].map(([, file, name]) => [file, name]);
/** Those that are named with their folder; `options.ts` is in each. */
const files = [...text.matchAll(/`([\w-]+\/[\w/-]+\.ts)`/g)].map(([, file]) => String(file));

describe('CONTRIBUTING', () => {
  it('walks three calls', () => {
    expect(steps.length).toBeGreaterThan(20);
  });

  it.each(steps)('has the function where it says: %s, %s', (file, name) => {
    expect(read(`lib/${file}`)).toMatch(new RegExp(`(?:function|class) ${name}\\b|^  (?:async )?${name}[<(]`, 'm'));
  });

  it.each([...new Set(files)])('names a file that is there: %s', (file) => {
    const places = /^(?:lib|spec|examples)\//.test(file) ? [file] : [`lib/${file}`];
    expect(places.map(read)[0]).not.toBe('');
  });

  it('shows every folder of lib', () => {
    const floors = /const FLOORS = \[([^\]]*)\]/.exec(read('spec/package/architecture.spec.ts'))?.[1] ?? '';
    const shown = /^lib\/\n((?: {2}.*\n)+)/m.exec(text)?.[1] ?? '';
    const names = [...floors.matchAll(/'([^']+)'/g)].map(([, name]) => String(name));
    for (const name of names) expect(shown).toContain(name.replace(/(?<!\.ts)$/, name.endsWith('.ts') ? '' : '/'));
  });
});
