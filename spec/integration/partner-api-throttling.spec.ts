import { failureOf, mergePolicies, type Policy, partnerApi, reportOf } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { axiosErrorOf, rejectionOf } from '../support/attached.ts';
import { partner, seen } from '../support/partner-api.ts';

const sentence = (message: string) => ({ kind: 'answer', status: 429, body: { statusCode: 429, message } }) as const;

describe("the gateway's 429", () => {
  it('is waited out by its sentence where the header is missing', async () => {
    const { server, client, delays } = await partner(partnerApi(), { retryAfterHeader: false });
    server.script({ kind: 'answer', status: 429, shape: 'gateway', retryAfter: 57 });
    await client.post('/v1/customers/c1/orders', { quantity: 1 });
    expect(delays).toEqual([57_000]);
    expect(server.counters.ordersCreated).toBe(1);
  });

  it('is waited out by its header where there is one, whatever the sentence says', async () => {
    const { server, client, delays } = await partner();
    server.script({ ...sentence('Rate limit is exceeded. Try again in 57 seconds.'), headers: { 'Retry-After': '3' } });
    await client.get('/v1/customers');
    expect(delays).toEqual([3_000]);
  });

  it('is left to backoff where it names no time at all', async () => {
    const { server, client, delays } = await partner();
    server.script(sentence('Rate limit is exceeded.'));
    await client.get('/v1/customers');
    expect(delays).toEqual([750]);
  });

  it('fails at once where the sentence names more than the policy sits out', async () => {
    const { server, client } = await partner();
    server.script(sentence('Rate limit is exceeded. Try again in 61 seconds.'));
    const failure = failureOf(await axiosErrorOf(client.get('/v1/customers')));
    expect(failure).toMatchObject({ kind: 'throttled', endedBecause: 'wait-too-long', retryAfterMs: 61_000, sends: 1 });
  });

  it('is believed only as a 429', async () => {
    const { server, client } = await partner();
    server.script({ ...sentence('Try again in 57 seconds.'), status: 404 });
    await axiosErrorOf(client.get('/v1/customers'));
    expect(server.counters.requests).toBe(1);
  });
});

describe('the limit of the Partner API', () => {
  it('is learnt, and a 429 pauses only its own bucket', async () => {
    const { server, client, holdfast } = await partner(mergePolicies(partnerApi(), { retry: false }));
    expect(holdfast.policy.limit).toMatchObject({ adaptive: { startConcurrency: 8 } });
    server.script({ kind: 'answer', status: 429, retryAfter: 30 });
    await axiosErrorOf(client.get('/v1/customers/c1'));
    expect(holdfast.stats().pausedKeys).toBe(1);
    expect((await client.get('/v1/customers/c2')).status).toBe(200);
    const waited = reportOf(await client.get('/v1/customers/c1'))?.sends.map(({ queuedMs }) => queuedMs);
    expect(waited).toEqual([30_000]);
  });

  it('can be turned off', async () => {
    const { holdfast } = await partner(mergePolicies(partnerApi(), { limit: false }));
    expect(holdfast.policy.limit).toBe(false);
  });
});

describe('the budget of the Partner API', () => {
  it('is one per API, partner tenant and customer tenant', async () => {
    const tenant = ({ headers }: { headers: Record<string, unknown> }) => String(headers['X-Tenant']);
    const { server, client, holdfast } = await partner(
      mergePolicies(partnerApi({ tenant }), { retry: { budget: { refillPerSecond: 0 } } }),
    );
    server.script({ kind: 'answer', status: 503, times: 3 });
    const as = (name: string) => ({ headers: { 'X-Tenant': name } });

    await axiosErrorOf(client.get('/v1/customers/c1', { ...as('contoso'), holdfast: { retry: { maxRetries: 2 } } }));
    await client.get('/v1/customers/c1/orders/o1', as('contoso')).catch(() => {});
    await client.get('/v1/customers/c2', as('contoso'));
    await client.get('/v1/customers', as('contoso'));
    await client.get('/v1/customers/c1', as('fabrikam'));
    await client.get('/rest/customers/c1', as('contoso'));

    expect(holdfast.stats().budget).toEqual({
      [`${server.url}/v1 contoso customers/c1`]: 2_072,
      [`${server.url}/v1 contoso customers/c2`]: 2_100,
      [`${server.url}/v1 contoso`]: 2_100,
      [`${server.url}/v1 fabrikam customers/c1`]: 2_100,
      [`${server.url}/rest contoso customers/c1`]: 2_100,
    });
  });

  it('goes by the path as it is sent: with a base path, and without the query', async () => {
    const { server, client, holdfast } = await partner(partnerApi({ tenant: 'contoso' }));
    await client.get('orders/o1', { baseURL: `${server.url}/v1/customers/c1` }).catch(() => {});
    await client.get('/v1/customers?next=/customers/c9');
    expect(Object.keys(holdfast.stats().budget)).toEqual([
      `${server.url}/v1 contoso customers/c1`,
      `${server.url}/v1 contoso`,
    ]);
  });
});

describe('a 401 of the Partner API', () => {
  async function withTokens(mine: Policy = {}) {
    let grant = { access_token: 'none', refresh_token: 'none' };
    const auth: Policy = {
      auth: {
        token: () => grant.access_token,
        refresh: async ({ http }) => {
          const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: grant.refresh_token });
          const { data } = await http.post('/oauth/token', form);
          return data.access_token;
        },
      },
    };
    const made = await partner(mergePolicies(partnerApi(), auth, mine), { requireAuth: true });
    grant = made.server.consent();
    return made;
  }

  it('refreshes once for twenty calls, and replays each under a new MS-RequestId', async () => {
    // Without a limit, since whoever waits in line gets the new token.
    const { server, client } = await withTokens({ limit: false });
    await client.get('/v1/customers');
    server.expireTokens();

    await Promise.all(Array.from({ length: 20 }, () => client.post('/v1/customers/c1/orders', { quantity: 1 })));

    expect(server.counters).toMatchObject({ refreshes: 1, ordersCreated: 20, repeatedRequestIds: 0 });
    expect(server.counters.byStatus[401]).toBe(20);
  });

  it('reads the documented challenge, which is no valid one', async () => {
    const { server, client } = await partner(partnerApi(), { requireAuth: true });
    const failure = failureOf(await axiosErrorOf(client.get('/v1/customers')));
    expect(failure).toMatchObject({ kind: 'unauthorized', sends: 1, api: { code: '800001' } });
    expect(failure?.challenges).toMatchObject([
      { scheme: 'oauth', params: { realm: 'urn:cpsvc:cpid:{3c1f8a52-6d0e-4b7c-9a44-0b5f2e7d9c11}' } },
    ]);
    expect(server.counters.requests).toBe(1);
  });

  it('refreshes once on 800001', async () => {
    const { server, client } = await withTokens();
    server.script({
      kind: 'answer',
      status: 401,
      code: '800001',
      times: 2,
      match: ({ path }) => path !== '/oauth/token',
    });
    const failure = failureOf(await axiosErrorOf(client.get('/v1/customers')));
    expect(failure).toMatchObject({ endedBecause: 'still-unauthorized', sends: 2, replays: 1 });
    expect(server.counters.refreshes).toBe(1);
  });

  it.each(['flat', 'nested', 'legacy'] as const)('never refreshes on 900421, %s', async (shape) => {
    const { server, client } = await withTokens();
    server.script({ kind: 'answer', status: 401, code: '900421', shape });
    const failure = failureOf(await rejectionOf(client.get('/v1/customers')));
    expect(failure).toMatchObject({ kind: 'unauthorized', endedBecause: 'not-retryable', sends: 1 });
    expect(server.counters).toMatchObject({ requests: 1, refreshes: 0 });
    expect(seen(server, 'Authorization')[0]).toMatch(/^Bearer access-/);
  });
});
