import { createRequire } from 'node:module';
import { setTimeout as after } from 'node:timers/promises';
import axios from 'axios';
import { attach, InvalidPolicyError, isHoldfastError, localLimiter } from 'axios-holdfast';
import Bottleneck from 'bottleneck';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { bottleneckLimiter, bottleneckLimiterWith } from '../../../lib/limit/bottleneck/bottleneck-limiter.ts';
import type { Limiter, Permit, PermitRequest } from '../../../lib/limit/limiter.ts';
import { rejectionOf } from '../../support/attached.ts';
import { until } from '../../support/by-hand.ts';
import { layersOf } from '../../support/layers.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { underOneKey } from '../../support/under-one-key.ts';
import { unhandledDuring } from '../../support/unhandled.ts';
import { limiterContract } from '../contract.ts';

const key = 'https://api.example.com';

/** What Bottleneck needs to start whatever it is going to start: its own turns of the event loop, no rate. */
async function quiet(bottleneck: Bottleneck): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await bottleneck.currentReservoir();
    await bottleneck.currentReservoir();
  }
}

/** A Bottleneck with one slot, a limiter made of it, and the permit that has the slot. */
async function oneSlot(settings: Bottleneck.ConstructorOptions = {}, clock = new ManualClock()) {
  const bottleneck = new Bottleneck({ maxConcurrent: 1, ...settings });
  const limiter = bottleneckLimiterWith(clock, bottleneck);
  const first = await limiter.acquire({ key });
  return { bottleneck, limiter, clock, first };
}

/** The same, but its jobs expire soon, as those of a cluster may. */
function expiring(bottleneck: Bottleneck): Bottleneck {
  const schedule = <T>(options: Bottleneck.JobOptions, task: () => PromiseLike<T>) =>
    bottleneck.schedule({ ...options, expiration: 10 }, task);
  return Object.assign(Object.create(bottleneck), { schedule });
}

/** Notes the order in which permits come, and gives each back at once. */
function noting(limiter: Limiter) {
  const order: unknown[] = [];
  const acquire = async (name: unknown, request: Partial<PermitRequest> = {}) => {
    const permit = await limiter.acquire({ key, ...request });
    order.push(name);
    permit.release();
  };
  return { order, acquire };
}

limiterContract(bottleneckLimiter.name, () => ({
  // A single one has the same slots for all keys.
  limiter: ({ maxConcurrent = null, maxQueue, maxWaitMs }) => {
    const limiter = bottleneckLimiter(new Bottleneck.Group({ maxConcurrent }), { maxQueue, maxWaitMs });
    onTestFinished(() => limiter.close());
    return limiter;
  },
  // It takes Bottleneck some ms to start a job.
  pass: async (ms) => {
    await after(Math.max(ms, 20));
  },
  now: () => Date.now(),
  // Its windows are settings of its own, and it takes back no job.
  cannot: ['windows'],
}));

describe('together with a local one', () => {
  limiterContract(bottleneckLimiter.name, () => ({
    limiter: ({ maxConcurrent = null, maxQueue, maxWaitMs }) => {
      const limiters = [
        bottleneckLimiter(new Bottleneck.Group({ maxConcurrent }), { maxQueue, maxWaitMs }),
        localLimiter({ requests: 1_000, perMs: 100 }),
      ];
      return underOneKey(layersOf(limiters), 2);
    },
    pass: async (ms) => {
      await after(Math.max(ms, 20));
    },
    now: () => Date.now(),
    cannot: ['windows'],
  }));
});

describe(bottleneckLimiter, () => {
  it.each([
    ['a Bottleneck', () => new Bottleneck({ maxConcurrent: 1 })],
    ['options', () => ({ maxConcurrent: 1 })],
  ])('makes of %s one limiter for all keys', async (_, make) => {
    const limiter = bottleneckLimiter(make());
    onTestFinished(() => limiter.close());
    const first = await limiter.acquire({ key: 'a' });
    const second = limiter.acquire({ key: 'b' });
    expect(limiter.stats()).toEqual({ queued: 1, running: 1, paused: 0 });
    first.release();
    (await second).release();
    expect(limiter.stats()).toEqual({ queued: 0, running: 0, paused: 0 });
  });

  it('makes of a Group one for each key', async () => {
    const group = new Bottleneck.Group({ maxConcurrent: 1 });
    const limiter = bottleneckLimiter(group);
    const permits = [await limiter.acquire({ key: 'a' }), await limiter.acquire({ key: 'b' })];
    expect(group.keys()).toEqual(['a', 'b']);
    expect(await group.key('a').running()).toBe(1);
    for (const permit of permits) permit.release();
  });

  it('takes a Bottleneck of another copy of the package', async () => {
    const require = createRequire(import.meta.url);
    const Other: typeof Bottleneck = require('bottleneck/light');
    expect(new Other()).not.toBeInstanceOf(Bottleneck);
    const other = new Other({ maxConcurrent: 1 });
    const limiter = bottleneckLimiter(other);
    (await limiter.acquire({ key })).release();
    expect(await rejectionOf(limiter.acquire({ key, weight: 2 }) as Promise<Permit>)).toBeInstanceOf(RangeError);
  });

  it('limits an attached instance', async () => {
    const limit = bottleneckLimiter({ maxConcurrent: 2 });
    onTestFinished(() => limit.close());
    let under = 0;
    let most = 0;
    let letGo = () => {};
    const isLetGo = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const client = axios.create({
      baseURL: key,
      adapter: async (config) => {
        most = Math.max(most, ++under);
        await isLetGo;
        under -= 1;
        return { status: 200, statusText: '', data: '', headers: {}, config };
      },
    });
    attach(client, { limit });
    const all = Array.from({ length: 6 }, () => client.get('/'));
    await until(() => under === 2);
    await after(50);
    letGo();
    await Promise.all(all);
    expect(most).toBe(2);
    expect(limit.stats()).toMatchObject({ queued: 0, running: 0 });
  });

  it('passes on which bucket a call draws on, and who goes first', () => {
    const options = { key: () => 'tenant', priority: () => 1 };
    expect(bottleneckLimiter({}, options)).toMatchObject(options);
  });
});

describe('a slot', () => {
  it('is kept until the permit is released, however often that happens', async () => {
    const { bottleneck, limiter, first } = await oneSlot();
    await quiet(bottleneck);
    expect(await bottleneck.running()).toBe(1);
    first.release();
    first.release();
    const second = await limiter.acquire({ key });
    expect(limiter.stats()).toMatchObject({ running: 1 });
    first.release();
    const third = limiter.acquire({ key });
    await quiet(bottleneck);
    expect(limiter.stats()).toMatchObject({ queued: 1, running: 1 });
    second.release();
    (await third).release();
  });

  it('is never lost by expiry within one process', async () => {
    const bottleneck = new Bottleneck({ maxConcurrent: 1 });
    const limiter = bottleneckLimiter(bottleneck, { expirationMs: 1_000 });
    const expirations: unknown[] = [];
    bottleneck.on('received', ({ options }) => expirations.push(options.expiration));
    (await limiter.acquire({ key })).release();
    expect(expirations).toEqual([null]);
  });

  it('stays the same when a listener of the owner has an expired job started again', async () => {
    const bottleneck = new Bottleneck({ maxConcurrent: 1 });
    bottleneck.on('failed', () => 0);
    const limiter = bottleneckLimiter(expiring(bottleneck));
    // Not at `retry`: whoever ends a job between that and its second start has Bottleneck reject something that nobody handles.
    const restarted = new Promise<void>((resolve) =>
      bottleneck.on('executing', ({ retryCount }) => {
        if (retryCount > 0) resolve();
      }),
    );
    const permit = await limiter.acquire({ key });
    const next = limiter.acquire({ key });
    await restarted;
    expect(limiter.stats()).toMatchObject({ queued: 1, running: 1 });
    permit.release();
    (await next).release();
  });

  it('whose job has expired is missed by nobody', async () => {
    const bottleneck = new Bottleneck({ maxConcurrent: 1 });
    const limiter = bottleneckLimiter(expiring(bottleneck));
    const failed = new Promise<void>((resolve) => bottleneck.on('failed', () => resolve()));
    expect(
      await unhandledDuring(async () => {
        const [expires, ...waiting] = [1, 2, 3].map(() => limiter.acquire({ key }));
        const permit = await expires;
        await failed;
        for (const next of waiting) (await next).release();
        permit?.release();
        (await limiter.acquire({ key })).release();
      }),
    ).toEqual([]);
    expect(limiter.stats()).toMatchObject({ queued: 0, running: 0 });
  });
});

describe('a chain of Bottlenecks', () => {
  it('gives a permit when all of it does, and none that expired on the way', async () => {
    const last = new Bottleneck({ maxConcurrent: 1 });
    const failed = vi.fn();
    last.on('failed', failed);
    const bottleneck = new Bottleneck().chain(last);
    const expired = bottleneckLimiter(expiring(bottleneck));
    const limiter = bottleneckLimiter(bottleneck);
    const first = await limiter.acquire({ key });
    expect(await rejectionOf(expired.acquire({ key }) as Promise<Permit>)).toMatchObject({
      code: 'ERR_LIMIT_WAIT_TOO_LONG',
      message: expect.stringContaining('expirationMs'),
    });
    const next = limiter.acquire({ key });
    await quiet(last);
    expect(limiter.stats()).toMatchObject({ queued: 1, running: 1 });
    first.release();
    (await next).release();
    expect(expired.stats()).toMatchObject({ queued: 0, running: 0 });
    // It came to the last one all the same, and ended there at once.
    expect(failed).not.toHaveBeenCalled();
  });
});

describe('a call that gives up', () => {
  it('before it asks, asks nothing of Bottleneck', async () => {
    const { bottleneck, limiter, first } = await oneSlot();
    const signal = AbortSignal.abort(new Error('too late'));
    expect(await rejectionOf(limiter.acquire({ key, signal }) as Promise<Permit>)).toBe(signal.reason);
    expect(bottleneck.counts()).toMatchObject({ RECEIVED: 0, QUEUED: 0 });
    first.release();
  });

  it('leaves a job that ends at once and gives the slot on', async () => {
    const { bottleneck, limiter, first } = await oneSlot();
    const { signal, abort } = cancellable();
    const call = rejectionOf(limiter.acquire({ key, signal }) as Promise<Permit>);
    await quiet(bottleneck);
    abort();
    await call;
    first.release();
    expect(await bottleneck.schedule({ priority: 9 }, async () => 'the owner’s own')).toBe('the owner’s own');
    expect(limiter.stats()).toMatchObject({ queued: 0, running: 0 });
  });

  it('leaves its turn to the next that asks', async () => {
    const { bottleneck, limiter, first } = await oneSlot();
    const { signal, abort } = cancellable();
    const call = rejectionOf(limiter.acquire({ key, signal }) as Promise<Permit>);
    await quiet(bottleneck);
    abort();
    await call;
    const next = limiter.acquire({ key });
    await quiet(bottleneck);
    expect(bottleneck.queued()).toBe(1);
    first.release();
    (await next).release();
  });

  it('leaves one turn, however many give up one after the other', async () => {
    const { bottleneck, limiter, first } = await oneSlot();
    for (let n = 0; n < 10; n++) {
      const { signal, abort } = cancellable();
      const call = rejectionOf(limiter.acquire({ key, signal, priority: -n % 2 }) as Promise<Permit>);
      await quiet(bottleneck);
      abort();
      await call;
    }
    // One of each priority.
    expect(bottleneck.queued()).toBe(2);
    first.release();
  });

  it('leaves no turn to one that is more urgent, which would have to stand where it stood', async () => {
    const { bottleneck, limiter, first } = await oneSlot();
    const { order, acquire } = noting(limiter);
    const { signal, abort } = cancellable();
    const call = rejectionOf(limiter.acquire({ key, signal, priority: 3 }) as Promise<Permit>);
    await quiet(bottleneck);
    abort();
    await call;
    const all = [
      bottleneck.schedule({ priority: 5 }, async () => order.push('owner')),
      acquire('urgent', { priority: -3 }),
    ];
    await quiet(bottleneck);
    first.release();
    await Promise.all(all);
    expect(order).toEqual(['urgent', 'owner']);
  });

  it('does so by its deadline where it waits for itself', async () => {
    const { limiter, clock, first } = await oneSlot();
    const nested = rejectionOf(limiter.acquire({ key, deadlineAt: clock.now() + 50 }) as Promise<Permit>);
    await clock.advance(50);
    expect(await nested).toMatchObject({ code: 'ERR_LIMIT_DEADLINE' });
    first.release();
  });
});

describe('the bounds of waiting', () => {
  it('refuse one more than maxQueue, also where the one before waits for Bottleneck only', async () => {
    const limiter = bottleneckLimiter(new Bottleneck({ maxConcurrent: 1 }), { maxQueue: 1 });
    const first = limiter.acquire({ key });
    const error = await rejectionOf(limiter.acquire({ key }) as Promise<Permit>);
    expect(error).toMatchObject({ code: 'ERR_LIMIT_QUEUE_FULL', message: expect.stringContaining('maxQueue') });
    (await first).release();
    (await limiter.acquire({ key })).release();
  });

  it.each([
    ['the oldest', Bottleneck.strategy.LEAK, ['b', 'c']],
    ['the newest', Bottleneck.strategy.OVERFLOW, ['a', 'b']],
    ['all', Bottleneck.strategy.BLOCK, []],
  ])('tell whom Bottleneck drops by its highWater: %s', async (_, strategy, served) => {
    const { limiter, first } = await oneSlot({ highWater: 2, strategy, penalty: 1 });
    const { order, acquire } = noting(limiter);
    const calls = ['a', 'b', 'c'].map((name) => acquire(name).catch((error: unknown) => error));
    await until(() => limiter.stats().queued === served.length);
    first.release();
    const errors = (await Promise.all(calls)).filter(isHoldfastError);
    expect(order).toEqual(served);
    expect(errors).toHaveLength(3 - served.length);
    for (const error of errors) {
      expect(error).toMatchObject({
        code: 'ERR_LIMIT_QUEUE_FULL',
        cause: { message: expect.stringContaining('dropped') },
      });
    }
  });

  it.each([true, false])('tell whoever meets a stopped Bottleneck (waiting when it stops: %s)', async (waiting) => {
    const { bottleneck, limiter, first } = await oneSlot();
    const calls = waiting ? [rejectionOf(limiter.acquire({ key }) as Promise<Permit>)] : [];
    await quiet(bottleneck);
    const stopped = bottleneck.stop({ dropErrorMessage: 'gone', enqueueErrorMessage: 'gone' });
    if (!waiting) calls.push(rejectionOf(limiter.acquire({ key }) as Promise<Permit>));
    expect(await Promise.all(calls)).toMatchObject([{ code: 'ERR_LIMIT_CLOSED', cause: { message: 'gone' } }]);
    first.release();
    await stopped;
  });
});

describe('a job that fails before it starts', () => {
  /** Something like a Bottleneck, whose jobs are started and failed by hand. */
  function byHand() {
    const jobs: { readonly start: () => void; readonly fail: (error: Error) => void }[] = [];
    const schedule = <T>(_options: object, task: () => PromiseLike<T>) =>
      new Promise<T>((resolve, fail) => {
        jobs.push({ start: () => resolve(task()), fail });
      });
    const clock = new ManualClock();
    return { jobs, clock, limiter: bottleneckLimiterWith(clock, { schedule }) };
  }
  const error = new Error('Redis is gone');

  it('has its own call refused with that', async () => {
    const { jobs, limiter } = byHand();
    const [first, second] = [limiter.acquire({ key }), rejectionOf(limiter.acquire({ key }) as Promise<Permit>)];
    jobs[1]?.fail(error);
    expect(await second).toBe(error);
    jobs[0]?.start();
    (await first).release();
  });

  it('has another refused when its own has got the slot of that', async () => {
    const { jobs, limiter } = byHand();
    const late = rejectionOf(limiter.acquire({ key, priority: 1 }) as Promise<Permit>);
    const urgent = limiter.acquire({ key });
    jobs[0]?.start();
    (await urgent).release();
    jobs[1]?.fail(error);
    expect(await late).toBe(error);
  });

  it('is not missed when there is a spare one', async () => {
    const { jobs, clock, limiter } = byHand();
    const { signal, abort } = cancellable();
    const gone = rejectionOf(limiter.acquire({ key, signal }) as Promise<Permit>);
    abort();
    await gone;
    const call = limiter.acquire({ key, priority: -1 });
    jobs[1]?.fail(error);
    await clock.advance(0);
    jobs[0]?.start();
    (await call).release();
  });

  it('is entered again when that happens in a pause', async () => {
    const { jobs, clock, limiter } = byHand();
    const call = limiter.acquire({ key });
    limiter.pause(key, clock.now() + 5_000);
    jobs[0]?.fail(error);
    await clock.advance(5_000);
    jobs[1]?.start();
    (await call).release();
  });
});

describe('the weight', () => {
  it('is passed on', async () => {
    const bottleneck = new Bottleneck({ maxConcurrent: 5 });
    const limiter = bottleneckLimiter(bottleneck);
    const heavy = await limiter.acquire({ key, weight: 4 });
    expect(await bottleneck.running()).toBe(4);
    const light = await limiter.acquire({ key });
    heavy.release();
    light.release();
  });

  it('is refused above maxConcurrent, and holds up nobody', async () => {
    const limiter = bottleneckLimiter({ maxConcurrent: 5 });
    onTestFinished(() => limiter.close());
    const error = await rejectionOf(limiter.acquire({ key, weight: 6 }) as Promise<Permit>);
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ message: expect.stringContaining('weight of 6') });
    (await limiter.acquire({ key })).release();
    expect(limiter.stats()).toMatchObject({ queued: 0, running: 0 });
  });

  it.each([Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY])('is refused when it is none: %s', async (weight) => {
    const limiter = bottleneckLimiter({ maxConcurrent: 5 });
    expect(await rejectionOf(limiter.acquire({ key, weight }) as Promise<Permit>)).toBeInstanceOf(TypeError);
  });
});

describe('what a send really cost', () => {
  const answered = async (settings: Bottleneck.ConstructorOptions, cost: number) => {
    const bottleneck = new Bottleneck(settings);
    const permit = await bottleneckLimiter(bottleneck).acquire({ key, weight: 4 });
    permit.answered?.({ throttled: false, cost });
    permit.answered?.({ throttled: false, cost });
    permit.release();
    await quiet(bottleneck);
    return bottleneck.currentReservoir();
  };

  it.each([
    [1, 19],
    [4, 16],
    [7, 13],
    [0, 20],
  ])('is what its reservoir has paid in the end, once: %i of 20 leave %i', async (cost, left) => {
    expect(await answered({ reservoir: 20 }, cost)).toBe(left);
  });

  it('makes no reservoir where there is none', async () => {
    expect(await answered({ maxConcurrent: 5 }, 1)).toBeNull();
  });
});

describe('the priority', () => {
  it('lets the smaller go first, to the last digit, and first come first served among equals', async () => {
    const { bottleneck, limiter, first } = await oneSlot();
    const { order, acquire } = noting(limiter);
    const all = [0, 100, -7.5, 99, 0.25, -1e9, 0, -7.25].map((priority, n) =>
      acquire(`${n}: ${priority}`, { priority }),
    );
    await quiet(bottleneck);
    first.release();
    await Promise.all(all);
    expect(order).toEqual(['5: -1000000000', '2: -7.5', '7: -7.25', '0: 0', '6: 0', '4: 0.25', '3: 99', '1: 100']);
  });

  it.each([
    [0, 5],
    [-1, 4],
    [0.4, 5],
    [4, 9],
    [1e9, 9],
    [-1e9, 0],
    [Number.NaN, 5],
  ])('%s is %i in Bottleneck', async (priority, expected) => {
    const bottleneck = new Bottleneck();
    const limiter = bottleneckLimiter(bottleneck);
    const seen: number[] = [];
    bottleneck.on('received', ({ options }) => seen.push(options.priority));
    (await limiter.acquire({ key, priority })).release();
    expect(seen).toEqual([expected]);
  });

  it('holds where Bottleneck has fixed the order already', async () => {
    const bottleneck = new Bottleneck({ minTime: 20 });
    const { order, acquire } = noting(bottleneckLimiter(bottleneck));
    const all = [acquire('first'), acquire('late', { priority: 1 }), acquire('urgent', { priority: -1 })];
    await Promise.all(all);
    expect(order).toEqual(['urgent', 'first', 'late']);
  });
});

describe('a pause', () => {
  it('lets nothing through before its end, and enters nothing in Bottleneck', async () => {
    const bottleneck = new Bottleneck();
    const clock = new ManualClock();
    const limiter = bottleneckLimiterWith(clock, bottleneck);
    const received = vi.fn();
    bottleneck.on('received', received);
    limiter.pause(key, clock.now() + 5_000);
    const { order, acquire } = noting(limiter);
    const calls = [acquire('a'), acquire('b')];
    await clock.advance(4_999);
    await quiet(bottleneck);
    expect(received).not.toHaveBeenCalled();
    expect(order).toEqual([]);
    expect(limiter.stats()).toEqual({ queued: 2, running: 0, paused: 1 });
    await clock.advance(1);
    await Promise.all(calls);
    expect(limiter.stats()).toEqual({ queued: 0, running: 0, paused: 0 });
  });

  it('holds for those too who are in Bottleneck already, and loses none of them', async () => {
    const { bottleneck, limiter, clock, first } = await oneSlot();
    const { order, acquire } = noting(limiter);
    const calls = ['a', 'b', 'c'].map((name) => acquire(name));
    await quiet(bottleneck);
    expect(bottleneck.queued()).toBe(3);
    first.answered?.({ throttled: true, untilAt: clock.now() + 5_000 });
    first.release();
    // The three jobs start, one after the other, and end.
    await until(() => bottleneck.empty());
    await quiet(bottleneck);
    expect(order).toEqual([]);
    expect(limiter.stats()).toEqual({ queued: 3, running: 0, paused: 1 });
    await clock.advance(5_000);
    await Promise.all(calls);
    expect(order).toEqual(['a', 'b', 'c']);
  });

  it('is paced by Bottleneck when it ends, and the first is answered', async () => {
    const bottleneck = new Bottleneck({ maxConcurrent: 2 });
    const clock = new ManualClock();
    const limiter = bottleneckLimiterWith(clock, bottleneck);
    limiter.pause(key, clock.now() + 1_000);
    const permits: Permit[] = [];
    const calls = Array.from({ length: 5 }, async () => permits.push(await limiter.acquire({ key })));
    await clock.advance(1_000);
    await until(() => permits.length === 1);
    await quiet(bottleneck);
    expect(limiter.stats()).toMatchObject({ queued: 4, running: 1 });
    for (let n = 0; n < 5; n++) {
      await until(() => permits.length > n);
      permits[n]?.answered?.({ throttled: false });
      permits[n]?.release();
      await quiet(bottleneck);
      expect(limiter.stats().running).toBe(Math.min(2, 4 - n));
    }
    await Promise.all(calls);
  });

  it('tells at once whose deadline or patience ends before it', async () => {
    const clock = new ManualClock();
    const limiter = bottleneckLimiterWith(clock, new Bottleneck({ maxConcurrent: 1 }), { maxWaitMs: 10_000 });
    const first = await limiter.acquire({ key });
    const now = clock.now();
    const refused = (deadlineAt?: number) => rejectionOf(limiter.acquire({ key, deadlineAt }) as Promise<Permit>);
    const waiting = refused(now + 4_999);
    const served = limiter.acquire({ key, deadlineAt: now + 5_001 });
    limiter.pause(key, now + 5_000);
    expect(await waiting).toMatchObject({ code: 'ERR_LIMIT_DEADLINE' });
    expect(await refused(now + 4_999)).toMatchObject({ code: 'ERR_LIMIT_DEADLINE' });
    first.release();
    await clock.advance(5_000);
    (await served).release();
    limiter.pause(key, now + 60_000);
    expect(await refused()).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
    expect(clock.pending).toBe(0);
  });

  it('is of one key', async () => {
    const clock = new ManualClock();
    const limiter = bottleneckLimiterWith(clock, new Bottleneck({ maxConcurrent: 1 }));
    limiter.pause('a', clock.now() + 5_000);
    const held = limiter.acquire({ key: 'a' });
    (await limiter.acquire({ key: 'b' })).release();
    await clock.advance(5_000);
    (await held).release();
  });

  it('is of every weight, one that comes first meanwhile too, whichever of them meets it', async () => {
    const clock = new ManualClock();
    const limiter = bottleneckLimiterWith(clock, new Bottleneck());
    const { order, acquire } = noting(limiter);
    const heavy = await limiter.acquire({ key, weight: 2 });
    heavy.answered?.({ throttled: true, untilAt: clock.now() + 5_000 });
    heavy.release();
    const calls = [1, 2, 3].map((weight) => acquire(weight, { weight }));
    const refused = await rejectionOf(
      limiter.acquire({ key, weight: 4, deadlineAt: clock.now() + 4_000 }) as Promise<Permit>,
    );
    expect(refused).toMatchObject({ code: 'ERR_LIMIT_DEADLINE' });
    await clock.advance(4_999);
    await after(20);
    expect(order).toEqual([]);
    await clock.advance(1);
    await Promise.all(calls);
    expect(order).toHaveLength(3);
  });

  it('is of every weight also where the refusal named no time', async () => {
    const limiter = bottleneckLimiterWith(new ManualClock(), new Bottleneck());
    const [light, heavy] = [await limiter.acquire({ key }), await limiter.acquire({ key, weight: 2 })];
    heavy.answered?.({ throttled: true });
    expect(limiter.stats()).toMatchObject({ paused: 2 });
    light.release();
    heavy.release();
    await limiter.close();
  });

  it('is not prolonged by a clock that is set back', async () => {
    const clock = new ManualClock();
    const limiter = bottleneckLimiterWith(clock, new Bottleneck());
    limiter.pause(key, clock.now() + 5_000);
    const call = limiter.acquire({ key });
    await clock.advance(1_000);
    clock.adjust(-3_600_000);
    await clock.advance(4_000);
    (await call).release();
  });

  it('keeps no process alive when nobody waits', async () => {
    const clock = new ManualClock();
    const limiter = bottleneckLimiterWith(clock, new Bottleneck());
    limiter.pause(key, clock.now() + 5_000);
    expect(clock.pending).toBe(0);
    const { signal, abort } = cancellable();
    const call = rejectionOf(limiter.acquire({ key, signal }) as Promise<Permit>);
    expect(clock.pending).toBe(1);
    abort();
    await call;
    expect(clock.pending).toBe(0);
  });
});

describe('the one who awaits a permit', () => {
  it('may ask for another meanwhile', async () => {
    const limiter = bottleneckLimiter(new Bottleneck({ maxConcurrent: 2, minTime: 5 }));
    const outer = await limiter.acquire({ key });
    const inner = await limiter.acquire({ key });
    inner.release();
    outer.release();
  });
});

describe('close', () => {
  it('refuses who waits and who comes, and leaves a Bottleneck that was handed in to its owner', async () => {
    const { bottleneck, limiter, clock, first } = await oneSlot();
    const queued = rejectionOf(limiter.acquire({ key, deadlineAt: clock.now() + 5_000 }) as Promise<Permit>);
    limiter.pause('paused', clock.now() + 5_000);
    const held = rejectionOf(limiter.acquire({ key: 'paused' }) as Promise<Permit>);
    await limiter.close();
    await limiter.close();
    expect(await Promise.all([queued, held])).toMatchObject([
      { code: 'ERR_LIMIT_CLOSED' },
      { code: 'ERR_LIMIT_CLOSED' },
    ]);
    expect(await rejectionOf(limiter.acquire({ key }) as Promise<Permit>)).toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
    expect(clock.pending).toBe(0);
    first.release();
    expect(await bottleneck.schedule(async () => 1)).toBe(1);
  });

  it('ends what was made here, also with sends under way', async () => {
    const set = vi.spyOn(globalThis, 'setTimeout');
    const cleared = vi.spyOn(globalThis, 'clearTimeout');
    const long = () => set.mock.results.filter((_, n) => Number(set.mock.calls[n]?.[1]) > 30_000);
    const limiter = bottleneckLimiter({ maxConcurrent: 2, minTime: 60_000 });
    let first: Permit | undefined;
    const unhandled = await unhandledDuring(async () => {
      first = await limiter.acquire({ key });
      const queued = rejectionOf(limiter.acquire({ key }) as Promise<Permit>);
      await until(() => long().length > 0);
      await limiter.close();
      for (const { value } of long()) expect(cleared).toHaveBeenCalledWith(value);
      expect(await queued).toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
      first.answered?.({ throttled: true, untilAt: Date.now() + 1_000 });
      first.release();
    });
    expect(unhandled).toEqual([]);
    expect(limiter.stats()).toMatchObject({ queued: 0, running: 0 });
  });
});

describe('what it is made of', () => {
  const bad = (given: unknown, options?: unknown): InvalidPolicyError => {
    try {
      bottleneckLimiter(given as object, options as object);
    } catch (error) {
      if (error instanceof InvalidPolicyError) return error;
      throw error;
    }
    throw new Error('expected an InvalidPolicyError');
  };

  it.each([
    ['bottleneck must be a Bottleneck, a Bottleneck.Group or the options of one', undefined],
    ['or the options of one, got a string', '10/s'],
    ['bottleneck.rejectOnDrop must be true', { rejectOnDrop: false }],
    ['bottleneck.rejectOnDrop must be true', new Bottleneck({ rejectOnDrop: false })],
    ['bottleneck.rejectOnDrop must be true', new Bottleneck.Group({ rejectOnDrop: false })],
    [
      'limit.maxQueue must be an integer of at least 1, or Infinity, since every call waits for Bottleneck',
      {},
      { maxQueue: 0 },
    ],
    [
      'limit.maxWaitMs must be a number above 0, since every call waits for Bottleneck, if only for some ms, got 0',
      {},
      { maxWaitMs: 0 },
    ],
    ['limit.expirationMs must be an integer of at least 1000', {}, { expirationMs: 10 }],
    ['limit.expiration is not an option', {}, { expiration: 1_000 }],
    ['limit.key must be a function, got a string', {}, { key: 'a' }],
    ['limit must be a plain object', {}, null],
  ])('is checked: %s', (message, given, options?: unknown) => {
    expect(bad(given, options).message).toContain(message);
  });

  it('is refused with all that is wrong: option, bound and value', () => {
    expect(bad({ rejectOnDrop: false }, { maxQueue: -1 }).problems).toMatchObject([
      { path: 'bottleneck.rejectOnDrop', bound: 'true: a job that is dropped has to tell', value: false },
      { path: 'limit.maxQueue', value: -1 },
    ]);
  });

  it('may say nothing, by undefined and, to Bottleneck, by null', async () => {
    const limiter = bottleneckLimiter({ maxConcurrent: null, reservoir: null }, { maxQueue: undefined });
    (await limiter.acquire({ key })).release();
  });
});

function cancellable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: (reason?: unknown) => controller.abort(reason) };
}

describe('other numbers', () => {
  it('are those of a Bottleneck that was made here, by which who waits is let out, and the bounds of the queue', async () => {
    const limiter = bottleneckLimiter({ maxConcurrent: 1 }, { maxQueue: 2 });
    onTestFinished(() => limiter.close());
    const first = await limiter.acquire({ key });
    const { order, acquire } = noting(limiter);
    const waiting = [acquire('young', { since: 2 }), acquire('old', { since: 1 })];
    expect(await rejectionOf(acquire('too many'))).toMatchObject({ code: 'ERR_LIMIT_QUEUE_FULL' });
    limiter.update({ maxQueue: 3 });
    waiting.push(acquire('third', { since: 3 }));
    limiter.update({ maxConcurrent: 2 });
    await Promise.all(waiting);
    expect(order).toEqual(['old', 'young', 'third']);
    first.release();
  });

  it.each([
    [{ requests: 5, perMs: 1_000 }, /limit\.requests is not an option; how fast is for Bottleneck's own minTime/],
    [{ burst: 'all' }, /limit\.burst is not an option; Bottleneck counts by a reservoir/],
    [{ minTime: 5 }, /limit\.minTime is not an option/],
    [{ key: () => 'other' }, /limit\.key must be left out of an update/],
    [{ maxQueue: 0 }, /limit\.maxQueue must be an integer of at least 1/],
    [null, /limit must be a plain object/],
  ])('are told by name where one that was handed in has them, or they are wrong: %o', (options, message) => {
    const limiter = bottleneckLimiter(new Bottleneck());
    expect(() => limiter.update(options as never)).toThrow(message);
    limiter.update({ maxWaitMs: 5_000, expirationMs: 60_000 });
  });
});
