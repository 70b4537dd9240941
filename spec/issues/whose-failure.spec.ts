import { failureOf, type Policy } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { attached, inTurn, rejectionOf, status } from '../support/attached.ts';
import { reset } from '../support/faults.ts';
import { type Answer, json } from '../support/loopback.ts';

/** Reports: axios-retry#289 (a 202 to be asked for again), and 500s that a circuit took for health. */
const breaker = { minimumThroughput: 10, openMs: 60_000 };

describe('what counts against a server', () => {
  it('is not an answer below 400 that a judge has repeated: neither its circuit nor its budget minds', async () => {
    // Each of 60 calls is told twice to ask again, which is two failed sends of three, were it a failure. No budget would last for that.
    const asked = new Map<string, number>();
    const { client, holdfast, server } = await attached(
      ({ url }, response) => {
        const times = (asked.get(url) ?? 0) + 1;
        asked.set(url, times);
        json(response, times > 2 ? 200 : 202);
      },
      {
        breaker,
        classify: ({ outcome }) => (outcome.response?.status === 202 ? { kind: 'transient' } : undefined),
        retry: { budget: { capacity: 14, refillPerSecond: 0 } },
      },
    );
    for (let i = 0; i < 60; i++) expect((await client.get(`/jobs/${i}`)).status).toBe(200);
    expect(server.seen).toHaveLength(180);
    expect(holdfast.stats().open).toEqual([]);
    expect(holdfast.stats().budget).toEqual({ [server.url]: 14 });
  });

  it('is a 200 that broke off', async () => {
    const cut: Answer = (_request, response) => {
      response.writeHead(200, { 'content-length': 9 });
      response.write('{', () => response.destroy());
    };
    const { client } = await attached(cut, { retry: { budget: { capacity: 14, refillPerSecond: 0 } } });
    expect(failureOf(await rejectionOf(client.get('/')))).toMatchObject({ endedBecause: 'budget-empty', retries: 1 });
  });

  it('is not a 404 or a 409 that a judge has repeated', async () => {
    const { client, holdfast } = await attached(
      (request, response) => json(response, request.url === '/a' ? 404 : 409),
      {
        breaker,
        classify: () => ({ kind: 'transient' }),
        retry: { maxRetries: 1 },
      },
    );
    for (let i = 0; i < 20; i++) await rejectionOf(client.get(i % 2 ? '/a' : '/b'));
    expect(holdfast.stats().open).toEqual([]);
  });

  it.each([500, 502, 507, 529])('is a %i, though nobody repeats it and whatever a judge calls it', async (code) => {
    for (const classify of [undefined, () => ({ kind: 'permanent' }) as const]) {
      const { client, holdfast, server } = await attached(status(code), { breaker, classify, retry: false });
      for (let i = 0; i < 30; i++) await rejectionOf(client.get('/'));
      expect(server.seen).toHaveLength(10);
      expect(holdfast.stats().open).toEqual([server.url]);
    }
  });

  it('is a lost connection, whatever a judge calls it', async () => {
    const policy: Policy = { breaker, classify: () => ({ kind: 'permanent' }), retry: false };
    const { client, server } = await attached(reset, policy);
    for (let i = 0; i < 30; i++) await rejectionOf(client.get('/'));
    expect(server.seen).toHaveLength(10);
  });

  describe('isFailure', () => {
    it('is asked first, with what a judge is shown: one customer’s 500 need not close the door to all', async () => {
      const seen: unknown[] = [];
      const { client, holdfast } = await attached(
        ({ url }, response) =>
          json(response, 500, { error: { code: url === '/odd' ? 'BadCustomer' : 'Broken', message: 'no' } }),
        {
          breaker: {
            ...breaker,
            isFailure: (argument) => {
              seen.push([argument.api?.code, argument.call.url, Object.isFrozen(argument)]);
              return argument.api?.code === 'BadCustomer' ? false : undefined;
            },
          },
          retry: false,
        },
      );
      for (let i = 0; i < 20; i++) await rejectionOf(client.get('/odd'));
      expect(holdfast.stats().open).toEqual([]);
      expect(seen[0]).toEqual(['BadCustomer', expect.stringContaining('/odd'), true]);
      for (let i = 0; i < 20; i++) await rejectionOf(client.get('/even'));
      expect(holdfast.stats().open).toHaveLength(1);
    });

    it('can make a failure of a 429, and of what is no failure of the server otherwise', async () => {
      const policy: Policy = { breaker: { ...breaker, isFailure: () => true }, retry: false };
      const { client, server } = await attached(inTurn(status(429), status(404)), policy);
      for (let i = 0; i < 30; i++) await rejectionOf(client.get('/'));
      expect(server.seen).toHaveLength(10);
    });

    it('is not asked of a call that its caller gave up', async () => {
      let asked = 0;
      const isFailure = () => {
        asked += 1;
        return true;
      };
      const { client, server } = await attached(() => {}, { breaker: { ...breaker, isFailure } });
      const controller = new AbortController();
      const given = rejectionOf(client.get('/', { signal: controller.signal }));
      while (server.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
      controller.abort();
      expect(failureOf(await given)).toMatchObject({ kind: 'cancelled' });
      expect(asked).toBe(0);
    });

    it('ends the call with what it throws, and with a word about what is neither true nor false', async () => {
      const thrown = new Error('thrown');
      const throwing = () => {
        throw thrown;
      };
      const { client, holdfast } = await attached(status(200), { breaker });
      const by = (isFailure: () => unknown) =>
        rejectionOf(client.get('/', { holdfast: { breaker: { isFailure } as never } }));
      expect(await by(throwing)).toBe(thrown);
      expect(await by(async () => false)).toMatchObject({
        message: expect.stringMatching(/isFailure must give true, false or undefined/),
      });
      expect(holdfast.stats().inFlight).toBe(0);
      expect((await client.get('/')).status).toBe(200);
    });
  });
});
