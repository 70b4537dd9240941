import { failureOf, partnerApi } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { axiosErrorOf, rejectionOf } from '../support/attached.ts';
import { partner, seen } from '../support/partner-api.ts';

const ORDERS = '/v1/customers/c1/orders';
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

describe('MS-RequestId', () => {
  it.each(['on-arrival', 'before-headers'] as const)(
    'is the same where no response came, so an order whose connection was lost %s is placed once',
    async (when) => {
      const { server, client } = await partner();
      server.script({ kind: 'drop', when }, { kind: 'drop', when });

      const { data } = await client.post(ORDERS, { quantity: 1 });

      expect(data.id).toBe('o1');
      expect(server.counters).toMatchObject({ requests: 3, repeatedRequestIds: 2, ordersCreated: 1 });
      const ids = seen(server, 'MS-RequestId');
      expect(new Set(ids).size).toBe(1);
      expect(ids[0]).toMatch(UUID);
    },
  );

  it.each([429, 503])('is a new one after a %i, which refused the order', async (status) => {
    const { server, client } = await partner();
    server.script({ kind: 'answer', status, retryAfter: 1, times: 2 });

    await client.post(ORDERS, { quantity: 1 });

    expect(server.counters).toMatchObject({ requests: 3, repeatedRequestIds: 0, ordersCreated: 1 });
    expect(new Set(seen(server, 'MS-RequestId')).size).toBe(3);
  });

  it('is a new one after a response, and then the same again while none comes', async () => {
    const { server, client } = await partner();
    server.script({ kind: 'answer', status: 429, retryAfter: 1 }, { kind: 'drop', when: 'before-headers' });

    await client.post(ORDERS, { quantity: 1 });

    const [first, second, third] = seen(server, 'MS-RequestId');
    expect(second).not.toBe(first);
    expect(third).toBe(second);
    expect(server.counters).toMatchObject({ ordersCreated: 1, ordersRepeated: 1 });
  });

  it.each([502, 504])('cannot save a POST answered %i, which is not repeated', async (status) => {
    const { server, client } = await partner();
    server.script({ kind: 'answer', status });
    const error = await axiosErrorOf(client.post(ORDERS, { quantity: 1 }));
    expect(failureOf(error)?.endedBecause).toBe('unsafe-method');
    expect(server.counters.requests).toBe(1);
  });

  it.each(['get', 'head', 'put', 'patch', 'delete'])('goes with a %s as well', async (method) => {
    const { server, client } = await partner();
    await client.request({ method, url: '/v1/status/200' });
    expect(seen(server, 'MS-RequestId')).toEqual([expect.stringMatching(UUID)]);
  });
});

describe('MS-CorrelationId', () => {
  it('is one for all sends of a call, and another for the next call', async () => {
    const { server, client } = await partner();
    server.script({ kind: 'answer', status: 503 }, { kind: 'drop', when: 'on-arrival' });
    await client.get('/v1/customers');
    await client.get('/v1/customers');

    const [first, second, third, other] = seen(server, 'MS-CorrelationId');
    expect(first).toMatch(UUID);
    expect([second, third]).toEqual([first, first]);
    expect(other).not.toBe(first);
  });
});

describe.each([
  { family: 'the older family', path: '/v1', options: {}, names: ['MS-RequestId', 'MS-CorrelationId'] as const },
  {
    family: 'the REST family',
    path: '/rest',
    options: { rest: true },
    names: ['client-request-id', 'request-id'] as const,
  },
])('the ids of $family in a failure', ({ path, options, names }) => {
  const [request, correlation] = names;

  it('are those of the last send where an answer came', async () => {
    const { server, client } = await partner(partnerApi(options));
    const failure = failureOf(await axiosErrorOf(client.get(`${path}/status/503`)));
    expect(failure).toMatchObject({
      sends: 4,
      requestId: seen(server, request).at(-1),
      correlationId: seen(server, correlation).at(-1),
    });
    expect(new Set(seen(server, request)).size).toBe(4);
    expect(failure?.summary).toContain(`(${request} ${failure?.requestId})`);
  });

  it('are those that were sent where none came', async () => {
    const { server, client } = await partner(partnerApi(options));
    server.script({ kind: 'drop', when: 'on-arrival', times: 4 });
    const failure = failureOf(await rejectionOf(client.post(`${path}/customers/c1/orders`, {})));
    expect(failure).toMatchObject({
      kind: 'network',
      sends: 4,
      requestId: seen(server, request).at(-1),
      correlationId: seen(server, correlation).at(-1),
    });
    expect(new Set(seen(server, request)).size).toBe(1);
  });
});
