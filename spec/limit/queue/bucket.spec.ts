import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { LimitError } from '../../../lib/failure/errors.ts';
import type { Answer, Permit, PermitRequest } from '../../../lib/limit/limiter.ts';
import { type Bounds, Turnstile } from '../../../lib/limit/queue/bucket.ts';
import type { Pace } from '../../../lib/limit/queue/pacer.ts';
import { MAX_TIMER_MS } from '../../../lib/time/clock.ts';
import { rejectionOf } from '../../support/attached.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';

const DAY_MS = 86_400_000;

/** A pace that does what the test says, and writes down what it is told. */
class Scripted implements Pace<number> {
  atOnce = Number.POSITIVE_INFINITY;
  from = Number.NEGATIVE_INFINITY;
  until = Number.NEGATIVE_INFINITY;
  fresh = true;
  readonly asked: { readonly wanted: number; readonly weight: number }[] = [];
  readonly told: unknown[] = [];
  #left = 0;

  nextAt(_nowMs: number, wanted: number, weight: number): number {
    this.asked.push({ wanted, weight });
    return Math.max(this.from, this.until);
  }

  earliest(): number {
    return this.until;
  }

  leave(_nowMs: number, weight: number, waited: boolean): number {
    this.#left += 1;
    this.told.push({ left: this.#left, weight, waited });
    return this.#left;
  }

  answered(_nowMs: number, leave: number, answer: Answer): void {
    this.told.push({ answered: leave, ...answer });
    if (answer.untilAt !== undefined) this.until = Math.max(this.until, answer.untilAt);
  }

  ended(_nowMs: number, leave: number): void {
    this.told.push({ ended: leave });
  }

  pause(_nowMs: number, untilAt: number): void {
    this.until = Math.max(this.until, untilAt);
  }

  pausedUntil(): number {
    return this.until;
  }

  isFresh(): boolean {
    return this.fresh;
  }

  resume(nowMs: number): void {
    this.until = Math.min(this.until, nowMs);
  }
}

function made(bounds: Partial<Bounds> = {}, clock = new ManualClock()) {
  const pace = new Scripted();
  const all = { maxConcurrent: Number.POSITIVE_INFINITY, maxQueue: 10, maxWaitMs: Number.POSITIVE_INFINITY, ...bounds };
  const turnstile = new Turnstile(all, clock, pace);
  const ask = async (request: Partial<PermitRequest> = {}): Promise<Permit> =>
    turnstile.acquire({ key: 'k', ...request });
  return { clock, pace, turnstile, ask };
}

/** What has happened to it so far. */
function watched<T>(promise: Promise<T>): { settled: 'given' | unknown } {
  const state: { settled: unknown } = { settled: undefined };
  promise.then(
    () => {
      state.settled = 'given';
    },
    (error: unknown) => {
      state.settled = error;
    },
  );
  return state;
}

describe(Turnstile.name, () => {
  it('tells the pace how many permits could be used: all that wait, as far as maxConcurrent has room', async () => {
    const { pace, turnstile, ask } = made({ maxConcurrent: 3 });
    expect(turnstile.wanted).toBe(0);
    await ask({ weight: 7 });
    expect(pace.asked.splice(0)).toEqual([{ wanted: 7, weight: 7 }]);
    pace.from = Number.POSITIVE_INFINITY;
    const waiting = [ask({ weight: 2 }), ask({ weight: 5 }), ask({ weight: 1, priority: 1 })].map(watched);
    expect(turnstile.wanted).toBe(2 * 2);
    pace.asked.splice(0);
    turnstile.wake();
    expect(pace.asked).toEqual([{ wanted: 4, weight: 2 }]);
    pace.from = 0;
    turnstile.wake();
    await settle();
    expect(waiting.map(({ settled }) => settled)).toEqual(['given', 'given', undefined]);
    expect(turnstile.wanted).toBe(0);
  });

  it('counts as wanted what waits, while there is room, and no more what has left or was refused', async () => {
    const { pace, turnstile, ask } = made();
    pace.from = Number.POSITIVE_INFINITY;
    const controller = new AbortController();
    const gone = rejectionOf(ask({ weight: 4, signal: controller.signal }));
    const next = ask({ weight: 2 });
    const last = ask({ weight: 1 });
    expect(turnstile.wanted).toBe(7);
    controller.abort();
    await gone;
    expect(turnstile.wanted).toBe(3);
    pace.from = 0;
    turnstile.wake();
    await Promise.all([next, last]);
    expect(turnstile.wanted).toBe(0);
  });

  it('tells the pace of each send that it left, was answered and is over, and of no release twice', async () => {
    const { pace, ask } = made();
    const permit = await ask({ weight: 2 });
    permit.answered?.({ throttled: true });
    permit.release();
    permit.release();
    permit.answered?.({ throttled: false });
    expect(pace.told).toEqual([
      { left: 1, weight: 2, waited: false },
      { answered: 1, throttled: true, untilAt: undefined, quota: undefined },
      { ended: 1 },
    ]);
  });

  it('tells the pace who stood in line', async () => {
    const { clock, pace, ask } = made();
    pace.from = clock.now() + 100;
    await clock.run(ask());
    expect(pace.told).toEqual([{ left: 1, weight: 1, waited: true }]);
  });

  it('lets as many leave in one turn as the pace says, and the next a millisecond later', async () => {
    const { clock, pace, ask } = made({ maxQueue: 100 });
    pace.atOnce = 3;
    pace.from = clock.now() + 10;
    const waiting = Array.from({ length: 7 }, () => watched(ask()));
    const given = () => waiting.filter(({ settled }) => settled === 'given').length;
    await clock.advance(9);
    expect(given()).toBe(0);
    await clock.advance(1);
    expect(given()).toBe(3);
    await clock.advance(1);
    expect(given()).toBe(6);
    await clock.advance(1);
    expect(given()).toBe(7);
  });

  it('holds no timer once those who waited have left', async () => {
    const { clock, pace, ask } = made();
    pace.from = clock.now() + 10;
    const next = ask({ signal: new AbortController().signal, deadlineAt: clock.now() + 1_000 });
    expect(clock.pending).toBe(2);
    await clock.advance(10);
    await next;
    expect(clock.pending).toBe(0);
  });

  it('has one timer for everybody, set anew only where the time has changed', async () => {
    const clock = new ManualClock();
    const { pace, ask } = made({}, clock);
    pace.from = clock.now() + 10;
    const waiting = [ask(), ask(), ask()];
    expect(clock.pending).toBe(1);
    expect(clock.asked).toEqual([10]);
    await clock.advance(10);
    await Promise.all(waiting);
  });

  describe('refuses', () => {
    it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('a weight of %d', async (weight) => {
      const error = await rejectionOf(made().ask({ weight }));
      expect(error).toEqual(new RangeError(`weight must be an integer of at least 1, got ${weight}`));
    });

    it('who comes when the queue is full, naming the option', async () => {
      const { turnstile, ask } = made({ maxConcurrent: 1, maxQueue: 0 });
      await ask();
      const full = new LimitError('ERR_LIMIT_QUEUE_FULL', 'limit.maxQueue: 0 sends are waiting already');
      expect(await rejectionOf(ask())).toEqual(full);
      expect(turnstile.queued).toBe(0);
    });

    it("who has waited for the limiter's maxWaitMs, or for its own, naming the option", async () => {
      const { clock, ask } = made({ maxConcurrent: 1, maxWaitMs: 50 });
      await ask();
      const [usual, own] = [watched(ask()), watched(ask({ maxWaitMs: 20 }))];
      await clock.advance(19);
      expect(own.settled).toBeUndefined();
      await clock.advance(1);
      const overdue = (ms: number) =>
        new LimitError('ERR_LIMIT_WAIT_TOO_LONG', `limit.maxWaitMs: no permit within ${ms} ms`);
      expect([own.settled, usual.settled]).toEqual([overdue(20), undefined]);
      await clock.advance(30);
      expect(usual.settled).toEqual(overdue(50));
      expect(clock.pending).toBe(0);
    });

    it('who has reached the deadline of its call; where both end together, the deadline', async () => {
      const { clock, ask } = made({ maxConcurrent: 1, maxWaitMs: 50 });
      await ask();
      const late = [watched(ask({ deadlineAt: clock.now() + 20 })), watched(ask({ deadlineAt: clock.now() + 50 }))];
      await clock.advance(50);
      const overdue = new LimitError('ERR_LIMIT_DEADLINE', 'deadlineMs: no permit before the deadline of the call');
      expect(late).toEqual([{ settled: overdue }, { settled: overdue }]);
    });

    it('at once who could only leave too late, and nobody who could leave in the very last moment', async () => {
      const { clock, pace, ask } = made({ maxWaitMs: 50 });
      pace.until = clock.now() + 50;
      expect(watched(ask())).toEqual({ settled: undefined });
      expect(await rejectionOf(ask({ maxWaitMs: 49 }))).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
      await clock.advance(50);
    });

    it('at a pause those whose time ends before it, and leaves the others in line', async () => {
      const { clock, turnstile, ask } = made({ maxConcurrent: 1 });
      await ask();
      const within = (ms: number) => watched(ask({ deadlineAt: clock.now() + ms }));
      const [early, exact, patient, endless] = [within(99), within(100), within(101), watched(ask())];
      turnstile.pause(clock.now() + 100);
      await settle();
      expect(early?.settled).toMatchObject({ code: 'ERR_LIMIT_DEADLINE' });
      expect([exact, patient, endless].map((each) => each?.settled)).toEqual([undefined, undefined, undefined]);
    });

    it('so too when the pause comes with an answer, and only if it is one', async () => {
      const { clock, ask } = made({ maxConcurrent: 1 });
      const first = await ask();
      const waiting = watched(ask({ deadlineAt: clock.now() + 50 }));
      first.answered?.({ throttled: false });
      await settle();
      expect(waiting.settled).toBeUndefined();
      first.answered?.({ throttled: true, untilAt: clock.now() + 100 });
      await settle();
      expect(waiting.settled).toMatchObject({ code: 'ERR_LIMIT_DEADLINE' });
    });

    it('who is named, or whoever is first where that one waits no more, or nobody', async () => {
      const { pace, turnstile, ask } = made();
      pace.from = Number.POSITIVE_INFINITY;
      const error = new Error('lost');
      const states = [watched(ask()), watched(ask()), watched(ask())];
      const [, second] = [...turnstile.waiting];
      for (let i = 0; i < 2; i++) turnstile.refuse(second as never, error);
      await settle();
      expect(states.map(({ settled }) => settled)).toEqual([error, error, undefined]);
      turnstile.refuse(second as never, error);
      turnstile.refuse(second as never, error);
      await settle();
      expect(states[2]?.settled).toBe(error);
      expect(turnstile.queued).toBe(0);
    });

    it('everybody, and leaves no timer and no listener', async () => {
      const { clock, pace, turnstile, ask } = made();
      pace.from = clock.now() + 10;
      const { signal } = new AbortController();
      const waiting = [ask({ signal }), ask({ deadlineAt: clock.now() + 1_000 }), ask()].map(rejectionOf);
      turnstile.refuseAll(() => new Error('closed'));
      const errors = await Promise.all(waiting);
      expect(errors).toEqual([new Error('closed'), new Error('closed'), new Error('closed')]);
      expect(new Set(errors).size).toBe(3);
      expect(clock.pending).toBe(0);
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    });
  });

  it('waits for a bound that no timer of the platform reaches', async () => {
    const clock = new ManualClock();
    const { ask } = made({ maxConcurrent: 1, maxWaitMs: 2 * MAX_TIMER_MS + 5 }, clock);
    await ask();
    const late = watched(ask());
    await clock.advance(2 * MAX_TIMER_MS + 4);
    expect(late.settled).toBeUndefined();
    await clock.advance(1);
    expect(late.settled).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
  });

  it('is paused until the instant of the pause, for a day at most, and not by nonsense', () => {
    const { clock, pace, turnstile } = made();
    const now = clock.now();
    turnstile.pause(Number.NaN);
    turnstile.pause(now - 5);
    expect([pace.until, turnstile.isPaused]).toEqual([now, false]);
    turnstile.pause(now + 5);
    expect([pace.until, turnstile.isPaused]).toEqual([now + 5, true]);
    clock.jump(5);
    expect(turnstile.isPaused).toBe(false);
    turnstile.pause(Number.POSITIVE_INFINITY);
    expect(pace.until).toBe(now + 5 + DAY_MS);
  });

  describe('may be forgotten', () => {
    it('when nobody runs and nobody waits, if it would be the same made anew', async () => {
      const { pace, turnstile, ask } = made({ maxConcurrent: 1 });
      expect(turnstile.isIdle).toBe(true);
      const permit = await ask();
      expect(turnstile.isIdle).toBe(false);
      permit.release();
      expect(turnstile.isIdle).toBe(true);
      pace.from = Number.POSITIVE_INFINITY;
      const waiting = rejectionOf(ask());
      expect(turnstile.isIdle).toBe(false);
      turnstile.refuseAll(() => new Error('closed'));
      await waiting;
      expect(turnstile.isIdle).toBe(true);
    });

    it('ten minutes after its last use and its last pause, whatever it has learnt', async () => {
      const { clock, pace, turnstile, ask } = made();
      pace.fresh = false;
      (await ask()).release();
      clock.jump(600_000);
      expect(turnstile.isIdle).toBe(false);
      clock.jump(1);
      expect(turnstile.isIdle).toBe(true);
      turnstile.pause(clock.now() + 10);
      clock.jump(600_010);
      expect(turnstile.isIdle).toBe(false);
      clock.jump(1);
      expect(turnstile.isIdle).toBe(true);
    });
  });
});
