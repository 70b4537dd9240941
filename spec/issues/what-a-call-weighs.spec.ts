import { InvalidPolicyError, localLimiter, type Policy } from 'axios-holdfast';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ADAPTERS, attached, axiosErrorOf, rejectionOf, status } from '../support/attached.ts';
import { byHand, runQuietly } from '../support/by-hand.ts';
import { type Answer, json, type Seen } from '../support/loopback.ts';
import { ManualClock } from '../support/manual-clock.ts';

/**
 * Reports: governor#9 (a weight left when one slot was due), Shopify-api-node#489 and vercel/ai#2637 (points and tokens are what servers
 * count, and what a call cost is known only from its answer).
 */

/** The points of a server: so many at most, so many more in each ms, on a clock that the test moves. */
class Points {
  readonly clock = new ManualClock();
  readonly beganAt = this.clock.now();
  readonly #most: number;
  readonly #perMs: number;
  #left: number;
  #at = this.clock.now();
  spent = 0;
  refused: number[] = [];

  constructor(most: number, perMs: number, left = most) {
    this.#most = most;
    this.#perMs = perMs;
    this.#left = left;
  }

  get elapsedMs(): number {
    return this.clock.now() - this.beganAt;
  }

  get left(): number {
    const now = this.clock.now();
    this.#left = Math.min(this.#most, this.#left + (now - this.#at) * this.#perMs);
    this.#at = now;
    return this.#left;
  }

  /** Takes what is asked for, and gives back at once what is not used of it; false where that is not there. */
  take(asked: number, used: number): boolean {
    if (this.left < asked) {
      this.refused.push(this.elapsedMs);
      return false;
    }
    this.#left -= used;
    this.spent += used;
    return true;
  }
}

const bodyOf = ({ body }: Seen) => JSON.parse(String(body));
const numbers = (count: number, from: number, to: number) =>
  Array.from({ length: count }, (_, i) => from + ((i * 7_919) % (to - from)));

describe('tokens a minute of a language model', () => {
  // 60,000 a minute, 6,000 of them at once. What is asked for counts until the answer says what was used.
  const model = () => new Points(6_000, 1);
  const complete =
    (points: Points): Answer =>
    (request, response) => {
      const { max_tokens, uses } = bodyOf(request);
      if (!points.take(max_tokens, uses)) return json(response, 429, { error: { code: 'rate_limit_exceeded' } });
      json(response, 200, { usage: { total_tokens: uses } });
    };
  const limit = {
    requests: 60_000,
    perMs: 60_000,
    burst: 6_000,
    weight: ({ data }: { data?: string }) => JSON.parse(String(data)).max_tokens,
    settle: ({ data }: { data: { usage?: { total_tokens: number } } }) => data.usage?.total_tokens,
  };
  const run = async (policy: Policy) => {
    const points = model();
    const made = await byHand(complete(points), policy, {}, points);
    const calls = numbers(200, 500, 2_000).map((max_tokens, i) =>
      made.client.post('/chat', { max_tokens, uses: Math.ceil(max_tokens * (0.1 + ((i * 13) % 80) / 100)) }),
    );
    await runQuietly(made, Promise.all(calls));
    return { ...points, refused: points.refused.length, goodput: points.spent / (6_000 + points.elapsedMs) };
  };

  it('are used up to the last, and none is asked for in vain', async () => {
    const { refused, goodput } = await run({ limit });
    expect(refused).toBe(0);
    expect(goodput).toBeGreaterThan(0.95);
  });

  it('would be left unused by half without the answer to what was used', async () => {
    const { settle, ...estimated } = limit;
    const { refused, goodput } = await run({ limit: estimated });
    expect(refused).toBe(0);
    expect(goodput).toBeLessThan(0.6);
  });
});

describe("Shopify's GraphQL cost", () => {
  // A bucket of 1,000 points, 50 more a second; THROTTLED is a 200.
  const graphql =
    (points: Points): Answer =>
    (request, response) => {
      const { requested, actual } = bodyOf(request);
      const isTaken = points.take(requested, actual);
      const throttleStatus = { maximumAvailable: 1_000, currentlyAvailable: points.left, restoreRate: 50 };
      const cost = { requestedQueryCost: requested, actualQueryCost: isTaken ? actual : null, throttleStatus };
      const errors = [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }];
      json(response, 200, { ...(isTaken ? { data: {} } : { errors }), extensions: { cost } });
    };
  const policy: Policy = {
    limit: {
      requests: 50,
      perMs: 1_000,
      burst: 1_000,
      weight: ({ data }) => JSON.parse(String(data)).requested,
      // What was refused cost nothing.
      settle: ({ data }) => data.extensions.cost.actualQueryCost ?? 0,
    },
    retry: { idempotentMethods: ['post'], retryAfter: { maxMs: 60_000 } },
    classify: ({ data }) => {
      const { errors, extensions } = data as {
        errors?: { extensions: { code: string } }[];
        extensions: { cost: { requestedQueryCost: number; throttleStatus: { [name: string]: number } } };
      };
      if (errors?.[0]?.extensions.code !== 'THROTTLED') return undefined;
      const { requestedQueryCost, throttleStatus } = extensions.cost;
      const missing = requestedQueryCost - Number(throttleStatus.currentlyAvailable);
      return { kind: 'throttled', retryAfterMs: (1_000 * missing) / Number(throttleStatus.restoreRate) };
    },
  };
  const run = async (left: number) => {
    const points = new Points(1_000, 0.05, left);
    const made = await byHand(graphql(points), policy, {}, points);
    const calls = numbers(120, 52, 402).map((requested, i) =>
      made.client.post('/graphql', { requested, actual: Math.ceil(requested * (0.2 + ((i * 29) % 80) / 100)) }),
    );
    await runQuietly(made, Promise.all(calls));
    return { points, goodput: points.spent / (left + points.elapsedMs / 20) };
  };

  it('is paid to the last point, and nothing is THROTTLED', async () => {
    const { points, goodput } = await run(1_000);
    expect(points.refused).toEqual([]);
    expect(goodput).toBeGreaterThan(0.95);
  });

  it('is throttled once where somebody else has emptied the bucket, and never after', async () => {
    const { points, goodput } = await run(20);
    expect(new Set(points.refused)).toEqual(new Set([0]));
    expect(goodput).toBeGreaterThan(0.95);
  });
});

describe('a weight', () => {
  const options = { requests: 10, perMs: 1_000, burst: 10 };

  it('of ten of ten a second leaves when all of it is due', async () => {
    const sentAt: number[] = [];
    const clock = new ManualClock();
    const begun = clock.now();
    const answer: Answer = (_request, response) => {
      sentAt.push(clock.now() - begun);
      json(response, 200);
    };
    const limit = { ...options, weight: ({ url }: { url?: string }) => Number(url?.slice(1)) };
    const made = await byHand(answer, { limit }, {}, { clock });
    await runQuietly(made, Promise.all(['/10', '/10', '/5'].map((url) => made.client.get(url))));
    expect(sentAt).toEqual([0, 1_005, 1_508]);
  });

  it('that no window ever holds is refused at once, in words', async () => {
    const { client, server } = await attached(status(200), { limit: { ...options, weight: () => 20 } });
    const error = await rejectionOf(client.get('/'));
    expect(error).toMatchObject({ message: 'weight must be at most 19, since no window ever holds more; got 20' });
    expect(server.seen).toEqual([]);
  });

  it.each<[unknown, string]>([
    ['3', 'limit.weight must return a number, got a string'],
    [undefined, 'limit.weight must return a number, got undefined'],
    [Promise.resolve(1), 'limit.weight must return a number, got a promise: await it?'],
    [0, 'limit.weight must return an integer of at least 1, got 0'],
    [2.5, 'limit.weight must return an integer of at least 1, got 2.5'],
    [Number.NaN, 'limit.weight must return an integer of at least 1, got NaN'],
  ])('of %s fails the call, in words', async (weight, message) => {
    const { client, server } = await attached(status(200), { limit: { ...options, weight: () => weight as number } });
    expect(await rejectionOf(client.get('/'))).toMatchObject({ message });
    expect(server.seen).toEqual([]);
  });

  it('can be a call of its own affair, under a limiter that many share', async () => {
    const limiter = localLimiter({ requests: 3, perMs: 3_600_000, burst: 3 });
    onTestFinished(() => limiter.close());
    const { client } = await attached(status(200), { limit: limiter });
    await client.get('/', { holdfast: { limit: { weight: () => 3 } } });
    const error = await rejectionOf(client.get('/', { holdfast: { limit: { maxWaitMs: 0 } } }));
    expect(error).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
  });

  it('of more than a burst is told once, since it costs half of the limit', async () => {
    const told = warnings();
    const limit = {
      requests: 1_000_000,
      perMs: 1_000,
      burst: 2,
      weight: ({ url }: { url?: string }) => Number(url?.slice(1)),
    };
    const { client } = await attached(status(200), { limit });
    for (const url of ['/1', '/2']) await client.get(url);
    expect(told).toEqual([]);
    for (const url of ['/3', '/9']) await client.get(url);
    expect(told).toHaveLength(1);
    expect(told[0]?.[0]).toMatch(/^A send weighs 3, and limit.burst is 2: .*at least the heaviest weight.$/);
  });

  it.each(['weight', 'settle', 'quota'])('is told by functions: %s', async (name) => {
    const error = await rejectionOf(attached(status(200), { limit: { ...options, [name]: 3 } }));
    expect(error).toBeInstanceOf(InvalidPolicyError);
    expect(error).toMatchObject({ message: expect.stringContaining(`limit.${name} must be a function, got 3`) });
  });
});

function warnings() {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  onTestFinished(() => warned.mockRestore());
  return warned.mock.calls;
}

describe('what the code of a policy makes of an answer', () => {
  const limit = { requests: 1_000, perMs: 1_000, burst: 1_000, adaptive: true };

  it.each<[string, unknown, string]>([
    ['settle', -1, 'limit.settle must return a finite number of at least 0, or undefined, got -1'],
    ['settle', '12', "limit.settle must return a finite number of at least 0, or undefined, got '12'"],
    ['settle', Promise.resolve(1), 'got a promise: await it?'],
    ['quota', 12, 'limit.quota must return a quota or undefined, got 12'],
    ['quota', Promise.resolve({}), 'limit.quota must return a quota or undefined, got a promise: await it?'],
    ['quota', { remaining: '12' }, "limit.quota gave a remaining that must be a finite number of at least 0, got '12'"],
    ['quota', { remaining: Number.NaN }, 'got NaN'],
    ['quota', { resetMs: -1 }, 'limit.quota gave a resetMs that must be a finite number of ms, at least 0, got -1'],
    ['quota', { reset: 1 }, 'limit.quota gave reset, which no quota has: policies, limit, remaining, resetMs,'],
    ['quota', { policies: [{ quota: '1' }] }, 'must be an array of { name?, quota, windowMs? }'],
    ['quota', { counters: [{ remaining: 1 }] }, 'must be an array of { name, limit?, remaining, resetMs }'],
  ])('is told once where it is wrong, and fails no call: %s of %s', async (name, value, message) => {
    const told = warnings();
    const { client } = await attached(status(200), { limit: { ...limit, [name]: () => value } });
    for (let i = 0; i < 3; i++) expect((await client.get('/')).status).toBe(200);
    expect(told).toHaveLength(1);
    expect(told[0]?.[0]).toContain(message);
  });

  it.each(['settle', 'quota'])('is told once where it throws, and fails no call: %s', async (name) => {
    const told = warnings();
    const fails = ({ data }: { data: { usage: { total: number } } }) => data.usage.total;
    const { client } = await attached(status(503), { limit: { ...limit, [name]: fails }, retry: { maxRetries: 2 } });
    expect(await axiosErrorOf(client.get('/'))).toMatchObject({ response: { status: 503 } });
    expect(told).toHaveLength(1);
    expect(told[0]?.[0]).toMatch(`limit.${name} threw TypeError: Cannot read properties of undefined`);
  });

  it.each(ADAPTERS)('sees the body as its transformResponse makes it, which runs once, by %s', async (adapter) => {
    let runs = 0;
    const transformResponse = (text: string) => {
      runs += 1;
      return JSON.parse(text);
    };
    const seen: unknown[] = [];
    const settle = ({ data, status, headers }: { data: unknown; status: number; headers: object }, weight: number) => {
      seen.push({ data, status, type: Reflect.get(headers, 'content-type'), weight });
      return undefined;
    };
    const answer = status(200, {}, { cost: 3 });
    const { client } = await attached(answer, { limit: { ...limit, weight: () => 2, settle } }, { adapter });
    expect((await client.get('/', { transformResponse })).data).toEqual({ cost: 3 });
    expect(seen).toEqual([{ data: { cost: 3 }, status: 200, type: 'application/json', weight: 2 }]);
    expect(runs).toBe(1);
  });

  it('is asked of the answer to each send, also where that is an error', async () => {
    const seen: number[] = [];
    const settle = ({ status }: { status: number }) => void seen.push(status);
    const { client } = await attached((_request, response, n) => json(response, n === 0 ? 503 : 200), {
      limit: { ...limit, settle },
    });
    await client.get('/');
    expect(seen).toEqual([503, 200]);
  });
});

describe('a quota that no known header tells', () => {
  /** Twenty points in ten seconds, told by headers of the vendor's own, or in the body. */
  const vendor = (points = 20) => {
    const clock = new ManualClock();
    const begun = clock.now();
    const spent = new Map<number, number>();
    let refused = 0;
    const answer: Answer = ({ url }, response) => {
      const at = clock.now() - begun;
      const window = Math.floor(at / 10_000);
      const taken = (spent.get(window) ?? 0) + Number(url.slice(1));
      const endsIn = (window + 1) * 10_000 - at;
      if (taken > points) {
        refused += 1;
        return json(response, 429, {}, { 'x-budget-left': '0', 'x-budget-ends-in': String(endsIn) });
      }
      spent.set(window, taken);
      const left = { 'x-budget-left': String(points - taken), 'x-budget-ends-in': String(endsIn) };
      json(response, 200, { budget: left }, left);
    };
    return { clock, answer, spent, refused: () => refused };
  };
  type Left = { readonly [name: string]: string };
  const quotaOf = (left: Left) => ({
    limit: 20,
    remaining: Number(left['x-budget-left']),
    resetMs: Number(left['x-budget-ends-in']),
  });

  it.each<[string, (response: { headers: Left; data: { budget?: Left } }) => ReturnType<typeof quotaOf> | undefined]>([
    ['headers', ({ headers }) => quotaOf(headers)],
    ['the body', ({ data: { budget } }) => budget && quotaOf(budget)],
  ])('is read by a reader of ones own from %s, and then none is refused', async (_name, quota) => {
    const { clock, answer, spent, refused } = vendor();
    const limit = { adaptive: true, quota: quota as never };
    const made = await byHand(answer, { limit }, {}, { clock });
    await runQuietly(made, Promise.all(Array.from({ length: 50 }, () => made.client.get('/1'))));
    expect(refused()).toBe(0);
    expect([...spent.values()]).toEqual([20, 20, 10]);
  });

  it('is left to the headers where the reader says nothing', async () => {
    const limit = { adaptive: true, quota: () => undefined };
    const clock = new ManualClock();
    const answer: Answer = (_request, response, n) =>
      json(
        response,
        200,
        {},
        { 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': String(4 - n), 'x-ratelimit-reset': '60' },
      );
    const made = await byHand(answer, { limit }, {}, { clock });
    await runQuietly(made, Promise.all(Array.from({ length: 5 }, () => made.client.get('/'))));
    const sixth = made.client.get('/', { holdfast: { deadlineMs: 1_000 } });
    expect(await rejectionOf(runQuietly(made, sixth))).toMatchObject({ code: 'ERR_LIMIT_DEADLINE' });
  });

  it('is counted in weights', async () => {
    const { clock, answer, spent, refused } = vendor();
    const limit = {
      adaptive: { startConcurrency: 1 },
      weight: ({ url }: { url?: string }) => Number(url?.slice(1)),
      quota: ({ headers }: { headers: object }) => quotaOf(headers as Left),
    };
    const made = await byHand(answer, { limit }, {}, { clock });
    const calls = [5, 7, 8, 6, 6, 6, 3].map((weight) => made.client.get(`/${weight}`));
    await runQuietly(made, Promise.all(calls));
    expect(refused()).toBe(0);
    expect([...spent.values()]).toEqual([20, 18, 3]);
  });
});
