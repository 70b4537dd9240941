import { failureOf, mostSpecific, partnerApi } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { axiosErrorOf } from '../support/attached.ts';
import { partner } from '../support/partner-api.ts';

/** What a code means, and how often a call is sent where every answer carries it. */
const CODES = [
  { status: 401, code: '900421', reason: 'multi-factor authentication required', get: 1, post: 1 },
  { status: 403, code: '900308', reason: 'privileges missing', get: 1, post: 1 },
  { status: 403, code: '900309', reason: 'conditional access', get: 1, post: 1 },
  { status: 403, code: '900329', reason: 'wrong kind of token', get: 1, post: 1 },
  { status: 409, code: '800064', reason: 'being processed by another request', get: 4, post: 1 },
  { status: 409, code: '900104', reason: 'being processed by another request', get: 4, post: 1 },
  { status: 409, code: '800082', reason: 'subscription not ready', get: 4, post: 1 },
  { status: 409, code: '800060', reason: 'order already in progress', get: 1, post: 1 },
  { status: 409, code: '900278', reason: 'pending for 24 hours', get: 1, post: 1 },
  { status: 400, code: '2055', reason: 'precondition failed: the ETag is no longer valid', get: 1, post: 1 },
  { status: 412, code: '800036', reason: 'precondition failed', get: 1, post: 1 },
  { status: 417, code: '800036', reason: 'precondition failed', get: 1, post: 1 },
  { status: 500, code: '800003', reason: 'service error', get: 4, post: 1 },
  { status: 500, code: '900135', reason: 'service error', get: 4, post: 1 },
  { status: 500, code: '900192', reason: 'service error', get: 4, post: 1 },
  // Of the newer documents.
  { status: 401, code: '900420', reason: 'the audience of the token is retired', get: 1, post: 1 },
  { status: 403, code: '900130', reason: 'not ready yet', get: 4, post: 1 },
  { status: 403, code: '900226', reason: 'not ready yet', get: 4, post: 1 },
  { status: 403, code: '800073', reason: 'the account is under review, which takes days', get: 1, post: 1 },
  { status: 403, code: '800074', reason: 'the account is under review, which takes days', get: 1, post: 1 },
  { status: 403, code: '900416', reason: 'locked, for days', get: 1, post: 1 },
  { status: 404, code: '400019', reason: 'read the availability again', get: 1, post: 1 },
  { status: 404, code: '20000', reason: 'an order may be invisible for 15 minutes', get: 1, post: 1 },
  { status: 400, code: '900216', reason: 'being processed by another request', get: 4, post: 1 },
  { status: 400, code: '900261', reason: 'not ready yet', get: 4, post: 1 },
  { status: 400, code: '800082', reason: 'not ready yet', get: 4, post: 1 },
  ...['800014', '900101', '900109', '900112', '900113', '900114', '27009'].map((code) => {
    return { status: 409, code, reason: 'a conflict that stays', get: 1, post: 1 };
  }),
  ...['800005', '900103', '800094', '800031', '800083', '800084', '800087'].map((code) => {
    return { status: 500, code, reason: 'a service error that stays', get: 1, post: 1 };
  }),
];
const CASES = CODES.flatMap((row) => ['nested', 'flat', 'legacy'].map((shape) => ({ ...row, shape })));

describe('the body codes of the Partner API', () => {
  it.each(CASES)('$status / $code, $shape: $reason', async ({ status, code, shape, reason, get, post }) => {
    const { server, client, holdfast } = await partner();
    const reasons = new Set<string | undefined>();
    holdfast.on('answered', (event) => reasons.add(event.reason));
    const config = { params: { code, shape } };

    const error = await axiosErrorOf(client.get(`/v1/status/${status}`, config));
    expect(server.counters.requests).toBe(get);
    await axiosErrorOf(client.post(`/v1/status/${status}`, {}, config));
    expect(server.counters.requests).toBe(get + post);

    const api = failureOf(error)?.api;
    expect(api).toMatchObject({ shape });
    expect(api && mostSpecific(api).code).toBe(code);
    expect([...reasons]).toEqual([reason]);
  });

  it.each([
    { code: '800064', delays: [375, 750, 1_500], named: 'backs off' },
    { code: '800082', delays: [5_000, 5_000, 5_000], named: 'waits long' },
    { code: '800082', retryAfter: 20, delays: [20_000, 20_000, 20_000], named: 'waits as long as the answer says' },
  ])('409 / $code $named', async ({ code, retryAfter, delays }) => {
    const partnerOf = await partner();
    await axiosErrorOf(partnerOf.client.get('/v1/status/409', { params: { code, retryAfter } }));
    expect(partnerOf.delays).toEqual(delays);
  });

  it('go by the most detailed code that is known', async () => {
    const { server, client } = await partner();
    const level = (code: string, innerError?: object) => ({ code, message: 'No.', innerError });
    const body = (error: object) => ({ kind: 'answer', status: 409, body: { error } }) as const;
    server.script(
      body(level('conflict', level('partnerError', level('800064')))),
      body(level('800064', level('neverHeardOf'))),
      body(level('800064', level('800060'))),
    );

    const error = await axiosErrorOf(client.get('/v1/customers'));

    expect(server.counters.byStatus).toEqual({ 409: 3 });
    expect(failureOf(error)?.endedBecause).toBe('not-retryable');
  });

  it('count only with the status that they are documented with', async () => {
    const { server, client } = await partner();
    await axiosErrorOf(client.get('/v1/status/400?code=800064'));
    expect(server.counters.requests).toBe(1);
  });

  it('hold by the older edition as well', async () => {
    const { server, client } = await partner(partnerApi({ strict: true }));
    await axiosErrorOf(client.get('/v1/status/500?code=800003'));
    expect(server.counters.requests).toBe(4);
  });

  it('never repeat an order in progress, however much the policy would repeat', async () => {
    const { server, client } = await partner({
      ...partnerApi(),
      statuses: { 409: 'retry' },
      retry: { unsafe: 'always' },
    });
    const error = await axiosErrorOf(client.post('/v1/status/409?code=800060', {}));
    expect(failureOf(error)?.endedBecause).toBe('not-retryable');
    expect(server.counters.requests).toBe(1);
  });
});

describe('optimistic concurrency', () => {
  it.each([
    { staleEtag: 412, code: '800036' },
    { staleEtag: 400, code: '2055' },
  ] as const)('fails at once with $staleEtag / $code on a stale ETag', async ({ staleEtag, code }) => {
    const { server, client } = await partner(partnerApi(), { staleEtag });
    const { headers } = await client.post('/v1/customers/c1/orders', { quantity: 1 });
    const change = () =>
      client.patch('/v1/customers/c1/orders/o1', { quantity: 2 }, { headers: { 'If-Match': headers.etag } });
    await change();

    const failure = failureOf(await axiosErrorOf(change()));

    expect(failure).toMatchObject({ kind: 'rejected', status: staleEtag, sends: 1, api: { code } });
    expect(server.counters.byRoute['PATCH /v1/customers/{customer}/orders/{order}']).toBe(2);
  });
});
