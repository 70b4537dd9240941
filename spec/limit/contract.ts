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
  /** What the engine cannot do, by its nature: the README says so. */
  readonly cannot?: readonly ('maxWaitMs' | 'queue-bound' | 'keys' | 'windows')[];
}

/** What every engine behind the port does. */
export function limiterContract(name: string, subject: () => Subject): void {
  describe(name, () => {
    const acquire = async (limiter: Limiter, request: Partial<PermitRequest> = {}): Promise<Permit> =>
      limiter.acquire({ key: 'k', ...request });
    const can = (what: NonNullable<Subject['cannot']>[number]) => !subject().cannot?.includes(what);

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
      if (!can('queue-bound')) return;
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
      if (!can('maxWaitMs')) return;
      const { limiter: make, pass } = subject();
      const limiter = await make({ maxConcurrent: 1, maxWaitMs: 40 });
      const first = await acquire(limiter);
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
      const until = now() + 120;
      limiter.pause('k', until);
      const at: number[] = [];
      const waiting = Array.from({ length: 3 }, async () => {
        const permit = await acquire(limiter);
        at.push(now());
        permit.answered?.({ throttled: false });
        permit.release();
      });
      await pass(60);
      expect(at).toEqual([]);
      for (let i = 0; i < 10; i++) await pass(20);
      await Promise.all(waiting);
      expect(Math.min(...at)).toBeGreaterThanOrEqual(until);
    });

    it('pauses the bucket when an answer names a time, though other sends were admitted', async () => {
      const { limiter: make, now, pass } = subject();
      const limiter = await make({ maxConcurrent: 2 });
      const [one, two] = [await acquire(limiter), await acquire(limiter)];
      const until = now() + 100;
      one.answered?.({ throttled: true, untilAt: until });
      one.release();
      two.answered?.({ throttled: false });
      two.release();
      let at = 0;
      const next = acquire(limiter).then((permit) => {
        at = now();
        permit.release();
      });
      await pass(50);
      expect(at).toBe(0);
      for (let i = 0; i < 6; i++) await pass(20);
      await next;
      expect(at).toBeGreaterThanOrEqual(until);
    });

    it('does not shorten a pause by a shorter one', async () => {
      const { limiter: make, now, pass } = subject();
      const limiter = await make({});
      const until = now() + 100;
      limiter.pause('k', until);
      limiter.pause('k', now() + 10);
      let at = 0;
      const next = acquire(limiter).then((permit) => {
        at = now();
        permit.release();
      });
      for (let i = 0; i < 8; i++) await pass(20);
      await next;
      expect(at).toBeGreaterThanOrEqual(until);
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
      await pass(30);
      expect(order).toEqual(['a']);
      (await a).release();
    });

    it('keeps buckets apart', async () => {
      if (!can('keys')) return;
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
        const { limiter: make, now, pass } = subject();
        const hour = { requests: 5_000, perMs: 3_600_000, burst: 5_000 };
        const limiter = await make({ windows: [{ requests: 50, perMs: 1_000 }, hour] });
        const refused = await acquire(limiter);
        if (pauseMs === 100) limiter.pause('k', now() + pauseMs);
        else refused.answered?.({ throttled: true, untilAt: pauseMs && now() + pauseMs });
        refused.release();
        // At the pace of the hour, one in 0.72 s, they would take 14 s.
        let given = 0;
        const all = Array.from({ length: 20 }, async () => {
          const permit = await acquire(limiter);
          given += 1;
          permit.release();
        });
        for (let i = 0; i < 200 && given < 20; i++) await pass(20);
        expect(given).toBe(20);
        await Promise.all(all);
      });
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
      for (let i = 0; i < 10; i++) await pass(20);
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

    it('refuses who waits, and who comes, when it is closed; permits that are out can still be released', async () => {
      const { limiter: make, pass } = subject();
      const limiter = await make({ maxConcurrent: 1 });
      const unhandled = await unhandledDuring(async () => {
        const first = await acquire(limiter);
        const waiting = acquire(limiter);
        waiting.catch(() => {});
        await pass(5);
        await limiter.close();
        await limiter.close();
        expect(await rejectionOf(waiting)).toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
        expect(await rejectionOf(acquire(limiter))).toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
        first.answered?.({ throttled: false });
        first.release();
      });
      expect(unhandled).toEqual([]);
    });
  });
}
