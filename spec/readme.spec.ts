import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Classifier, failureOf } from 'axios-holdfast';
import { describe, expect, it, vi } from 'vitest';
import { startPartnerApi } from '../examples/partner-api/server.ts';
import { EVENT_NAMES } from '../lib/call/events.ts';
import { verdictOfStatus } from '../lib/classify/status.ts';
import { DEFAULT_POLICY, DEFAULTS } from '../lib/policy/defaults.ts';
import { attached, axiosErrorOf, status } from './support/attached.ts';
import { json, loopback } from './support/loopback.ts';
import { bare, checkBlocks, pageOf } from './support/pages.ts';
import { noRedis, redisServer } from './support/redis-server.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = pageOf('README.md');

describe('the code blocks of the README', () => {
  const needsRedis = (code: string) => (code.includes('redis://') ? noRedis : undefined);
  const blocks = checkBlocks(
    readme,
    async () => {
      // Node keeps no cookies, so here the session is the server's.
      let isRenewed = false;
      const shop = await loopback(({ url }, response) => {
        if (url === '/session/refresh') isRenewed = true;
        json(response, isRenewed ? 200 : 401);
      });
      const server = await startPartnerApi({ rotateRefreshTokens: true });
      const redis = noRedis === undefined ? await redisServer() : undefined;
      return {
        replaced: [
          ['https://api.example.com', server.url],
          ['https://shop.example.com', shop.url],
          ['redis://redis.example.com:6379', `redis://127.0.0.1:${redis?.port}`],
          ['from the sign-in', server.consent().refresh_token],
          ['from the login page', server.consent().refresh_token],
        ],
        close: () => Promise.all([server.close(), shop.close(), redis?.kill()]),
      };
    },
    needsRedis,
  );

  it('are there', () => expect(readme.blocks.length).toBeGreaterThanOrEqual(4));

  it('refresh once for 20 calls, as one says', async () => {
    const told = vi.spyOn(console, 'log').mockImplementation(() => {});
    await blocks.run('stats().refreshes); // 1');
    expect(told.mock.calls).toEqual([[1]]);
  });

  it('have judges that do what is said of them', async () => {
    const judges = await blocks.run('export const namedWait');
    const { quota, namedWait, graphql, plain } = judges as { readonly [name: string]: Classifier };
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
  });

  it('print what their comments say', async () => {
    const lines: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(String(line)));
    await blocks.run('InvalidPolicyError');
    const block = readme.blocks.find((code) => code.includes('InvalidPolicyError')) ?? '';
    const promised = [...block.matchAll(/^ {2}\/\/ (.*)$/gm)].map(([, text]) => text).join(' ');
    expect(lines).toEqual([promised]);
  });
});

describe('the tables of the README', () => {
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
  const rows = readme.table('defaults').map((cells) => cells.map(bare));

  it('have a line for every default, and no other', () => {
    expect(rows.map(([path]) => path).sort()).toEqual(
      [...defaults.keys()].filter((path) => !undocumented.has(path)).sort(),
    );
  });

  it.each(rows)('say the default of %s', (path = '', value = '') => {
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

  it.each(readme.table('statuses').filter(([codes = '']) => /^\d{3}/.test(codes)))(
    'say what %s means',
    (codes = '', meaning = '') => {
      const kind = meaning.split(/[:,]/)[0];
      const statuses = codes === '2xx' ? [200, 201, 204] : codes.split(' ').map(Number);
      for (const status of statuses) expect(verdictOfStatus(status).kind, String(status)).toBe(kind);
    },
  );

  it('give figures that a benchmark has measured', () => {
    const results = readFileSync(`${root}benchmarks/RESULTS.md`, 'utf8');
    const figures = readme.table('overhead').flatMap((row) => row.slice(1));
    expect(figures.length).toBeGreaterThan(0);
    for (const figure of figures) expect(results).toContain(`**${figure}**`);
    for (const figure of readme.table('goodput').flatMap((row) => row.slice(1)))
      expect(results).toContain(` ${figure} (`);
  });

  it('name every event', () => {
    for (const name of EVENT_NAMES) expect(readme.text).toContain(`\`${name}\``);
  });
});
