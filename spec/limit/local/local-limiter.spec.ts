import type { LimitOptions, Permit } from 'axios-holdfast';
import { InvalidPolicyError, localLimiter } from 'axios-holdfast';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { localLimiterWith } from '../../../lib/limit/local/local-buckets.ts';
import { fillIn } from '../../../lib/limit/options.ts';
import type { Clock } from '../../../lib/time/clock.ts';
import { rejectionOf } from '../../support/attached.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';
import { limiterContract } from '../contract.ts';

let clock: ManualClock;

/** A limiter on a clock moved by hand. */
function local(options: LimitOptions, on: Clock = new ManualClock()) {
  clock = on as ManualClock;
  const limiter = localLimiterWith(on, fillIn(options));
  onTestFinished(() => limiter.close());
  return limiter;
}

limiterContract(localLimiter.name, () => ({
  limiter: (options) => local(options, new ManualClock()),
  pass: (ms) => clock.advance(ms),
  now: () => clock.now(),
}));

limiterContract(`${localLimiter.name} that learns`, () => ({
  limiter: (options) => local({ ...options, adaptive: true }, new ManualClock()),
  pass: (ms) => clock.advance(ms),
  now: () => clock.now(),
}));

/** Asks for so many permits at once; notes the instant of each, from now. */
function ask(limiter: ReturnType<typeof local>, count: number, at: number[] = [], key = 'k') {
  const start = clock.now();
  const asked = Array.from({ length: count }, async () => {
    const permit = await limiter.acquire({ key });
    at.push(clock.now() - start);
    permit.release();
  });
  return Promise.all(asked).then(() => at);
}

/** The most instants that any half-open stretch of that length holds. */
function densest(instants: readonly number[], lengthMs: number): number {
  let most = 0;
  for (const [i, from] of instants.entries()) {
    let end = i;
    while (end < instants.length && Number(instants[end]) < from + lengthMs) end += 1;
    most = Math.max(most, end - i);
  }
  return most;
}

describe('the rate of a local limiter', () => {
  it('is even with a burst of 1', async () => {
    const limiter = local({ requests: 10, perMs: 1_000 });
    // 0.5 % of the window is kept for timers that are late: 100.5 ms, in whole milliseconds.
    expect(await clock.run(ask(limiter, 5))).toEqual([0, 101, 201, 302, 402]);
  });

  it('lets a burst leave at once after a rest, then goes on evenly', async () => {
    const limiter = local({ requests: 10, perMs: 1_000, burst: 3 });
    expect(await clock.run(ask(limiter, 5))).toEqual([0, 0, 0, 101, 201]);
    await clock.advance(10_000);
    expect(await clock.run(ask(limiter, 4))).toEqual([0, 0, 0, 101]);
  });

  it('obeys all windows at once', async () => {
    const limiter = local({
      requests: 10,
      perMs: 100,
      burst: 10,
      windows: [{ requests: 12, perMs: 1_000, burst: 12 }],
    });
    const at = await clock.run(ask(limiter, 14));
    expect(densest(at, 100)).toBeLessThanOrEqual(19);
    expect(densest(at, 1_000)).toBeLessThanOrEqual(23);
    expect(at.at(-1)).toBeGreaterThanOrEqual(160);
  });

  it('gives a permit at once, and not a promise, where nothing stands in the way', () => {
    const limiter = local({ requests: 10, perMs: 1_000, maxConcurrent: 5 });
    const permit = limiter.acquire({ key: 'k' });
    expect(permit).not.toBeInstanceOf(Promise);
    (permit as Permit).release();
  });

  it('counts a heavier send for as much as it weighs', async () => {
    const limiter = local({ requests: 10, perMs: 1_000 });
    (await limiter.acquire({ key: 'k', weight: 5 })).release();
    expect(await clock.run(ask(limiter, 1))).toEqual([503]);
  });

  it('does not add up the lateness of timers', async () => {
    // Each fires 4 ms late; 100 slots later the rate is what it was.
    const late = new LateClock(4);
    const limiter = local({ requests: 100, perMs: 1_000 }, late);
    const at = await late.run(ask(limiter, 101));
    expect(at.at(-1)).toBeLessThanOrEqual(1_005 + 5);
    expect(densest(at, 1_000)).toBeLessThanOrEqual(100);
  });

  it('lets at most a burst leave together after the event loop was blocked', async () => {
    const limiter = local({ requests: 50, perMs: 1_000, burst: 2 });
    const at: number[] = [];
    const all = ask(limiter, 30, at);
    await settle();
    expect(at).toEqual([0, 0]);
    clock.jump(1_000);
    await clock.advance(0);
    expect(at).toEqual([0, 0, 1_000, 1_000]);
    await clock.advance(0);
    expect(at).toHaveLength(4);
    await clock.run(all);
  });

  it.each([-3_600_000, 3_600_000])('is no faster and no slower where the time of day is set by %i ms', async (ms) => {
    const limiter = local({ requests: 10, perMs: 1_000 });
    const at: number[] = [];
    const all = ask(limiter, 3, at);
    await clock.advance(50);
    clock.adjust(ms);
    await clock.advance(150);
    expect(at).toHaveLength(2);
    await clock.advance(10);
    expect(at).toHaveLength(3);
    await all;
  });

  it('is one that the server sees too, where requests are slow to arrive', async () => {
    // The first have to connect; the others are a millisecond under way, but for one in ten.
    const travelMs = (n: number) => (n < 4 ? 30 - 5 * n : n % 10 === 0 ? 9 : 1);
    const limiter = local({ requests: 100, perMs: 1_000 });
    const arrived: number[] = [];
    let n = 0;
    const work = async () => {
      for (let i = 0; i < 30; i++) {
        const permit = await limiter.acquire({ key: 'k' });
        const ms = travelMs(n++);
        await new Promise<void>((resolve) => clock.after(ms, resolve));
        arrived.push(clock.now());
        await new Promise<void>((resolve) => clock.after(1, resolve));
        permit.answered?.({ throttled: false });
        permit.release();
      }
    };
    const begun = clock.now();
    await clock.run(Promise.all(Array.from({ length: 20 }, work)));
    arrived.sort((a, b) => a - b);
    expect(densest(arrived, 1_000)).toBeLessThanOrEqual(100);
    // And it costs 1 % of the quota at most, but for the connections of the beginning.
    expect(600 / (clock.now() - begun)).toBeGreaterThanOrEqual(0.98 * 0.1);
  });

  it('is paced after a pause, burst or not', async () => {
    const limiter = local({ requests: 10, perMs: 1_000, burst: 5 });
    limiter.pause('k', clock.now() + 1_000);
    expect(await clock.run(ask(limiter, 4))).toEqual([1_000, 1_101, 1_201, 1_302]);
  });

  it('goes on after a pause although a send that left before it hangs', async () => {
    const limiter = local({});
    await limiter.acquire({ key: 'k' });
    limiter.pause('k', clock.now() + 1_000);
    const next = limiter.acquire({ key: 'k' });
    await clock.advance(1_000);
    await next;
    // That one hangs as well: the one behind it waits ten seconds for its answer, and no longer.
    const last = limiter.acquire({ key: 'k' });
    await clock.advance(10_000);
    (await last).release();
  });

  it('opens step by step after a pause where no rate is known', async () => {
    const limiter = local({});
    limiter.pause('k', clock.now() + 1_000);
    const permits: Permit[] = [];
    const waiting = Array.from({ length: 7 }, async () => permits.push(await limiter.acquire({ key: 'k' })));
    const answerAll = async () => {
      const out = permits.splice(0);
      for (const permit of out) {
        permit.answered?.({ throttled: false });
        permit.release();
      }
      await settle();
      return out.length;
    };
    await clock.advance(999);
    expect(permits).toHaveLength(0);
    await clock.advance(1);
    expect([await answerAll(), await answerAll(), await answerAll()]).toEqual([1, 2, 4]);
    await Promise.all(waiting);
  });

  it('pauses when it is throttled without a time, and drops the burst', async () => {
    const limiter = local({ requests: 10, perMs: 1_000, burst: 5 });
    const permit = await limiter.acquire({ key: 'k' });
    permit.answered?.({ throttled: true });
    permit.release();
    // A second, less a part of its half; what has become due meanwhile may leave.
    const [first = 0, ...rest] = await clock.run(ask(limiter, 10));
    expect(first).toBeGreaterThanOrEqual(500);
    expect(first).toBeLessThanOrEqual(1_000);
    expect(Number(rest.at(-1))).toBeGreaterThanOrEqual(900);
  });

  it('refuses at once who cannot be served in time, however many go before', async () => {
    const limiter = local({ requests: 10, perMs: 1_000, maxWaitMs: 550 });
    const at = ask(limiter, 5);
    expect(
      await rejectionOf(Promise.resolve(limiter.acquire({ key: 'k', deadlineAt: clock.now() + 300 }))),
    ).toMatchObject({
      code: 'ERR_LIMIT_DEADLINE',
    });
    const second = ask(limiter, 1);
    expect(await rejectionOf(ask(limiter, 1))).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
    await clock.run(Promise.all([at, second]));
  });

  it('holds no timer when nobody waits', async () => {
    const limiter = local({ requests: 1, perMs: 1_000 });
    (await limiter.acquire({ key: 'k' })).release();
    const controller = new AbortController();
    const gone = rejectionOf(
      Promise.resolve(limiter.acquire({ key: 'k', signal: controller.signal, deadlineAt: clock.now() + 5_000 })),
    );
    expect(clock.pending).toBe(2);
    controller.abort();
    await gone;
    expect(clock.pending).toBe(0);
  });

  it('waits no longer for maxWaitMs when the clock is set back', async () => {
    const limiter = local({ maxConcurrent: 1, maxWaitMs: 1_000 });
    await limiter.acquire({ key: 'k' });
    const late = rejectionOf(Promise.resolve(limiter.acquire({ key: 'k' })));
    clock.adjust(-3_600_000);
    await clock.advance(1_000);
    expect(await late).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses a weight of %d', async (weight) => {
    const limiter = local({ requests: 10, perMs: 1_000 });
    expect(await rejectionOf(Promise.resolve(limiter.acquire({ key: 'k', weight })))).toMatchObject({
      name: 'RangeError',
      message: expect.stringMatching(/weight must be an integer of at least 1/),
    });
  });

  it('is shut for a day at most, whatever it is told, and not at all by nonsense', async () => {
    const limiter = local({});
    limiter.pause('k', Number.NaN);
    (limiter.acquire({ key: 'k' }) as Permit).release();
    limiter.pause('k', Number.POSITIVE_INFINITY);
    const next = limiter.acquire({ key: 'k' });
    await clock.advance(86_400_000);
    (await next).release();
  });

  it('does not take a slow answer in an hour for a slow way: the gap is a tenth of a second at most', async () => {
    const limiter = local({ requests: 3_600, perMs: 3_600_000 });
    const [slow, at] = [await limiter.acquire({ key: 'k' }), [] as number[]];
    const quick = await clock.run(Promise.resolve(limiter.acquire({ key: 'k' })));
    quick.answered?.({ throttled: false });
    quick.release();
    await clock.advance(60_000);
    slow.answered?.({ throttled: true });
    slow.release();
    for (let i = 0; i < 3_700; i++) {
      (await clock.run(Promise.resolve(limiter.acquire({ key: 'k' })))).release();
      at.push(clock.now());
    }
    const gaps = at.slice(1).map((instant, i) => instant - Number(at[i]));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1_102);
  });

  it('tells whose deadline is too near, also where the pause was learnt from a header', async () => {
    const limiter = local({ adaptive: true });
    const permit = await limiter.acquire({ key: 'k' });
    permit.answered?.({ throttled: false, quota: { policies: [], remaining: 0, resetMs: 30_000 } });
    permit.release();
    expect(limiter.stats().paused).toBe(1);
    const late = rejectionOf(Promise.resolve(limiter.acquire({ key: 'k', deadlineAt: clock.now() + 5_000 })));
    expect(await late).toMatchObject({ code: 'ERR_LIMIT_DEADLINE' });
  });

  it('waits for a deadline that is further away than a timer reaches', async () => {
    const limiter = local({ maxConcurrent: 1 });
    const first = await limiter.acquire({ key: 'k' });
    const second = limiter.acquire({ key: 'k', deadlineAt: clock.now() + 2 ** 33 });
    await clock.advance(2 ** 32);
    first.release();
    (await second).release();
  });
});

describe('a pause of a local limiter', () => {
  const follow = async (options: LimitOptions) => {
    const limiter = local(options);
    limiter.pause('k', clock.now() + 1_000);
    const left: Permit[] = [];
    for (let i = 0; i < 4; i++)
      void Promise.resolve(limiter.acquire({ key: 'k' })).then(
        (permit) => left.push(permit),
        () => {},
      );
    await clock.advance(1_000);
    expect(left).toHaveLength(1);
    left[0]?.answered?.({ throttled: false });
    left[0]?.release();
    await clock.advance(400);
    return left.length;
  };

  it('is over with the first good answer where windows tell the pace; else one more may be out with each', async () => {
    expect(await follow({ requests: 10, perMs: 1_000 })).toBe(4);
    expect(await follow({})).toBe(3);
  });
});

describe('new numbers of a local limiter', () => {
  const before = {
    key: () => 'mine',
    priority: () => 1,
    weight: () => 2,
    settle: () => 3,
    quota: () => undefined,
  };

  it.each(Object.keys(before))(
    'are for the same calls: they come with no other %s, and else change nothing',
    (name) => {
      const limiter = local({ ...before, maxConcurrent: 1 });
      const other = { maxConcurrent: 2, [name]: () => 4 };
      const message = `limit.${name} must be left out of an update, which changes numbers, or the same as before`;
      expect(() => limiter.update(other)).toThrow(`Invalid holdfast policy: ${message}`);
      limiter.acquire({ key: 'k' });
      rejectionOf(Promise.resolve(limiter.acquire({ key: 'k' })));
      expect(limiter.stats()).toMatchObject({ running: 1, queued: 1 });
    },
  );

  it('may come with the key, the weights and the rest that hold, or with undefined in their place', () => {
    const limiter = local({ ...before, maxConcurrent: 1 });
    limiter.update({ ...before, maxConcurrent: 2 });
    limiter.update({ key: undefined, weight: undefined, maxConcurrent: 3 });
    const permits = [1, 2, 3].map(() => limiter.acquire({ key: 'k' }) as Permit);
    expect(limiter.stats().running).toBe(3);
    for (const permit of permits) permit.release();
    expect(limiter).toMatchObject(before);
  });
});

describe(localLimiter.name, () => {
  it('is made of options, by the clock of the system', async () => {
    const limiter = localLimiter({ maxConcurrent: 1 });
    const permit = limiter.acquire({ key: 'k' }) as Permit;
    const next = limiter.acquire({ key: 'k' });
    expect(limiter.stats()).toEqual({ queued: 1, running: 1, paused: 0 });
    permit.release();
    (await next).release();
    await limiter.close();
  });

  it('tells at once what is wrong with them', () => {
    expect(() => localLimiter({ requests: 0, perMs: 1_000 })).toThrow(InvalidPolicyError);
  });
});

/** What a user of the limiter may do, in any order. */
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('ask' as const), n: fc.integer({ min: 1, max: 12 }) }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('pass' as const), n: fc.integer({ min: 0, max: 400 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('block' as const), n: fc.integer({ min: 1, max: 700 }) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('release' as const), n: fc.integer({ min: 1, max: 6 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('abort' as const), n: fc.integer({ min: 0, max: 9 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('pause' as const), n: fc.integer({ min: 1, max: 900 }) }) },
  ),
  { maxLength: 40 },
);

const limits = fc.record(
  {
    requests: fc.integer({ min: 1, max: 200 }),
    perMs: fc.integer({ min: 20, max: 3_000 }),
    burst: fc.integer({ min: 1, max: 8 }),
    maxConcurrent: fc.integer({ min: 1, max: 9 }),
    lateMs: fc.integer({ min: 0, max: 6 }),
  },
  { requiredKeys: ['requests', 'perMs', 'lateMs'] },
);

describe('whatever is done to a local limiter', () => {
  it('keeps its windows, its concurrency, its pauses and its order, and leaks nothing', async () => {
    await fc.assert(
      fc.asyncProperty(limits, steps, async ({ lateMs, ...options }, plan) => {
        const { requests, perMs, burst = 1, maxConcurrent = Number.POSITIVE_INFINITY } = options;
        const late = new LateClock(lateMs);
        const limiter = localLimiterWith(late, fillIn(options));
        const left: { at: number; turn: number; pausedUntil: number }[] = [];
        const out: Permit[] = [];
        const waiting = new Set<AbortController>();
        const settled: Promise<unknown>[] = [];
        let turns = 0;
        let pausedUntil = 0;
        let aborted = 0;
        for (const { kind, n } of plan) {
          if (kind === 'pass') await late.advance(n);
          if (kind === 'block') late.jump(n);
          if (kind === 'release') for (const permit of out.splice(0, n)) permit.release();
          if (kind === 'pause') {
            pausedUntil = Math.max(pausedUntil, late.now() + n);
            limiter.pause('k', late.now() + n);
          }
          if (kind === 'abort') {
            const one = [...waiting][n];
            if (one !== undefined) aborted += 1;
            one?.abort();
          }
          for (let i = 0; kind === 'ask' && i < n; i++) {
            const controller = new AbortController();
            const turn = turns++;
            const note = (permit: Permit) => {
              waiting.delete(controller);
              left.push({ at: late.now(), turn, pausedUntil });
              out.push(permit);
            };
            waiting.add(controller);
            const acquired = Promise.resolve(limiter.acquire({ key: 'k', signal: controller.signal }));
            settled.push(acquired.then(note, () => waiting.delete(controller)));
          }
          await settle();
          expect(limiter.stats().running).toBeLessThanOrEqual(maxConcurrent);
          expect(limiter.stats()).toMatchObject({ queued: waiting.size, running: out.length });
        }
        for (let i = 0; i < 1_000 && waiting.size > 0; i++) {
          for (const permit of out.splice(0)) permit.release();
          await late.advance(late.nextIn ?? 0);
        }
        for (const permit of out.splice(0)) permit.release();
        await Promise.all(settled);
        expect(left.length).toBe(turns - aborted);
        expect(limiter.stats()).toEqual({ queued: 0, running: 0, paused: expect.any(Number) });
        expect(late.pending).toBe(0);
        const instants = left.map(({ at }) => at);
        expect(densest(instants, perMs)).toBeLessThanOrEqual(requests + burst - 1);
        expect(left.filter(({ at, pausedUntil }) => at < pausedUntil)).toEqual([]);
        expect(left.map(({ turn }) => turn)).toEqual(left.map(({ turn }) => turn).sort((a, b) => a - b));
      }),
      { numRuns: 150 },
    );
  });
});

describe('the buckets of a local limiter', () => {
  it('are forgotten when they are idle, however many keys there are', async () => {
    const limiter = local({ requests: 10, perMs: 1_000 });
    for (let i = 0; i < 50_000; i++) {
      (limiter.acquire({ key: `key ${i}` }) as Permit).release();
      if (i % 500 === 0) await clock.advance(1_000);
    }
    expect(limiter.size).toBeLessThan(5_000);
  });

  it('are forgotten ten minutes after their last use, whatever they have learnt', async () => {
    const limiter = local({ adaptive: true });
    for (let i = 0; i < 3_000; i++) {
      const permit = limiter.acquire({ key: `key ${i}` }) as Permit;
      permit.answered?.({ throttled: true, untilAt: clock.now() + 1_000 });
      permit.release();
      await clock.advance(1_000);
    }
    expect(limiter.size).toBeLessThan(2_000);
  });

  it('are not forgotten while they are paused', async () => {
    const limiter = local({});
    limiter.pause('mine', clock.now() + 3_600_000);
    for (let i = 0; i < 5_000; i++) (limiter.acquire({ key: `key ${i}` }) as Permit).release();
    const waiting = rejectionOf(Promise.resolve(limiter.acquire({ key: 'mine' })));
    await settle();
    expect(limiter.stats()).toMatchObject({ queued: 1, paused: 1 });
    await limiter.close();
    await waiting;
  });
});

/** Its timers fire a little late, as those of Node do. */
class LateClock extends ManualClock {
  private readonly lateMs: number;

  constructor(lateMs: number) {
    super();
    this.lateMs = lateMs;
  }

  override after(ms: number, fire: () => void): () => void {
    return super.after(ms + this.lateMs, fire);
  }
}
