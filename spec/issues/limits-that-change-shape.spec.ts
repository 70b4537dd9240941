import { setTimeout as pass } from 'node:timers/promises';
import axios from 'axios';
import { type LimitOptions, type LimitWindow, localLimiter, type Policy } from 'axios-holdfast';
import { attachForTest } from 'axios-holdfast/testing';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { mostOf } from '../../lib/limit/windows/gcra.ts';
import { ADAPTERS, attached, rejectionOf, status } from '../support/attached.ts';
import { Noted } from '../support/limiters.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** What had left was forgotten where one limit became several, or stood elsewhere among them: a second quota left within the window. */

type Limit = Policy['limit'];

const five: LimitOptions = { requests: 5, perMs: 3_600_000, burst: 'all' };
const even: LimitOptions = { requests: 5, perMs: 3_600_000, burst: 5 };
const wide: LimitOptions = { maxConcurrent: 9 };
const fast: LimitOptions = { requests: 1_000, perMs: 1_000, burst: 100 };
const fastToo = { ...fast, windows: [{ requests: 5, perMs: 3_600_000, burst: 5 }] };
const route = ({ url = '' }: { url?: string }) => (url.startsWith('/') ? 'all' : '');

const CHANGES: readonly [string, Limit, Limit][] = [
  ['numbers, then a list', five, [five, wide]],
  ['numbers, then another place in a list', five, [wide, five]],
  ['numbers, then fewer of them in a list', five, [wide, { ...five, requests: 3 }]],
  ['a list, then numbers', [five, wide], five],
  ['another place of a list, then numbers', [wide, five], five],
  ['a list in another order', [five, wide], [wide, five]],
  ['a list that is longer', [five], [wide, { requests: 9, perMs: 1 }, five]],
  ['a list that is shorter', [{ ...five, key: route }, five], [five]],
  ['a list with fewer', [wide, five], [wide, { ...five, requests: 3 }]],
  ['a list that is turned round, with other numbers', [five, wide], [wide, { ...five, requests: 4 }]],
  ['two windows, then each in a limit of its own', fastToo, [fast, even]],
  ['two windows, then each in a limit of its own, the other first', fastToo, [wide, even, fast]],
  ['two limits, then one with two windows', [fast, even], fastToo],
  ['windows in another order', fastToo, { ...even, windows: [{ requests: 1_000, perMs: 1_000, burst: 100 }] }],
  ['a window that is one of two', even, { ...fastToo }],
  ['a key that is written anew', [{ ...even, key: () => 'k' }], [wide, { ...even, key: () => 'k' }]],
  ['all at once, then evenly, in a list', five, [wide, { ...five, burst: 1 }]],
  ['evenly, then all at once, in a list', even, [wide, five]],
];

describe.each(ADAPTERS)('what has left counts when a limit changes its shape, over %s', (adapter) => {
  it.each(CHANGES)('%s', async (_what, before, after) => {
    const { client, holdfast, server } = await attached(status(200), { limit: before }, { adapter });
    await Promise.all(Array.from({ length: 5 }, (_, n) => client.get(`/${n}`)));
    holdfast.update({ limit: after });
    const call = rejectionOf(client.get('/more'));
    await pass(20);
    expect([server.seen.length, holdfast.stats().queued]).toEqual([5, 1]);
    await holdfast.close();
    await call;
  });
});

/** An attachment on a clock that is moved by hand; each answer takes so many ms. */
function moved(limit: Limit, answerMs = 0) {
  const clock = new ManualClock();
  const left: { url: string; at: number }[] = [];
  const inFlight = { now: 0, most: 0 };
  const client = axios.create({
    baseURL: 'https://api.example.com',
    adapter: async (config) => {
      left.push({ url: String(config.url), at: clock.now() });
      inFlight.now += 1;
      inFlight.most = Math.max(inFlight.most, inFlight.now);
      if (answerMs > 0) await new Promise<void>((resolve) => clock.after(answerMs, resolve));
      inFlight.now -= 1;
      return { status: 200, statusText: '', data: '', headers: {}, config };
    },
  });
  const holdfast = attachForTest(client, { limit }, { clock });
  return { clock, client, holdfast, left, inFlight };
}

describe('when a limit changes its shape', () => {
  it.each<[string, Limit, Limit]>([
    ['numbers, then a list', { maxConcurrent: 2, requests: 9, perMs: 1 }, [fast, { maxConcurrent: 2 }]],
    ['a list, then numbers', [fast, { maxConcurrent: 2 }], { maxConcurrent: 2 }],
    ['another order', [{ maxConcurrent: 2 }, fast], [fast, { maxConcurrent: 2 }]],
    ['by way of a Limiter', { maxConcurrent: 2 }, [{ maxConcurrent: 2 }]],
  ])('what is under way is counted still: %s', async (what, before, after) => {
    const { clock, client, holdfast, inFlight } = moved(before, 50);
    const calls = [1, 2, 3, 4].map((n) => client.get(`/${n}`));
    await clock.advance(10);
    if (what.includes('Limiter')) holdfast.update({ limit: localLimiter({ maxConcurrent: 1 }) });
    await clock.advance(0);
    holdfast.update({ limit: after });
    await clock.run(Promise.all(calls));
    expect(inFlight.most).toBe(what.includes('Limiter') ? 3 : 2);
  });

  it('nobody is let out by one limit of the new list who has to wait for the other', async () => {
    const hour = { requests: 1, perMs: 3_600_000 };
    const { clock, client, holdfast, left, inFlight } = moved(hour, 50);
    const calls = [1, 2, 3, 4, 5].map((n) => client.get(`/${n}`));
    await clock.advance(60);
    holdfast.update({ limit: [{ ...hour, requests: 36_000_000, burst: 100 }, { maxConcurrent: 1 }] });
    await clock.run(Promise.all(calls));
    expect(inFlight.most).toBe(1);
    expect(left.map(({ url }) => url)).toEqual(['/1', '/2', '/3', '/4', '/5']);
  });

  it('who waits is still before who comes then', async () => {
    const { clock, client, holdfast, left } = moved([{ requests: 1, perMs: 1_000 }, wide]);
    const calls = [1, 2, 3].map((n) => client.get(`/${n}`));
    await clock.advance(600);
    holdfast.update({ limit: [wide, { requests: 2, perMs: 1_000, burst: 2 }] });
    calls.push(client.get('/4'));
    await clock.run(Promise.all(calls));
    expect(left.map(({ url }) => url)).toEqual(['/1', '/2', '/3', '/4']);
  });

  it('who waits for the whole queue that there may be has room in it', async () => {
    const hour = { requests: 1, perMs: 3_600_000, maxQueue: 2 };
    const { clock, client, holdfast, left } = moved(hour);
    const calls = [1, 2, 3].map((n) => client.get(`/${n}`));
    await clock.advance(10);
    holdfast.update({ limit: [wide, hour] });
    await clock.advance(10);
    holdfast.update({ limit: [{ ...hour, requests: 3_600_000 }, wide] });
    await clock.run(Promise.all(calls));
    expect(left).toHaveLength(3);
  });
});

const aWindow = (perMs: number): fc.Arbitrary<LimitWindow> =>
  fc.record({
    requests: fc.integer({ min: 1, max: 8 }),
    perMs: fc.constant(perMs),
    burst: fc.oneof(fc.constant('all' as const), fc.constant(1), fc.integer({ min: 2, max: 7 })),
  });

/** How windows are spread over limits. */
interface Spread {
  readonly apart: readonly boolean[];
  readonly turned: boolean;
  /** Where a limit of concurrency stands. */
  readonly room: 'none' | 'with-the-first' | 'last';
  readonly list: boolean;
}

const spread: fc.Arbitrary<Spread> = fc.record({
  apart: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  turned: fc.boolean(),
  room: fc.constantFrom('none', 'with-the-first', 'last'),
  list: fc.boolean(),
});

function limitOf(windows: readonly LimitWindow[], { apart, turned, room, list }: Spread): Limit {
  const ordered = turned ? [...windows].reverse() : windows;
  const together = ordered.filter((_, n) => !apart[n]);
  const own = ordered.filter((_, n) => apart[n]).map((each): LimitOptions => ({ ...each }));
  const first: LimitOptions[] = together.length > 0 ? [{ windows: together }] : [];
  const limits = [...first, ...own, ...(room === 'last' ? [wide] : [])];
  if (turned) limits.reverse();
  if (room === 'with-the-first') limits[0] = { ...limits[0], ...wide };
  if (limits.length === 0) return [wide];
  // Options that a later policy leaves out stay.
  return limits.length === 1 && !list ? { windows: [], maxConcurrent: 1_000, ...limits[0] } : limits;
}

const windows = fc
  .tuple(fc.option(aWindow(1_000)), fc.option(aWindow(5_000)), fc.option(aWindow(1_000)))
  .map((all) => all.filter((each) => each !== null));

type Step = { readonly wait: number } | { readonly calls: number } | { readonly update: Spread; readonly to: number };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({ wait: fc.integer({ min: 0, max: 1_500 }) }),
    fc.record({ calls: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ update: spread, to: fc.constantFrom(0, 0, 1, 2) }),
  ),
  { minLength: 2, maxLength: 16 },
);

describe('whatever shapes and numbers a limit has, one after the other', () => {
  it('no window holds more than the most that they let leave in it, and all leave in the order in which they came', async () => {
    await fc.assert(
      fc.asyncProperty(fc.tuple(windows, windows, windows), spread, steps, async (sets, first, steps) => {
        const held: { from: number; to: number }[] = [{ from: Number.NEGATIVE_INFINITY, to: 0 }];
        const { clock, client, holdfast, left } = moved(limitOf(sets[0], first));
        const calls: Promise<unknown>[] = [];
        for (const step of steps) {
          if ('wait' in step) await clock.advance(step.wait);
          else if ('calls' in step) for (let n = 0; n < step.calls; n++) calls.push(client.get(`/${calls.length}`));
          else {
            holdfast.update({ limit: limitOf(sets[step.to] ?? [], step.update) });
            if (held.at(-1)?.to !== step.to) held.push({ from: clock.now(), to: step.to });
          }
        }
        await clock.run(Promise.all(calls));
        expect(holdfast.stats()).toMatchObject({ queued: 0, inFlight: 0 });
        const leftAt = calls.map((_, n) => Number(left.find(({ url }) => url === `/${n}`)?.at));
        expect(leftAt, 'in the order in which they came').toEqual([...leftAt].sort((a, b) => a - b));
        const mostIn = (perMs: number, to: number) =>
          Math.min(...(sets[to] ?? []).filter((each) => each.perMs === perMs).map(mostOf));
        for (const perMs of [1_000, 5_000]) {
          for (const [n, { at }] of left.entries()) {
            const holding = held.filter(
              ({ from }, i) => from < at + perMs && Number(held[i + 1]?.from ?? Infinity) >= at,
            );
            // What numbers let leave that held for less than a window is remembered by the next ones, and no further.
            if (holding.length > 2) continue;
            const most = Math.max(...holding.map(({ to }) => mostIn(perMs, to)));
            const count = left.slice(n).filter((each) => each.at < at + perMs).length;
            expect(count, `in ${perMs} ms from ${at - clock.begunAt}`).toBeLessThanOrEqual(most);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('a pause that a server has asked for', () => {
  const limiterOf = (options: LimitOptions) => {
    const limit = localLimiter(options);
    onTestFinished(() => limit.close());
    return limit;
  };
  const KINDS: readonly [string, () => Limit][] = [
    ['numbers', () => fast],
    ['a list', () => [wide, fast]],
    ['a Limiter', () => limiterOf(fast)],
    ['a list with a Limiter', () => [limiterOf(wide), fast]],
    ['a list of Limiters', () => [limiterOf(wide), limiterOf(fast)]],
  ];

  it.each(KINDS.flatMap(([from, before]) => KINDS.map(([to, after]) => [from, to, before, after] as const)))(
    'holds for what takes the place of its limit: %s, then %s',
    async (_from, _to, before, after) => {
      const answer = status(429, { 'retry-after': '60' });
      const { client, holdfast, server } = await attached(answer, { limit: before(), retry: { maxRetries: 0 } });
      await rejectionOf(client.get('/'));
      holdfast.update({ limit: after() });
      const call = rejectionOf(client.get('/'));
      await pass(10);
      expect([server.seen.length, holdfast.stats().queued]).toEqual([1, 1]);
      expect(holdfast.stats().pausedKeys).toBeGreaterThan(0);
      await holdfast.close();
      await call;
    },
  );

  it('pauses no bucket of other calls', async () => {
    const answer: Parameters<typeof attached>[0] = (request, response, n) =>
      status(n === 0 ? 429 : 200, { 'retry-after': '60' })(request, response, n);
    const byRoute = (limit: LimitOptions) => limiterOf({ ...limit, key: ({ url = '' }) => url });
    const { client, holdfast, server } = await attached(answer, { limit: byRoute(fast), retry: { maxRetries: 0 } });
    await rejectionOf(client.get('/a'));
    holdfast.update({ limit: byRoute(fast) });
    await client.get('/b');
    const call = rejectionOf(client.get('/a'));
    await pass(10);
    expect([server.seen.length, holdfast.stats().queued]).toEqual([2, 1]);
    await holdfast.close();
    await call;
  });

  it('is told to a limiter of another kind', async () => {
    const answer = status(429, { 'retry-after': '60' });
    const { client, holdfast, server } = await attached(answer, { limit: fast, retry: { maxRetries: 0 } });
    await rejectionOf(client.get('/'));
    const pause = vi.fn();
    const { url } = server;
    const [now, limit] = [Date.now(), Object.assign(new Noted(), { pause })];
    holdfast.update({ limit });
    expect(pause).toHaveBeenCalledExactlyOnceWith(url, expect.any(Number));
    // Named in whole seconds, and some time has passed.
    expect(pause.mock.calls[0]?.[1] - now).toBeGreaterThan(30_000);
  });
});
