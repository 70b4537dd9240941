import { failureOf, mergePolicies, partnerApi, reportOf } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { axiosErrorOf } from '../support/attached.ts';
import { runQuietly } from '../support/by-hand.ts';
import { partner } from '../support/partner-api.ts';

const CHANGE = '/v1/customers/c1/orders/o1/quantity';

describe('what the Partner API has not finished', () => {
  it('is polled where a 202 says where: once by POST, then by GET, without the key', async () => {
    const { server, client, holdfast, clock } = await partner();
    await client.post('/v1/customers/c1/orders', { quantity: 1 });
    const changed = await runQuietly({ clock, holdfast }, client.post(CHANGE, { quantity: 7 }));
    expect(changed).toMatchObject({ status: 200, data: { quantity: 7 } });
    expect(reportOf(changed)).toMatchObject({ polls: 3, endedBecause: 'success' });
    expect(server.counters.byRoute['POST /v1/customers/{customer}/orders/{order}/quantity']).toBe(1);
  });

  it('is asked again where a 204 says when', async () => {
    const { client, holdfast, clock } = await partner();
    const usage = await runQuietly({ clock, holdfast }, client.get('/v1/customers/c1/utilization'));
    expect(usage).toMatchObject({ status: 200, data: { items: [] } });
    expect(reportOf(usage)).toMatchObject({ polls: 2, elapsedMs: 2_000 });
  });

  it('is what it is where a policy says so', async () => {
    const { client } = await partner(mergePolicies(partnerApi(), { poll: false }));
    await client.post('/v1/customers/c1/orders', { quantity: 1 });
    expect((await client.post(CHANGE, { quantity: 7 })).status).toBe(202);
  });
});

describe('a success of the Partner API that is none', () => {
  it('rejects, with the code in its body', async () => {
    const { server, client } = await partner();
    const body = { code: '400072', description: 'This item is not available.', data: [], source: 'PartnerAPI' };
    server.script({ kind: 'answer', status: 200, body, headers: { 'MS-CV': 'cv.1', 'MS-ServerId': '17' } });
    const failure = failureOf(await axiosErrorOf(client.get('/v1/customers')));
    expect(failure).toMatchObject({ kind: 'rejected', status: 200, api: { code: '400072' }, sends: 1 });
    expect(failure?.ids).toMatchObject({ 'MS-CV': 'cv.1', 'MS-ServerId': '17' });
    expect(failure?.summary).toContain('the item is not available');
  });
});

it('limits of the Partner API are kept for each group of operations, reads and writes apart', async () => {
  const { server, client, holdfast } = await partner(mergePolicies(partnerApi(), { retry: false }));
  server.script({ kind: 'answer', status: 429, retryAfter: 30 });
  await axiosErrorOf(client.post('/v1/customers/c1/orders', { quantity: 1 }));
  expect(holdfast.stats().pausedKeys).toBe(1);
  await axiosErrorOf(client.get('/v1/customers/c1/orders/o1'));
  await client.get('/v1/customers/c1');
  expect(holdfast.stats().pausedKeys).toBe(1);
  expect(server.counters.requests).toBe(3);
});
