import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { fileURLToPath } from 'node:url';
import { type Classifier, type EndReason, type Failure, failureOf } from 'axios-holdfast';
import { describe, expect, it, vi } from 'vitest';
import { EVENT_NAMES } from '../../lib/call/events.ts';
import { attached, axiosErrorOf, status } from '../support/attached.ts';
import { documentedWorld, needsRedis } from '../support/documented.ts';
import { bare, checkBlocks, pageOf } from '../support/pages.ts';
import { DEFAULT_POLICY, DEFAULTS } from '../support/policies.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = [
  'README.md',
  ...readdirSync(`${root}docs`).flatMap((name) => (name.endsWith('.md') ? `docs/${name}` : [])),
];
/** They have a spec of their own. */
const ELSEWHERE = ['README.md', 'docs/migrating.md', 'docs/presets.md', 'docs/telemetry.md', 'docs/testing.md'];

describe.each(pages)('%s', (path) => {
  const page = pageOf(path);

  it('is short enough to be read', () => {
    const bound = path === 'README.md' ? 9_000 : 8_192;
    expect(Buffer.byteLength(page.text)).toBeLessThanOrEqual(bound);
  });

  it('links to what is there', () => {
    for (const [, to = ''] of page.text.matchAll(/\]\((?!\w+:)([^)]+)\)/g)) {
      const [file = '', heading] = to.split('#');
      const target = file === '' ? path : join(dirname(path), file);
      const text = readFileSync(root + target, 'utf8');
      if (heading !== undefined) expect(headingsOf(text), to).toContain(heading);
    }
  });

  if (page.blocks.length > 0 && !ELSEWHERE.includes(path)) {
    describe('its blocks', () => {
      const blocks = checkBlocks(page, documentedWorld, needsRedis);

      if (page.text.includes('stats().refreshes); // 1'))
        it('refresh once for 20 calls', async () => {
          const told = vi.spyOn(console, 'log').mockImplementation(() => {});
          await blocks.run('stats().refreshes); // 1');
          expect(told.mock.calls).toEqual([[1]]);
        });

      if (page.text.includes('instanceof InvalidPolicyError'))
        it('print what is said of a wrong policy', async () => {
          const lines: string[] = [];
          vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(String(line)));
          await blocks.run('InvalidPolicyError');
          const block = page.blocks.find((code) => code.includes('InvalidPolicyError')) ?? '';
          expect(lines).toEqual([[...block.matchAll(/^ {2}\/\/ (.*)$/gm)].map(([, text]) => text).join(' ')]);
        });

      if (page.text.includes('export const namedWait'))
        it('have judges that do what is said of them', async () => {
          const judges = await blocks.run('export const namedWait');
          await proveJudges(judges as { readonly [name: string]: Classifier });
        });
    });
  }
});

async function proveJudges({ quota, namedWait, graphql, plain }: { readonly [name: string]: Classifier }) {
  const throttling = [
    [quota, 403, { 'x-ratelimit-remaining': '0' }, {}, undefined],
    [namedWait, 429, {}, { error: { details: [{ retryDelay: '34.07s' }] } }, 34_070],
    [namedWait, 429, {}, { message: 'Please try again in 57 seconds.' }, 57_000],
    [graphql, 200, {}, { errors: [{ extensions: { code: 'RATE_LIMITED' } }] }, undefined],
  ] as const;
  for (const [classify, code, headers, body, retryAfterMs] of throttling) {
    const policy = { classify, retry: { maxRetries: 1, retryAfter: { maxMs: 0 } } };
    const { client } = await attached(status(code, headers, body), policy);
    expect(failureOf(await axiosErrorOf(client.post('/', {})))).toMatchObject({ kind: 'throttled', retryAfterMs });
  }
  const none = await attached(status(404), { classify: plain });
  expect((await none.client.get('/')).status).toBe(404);
  const broke = { error: { code: 'insufficient_quota', message: 'No credit.' } };
  const spent = await attached(status(429, { 'retry-after': '1' }, broke), { classify: plain });
  expect(failureOf(await axiosErrorOf(spent.client.get('/')))?.endedBecause).toBe('not-retryable');
}

describe('the menu of the site', () => {
  it('has every page', () => {
    const menu = readFileSync(`${root}docs/.vitepress/config.ts`, 'utf8');
    for (const page of pages.filter((path) => path !== 'README.md')) {
      expect(menu).toContain(`'/${page.slice(0, -'.md'.length)}'`);
    }
  });
});

describe('the reference', () => {
  it('has every entry of the package', () => {
    const { entryPoints } = JSON.parse(readFileSync(`${root}docs/typedoc.json`, 'utf8'));
    const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
    const entries = Object.values<{ import?: string }>(exports).flatMap(({ import: path }) => path ?? []);
    const sources = entries.map((path) => path.replace('./dist/', '../lib/').replace(/js$/, 'ts'));
    expect([...entryPoints].sort()).toEqual(sources.sort());
  });
});

describe('the table of defaults', () => {
  const leaves = (value: unknown, path: string): [string, unknown][] =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).flatMap(([name, inner]) => leaves(inner, path === '' ? name : `${path}.${name}`))
      : [[path, value]];
  const undocumented = new Set(['classify', 'beforeSend', 'retry.onRetry', 'retry.onGiveUp']);
  const defaults = new Map([
    ...leaves(DEFAULTS, ''),
    ['idempotency', DEFAULT_POLICY.idempotency],
    ['auth', DEFAULT_POLICY.auth],
    ['correlation', DEFAULT_POLICY.correlation],
    ['limit', DEFAULT_POLICY.limit],
    ['breaker', DEFAULT_POLICY.breaker],
  ] as [string, unknown][]);
  const rows = pageOf('docs/options.md')
    .table('defaults')
    .map((cells) => cells.map(bare));

  it('has a line for every default, and no other', () => {
    expect(rows.map(([path]) => path).sort()).toEqual(
      [...defaults.keys()].filter((path) => !undocumented.has(path)).sort(),
    );
  });

  it.each(rows)('says the default of %s', (path = '', value = '') => {
    const actual = defaults.get(path);
    if (typeof actual === 'function')
      expect(value).toBe(path.endsWith('backoff') ? 'exponentialBackoff()' : actual.name);
    else
      expect(value).toBe(
        Array.isArray(actual)
          ? `[${actual.map((each) => `'${each}'`).join(', ')}]`
          : typeof actual === 'string'
            ? `'${actual}'`
            : String(actual),
      );
  });
});

describe('docs/failures.md', () => {
  const { text } = pageOf('docs/failures.md');
  const kinds: Record<Failure['kind'], true> = {
    throttled: true,
    unavailable: true,
    pending: true,
    unauthorized: true,
    rejected: true,
    network: true,
    timeout: true,
    local: true,
    cancelled: true,
    limited: true,
    'circuit-open': true,
    'refresh-failed': true,
  };
  const reasons: Record<EndReason, true> = {
    'not-retryable': true,
    'retries-exhausted': true,
    'budget-empty': true,
    deadline: true,
    'wait-too-long': true,
    'unsafe-method': true,
    'body-not-replayable': true,
    'refresh-failed': true,
    'still-unauthorized': true,
    cancelled: true,
    stopped: true,
    limited: true,
    'circuit-open': true,
    'still-pending': true,
    disabled: true,
  };

  it.each([...Object.keys(kinds), ...Object.keys(reasons), ...EVENT_NAMES])('names `%s`', (name) => {
    expect(text).toContain(`\`${name}\``);
  });
});

describe('the warnings in docs/troubleshooting.md', () => {
  it('are all that there are', () => {
    const sources = readdirSync(`${root}lib`, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    const code = sources.map((name) => readFileSync(`${root}lib/${name}`, 'utf8')).join();
    const codes = new Set(code.match(/'HOLDFAST_[A-Z_]+'/g)?.map((word) => word.slice(1, -1)));
    const rows = pageOf('docs/troubleshooting.md').table('warnings');
    expect(rows.map(([code = '']) => bare(code)).sort()).toEqual([...codes].sort());
  });
});

describe('docs/who-retries.md', () => {
  it('shows the module of Nest that a project of its own runs', () => {
    const module = readFileSync(`${root}.ci/consumers/nest/src/customers.module.ts`, 'utf8');
    expect(pageOf('docs/who-retries.md').text).toContain(`\`\`\`typescript\n${module}\`\`\``);
  });
});

describe('docs/performance.md', () => {
  const page = pageOf('docs/performance.md');
  const results = readFileSync(`${root}benchmarks/RESULTS.md`, 'utf8');

  it('gives figures that a benchmark has measured', () => {
    const figures = page.table('overhead').flatMap((row) => row.slice(1));
    expect(figures.length).toBeGreaterThan(0);
    for (const figure of figures) expect(results).toContain(`**${figure}**`);
    for (const figure of page.table('goodput').flatMap((row) => row.slice(1)))
      expect(results).toContain(` ${figure} (`);
  });

  it('and the README rounds them', () => {
    const [, ours] = page.table('overhead')[0] ?? [];
    const [, theirs] = page.table('overhead').at(-1) ?? [];
    expect(pageOf('README.md').text).toContain(
      `takes ${Number(ours).toFixed(2)} times the processor time of bare axios; with axios-retry ${Number(theirs).toFixed(2)} times`,
    );
  });
});

/** As GitHub makes them of headings. */
function headingsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
