import { instrument } from 'axios-holdfast/otel';
import { describe, expect, it } from 'vitest';
import { attached, inTurn, rejectionOf, status } from '../support/attached.ts';
import { documentedWorld } from '../support/documented.ts';
import { bare, checkBlocks, pageOf } from '../support/pages.ts';
import { telemetry } from '../support/telemetry.ts';

const page = pageOf('docs/telemetry.md');

describe('the blocks of docs/telemetry.md', () => {
  checkBlocks(page, documentedWorld);
});

/** Calls to which everything happens that is told, and what was told. */
async function everything() {
  const told = telemetry();
  const refresh = async () => 'new';
  const policies = [
    { limit: { maxConcurrent: 1 }, auth: { token: () => 'old', refresh, origins: 'any' } },
    { retry: { maxRetries: 0 }, breaker: { minimumThroughput: 1 } },
  ] as const;
  for (const policy of policies) {
    const { client, holdfast } = await attached(inTurn(status(503), status(401), status(404)), policy);
    instrument(holdfast);
    await Promise.all(['GET', 'PURGE'].map((method) => rejectionOf(client.request({ url: '/', method }))));
  }
  return told;
}

describe('the tables of docs/telemetry.md', () => {
  it('list every attribute of a span, and no other', async () => {
    const told = await everything();
    const rows = page.table('attributes').map(([name = '', call, send]) => [bare(name), call, send] as const);
    for (const column of [1, 2] as const) {
      const spans = told.spans().filter(({ name }) => name.startsWith('holdfast ') === (column === 1));
      const made = new Set(spans.flatMap(({ attributes }) => Object.keys(attributes)));
      const listed = rows.filter((row) => row[column] === 'yes').map(([name]) => name);
      expect([...made].sort()).toEqual(listed.sort());
    }
  });

  it('list every metric with its kind and unit, and no other', async () => {
    const told = await everything();
    const listed = page.table('metrics').map(([name = '', kind, unit = '']) => [bare(name), kind, bare(unit)]);
    expect((await told.descriptors()).sort()).toEqual(listed.sort());
  });
});
