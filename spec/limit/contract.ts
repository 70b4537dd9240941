import { AsyncLocalStorage } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import type { Limiter, LimitOptions, Permit, PermitRequest } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { rejectionOf } from '../support/attached.ts';
import { settle } from '../support/manual-clock.ts';
import { unhandledDuring } from '../support/unhandled.ts';

/** What the suite needs of an engine. */
export interface Subject {
  /** A limiter with these bounds. It is closed when the test ends. */
  limiter(options: LimitOptions): Limiter | Promise<Limiter>;
  /** Lets time pass: by hand where the engine takes a clock, else really. */
  pass(ms: number): Promise<void>;
  now(): number;
  /** What the engine cannot do, by its nature: the guides say so. */
  readonly cannot?: readonly ('windows' | 'nested-windows')[];
}

/** What every engine behind the port does. */
export function limiterContract(name: string, subject: () => Subject): void {
  describe(name, () => {
    const acquire = async (limiter: Limiter, request: Partial<PermitRequest> = {}): Promise<Permit> =>
      limiter.acquire({ key: 'k', ...request });
    const can = (what: NonNullable<Subject['cannot']>[number]) => !subject().cannot?.includes(what);

    /** Lets time pass until that is so. An engine may take long on a busy machine; what only must not happen at all is checked after a while. */
    const until = async (condition: () => boolean) => {
      const { pass } = subject();
      for (let i = 0; i < 1_500 && !condition(); i++) await pass(20);
    };
    const aWhile = async () => {
      for (let i = 0; i < 5; i++) await subject().pass(20);
    };

    /** Asks for a permit and notes in `order` when it is there. */
    const lineUp = (limiter: Limiter, order: unknown[], mark: unknown, request: Partial<PermitRequest> = {}) => {
      const acquired = acquire(limiter, request).then((permit) => {
        order.push(mark);
        return permit;
      });
      acquired.catch(() => {});
      return acquired;
    };

    it('lets nobody in beyond maxConcurrent, and the next as soon as one is over', async () => {
      const { limiter: make, pass } = subject();
      const limiter = await make({ maxConcurrent: 2 });
      let running = 0;
      let most = 0;
      const work = async () => {
        const permit = await acquire(limiter);
        running += 1;
        most = Math.max(most, running);
        await pass(2);
        running -= 1;
        permit.release();
      };
      await Promise.all(Array.from({ length: 12 }, work));
      expect(most).toBe(2);
      expect(limiter.stats()).toMatchObject({ queued: 0, running: 0 });
    });

    it('serves the smaller priority first, and first come first served within one', async () => {
      const { limiter: make, pass } = subject();
      const limiter = await make({ maxConcurrent: 1 });
      const first = await acquire(limiter);
      const order: unknown[] = [];
      const marks: [string, number][] = [
        ['a', 0],
        ['b', 0],
        ['urgent', -1],
        ['c', 0],
        ['late', 1],
        ['urgent too', -1],
      ];
      const waiting = marks.map(([mark, priority]) => lineUp(limiter, order, mark, { priority }));
      await pass(20);
      first.release();
      for (const acquired of waiting) acquired.then((permit) => permit.release());
      await pass(60);
      await Promise.all(waiting);
      expect(order).toEqual(['urgent', 'urgent too', 'a', 'b', 'c', 'late']);
    });

    it('refuses a signal that is aborted already with its reason', async () => {
      const limiter = await subject().limiter({ maxConcurrent: 1 });
      const reason = new Error('given up');
      expect(await rejectionOf(acquire(limiter, { signal: AbortSignal.abort(reason) }))).toBe(reason);
      (await acquire(limiter)).release();
    });

    it('lets whoever aborts out of the queue at once, for no permit, and takes its listener away', async () => {
      const { limiter: make, pass } = subject();
      const limiter = await make({ maxConcurrent: 1 });
      const first = await acquire(limiter);
      const controller = new AbortController();
      const order: unknown[] = [];
      const gone = acquire(limiter, { signal: controller.signal });
      const next = lineUp(limiter, order, 'next');
      await pass(10);
      const reason = new Error('given up');
      controller.abort(reason);
      expect(await rejectionOf(gone)).toBe(reason);
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
      first.release();
      await pass(30);
      (await next).release();
      await pass(10);
      expect(order).toEqual(['next']);
      expect(limiter.stats()).toMatchObject({ queued: 0, running: 0 });
    });

    it('leaves no listener on the signal of one who got a permit', async () => {
      const { limiter: make, pass } = subject();
      const limiter = await make({ maxConcurrent: 1 });
      const first = await acquire(limiter);
      const { signal } = new AbortController();
      const second = acquire(limiter, { signal });
      await pass(10);
      first.release();
      await pass(30);
      (await second).release();
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    });

    it('refuses at the deadline who has got no permit by then', async () => {
      const { limiter: make, now, pass } = subject();
      const limiter = await make({ maxConcurrent: 1 });
      const first = await acquire(limiter);
      const late = acquire(limiter, { deadlineAt: now() + 50 });
      late.catch(() => {});
      await pass(60);
      expect(await rejectionOf(late)).toMatchObject({
        code: 'ERR_LIMIT_DEADLINE',
        message: expect.stringMatching(/deadline/),
      });
      first.release();
      await pass(20);
      (await acquire(limiter)).release();
    });

    it('refuses who comes when maxQueue are waiting, and names the option', async () => {
      const { limiter: make, pass } = subject();
      const limiter = await make({ maxConcurrent: 1, maxQueue: 2 });
      const first = await acquire(limiter);
      const waiting = [acquire(limiter), acquire(limiter)];
      await settle();
      const refused = await rejectionOf(acquire(limiter));
      expect(refused).toMatchObject({ code: 'ERR_LIMIT_QUEUE_FULL', message: expect.stringMatching(/maxQueue.*2/) });
      first.release();
      for (const acquired of waiting) acquired.then((permit) => permit.release());
      await pass(50);
      await Promise.all(waiting);
      expect(limiter.stats()).toMatchObject({ queued: 0, running: 0 });
    });

    it('refuses who has waited for maxWaitMs, and names the option', async () => {
      const { limiter: make, pass } = subject();
      const limiter = await make({ maxConcurrent: 1, maxWaitMs: 40 });
      // Longer on a busy machine, where the engine takes its time.
      const first = await acquire(limiter, { maxWaitMs: 60_000 });
      const late = acquire(limiter);
      late.catch(() => {});
      await pass(60);
      expect(await rejectionOf(late)).toMatchObject({
        code: 'ERR_LIMIT_WAIT_TOO_LONG',
        message: expect.stringMatching(/maxWaitMs.*40/),
      });
      first.release();
    });

    it('lets nobody through before the end of a pause, then goes on', async () => {
      const { limiter: make, now, pass } = subject();
      const limiter = await make({ maxConcurrent: 5 });
      (await acquire(limiter)).release();
      const end = now() + 120;
      limiter.pause('k', end);
      const at: number[] = [];
      const waiting = Array.from({ length: 3 }, async () => {
        const permit = await acquire(limiter);
        at.push(now());
        permit.answered?.({ throttled: false });
        permit.release();
      });
      for (let i = 0; i < 15; i++) await pass(20);
      await Promise.all(waiting);
      expect(Math.min(...at)).toBeGreaterThanOrEqual(end);
    });

    it.each([
      ['a 429', true],
      ['a 503', false],
    ])('pauses the bucket when %s names a time, though other sends were admitted', async (_what, throttled) => {
      const { limiter: make, now, pass } = subject();
      const limiter = await make({ maxConcurrent: 2 });
      const [one, two] = [await acquire(limiter), await acquire(limiter)];
      const end = now() + 100;
      one.answered?.({ throttled, untilAt: end });
      one.release();
      two.answered?.({ throttled: false });
      two.release();
      let at = 0;
      const next = acquire(limiter).then((permit) => {
        at = now();
        permit.release();
      });
      for (let i = 0; i < 10; i++) await pass(20);
      await next;
      expect(at).toBeGreaterThanOrEqual(end);
    });

    it('does not shorten a pause by a shorter one', async () => {
      const { limiter: make, now, pass } = subject();
      const limiter = await make({});
      const end = now() + 100;
      limiter.pause('k', end);
      limiter.pause('k', now() + 10);
      let at = 0;
      const next = acquire(limiter).then((permit) => {
        at = now();
        permit.release();
      });
      for (let i = 0; i < 8; i++) await pass(20);
      await next;
      expect(at).toBeGreaterThanOrEqual(end);
    });

    it('tells at once whose deadline ends before the pause', async () => {
      const { limiter: make, now } = subject();
      const limiter = await make({ maxConcurrent: 1 });
      const first = await acquire(limiter);
      const waiting = acquire(limiter, { deadlineAt: now() + 5_000 });
      waiting.catch(() => {});
      limiter.pause('k', now() + 60_000);
      expect(await rejectionOf(waiting)).toMatchObject({ code: 'ERR_LIMIT_DEADLINE' });
      const newcomer = await rejectionOf(acquire(limiter, { deadlineAt: now() + 5_000 }));
      expect(newcomer).toMatchObject({ code: 'ERR_LIMIT_DEADLINE' });
      first.release();
    });

    it('counts a permit that is released twice once', async () => {
      const limiter = await subject().limiter({ maxConcurrent: 1 });
      const first = await acquire(limiter);
      first.release();
      first.release();
      expect(limiter.stats().running).toBe(0);
      const { pass } = subject();
      await pass(10);
      const order: unknown[] = [];
      const [a] = [lineUp(limiter, order, 'a'), lineUp(limiter, order, 'b')];
      await until(() => order.length > 0);
      await aWhile();
      expect(order).toEqual(['a']);
      (await a).release();
    });

    it('keeps buckets apart', async () => {
      const limiter = await subject().limiter({ maxConcurrent: 1 });
      const mine = await acquire(limiter, { key: 'mine' });
      const yours = await acquire(limiter, { key: 'yours' });
      expect(limiter.stats().running).toBe(2);
      mine.release();
      yours.release();
    });

    it('goes on in the context of whoever waits', async () => {
      const { limiter: make, pass } = subject();
      const limiter = await make({ maxConcurrent: 1 });
      const context = new AsyncLocalStorage<string>();
      const first = await acquire(limiter);
      const seen = Array.from({ length: 3 }, (_, i) =>
        context.run(`caller ${i}`, async () => {
          const permit = await acquire(limiter);
          const store = context.getStore();
          permit.release();
          return store;
        }),
      );
      await context.run('somebody else', async () => first.release());
      for (let i = 0; i < 5; i++) await pass(10);
      expect(await Promise.all(seen)).toEqual(['caller 0', 'caller 1', 'caller 2']);
    });

    it('gives a second permit to one who holds the first, where there is one', async () => {
      const { limiter: make, pass } = subject();
      const limiter = await make({ maxConcurrent: 2 });
      const outer = await acquire(limiter);
      const inner = acquire(limiter);
      await pass(10);
      (await inner).release();
      outer.release();
      expect(limiter.stats()).toMatchObject({ queued: 0, running: 0 });
    });

    describe.each([
      ['a pause of 100 ms', 100],
      ['a 429 that names a second', 1_000],
      ['a 429 that names no time', undefined],
    ])('after %s', (_what, pauseMs) => {
      it('has left what was left of the burst of a long window', async () => {
        if (!can('windows')) return;
        const { limiter: make, now } = subject();
        const hour = { requests: 50, perMs: 3_600_000, burst: 50 };
        const limiter = await make({ windows: [{ requests: 50, perMs: 1_000 }, hour] });
        const refused = await acquire(limiter);
        if (pauseMs === 100) limiter.pause('k', now() + pauseMs);
        else refused.answered?.({ throttled: true, untilAt: pauseMs && now() + pauseMs });
        refused.release();
        // At the pace of the hour, one in 72 s, they would take longer than a test may.
        let given = 0;
        const all = Array.from({ length: 20 }, async () => {
          const permit = await acquire(limiter);
          given += 1;
          permit.answered?.({ throttled: false });
          permit.release();
        });
        await until(() => given === 20);
        expect(given).toBe(20);
        await Promise.all(all);
      });
    });

    it('has no burst after a pause, of a window that is as short', async () => {
      if (!can('windows')) return;
      const { limiter: make, now } = subject();
      const limiter = await make({ requests: 5, perMs: 500, burst: 5 });
      const refused = await acquire(limiter);
      const end = now() + 500;
      refused.answered?.({ throttled: true, untilAt: end });
      refused.release();
      const at: number[] = [];
      const all = Array.from({ length: 3 }, async () => {
        const permit = await acquire(limiter);
        at.push(now());
        permit.answered?.({ throttled: false });
        permit.release();
      });
      await until(() => at.length === 3);
      await Promise.all(all);
      // Two intervals of 100.5 ms after the pause; a burst would leave at once.
      expect(Number(at[2]) - end).toBeGreaterThanOrEqual(195);
    });

    it('pauses for longer while refusals without a time follow each other', async () => {
      const { limiter: make, now } = subject();
      const limiter = await make({});
      const refusedAt: number[] = [];
      const chain = async () => {
        for (let n = 0; n < 3; n++) {
          const permit = await acquire(limiter);
          refusedAt.push(now());
          permit.answered?.({ throttled: n < 2 });
          permit.release();
        }
      };
      const all = chain();
      await until(() => refusedAt.length === 3);
      await all;
      // 1 s and 2 s, less up to a half.
      const [first = 0, second = 0, third = 0] = refusedAt;
      expect([second - first >= 500, third - second >= 1_000]).toEqual([true, true]);
    });

    it('pauses for a second or less after a refusal without a time, and lets one probe leave then', async () => {
      const { limiter: make, now } = subject();
      const limiter = await make({});
      const refused = await acquire(limiter);
      const from = now();
      refused.answered?.({ throttled: true });
      refused.release();
      const at: number[] = [];
      const waiting = Array.from({ length: 3 }, () =>
        acquire(limiter).then((permit) => {
          at.push(now());
          return permit;
        }),
      );
      await until(() => at.length > 0);
      await aWhile();
      expect(at).toHaveLength(1);
      expect(Number(at[0]) - from).toBeGreaterThanOrEqual(500);
      const probe = await (waiting[0] as Promise<Permit>);
      probe.answered?.({ throttled: false });
      probe.release();
      // One that learns begins at the rate that it has seen: one in that second.
      await until(() => at.length === 3);
      expect(at).toHaveLength(3);
      for (const permit of await Promise.all(waiting.slice(1))) permit.release();
    });

    it('tells at once whoever waits, or comes, that a pause is longer than it waits, and keeps the others', async () => {
      const { limiter: make, now, pass } = subject();
      const limiter = await make({ maxConcurrent: 1 });
      const first = await acquire(limiter);
      const [one, two] = [acquire(limiter, { maxPauseMs: 60_000 }), acquire(limiter, { maxPauseMs: 60_000 })];
      const order: unknown[] = [];
      const patient = [{}, { maxPauseMs: 60_000, clampsPause: true }, { maxPauseMs: 7_200_000 }].map((request, n) =>
        rejectionOf(lineUp(limiter, order, n, request)),
      );
      for (const waiting of [one, two]) waiting.catch(() => {});
      await pass(10);
      const end = now() + 3_600_000;
      first.answered?.({ throttled: true, untilAt: end });
      first.release();
      const late = await rejectionOf(acquire(limiter, { maxPauseMs: 60_000 }));
      const refused = [await rejectionOf(one), await rejectionOf(two), late];
      for (const error of refused) {
        expect(error).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG', retryAt: end });
        expect((error as Error).message).toContain(new Date(end).toISOString());
      }
      expect(new Set(refused).size).toBe(3);
      await pass(50);
      expect(order).toEqual([]);
      expect(limiter.stats()).toMatchObject({ queued: 3, running: 0 });
      await limiter.close();
      await Promise.all(patient);
    });

    it.each<[string, LimitOptions]>([
      ['no windows', {}],
      ['windows shorter than the pause', { requests: 20, perMs: 1_000 }],
    ])(
      'lets one probe leave for each maxPauseMs of a longer pause, and everybody once that is answered well: %s',
      async (_what, options) => {
        const { limiter: make, now, pass } = subject();
        const limiter = await make(options);
        limiter.pause('k', now() + 3_600_000);
        const impatient = { maxPauseMs: 1_000 };
        expect(await rejectionOf(acquire(limiter, impatient))).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
        const order: unknown[] = [];
        for (let i = 0; i < 60; i++) await pass(20);
        const probe = lineUp(limiter, order, 'probe', impatient);
        await until(() => order.length > 0);
        const other = lineUp(limiter, order, 'other', impatient);
        await aWhile();
        expect(order).toEqual(['probe']);
        const permit = await probe;
        permit.answered?.({ throttled: false });
        permit.release();
        await until(() => order.length === 2);
        (await other).release();
        expect(limiter.stats()).toMatchObject({ queued: 0, running: 0, paused: 0 });
      },
    );

    it('keeps the places of calls: the oldest goes first within a priority, whenever it asks', async () => {
      const { limiter: make, now, pass } = subject();
      const limiter = await make({ maxConcurrent: 1 });
      const first = await acquire(limiter);
      const order: unknown[] = [];
      const since = now() - 1_000;
      const waiting = [
        lineUp(limiter, order, 'young', { since: since + 500 }),
        lineUp(limiter, order, 'now'),
        lineUp(limiter, order, 'old, but can wait', { since: since - 1, priority: 1 }),
        lineUp(limiter, order, 'old', { since }),
      ];
      await pass(20);
      first.release();
      for (const acquired of waiting) acquired.then((permit) => permit.release());
      await until(() => order.length === 4);
      await Promise.all(waiting);
      expect(order).toEqual(['old', 'young', 'now', 'old, but can wait']);
    });

    it('has another call, to another path if one waits, probe after two probes in a row were refused', async () => {
      const { limiter: make, now } = subject();
      const limiter = await make({});
      const [refused, alike, other] = [{ url: '/a' }, { url: '/a' }, { url: '/b' }];
      const since = now();
      const order: unknown[] = [];
      const ask = (call: { readonly url: string }, n: number, name: string) =>
        lineUp(limiter, order, name, { call, since: since + n });
      const refuse = async (permit: Promise<Permit>) => {
        const given = await permit;
        given.answered?.({ throttled: true, untilAt: now() + 40 });
        given.release();
      };
      limiter.pause('k', now() + 40);
      let again = ask(refused, 0, 'refused');
      const rest = [ask(alike, 1, 'alike'), ask(other, 2, 'other')];
      for (let probes = 1; probes <= 2; probes++) {
        await until(() => order.length === probes);
        await refuse(again);
        again = ask(refused, 0, 'refused');
      }
      await until(() => order.length === 3);
      expect(order).toEqual(['refused', 'refused', 'other']);
      await limiter.close();
      (await (rest[1] as Promise<Permit>)).release();
    });

    it('lets a nested send in beyond maxConcurrent, or is not asked for it', async () => {
      const { limiter: make } = subject();
      const limiter = await make({ maxConcurrent: 1, maxQueue: 1 });
      if (limiter.takesNested !== true) return;
      const outer = await acquire(limiter);
      const order: unknown[] = [];
      const next = lineUp(limiter, order, 'next');
      const nested = lineUp(limiter, order, 'nested', { nested: true });
      await until(() => order.length > 0);
      expect(order).toEqual(['nested']);
      (await nested).release();
      await aWhile();
      expect(order).toEqual(['nested']);
      outer.release();
      await until(() => order.length === 2);
      (await next).release();
      expect(limiter.stats()).toMatchObject({ queued: 0, running: 0 });
    });

    it('counts a nested send in its windows', async () => {
      const { limiter: make } = subject();
      const limiter = await make({ requests: 3, perMs: 1_200_000, burst: 3 });
      if (!can('windows') || !can('nested-windows') || limiter.takesNested !== true) return;
      const order: unknown[] = [];
      const asked = [1, 2, 3, 4].map((mark) => lineUp(limiter, order, mark, { nested: true }));
      await until(() => order.length === 3);
      await aWhile();
      expect(order).toEqual([1, 2, 3]);
      for (const permit of await Promise.all(asked.slice(0, 3))) permit.release();
    });

    it('refuses a weight that no window ever holds with a RangeError', async () => {
      if (!can('windows')) return;
      const { limiter: make } = subject();
      const limiter = await make({
        requests: 3,
        perMs: 50,
        burst: 2,
        windows: [{ requests: 9, perMs: 500 }],
      });
      expect(await rejectionOf(acquire(limiter, { weight: 5 }))).toBeInstanceOf(RangeError);
      const most = acquire(limiter, { weight: 4 });
      await until(() => limiter.stats().queued === 0);
      (await most).release();
    });

    it('lets a weight leave when all of it is due, and not before; who is lighter and came later waits behind it', async () => {
      if (!can('windows')) return;
      const { limiter: make } = subject();
      // Three at once, and then one in twenty minutes.
      const limiter = await make({ requests: 3, perMs: 3_600_000, burst: 3 });
      const order: unknown[] = [];
      const asked = [2, 2, 1].map((weight) => lineUp(limiter, order, weight, { weight }));
      await until(() => order.length > 0);
      await aWhile();
      // One is left, and the second of two needs both.
      expect(order).toEqual([2]);
      (await (asked[0] as Promise<Permit>)).release();
    });

    it('gives back what a send did not cost after all, and lets go who waits for it', async () => {
      if (!can('windows')) return;
      const { limiter: make } = subject();
      const limiter = await make({ requests: 10, perMs: 3_600_000, burst: 10 });
      const first = await acquire(limiter, { weight: 10 });
      const order: unknown[] = [];
      const asked = [3, 4, 1].map((weight) => lineUp(limiter, order, weight, { weight }));
      await aWhile();
      expect(order).toEqual([]);
      first.answered?.({ throttled: false, cost: 3 });
      first.answered?.({ throttled: false, cost: 3 });
      first.release();
      await until(() => order.length === 2);
      await aWhile();
      expect(order).toEqual([3, 4]);
      for (const permit of await Promise.all(asked.slice(0, 2))) permit.release();
    });

    it('charges what a send cost more than it weighs, though no more than a window ever holds', async () => {
      if (!can('windows')) return;
      const { limiter: make, pass } = subject();
      const limiter = await make({
        requests: 10,
        perMs: 3_600_000,
        burst: 10,
        windows: [{ requests: 100, perMs: 1_000 }],
      });
      const first = await acquire(limiter);
      first.answered?.({ throttled: false, cost: 8 });
      first.release();
      for (let i = 0; i < 10; i++) await pass(20);
      const order: unknown[] = [];
      const asked = [1, 2, 3].map((mark) => lineUp(limiter, order, mark));
      await until(() => order.length === 2);
      await aWhile();
      expect(order).toEqual([1, 2]);
      for (const permit of await Promise.all(asked.slice(0, 2))) permit.release();
    });

    it('takes a permit that was dropped for one that was never given: no quota is used by what is never sent', async () => {
      if (!can('windows')) return;
      const { limiter: make, pass } = subject();
      const limiter = await make({ requests: 3, perMs: 1_200_000, burst: 3 });
      for (let i = 0; i < 3; i++) {
        const permit = await acquire(limiter);
        await pass(5);
        permit.drop?.();
        permit.release();
        await pass(50);
      }
      const order: unknown[] = [];
      const asked = [1, 2, 3, 4].map((mark) => lineUp(limiter, order, mark));
      await until(() => order.length === 3);
      await aWhile();
      expect(order).toEqual([1, 2, 3]);
      for (const permit of await Promise.all(asked.slice(0, 3))) permit.release();
    });

    it('lets the next in at once when a permit is dropped', async () => {
      const { limiter: make, pass } = subject();
      const limiter = await make({ maxConcurrent: 1 });
      const first = await acquire(limiter);
      const next = acquire(limiter);
      first.drop?.();
      first.drop?.();
      first.release();
      await pass(30);
      (await next).release();
      await pass(10);
      expect(limiter.stats()).toMatchObject({ queued: 0, running: 0 });
    });

    it('lets those who wait out by new numbers, in their places, if it takes any', async () => {
      if (!can('windows')) return;
      const { limiter: make, now, pass } = subject();
      const limiter = await make({ requests: 1, perMs: 600_000, maxConcurrent: 1 });
      if (limiter.update === undefined) return;
      const first = await acquire(limiter);
      const since = now();
      const order: unknown[] = [];
      const waiting = [lineUp(limiter, order, 'young', { since: since + 1 }), lineUp(limiter, order, 'old', { since })];
      await pass(50);
      limiter.update({ maxConcurrent: 5 });
      await pass(50);
      expect(order).toEqual([]);
      limiter.update({ requests: 10, perMs: 100 });
      await until(() => order.length === 2);
      expect(order).toEqual(['old', 'young']);
      first.answered?.({ throttled: false });
      first.drop?.();
      for (const permit of await Promise.all(waiting)) permit.release();
      expect(limiter.stats()).toMatchObject({ queued: 0, running: 0 });
    });

    it('refuses who waits, and who comes, when it is closed; permits that are out can still be released', async () => {
      const { limiter: make, pass } = subject();
      const limiter = await make({ maxConcurrent: 1 });
      const unhandled = await unhandledDuring(async () => {
        const first = await acquire(limiter);
        const waiting = acquire(limiter);
        const also = acquire(limiter);
        for (const acquired of [waiting, also]) acquired.catch(() => {});
        await pass(5);
        await limiter.close();
        await limiter.close();
        const errors = [await rejectionOf(waiting), await rejectionOf(also), await rejectionOf(acquire(limiter))];
        for (const error of errors) expect(error).toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
        // Of each its own.
        expect(new Set(errors).size).toBe(3);
        first.answered?.({ throttled: false });
        first.release();
      });
      expect(unhandled).toEqual([]);
    });
  });
}
