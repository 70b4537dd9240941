import type { InternalAxiosRequestConfig } from 'axios';
import type { Limiter, LimitOptions, Permit, PermitRequest } from 'axios-holdfast';
import { describe, expect, it, vi } from 'vitest';
import { Layers } from '../../lib/limit/layers.ts';
import { localLimiterWith } from '../../lib/limit/local/local-buckets.ts';
import { fillIn } from '../../lib/limit/options.ts';
import { rejectionOf } from '../support/attached.ts';
import { layersOf } from '../support/layers.ts';
import { Noted } from '../support/limiters.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { underOneKey } from '../support/under-one-key.ts';
import { limiterContract } from './contract.ts';

let clock: ManualClock;

const local = (options: LimitOptions) => localLimiterWith(clock, fillIn(options));

/** Limits with keys of their own, in the order of the list. */
const layers = (...limiters: readonly Limiter[]): Layers => layersOf(limiters, clock);

describe.each([0, 1])('in place %i of two', (place) => {
  limiterContract(Layers.name, () => ({
    limiter: (options) => {
      clock = new ManualClock();
      const both = [local({}), local({})];
      both[place] = local(options);
      return underOneKey(layers(...both), 2);
    },
    pass: (ms) => clock.advance(ms),
    now: () => clock.now(),
  }));
});

describe('before a limiter of another kind', () => {
  limiterContract(Layers.name, () => ({
    limiter: (options) => {
      clock = new ManualClock();
      return underOneKey(layers(new Noted(), local(options)), 2);
    },
    pass: (ms) => clock.advance(ms),
    now: () => clock.now(),
  }));
});

describe(Layers.name, () => {
  /** 50 a second in all, and 5 a second for each route. */
  function api(options: { global?: LimitOptions; route?: LimitOptions } = {}) {
    clock = new ManualClock();
    const global = local({ requests: 50, perMs: 1_000, ...options.global });
    const route = local({ requests: 5, perMs: 1_000, ...options.route });
    const both = layers(global, route);
    const left: [string, number][] = [];
    const start = clock.now();
    const send = async (path: string, request: Partial<PermitRequest> = {}): Promise<Permit> => {
      const permit = await both.acquire({ key: JSON.stringify(['api', path]), ...request });
      left.push([path, clock.now() - start]);
      return permit;
    };
    const leftTo = (path: string) => left.filter(([to]) => to === path).map(([, at]) => at);
    return { global, route, both, left, leftTo, send };
  }

  it('lets a send go when all would, and who waits for its route holds up nobody else', async () => {
    const { left, leftTo, send, both } = api();
    const slow = Array.from({ length: 20 }, () => send('/slow'));
    const others = Array.from({ length: 40 }, (_, n) => send(`/${n}`));
    for (let i = 0; i < 400; i++) await clock.advance(1);
    for (let i = 0; i < 100; i++) await clock.advance(50);
    for (const permit of await Promise.all([...slow, ...others])) permit.release();
    // One in 20.1 ms in all, whichever route; one in 201 ms of the slow one.
    expect(leftTo('/slow').map((at) => Math.round(at / 201))).toEqual(Array.from({ length: 20 }, (_, n) => n));
    const first = left.slice(0, 20).map(([, at]) => at);
    expect(Math.max(...first)).toBeLessThanOrEqual(20 * 21);
    expect(both.stats()).toEqual({ queued: 0, running: 0, paused: 0 });
  });

  it('holds nothing of one while another keeps it', async () => {
    const { global, send } = api({ global: { requests: 1, perMs: 1_200_000, burst: 3 } });
    const one = await send('/a');
    const waits = send('/a');
    waits.catch(() => {});
    await clock.advance(100);
    // The first of three took one: two are there for others.
    const given: number[] = [];
    for (const n of [1, 2, 3])
      void Promise.resolve(global.acquire({ key: 'api' })).then(
        () => given.push(n),
        () => {},
      );
    await clock.advance(1);
    expect(given).toEqual([1, 2]);
    one.release();
  });

  it('lets the oldest go of those that could, also where another limit comes due first', async () => {
    const { left, send } = api({ global: { requests: 5, perMs: 1_000 } });
    await send('/a');
    const young = send('/a', { since: clock.now() });
    const old = send('/b', { since: clock.now() - 1_000 });
    for (let i = 0; i < 500; i++) await clock.advance(1);
    await Promise.all([young, old]);
    expect(left.map(([path]) => path)).toEqual(['/a', '/b', '/a']);
  });

  it('keeps places among those who share one limit with others', async () => {
    const { global, left, send } = api({ global: { requests: 10, perMs: 1_000 }, route: { requests: 1_000 } });
    await send('/a');
    const since = clock.now();
    const order: string[] = [];
    const alone = global.acquire({ key: 'api', since: since + 1 });
    void Promise.resolve(alone).then(() => order.push(`alone after ${left.length}`));
    const both = [send('/b', { since: since + 2 }), send('/a', { since })];
    for (let i = 0; i < 400; i++) await clock.advance(1);
    await Promise.all([alone, ...both]);
    expect(order).toEqual(['alone after 2']);
    expect(left.map(([path]) => path)).toEqual(['/a', '/a', '/b']);
  });

  it('holds everybody for a pause of the limit that all share, and one route for a pause of its own', async () => {
    const { global, route, left, send } = api();
    route.pause('/a', clock.now() + 1_000);
    const [a, b] = [send('/a'), send('/b')];
    await clock.advance(100);
    expect(left.map(([path]) => path)).toEqual(['/b']);
    (await b).release();
    global.pause('api', clock.now() + 2_000);
    const c = send('/c');
    await clock.advance(1_500);
    expect(left).toHaveLength(1);
    for (let i = 0; i < 100; i++) {
      await clock.advance(20);
      for (const permit of left.length === 2 ? [await Promise.race([a, c])] : [])
        permit.answered?.({ throttled: false });
    }
    expect(left.map(([path]) => path)).toEqual(['/b', '/a', '/c']);
  });

  it('pauses all of them for a refusal, which does not say of which it is', async () => {
    const { global, route, send } = api();
    const refused = await send('/a');
    refused.answered?.({ throttled: true, untilAt: clock.now() + 1_000 });
    refused.release();
    expect(global.stats().paused).toBe(1);
    expect(route.stats().paused).toBe(1);
  });

  it('gives a permit back to all when nothing was sent', async () => {
    const { both, leftTo, send } = api({ route: { requests: 1, perMs: 1_200_000 } });
    (await send('/a')).drop?.();
    expect(both.stats().running).toBe(0);
    await clock.advance(30);
    (await send('/a')).drop?.();
    expect(leftTo('/a')).toEqual([0, 30]);
  });

  it('refuses by the bounds of each, and says by whose', async () => {
    const { both, send } = api({ route: { maxQueue: 1, maxWaitMs: 300 } });
    await send('/a');
    const waits = rejectionOf(send('/a', { deadlineAt: clock.now() + 100_000 }));
    expect(await rejectionOf(send('/a'))).toMatchObject({ code: 'ERR_LIMIT_QUEUE_FULL', key: '/a' });
    // Another route has a place.
    const other = send('/b');
    await clock.advance(50);
    (await other).release();
    await both.close();
    expect(await waits).toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
  });

  it('leaves nothing behind of one that gave up', async () => {
    const { both, global, route, send } = api();
    await send('/a');
    const controller = new AbortController();
    const reason = new Error('enough');
    const gone = rejectionOf(send('/a', { signal: controller.signal }));
    await settle();
    expect([both.stats().queued, global.stats().queued, route.stats().queued]).toEqual([1, 1, 1]);
    controller.abort(reason);
    expect(await gone).toBe(reason);
    expect([both.stats().queued, global.stats().queued, route.stats().queued]).toEqual([0, 0, 0]);
    expect(clock.pending).toBe(0);
  });

  it('says which limit keeps a send, and until when', async () => {
    const { send, global } = api();
    await send('/a');
    let standing = (): unknown => undefined;
    const waits = send('/a', { queued: (where) => (standing = where) });
    await settle();
    expect(standing()).toMatchObject({ key: '/a', place: 1, of: 1 });
    global.pause('api', clock.wall() + 5_000);
    expect(standing()).toMatchObject({ key: 'api', why: expect.stringContaining('paused until') });
    for (let i = 0; i < 60; i++) await clock.advance(100);
    (await waits).release();
  });

  it('lets sends that are made within others out of the concurrency that those hold', async () => {
    const { both } = api({ global: { maxConcurrent: 1, requests: 1_000 } });
    const key = (path: string) => JSON.stringify(['api', path]);
    await both.acquire({ key: key('/a') });
    const inner = both.within(
      key('/a'),
      () => both.acquire({ key: key('/b') }),
      () => {},
    );
    await clock.advance(10);
    (await inner).release();
  });
});

describe('several limits', () => {
  const config = { url: 'https://api.example.com/orders' } as InternalAxiosRequestConfig;
  const keyed = (...keys: readonly Limiter['key'][]) =>
    layers(...keys.map((key) => Object.assign(new Noted(), { key })));
  const send = (each: readonly (string | false)[], of: Layers, request: Partial<PermitRequest> = {}) =>
    Promise.resolve(of.acquire({ key: JSON.stringify(each), ...request }));

  it('have a key each: its own, or the origin, or none where it is not of such sends', () => {
    clock = new ManualClock();
    const three = keyed(
      () => 'mine',
      undefined,
      () => false,
    );
    expect(three.key(config)).toBe('["mine","https://api.example.com",false]');
    expect(() => keyed(undefined, () => 5 as never).key(config)).toThrow(/^limit\.1\.key must return a string/);
  });

  it('are asked where a send is of theirs, and paused and told of no other', async () => {
    clock = new ManualClock();
    const [one, two] = [new Noted(), new Noted()];
    const [first, second] = [local({}), local({})];
    const all = layers(one, first, two, second);
    (await send(['a', 'b', false, false], all)).release();
    expect([one.requests.map(({ key }) => key), two.requests]).toEqual([['a'], []]);
    all.pause(JSON.stringify(['a', false, 'c', 'd']), clock.wall() + 50);
    expect([first.stats().paused, second.stats().paused, all.stats().paused]).toEqual([0, 1, 1]);
    expect(all.placesOf('["a",false,"c",false]')).toEqual([
      [one, 'a'],
      [two, 'c'],
    ]);
  });

  it('take each its own weight, and are told each its own cost, or else those of all', async () => {
    clock = new ManualClock();
    const [one, two] = [new Noted(), new Noted()];
    const both = layers(one, two);
    const permit = await send(['a', 'b'], both, { weight: 7, weights: [3, undefined] });
    expect([one.requests[0]?.weight, two.requests[0]?.weight]).toEqual([3, 7]);
    const quota = { policies: [], remaining: 5 };
    permit.answered?.({ throttled: false, cost: 9, quota, each: [{ cost: 2, quota: undefined }] });
    expect([one.answers, two.answers]).toEqual([
      [{ throttled: false, cost: 2, quota }],
      [{ throttled: false, cost: 9, quota }],
    ]);
    permit.release();
  });

  it('are over once, whatever is told twice, and released where nothing can be dropped', async () => {
    clock = new ManualClock();
    const release = vi.fn();
    const plain: Limiter = Object.assign(new Noted(), { acquire: () => ({ release }) });
    const both = layers(plain, local({}));
    const permit = await send(['a', 'b'], both);
    expect(both.stats()).toMatchObject({ running: 1, queued: 0 });
    permit.drop?.();
    permit.release();
    expect(both.stats().running).toBe(0);
    expect(release).toHaveBeenCalledTimes(1);
  });

  it('give back what they gave where one of them refuses', async () => {
    clock = new ManualClock();
    const refused = new Error('no');
    const [one, own] = [new Noted(), local({ maxConcurrent: 1 })];
    const never = new Noted(() => Promise.reject(refused));
    const all = layers(own, one, never);
    expect(await rejectionOf(send(['a', 'b', 'c'], all))).toBe(refused);
    expect([one.log, own.stats().running, all.stats()]).toEqual([
      ['acquire', 'drop'],
      0,
      { queued: 0, running: 0, paused: 0 },
    ]);
  });

  it('refuse who has gone already with its reason, and ask nobody', async () => {
    clock = new ManualClock();
    const noted = new Noted();
    const reason = new Error('gone');
    expect(await rejectionOf(send(['a'], layers(noted), { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(noted.log).toEqual([]);
  });

  it('are not asked for a send within another where they would wait for its end, and are where they would not', async () => {
    clock = new ManualClock();
    const [other, taking] = [new Noted(), Object.assign(new Noted(), { takesNested: true as const })];
    (await send(['a', 'b'], layers(other, taking), { nested: true })).release();
    expect([other.log, taking.requests.map(({ nested }) => nested)]).toEqual([[], [true]]);
  });

  it('say where a pause ends, and why, as the limit that refuses said it', async () => {
    clock = new ManualClock();
    const both = layers(local({}), local({}));
    both.pause('["a","b"]', clock.wall() + 60_000);
    const error = await rejectionOf(send(['a', 'b'], both, { maxPauseMs: 1_000 }));
    expect(error).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG', key: 'a', retryAt: clock.wall() + 60_000 });
  });

  it('have the order that the first says who has one', () => {
    clock = new ManualClock();
    const [limiter, priority] = [new Noted(), () => 5];
    const layer = { limiter, key: undefined, maxWaitMs: undefined };
    const [first, other] = [
      { ...layer, priority },
      { ...layer, priority: () => 1 },
    ];
    expect(new Layers([{ ...layer, priority: undefined }, first, other], clock).priority).toBe(priority);
  });
});

describe('a limiter of another kind', () => {
  it('is asked when the others have given theirs, which are given back where it has none yet', async () => {
    clock = new ManualClock();
    let give = (): void => {};
    const slow = new Noted((_request, permit) => new Promise((resolve) => (give = () => resolve(permit()))));
    const numbers = local({ requests: 1, perMs: 1_200_000 });
    const both = layers(numbers, slow);
    const asked = Promise.resolve(both.acquire({ key: JSON.stringify(['k', 'k']) }));
    await clock.advance(10);
    expect(numbers.stats().running).toBe(1);
    await clock.advance(20);
    expect(numbers.stats().running).toBe(0);
    give();
    await clock.advance(1);
    (await asked).release();
    expect([slow.running, numbers.stats().running, both.stats().running]).toEqual([0, 0, 0]);
  });

  it('is paused where its permits cannot be told', async () => {
    clock = new ManualClock();
    const paused: [string, number][] = [];
    const other: Limiter = {
      acquire: () => ({ release: () => {} }),
      pause: (key, untilAt) => paused.push([key, untilAt]),
      close: async () => {},
      stats: () => ({ queued: 0, running: 0 }),
    };
    const permit = await layers(local({}), other).acquire({ key: JSON.stringify(['a', 'b']) });
    permit.answered?.({ throttled: true, untilAt: 5 });
    permit.release();
    expect(paused).toEqual([['b', 5]]);
  });
});
