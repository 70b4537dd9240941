import { type Attachment, attach, localLimiter, mergePolicies, type Policy } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ADAPTERS, attached, rejectionOf, status } from '../support/attached.ts';
import { byHand, runQuietly } from '../support/by-hand.ts';
import { type Answer, json } from '../support/loopback.ts';
import { ManualClock } from '../support/manual-clock.ts';

/**
 * An API with 50 requests a second in all and 5 a second for each route was refused as a policy: `limit` took one limit. Two attachments
 * around each other are refused too, and a global 429 has to hold all routes (discord-api-docs#5144).
 */

/** The first part of the path. */
const byRoute = ({ url }: { readonly url?: string | undefined }) => /^\/?[^/?]*/.exec(url ?? '')?.[0] ?? '';

const twoLimits = (): Policy => ({
  limit: [
    { requests: 50, perMs: 1_000 },
    { requests: 5, perMs: 1_000, key: byRoute },
  ],
});

/** Counts what comes in any second, in all and to each route, and refuses what is beyond the quota. */
function twoQuotas(clock: ManualClock) {
  const seen: { readonly at: number; readonly route: string }[] = [];
  const quotas = {
    refused: 0,
    answer: (({ url }, response) => {
      const route = byRoute({ url });
      const at = clock.now();
      const recent = seen.filter((each) => each.at > at - 1_000);
      const isOver = recent.length >= 50 || recent.filter((each) => each.route === route).length >= 5;
      seen.push({ at, route });
      if (isOver) quotas.refused += 1;
      json(response, isOver ? 429 : 200, {}, isOver ? { 'retry-after': '1' } : {});
    }) satisfies Answer,
  };
  return quotas;
}

const closing = (holdfast: Attachment) => onTestFinished(() => holdfast.close());

describe.each(ADAPTERS)('a limit for all and one for each route, over %s', (adapter) => {
  it('keeps both, and a route that has to wait holds up no other', async () => {
    const clock = new ManualClock();
    const quotas = twoQuotas(clock);
    const setting = await byHand(quotas.answer, twoLimits(), { adapter }, { clock });
    const { client, server, holdfast } = setting;
    closing(holdfast);
    const sent: string[] = [];
    holdfast.on('sent', ({ call }) => sent.push(call.url));
    const orders = Array.from({ length: 8 }, (_, n) => client.get(`/orders/${n}`));
    const others = Array.from({ length: 30 }, (_, n) => client.get(`/item${n}`));
    await runQuietly(setting, Promise.all([...orders, ...others]));
    expect(quotas.refused).toBe(0);
    // Orders take 1.4 s, the others 0.6 s.
    expect(sent.at(-1)).toBe(`${server.url}/orders/7`);
    expect(sent.filter((url) => url.includes('/orders'))).toEqual(orders.map((_, n) => `${server.url}/orders/${n}`));
    expect(holdfast.stats()).toMatchObject({ queued: 0, inFlight: 0, retries: 0 });
  });

  it('holds all routes for a refusal of one, which may be of the quota for all', async () => {
    let until = 0;
    const early: string[] = [];
    const answer: Answer = ({ url }, response, n) => {
      if (performance.now() < until) early.push(url);
      if (n === 0) until = performance.now() + 1_000;
      json(response, n === 0 ? 429 : 200, {}, n === 0 ? { 'retry-after': '1' } : {});
    };
    const { client, holdfast } = await attached(answer, twoLimits(), { adapter });
    closing(holdfast);
    const paused = new Promise((resolve) => holdfast.on('paused', resolve));
    const first = client.get('/orders');
    expect(await paused).toMatchObject({ key: expect.stringContaining('/orders') });
    expect(holdfast.stats().pausedKeys).toBe(2);
    await Promise.all([first, client.get('/items'), client.get('/customers')]);
    expect(early).toEqual([]);
  });

  it('holds one route for a pause of its own limit', async () => {
    const route = localLimiter({ key: byRoute });
    onTestFinished(() => route.close());
    const { client, server, holdfast } = await attached(
      status(200),
      { limit: [{ maxConcurrent: 5 }, route] },
      { adapter },
    );
    closing(holdfast);
    route.pause('/orders', Date.now() + 30_000);
    const waits = rejectionOf(client.get('/orders'));
    await client.get('/items');
    expect(server.seen.map(({ url }) => url)).toEqual(['/items']);
    await holdfast.close();
    expect(await waits).toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
  });
});

describe('several limits', () => {
  it('are named each by its own key where a call waits or is refused', async () => {
    const limit = [
      { requests: 50, perMs: 1_000 },
      { requests: 1, perMs: 60_000, maxQueue: 1, key: byRoute },
    ];
    const { client, holdfast } = await attached(status(200), { limit });
    const heard: unknown[] = [];
    holdfast.on('queued', ({ key, place }) => heard.push(['queued', key, place]));
    holdfast.on('limited', ({ key, code }) => heard.push(['limited', key, code]));
    await client.get('/orders');
    const waits = rejectionOf(client.get('/orders'));
    expect(await rejectionOf(client.get('/orders'))).toMatchObject({ code: 'ERR_LIMIT_QUEUE_FULL', key: '/orders' });
    expect(heard.at(0)).toEqual(['queued', '/orders', 1]);
    expect(heard.at(-1)).toEqual(['limited', '/orders', 'ERR_LIMIT_QUEUE_FULL']);
    expect(holdfast.pending()).toMatchObject([{ why: expect.stringMatching(/permit of \/orders: its turn/) }]);
    expect(holdfast.stats().queued).toBe(1);
    await holdfast.close();
    expect(await waits).toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
  });

  it('refuse by the deadline, by the longest wait and by the abort of a call, and lose no permit by it', async () => {
    const limit = [{ maxConcurrent: 1 }, { requests: 1, perMs: 60_000, burst: 2, key: byRoute }];
    const { client, holdfast } = await attached(status(200), { limit });
    closing(holdfast);
    await Promise.all([client.get('/orders'), client.get('/orders')]);
    const controller = new AbortController();
    const gone = rejectionOf(client.get('/orders', { signal: controller.signal }));
    const deadline = rejectionOf(client.get('/orders', { holdfast: { deadlineMs: 50 } }));
    const patience = rejectionOf(client.get('/orders', { holdfast: { limit: { maxWaitMs: 50 } } }));
    expect(await deadline).toMatchObject({ code: 'ERR_LIMIT_DEADLINE' });
    expect(await patience).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
    controller.abort();
    expect(await gone).toMatchObject({ code: 'ERR_CANCELED' });
    expect(holdfast.stats()).toMatchObject({ queued: 0, inFlight: 0 });
    await client.get('/items');
  });

  it('weigh a call each by its own, and settle what it cost each by its own', async () => {
    const tokens = ({ data = '' }) => JSON.parse(String(data)).tokens as number;
    const clock = new ManualClock();
    const setting = await byHand(
      (_request, response) => json(response, 200, { used: 10 }),
      {
        limit: [
          { requests: 100, perMs: 1_000, burst: 100 },
          { requests: 60, perMs: 60_000, burst: 60, weight: tokens, settle: ({ data }) => data.used },
        ],
      },
      {},
      { clock },
    );
    closing(setting.holdfast);
    const ask = () => setting.client.post('/chat', { tokens: 30 });
    const start = clock.now();
    // 60 at once; 20 of each 30 come back with the answers, so that the third and fourth need not wait.
    await Promise.all([ask(), ask()]);
    await ask();
    await ask();
    expect(clock.now()).toBe(start);
  });

  it.each(['first', 'last'])(
    'let a call go when all that it weighs in each is due, with the heavy one %s',
    async (place) => {
      const heavy = {
        requests: 10,
        perMs: 1_000,
        burst: 10,
        weight: ({ method }: { method?: string }) => (method === 'post' ? 10 : 1),
      };
      const limit = place === 'first' ? [heavy, { maxConcurrent: 50 }] : [{ maxConcurrent: 50 }, heavy];
      const setting = await byHand(status(200), { limit });
      closing(setting.holdfast);
      const { client, clock, holdfast } = setting;
      const left: number[] = [];
      holdfast.on('sent', () => left.push(clock.now()));
      const start = clock.now();
      await runQuietly(setting, Promise.all([client.get('/1'), client.get('/2'), client.post('/heavy')]));
      // The two have used 2 of the 10, which are back after 201 ms: the slots are 100.5 ms apart.
      expect(left.map((at) => at - start)).toEqual([0, 0, 201]);
    },
  );

  it('share one of them among instances', async () => {
    const all = localLimiter({ maxConcurrent: 1, key: () => 'all' });
    onTestFinished(() => all.close());
    let running = 0;
    let most = 0;
    const slow: Answer = async (_request, response) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      json(response, 200);
    };
    const both = await Promise.all(
      [1, 2].map(() => attached(slow, { limit: [all, { requests: 100, perMs: 1_000, key: byRoute }] })),
    );
    for (const { holdfast } of both) closing(holdfast);
    const alone = await attached(slow, { limit: all });
    await Promise.all([...both, alone].flatMap(({ client }) => [client.get('/a'), client.get('/b'), client.get('/c')]));
    expect(most).toBe(1);
    expect(all.stats()).toMatchObject({ queued: 0, running: 0 });
  });

  it('let a call go that is made within another which holds the only place of all', async () => {
    const { client, server, holdfast } = await attached(status(200), {
      limit: [{ maxConcurrent: 1 }, { requests: 1_000, perMs: 1_000, key: byRoute }],
      beforeSend: async ({ config }) => {
        if (config.url === '/orders') await client.get('/session');
      },
    });
    closing(holdfast);
    await client.get('/orders');
    expect(server.seen.map(({ url }) => url)).toEqual(['/session', '/orders']);
  });

  it('are a list in the policy, which is the same policy again, and stays the caller’s own', async () => {
    const limit = [{ requests: 50, perMs: 1_000 }, localLimiter({ maxConcurrent: 3 })];
    const { client, holdfast } = await attached(status(200), { limit });
    closing(holdfast);
    expect(Object.isFrozen(limit)).toBe(false);
    expect(Object.isFrozen(limit[0])).toBe(false);
    expect(holdfast.policy.limit).toMatchObject([{ requests: 50, maxQueue: 10_000 }, limit[1]]);
    await client.get('/', { holdfast: holdfast.policy });
    await client.get('/', { holdfast: { limit: false } });
    await client.get('/', { holdfast: { limit: [localLimiter({}), localLimiter({})] } });
    expect(mergePolicies({ limit: { maxConcurrent: 3 } }, { limit }, {}).limit).toEqual(limit);
    expect(mergePolicies({ limit }, { limit: { maxConcurrent: 3 } }).limit).toEqual({ maxConcurrent: 3 });
  });

  it.each<[string, Policy, RegExp]>([
    ['numbers of its own', { limit: [{ requests: 5, perMs: 1_000 }, {}] }, /limit\.0 must be a Limiter on a call/],
    ['a weight for all', { limit: { weight: () => 5 } }, /limit\.weight must be left out where there are several/],
    ['a key for all', { limit: { key: () => 'k' } }, /limit\.key must be left out where there are several/],
    [
      'one limit of its own numbers',
      { limit: { requests: 5, perMs: 1_000 } },
      /limit\.requests must be left out on a call/,
    ],
  ])('refuse a call that has %s', async (_what, holdfast, message) => {
    const { client, server } = await attached(status(200), twoLimits());
    const error = await rejectionOf(client.get('/', { holdfast }));
    expect(error).toMatchObject({ code: 'ERR_POLICY_INVALID', message: expect.stringMatching(message) });
    expect(server.seen).toEqual([]);
  });

  it.each<[string, unknown, RegExp]>([
    ['of none', [], /limit must be .* at least one/],
    ['with a number in it', [5], /limit must be .*, got 5 in it/],
    ['with half of a rate', [{}, { requests: 5 }], /limit\.1\.perMs must be given with limit\.1\.requests/],
    ['with half of a limiter', [{ acquire() {} }], /limit\.0 must be a Limiter/],
    ['with a list in it', [[{}]], /limit must be/],
    ['with one that is off', [false, {}], /limit must be/],
  ])('refuse a list %s', async (_what, limit, message) => {
    const { client } = await attached(status(200));
    expect(() => attach(client, { limit } as Policy, { replace: true })).toThrow(message);
  });
});
