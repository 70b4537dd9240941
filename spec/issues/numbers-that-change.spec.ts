import { type LimitOptions, localLimiter, type Policy } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import { localLimiterWith } from '../../lib/limit/local/local-buckets.ts';
import { fillIn } from '../../lib/limit/options.ts';
import { ADAPTERS, attached, rejectionOf, status } from '../support/attached.ts';
import { limiterOf } from '../support/limiters.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** The rate of a limiter could not be changed while calls waited (axios-rate-limit#48): a new one let nobody out who waited in the old. */

describe.each(ADAPTERS)('new numbers, over %s', (adapter) => {
  it('let those out who wait, in the order in which they came', async () => {
    const limit = limiterOf({ requests: 1, perMs: 3_600_000 });
    // In the order in which they leave: each has a connection of its own, so they may arrive in another.
    const left: string[] = [];
    const on: Policy['on'] = { sent: ({ call: { url } }) => left.push(new URL(url).pathname) };
    const { client, holdfast } = await attached(status(200), { limit, on }, { adapter });
    await client.get('/0');
    const calls = [1, 2, 3].map((n) => client.get(`/${n}`));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(holdfast.stats().queued).toBe(3);
    limit.update({ requests: 100, perMs: 1_000 });
    await Promise.all(calls);
    expect(left).toEqual(['/0', '/1', '/2', '/3']);
    expect(holdfast.stats()).toMatchObject({ queued: 0, retries: 0 });
  });

  it('hold for one of several limits', async () => {
    const route = limiterOf({ requests: 1, perMs: 3_600_000, key: ({ url = '' }) => url });
    const policy: Policy = { limit: [{ maxConcurrent: 5 }, route] };
    const { client, server } = await attached(status(200), policy, { adapter });
    await client.get('/a');
    const waits = client.get('/a');
    route.update({ perMs: 10 });
    await waits;
    expect(server.seen).toHaveLength(2);
  });
});

describe('new numbers', () => {
  const local = (options: LimitOptions) => {
    const clock = new ManualClock();
    const limit = localLimiterWith(clock, fillIn(options));
    onTestFinished(() => limit.close());
    const left: number[] = [];
    const start = clock.now();
    const ask = (count: number, request = {}) =>
      Array.from({ length: count }, async () => {
        const permit = await limit.acquire({ key: 'k', ...request });
        left.push(Math.round(clock.now() - start));
        return permit;
      });
    const pass = async (ms: number) => {
      for (let at = 0; at < ms; at++) await clock.advance(1);
    };
    return { clock, limit, left, ask, pass };
  };

  it('count what has left by the old ones: a lower rate begins at once', async () => {
    const { limit, left, ask, pass } = local({ requests: 10, perMs: 100 });
    const all = ask(4);
    await pass(15);
    limit.update({ requests: 1 });
    await pass(300);
    // Two left within 11 ms; nine tenths of a slot were unpaid.
    expect(left.length).toBe(4);
    expect(Number(left[2])).toBeGreaterThanOrEqual(60);
    expect(Number(left[3]) - Number(left[2])).toBeGreaterThanOrEqual(100);
    await Promise.all(all);
  });

  it('give a permit back to the numbers that it was taken by', async () => {
    const { limit, left, ask, pass } = local({ requests: 1, perMs: 1_000, windows: [{ requests: 1, perMs: 2_000 }] });
    const [first] = ask(1);
    limit.update({ requests: 2 });
    (await first)?.drop?.();
    const all = ask(1);
    await pass(1_100);
    await Promise.all(all);
    // The window that did not change has its permit back; of the other half a second was owed.
    expect(left[1]).toBeLessThanOrEqual(520);
  });

  it('refuse who waits with a weight that no window holds any more', async () => {
    const { limit, ask } = local({ requests: 10, perMs: 1_000, burst: 5 });
    await Promise.all(ask(5));
    const [heavy] = ask(1, { weight: 5 });
    const [light] = ask(1);
    limit.update({ requests: 1, burst: 1 });
    expect(await rejectionOf(heavy as Promise<unknown>)).toBeInstanceOf(RangeError);
    expect(limit.stats().queued).toBe(1);
    light?.catch(() => {});
  });

  it('hold for buckets that are made later', async () => {
    const { limit, ask, pass, left } = local({ requests: 1, perMs: 1_000 });
    limit.update({ maxConcurrent: 2 });
    limit.update({ requests: 10, burst: 3 });
    await pass(1);
    await Promise.all(ask(2));
    expect(left).toEqual([1, 1]);
    expect(limit.stats().running).toBe(2);
  });

  it('are checked as those that a limiter is made of, and change nothing where they are wrong', async () => {
    const limit = limiterOf({ requests: 1, perMs: 3_600_000, key: () => 'k' });
    for (const options of [{ requests: -1 }, { maxConcurrent: 0.5 }, { perMS: 5 }, { windows: [{}] }]) {
      const wrong = { requests: 1, perMs: 3_600_000, ...options } as LimitOptions;
      const messageOf = (make: () => unknown) => {
        try {
          make();
          return 'none';
        } catch (error) {
          return String(error);
        }
      };
      expect(messageOf(() => limit.update(options as LimitOptions))).toBe(messageOf(() => localLimiter(wrong)));
    }
    for (const options of [null, 5, undefined]) {
      expect(() => limit.update(options as never)).toThrow(/limit must be a plain object/);
    }
    expect(() => limit.update({ key: () => 'other' })).toThrow(/limit\.key must be left out of an update/);
    const { client, server } = await attached(status(200), { limit });
    await client.get('/');
    const gone = new AbortController();
    const waits = rejectionOf(client.get('/', { signal: gone.signal }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    gone.abort();
    await waits;
    expect(server.seen).toHaveLength(1);
  });
});
