import { describe, expect, it } from 'vitest';
import { ADAPTERS, attached } from '../support/attached.ts';
import { byHand, until } from '../support/by-hand.ts';
import { type Answer, json } from '../support/loopback.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** Report: SP-API-CSharp#107. What is left of a quota was spread evenly over the time that was left: 60 calls took half a minute. */

interface Terms {
  readonly limit: number;
  readonly perMs: number;
  /** How others draw on it: so many with each request of ours. */
  readonly others?: (n: number) => number;
  /** Which answers tell what is left; those that refuse always name a time. */
  readonly tells?: (n: number, isRefused: boolean) => boolean;
  readonly headers?: (told: { limit: number; left: number; resetMs: number; at: number }) => Record<string, string>;
}

const seconds = (ms: number) => String(Math.ceil(ms / 1_000));

const HEADERS = {
  delta: ({ limit, left, resetMs }) => ({
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(left),
    'x-ratelimit-reset': seconds(resetMs),
  }),
  epoch: ({ limit, left, resetMs, at }) => ({
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(left),
    'x-ratelimit-reset': seconds(at + resetMs),
  }),
  'draft 8': ({ limit, left, resetMs }) => ({
    'ratelimit-policy': `"default";q=${limit};w=60`,
    ratelimit: `"default";r=${left};t=${seconds(resetMs)}`,
  }),
  'minute and day': ({ limit, left, resetMs }) => ({
    'ratelimit-policy': `"minute";q=${limit};w=60, "day";q=5000;w=86400`,
    ratelimit: `"day";r=4000;t=30000, "minute";r=${left};t=${seconds(resetMs)}`,
  }),
} satisfies Record<string, NonNullable<Terms['headers']>>;

/** A server of a fixed window that begins when it is made, on a clock that the test moves. */
class FixedWindow {
  readonly clock = new ManualClock();
  readonly sentAt: number[] = [];
  refused = 0;
  readonly #terms: Terms;
  readonly #beganAt = this.clock.now();
  #window = 0;
  #taken = 0;

  constructor(terms: Terms) {
    this.#terms = terms;
  }

  readonly answer: Answer = (_request, response, n) => {
    const { limit, perMs, others, tells = () => true, headers = HEADERS.delta } = this.#terms;
    const at = this.clock.now();
    const inMs = at - this.#beganAt;
    const window = Math.floor(inMs / perMs);
    if (window !== this.#window) [this.#window, this.#taken] = [window, 0];
    const resetMs = (window + 1) * perMs - inMs;
    this.sentAt.push(inMs);
    this.#taken += others?.(n) ?? 0;
    const isRefused = this.#taken >= limit;
    if (isRefused) this.refused += 1;
    else this.#taken += 1;
    const told = tells(n, isRefused) ? headers({ limit, left: Math.max(0, limit - this.#taken), resetMs, at }) : {};
    json(response, isRefused ? 429 : 200, {}, { ...told, ...(isRefused && { 'retry-after': seconds(resetMs) }) });
  };
}

async function against(terms: Terms, policy = {}, defaults = {}) {
  const server = new FixedWindow(terms);
  const { clock } = server;
  const made = await byHand(server.answer, { limit: { adaptive: true, ...policy } }, defaults, { clock });
  const calls = (count: number) => Promise.all(Array.from({ length: count }, (_, i) => made.client.get(`/${i}`)));
  /** Moves the clock to the next timer whenever all that has left is answered. */
  const run = async (promise: Promise<unknown>) => {
    let isSettled = false;
    const settled = promise.finally(() => {
      isSettled = true;
    });
    const isQuiet = () => isSettled || (made.holdfast.stats().inFlight === 0 && clock.nextIn !== undefined);
    while (!isSettled) {
      await until(isQuiet);
      if (!isSettled) await clock.advance(Number(clock.nextIn));
    }
    return settled;
  };
  return { ...made, server, calls, run };
}

const MINUTE = 60_000;

describe.each(ADAPTERS)('all that is left may leave at once, over %s', (adapter) => {
  it.each(Object.keys(HEADERS) as (keyof typeof HEADERS)[])('as %s headers tell it', async (style) => {
    const { calls, server } = await against(
      { limit: 100, perMs: MINUTE, headers: HEADERS[style] },
      {},
      { adapter, timeout: 0 },
    );
    // Nobody moves the clock: no send has waited for a time.
    const answers = await calls(60);
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(server.sentAt).toHaveLength(60);
    expect(server.refused).toBe(0);
  });

  it('and no more: of 130 calls at 100 in 8 s, the rest leaves right after the reset', async () => {
    const { calls, run, server } = await against({ limit: 100, perMs: 8_000 }, {}, { adapter });
    await run(calls(130));
    expect(server.refused).toBe(0);
    expect(server.sentAt.filter((at) => at === 0)).toHaveLength(100);
    expect(server.sentAt.slice(100)).toEqual(Array(30).fill(8_000));
  });
});

describe('what is left', () => {
  it('is the same where only some answers tell it', async () => {
    const terms = { limit: 100, perMs: 8_000, tells: (n: number) => n % 10 === 0 };
    const { calls, run, server } = await against(terms);
    await run(calls(130));
    expect(server.refused).toBe(0);
    expect(server.sentAt.filter((at) => at < 8_000)).toHaveLength(100);
    expect(server.sentAt.filter((at) => at >= 8_000)).toHaveLength(30);
  });

  it('is kept back a little where others draw on it, and paced up to the reset', async () => {
    // They take one with each of the first 20 of ours, so that 60 of 100 are left.
    const others = (n: number) => (n < 20 ? 1 : 0);
    const { client, calls, run, server } = await against({ limit: 100, perMs: MINUTE, others });
    for (let n = 0; n < 20; n++) await client.get('/');
    // Two of the 60 are kept back: twice the one that they took while the last send was on its way. They take none while the 58 are
    // out; then one is.
    const all = calls(60);
    await until(() => server.sentAt.length === 79);
    expect(server.sentAt.every((at) => at === 0)).toBe(true);
    await run(all);
    expect(server.sentAt).toHaveLength(80);
    expect(server.sentAt[79]).toBeGreaterThan(0);
    expect(server.sentAt[79]).toBeLessThan(MINUTE);
    expect(server.refused).toBe(0);
  });

  it('teaches no pace when others have used it up', async () => {
    const others = (n: number) => (n === 40 ? 70 : 0);
    const { calls, run, server } = await against({ limit: 100, perMs: 8_000, others });
    await run(calls(150));
    const before = server.sentAt.length - server.refused;
    expect(before).toBe(150);
    // All that were refused, and all others, leave in the next window or the one after it, at once.
    expect(new Set(server.sentAt)).toEqual(new Set([0, 8_000, 16_000]));
  });

  it('is followed when the limit shrinks and when it grows', async () => {
    const terms = { limit: 100, perMs: MINUTE };
    const { calls, run, server } = await against(terms);
    await calls(20);
    terms.limit = 50;
    await calls(20);
    // Of 50 only 10 are left; when it is 200 it is 150 more.
    terms.limit = 200;
    await run(calls(140));
    expect(server.sentAt.every((at) => at === 0)).toBe(true);
    expect(server.refused).toBe(0);
  });

  it('is not known where only refusals tell it: then the quota is learnt', async () => {
    const terms = { limit: 40, perMs: 2_000, tells: (_n: number, isRefused: boolean) => isRefused };
    const { calls, run, server } = await against(terms);
    const answers = await run(calls(200));
    expect(answers).toHaveLength(200);
    expect(server.refused / server.sentAt.length).toBeLessThan(0.3);
  });

  it('counts within the numbers that the user gave, whose burst counts as well', async () => {
    const { calls, run, server } = await against(
      { limit: 1_000, perMs: MINUTE },
      { requests: 10, perMs: 1_000, burst: 30 },
    );
    const all = calls(60);
    await until(() => server.sentAt.length === 30);
    await run(all);
    expect(server.sentAt.filter((at) => at === 0)).toHaveLength(30);
    expect(server.sentAt.filter((at) => at <= 1_000).length).toBeLessThanOrEqual(40);
    expect(server.refused).toBe(0);
  });
});

describe('a burst of the user', () => {
  it('counts under adaptive where the server tells nothing', async () => {
    const { client, server } = await attached((_request, response) => json(response, 200), {
      limit: { requests: 1, perMs: MINUTE, burst: 25, adaptive: true },
    });
    await Promise.all(Array.from({ length: 25 }, () => client.get('/')));
    expect(server.seen).toHaveLength(25);
  });
});

describe('of a quota that the server divides', () => {
  const part = (key: string, left: number) => ({
    'ratelimit-policy': `"user";q=100;w=60;pk=:${key}:`,
    ratelimit: `"user";r=${left};t=60;pk=:${key}:`,
  });

  it('what another part has left is not ours', async () => {
    const { client, server } = await attached(
      (request, response) =>
        json(response, 200, {}, request.url === '/other' ? part('b3RoZXI=', 0) : part('bWluZQ==', 90)),
      { limit: { adaptive: true } },
    );
    for (const path of ['/', '/other', '/']) await client.get(path);
    await Promise.all(Array.from({ length: 20 }, () => client.get('/')));
    expect(server.seen).toHaveLength(23);
  });
});

describe('a bound of requests under way', () => {
  it('that the server states holds, and bounds no rate', async () => {
    let under = 0;
    let most = 0;
    const { client, server } = await attached(
      (_request, response) => {
        under += 1;
        most = Math.max(most, under);
        setTimeout(() => {
          under -= 1;
          json(response, 200, {}, { 'ratelimit-policy': '"slots";q=3;qu="concurrent-requests"' });
        }, 5);
      },
      { limit: { adaptive: { startConcurrency: 1 } } },
    );
    await client.get('/');
    await Promise.all(Array.from({ length: 40 }, () => client.get('/')));
    expect(server.seen).toHaveLength(41);
    expect(most).toBe(3);
  });

  it('bytes that are used up stop no request', async () => {
    const headers = {
      'ratelimit-policy': '"bytes";q=65535;w=60;qu="content-bytes"',
      ratelimit: '"bytes";r=0;t=60',
    };
    const { client, server } = await attached((_request, response) => json(response, 200, {}, headers), {
      limit: { adaptive: true },
    });
    await client.get('/');
    await Promise.all(Array.from({ length: 20 }, () => client.get('/')));
    expect(server.seen).toHaveLength(21);
  });
});
