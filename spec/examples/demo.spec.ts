import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { draw, type Moment } from '../../examples/demo/timeline.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const MOMENTS: readonly Moment[] = [
  { kind: 'chapter', title: 'A burst over the quota: what is too much waits' },
  { kind: 'call', call: 7, method: 'GET', path: '/v1/customers' },
  { kind: 'send', call: 7, send: 1, result: '429 throttled', ok: false },
  { kind: 'wait', call: 7, ms: 2_000, why: 'throttled' },
  { kind: 'refresh', ms: 600, ok: true },
  { kind: 'failure', call: 7, summary: `GET /v1/customers ended: ${'x'.repeat(90)}` },
];

describe(draw, () => {
  const wide = { columns: 100, colour: false };

  it('draws waits and refreshes to scale', () => {
    const bars = [MOMENTS[3], MOMENTS[4]].map((moment) => moment && draw(moment, 1_234, wide).trim());
    expect(bars).toEqual([
      '1.23 #7     ░░░░░░░░░░░░░░░░░░░░ waits 2.0 s: throttled',
      '1.23      ▓▓▓▓▓▓ one token refresh for everybody took 600 ms',
    ]);
  });

  it.each(MOMENTS)('stays within a narrow screen: $kind', (moment) => {
    const lines = draw(moment, 12_345, { columns: 40, colour: false }).split('\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
  });

  it.each(MOMENTS)('adds nothing but colour: $kind', (moment) => {
    const coloured = draw(moment, 0, { ...wide, colour: true });
    expect(coloured).toContain('\x1b[');
    expect(stripVTControlCharacters(coloured)).toBe(draw(moment, 0, wide));
  });
});

describe('npm start', () => {
  const run = (env: Record<string, string>, ...families: readonly string[]) => {
    const { NO_COLOR: _, FORCE_COLOR: __, ...inherited } = process.env;
    return promisify(execFile)(`${root}node_modules/.bin/tsx`, ['examples/demo.ts', ...families], {
      cwd: root,
      env: { ...inherited, ...env },
    });
  };

  it('ends by itself, with totals that agree, plain when piped', async () => {
    const { stdout } = await run({});
    expect(stdout).toContain('Totals: client and server agree');
    expect(stdout).toContain('token refreshes: client 2, server 2');
    expect(stdout).toContain('orders placed: client 2, server 2');
    expect(stdout).toMatch(/409\s+rejected\s+\(order\s+already\s+in\s+progress\)/);
    expect(stdout).toMatch(/412\s+rejected/);
    expect(stdout).toBe(stripVTControlCharacters(stdout));
  });

  it('shows a preset against the stand-in of its family', async () => {
    const { stdout } = await run({}, 'github');
    expect(stdout).toContain('Totals: client and server agree');
    expect(stdout).toMatch(/served 84, refused [01]\n/);
    expect(stdout).toMatch(/403\s+rejected/);
  });

  it('is coloured where that is asked for', async () => {
    const { stdout } = await run({ FORCE_COLOR: '1' });
    expect(stdout).toContain('\x1b[32m');
  });
});

it('is made by the client that docs/partner-api.md shows', () => {
  const linesOf = (path: string) =>
    new Set(
      readFileSync(root + path, 'utf8')
        .split('\n')
        .map((line) => line.trim()),
    );
  const shown = linesOf('docs/partner-api.md');
  const options = [...linesOf('examples/demo/client.ts')].filter((line) =>
    /^(mergePolicies|auth|token|refresh|const (secret|form|\{ data)|return \{ value)/.test(line),
  );
  expect(options).toHaveLength(8);
  for (const line of options) expect(shown).toContain(line);
});
