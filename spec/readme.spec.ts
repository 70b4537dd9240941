import { describe, expect, it, vi } from 'vitest';
import { verdictOfStatus } from '../lib/classify/status.ts';
import { documentedWorld, needsRedis } from './support/documented.ts';
import { checkBlocks, pageOf } from './support/pages.ts';

const readme = pageOf('README.md');

describe('the code blocks of the README', () => {
  const blocks = checkBlocks(readme, documentedWorld, needsRedis);

  it('are there', () => expect(readme.blocks.length).toBeGreaterThanOrEqual(2));

  it('refresh once for 20 calls, as one says', async () => {
    const told = vi.spyOn(console, 'log').mockImplementation(() => {});
    await blocks.run('stats().refreshes); // 1');
    expect(told.mock.calls).toEqual([[1]]);
  });
});

describe('the table of statuses in the README', () => {
  it.each(readme.table('statuses').filter(([codes = '']) => /^\d{3}|2xx/.test(codes)))(
    'says what %s means',
    (codes = '', meaning = '') => {
      const kind = meaning.split(/[:,]/)[0];
      const statuses = codes === '2xx' ? [200, 201, 204] : codes.split(' ').map(Number);
      for (const status of statuses) expect(verdictOfStatus(status).kind, String(status)).toBe(kind);
    },
  );
});
