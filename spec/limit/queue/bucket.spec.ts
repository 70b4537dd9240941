import { getEventListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { LimitError } from '../../../lib/failure/errors.ts';
import type { Answer, Permit, PermitRequest, Standing } from '../../../lib/limit/limiter.ts';
import { type Bounds, Bucket } from '../../../lib/limit/queue/bucket.ts';
import type { Pacer } from '../../../lib/limit/queue/pacer.ts';
import { MAX_TIMER_MS } from '../../../lib/time/clock.ts';
import { rejectionOf } from '../../support/attached.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';

const DAY_MS = 86_400_000;

/** A pacer that does what the test says, and writes down what it is told. */
class Scripted implements Pacer<number> {
  atOnce = Number.POSITIVE_INFINITY;
  from = Number.NEGATIVE_INFINITY;
  /** What it says is the earliest, and until when it pauses by what it has learnt. */
  least = Number.NEGATIVE_INFINITY;
  learntUntil: number | undefined;
  fresh = true;
  readonly asked: { readonly wanted: number; readonly weight: number }[] = [];
  readonly told: unknown[] = [];
  #left = 0;

  nextAt(_nowMs: number, wanted: number, weight: number): number {
    this.asked.push({ wanted, weight });
    return this.from;
  }

  earliest(): number {
    return this.least;
  }

  send(_nowMs: number, weight: number, waited: boolean): number {
    this.#left += 1;
    this.told.push({ left: this.#left, weight, waited });
    return this.#left;
  }

  answered(_nowMs: number, handle: number, answer: Answer): number | undefined {
    this.told.push({ answered: handle, ...answer });
    return this.learntUntil;
  }

  ended(_nowMs: number, handle: number): void {
    this.told.push({ ended: handle });
  }

  paused(nowMs: number, untilAt: number): void {
    this.told.push({ pausedForMs: untilAt - nowMs });
  }

  isFresh(): boolean {
    return this.fresh;
  }

  resumed(): void {
    this.told.push('resumed');
  }
}

function made(bounds: Partial<Bounds> = {}, clock = new ManualClock()) {
  const pacer = new Scripted();
  const all = { maxConcurrent: Number.POSITIVE_INFINITY, maxQueue: 10, maxWaitMs: Number.POSITIVE_INFINITY, ...bounds };
  const bucket = new Bucket(all, clock, pacer, () => 1);
  const ask = async (request: Partial<PermitRequest> = {}): Promise<Permit> => bucket.acquire({ key: 'k', ...request });
  return { clock, pacer, bucket, ask };
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

describe(Bucket.name, () => {
  it('tells the pacer how many sends could leave: all that wait, as far as maxConcurrent has room', async () => {
    const { pacer, bucket, ask } = made({ maxConcurrent: 3 });
    expect(bucket.wanted).toBe(0);
    await ask({ weight: 7 });
    expect(pacer.asked.splice(0)).toEqual([{ wanted: 1, weight: 7 }]);
    pacer.from = Number.POSITIVE_INFINITY;
    const waiting = [ask({ weight: 2 }), ask({ weight: 5 }), ask({ weight: 1, priority: 1 })].map(watched);
    expect(bucket.wanted).toBe(2);
    pacer.asked.splice(0);
    bucket.wake();
    expect(pacer.asked).toEqual([{ wanted: 2, weight: 2 }]);
    pacer.from = 0;
    bucket.wake();
    await settle();
    expect(waiting.map(({ settled }) => settled)).toEqual(['given', 'given', undefined]);
    expect(bucket.wanted).toBe(0);
  });

  it('counts as wanted what waits, while there is room, and no more what has left or was refused', async () => {
    const { pacer, bucket, ask } = made();
    pacer.from = Number.POSITIVE_INFINITY;
    const controller = new AbortController();
    const gone = rejectionOf(ask({ weight: 4, signal: controller.signal }));
    const next = ask({ weight: 2 });
    const last = ask({ weight: 1 });
    expect(bucket.wanted).toBe(3);
    controller.abort();
    await gone;
    expect(bucket.wanted).toBe(2);
    pacer.from = 0;
    bucket.wake();
    await Promise.all([next, last]);
    expect(bucket.wanted).toBe(0);
  });

  it('tells the pacer of each send that it left, was answered and is over, and of no release twice', async () => {
    const { pacer, ask } = made();
    const permit = await ask({ weight: 2 });
    permit.answered?.({ throttled: true });
    permit.release();
    permit.release();
    permit.answered?.({ throttled: false });
    expect(pacer.told).toEqual([
      { left: 1, weight: 2, waited: false },
      { answered: 1, throttled: true, untilAt: undefined, quota: undefined },
      { pausedForMs: 1_000 },
      { ended: 1 },
    ]);
  });

  it('tells the pacer who waited', async () => {
    const { clock, pacer, ask } = made();
    pacer.from = clock.now() + 100;
    await clock.run(ask());
    expect(pacer.told).toEqual([{ left: 1, weight: 1, waited: true }]);
  });

  it('lets as many leave in one turn as the pacer says, and the next a millisecond later', async () => {
    const { clock, pacer, ask } = made({ maxQueue: 100 });
    pacer.atOnce = 3;
    pacer.from = clock.now() + 10;
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
    const { clock, pacer, ask } = made();
    pacer.from = clock.now() + 10;
    const next = ask({ signal: new AbortController().signal, deadlineAt: clock.now() + 1_000 });
    expect(clock.pending).toBe(2);
    await clock.advance(10);
    await next;
    expect(clock.pending).toBe(0);
  });

  it('has one timer for everybody, set anew only where the time has changed', async () => {
    const clock = new ManualClock();
    const { pacer, ask } = made({}, clock);
    pacer.from = clock.now() + 10;
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
      const { bucket, ask } = made({ maxConcurrent: 1, maxQueue: 0 });
      await ask();
      const full = new LimitError('ERR_LIMIT_QUEUE_FULL', 'limit.maxQueue: 0 sends are waiting already');
      expect(await rejectionOf(ask())).toEqual(full);
      expect(bucket.queued).toBe(0);
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
      const { clock, pacer, ask } = made({ maxWaitMs: 50 });
      pacer.from = pacer.least = clock.now() + 50;
      expect(watched(ask())).toEqual({ settled: undefined });
      expect(await rejectionOf(ask({ maxWaitMs: 49 }))).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
      await clock.advance(50);
    });

    it('at a pause those whose time ends before it, and leaves the others in the queue', async () => {
      const { clock, bucket, ask } = made({ maxConcurrent: 1 });
      await ask();
      const within = (ms: number) => watched(ask({ deadlineAt: clock.now() + ms }));
      const [early, exact, patient, endless] = [within(99), within(100), within(101), watched(ask())];
      bucket.pause(clock.now() + 100);
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
      const { pacer, bucket, ask } = made();
      pacer.from = Number.POSITIVE_INFINITY;
      const error = new Error('lost');
      const states = [watched(ask()), watched(ask()), watched(ask())];
      const [, second] = [...bucket.waiting];
      for (let i = 0; i < 2; i++) bucket.refuse(second as never, error);
      await settle();
      expect(states.map(({ settled }) => settled)).toEqual([error, error, undefined]);
      bucket.refuse(second as never, error);
      bucket.refuse(second as never, error);
      await settle();
      expect(states[2]?.settled).toBe(error);
      expect(bucket.queued).toBe(0);
    });

    it('everybody, and leaves no timer and no listener', async () => {
      const { clock, pacer, bucket, ask } = made();
      pacer.from = clock.now() + 10;
      const { signal } = new AbortController();
      const waiting = [ask({ signal }), ask({ deadlineAt: clock.now() + 1_000 }), ask()].map(rejectionOf);
      bucket.refuseAll(() => new Error('closed'));
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
    const { clock, pacer, bucket } = made();
    const now = clock.now();
    bucket.pause(Number.NaN);
    bucket.pause(now - 5);
    expect([pacer.told, bucket.isPaused]).toEqual([[], false]);
    bucket.pause(now + 5);
    expect([bucket.pausedUntil, bucket.isPaused]).toEqual([now + 5, true]);
    clock.jump(5);
    expect(bucket.isPaused).toBe(false);
    bucket.pause(Number.POSITIVE_INFINITY);
    expect(bucket.pausedUntil).toBe(now + 5 + DAY_MS);
  });

  describe('owns the pause', () => {
    it('and tells the pacer of each that began or grew longer, so that nothing is asked of it meanwhile', async () => {
      const { clock, pacer, bucket, ask } = made();
      bucket.pause(clock.now() + 100);
      bucket.pause(clock.now() + 50);
      bucket.pause(clock.now() + 200);
      const next = watched(ask());
      expect(pacer.told).toEqual([{ pausedForMs: 100 }, { pausedForMs: 200 }]);
      expect(pacer.asked).toEqual([]);
      await clock.advance(200);
      expect(next.settled).toBe('given');
    });

    it('also where the pacer has learnt of it by an answer, or elsewhere, and need not be told', async () => {
      const { clock, pacer, bucket, ask } = made();
      const first = await ask();
      pacer.told.splice(0);
      pacer.learntUntil = clock.now() + 100;
      first.answered?.({ throttled: false });
      expect(bucket.pausedUntil).toBe(clock.now() + 100);
      bucket.heldByPacer(clock.now() + 150);
      expect(bucket.pausedUntil).toBe(clock.now() + 150);
      expect(pacer.told).toEqual([expect.objectContaining({ answered: 1 })]);
      const late = await rejectionOf(ask({ deadlineAt: clock.now() + 149 }));
      expect(late).toMatchObject({ code: 'ERR_LIMIT_DEADLINE' });
    });

    it('and ends it for a probe', async () => {
      const { clock, pacer, bucket, ask } = made();
      bucket.pause(clock.now() + 60_000);
      clock.jump(1_000);
      await ask({ maxPauseMs: 1_000 });
      expect(pacer.told).toEqual([{ pausedForMs: 60_000 }, 'resumed', { left: 1, weight: 1, waited: false }]);
      expect(bucket.isPaused).toBe(false);
    });
  });

  describe('tells who waits where it stands', () => {
    /** Has one wait, and gives how to ask where it stands, and how to have it leave. */
    const waits = (bucket: ReturnType<typeof made>['bucket'], request: Partial<PermitRequest> = {}) => {
      let standing: () => Standing = () => ({ place: 0, of: 0, untilAt: undefined, why: 'waits for nothing' });
      let leave: (() => void) | undefined;
      const queued: PermitRequest['queued'] = (where, go) => {
        [standing, leave] = [where, go];
      };
      const state = watched(Promise.resolve(bucket.acquire({ key: 'k', ...request, queued })));
      return { state, standing: () => standing(), leave: () => leave?.() };
    };
    const timeOf = (at: number) => new Date(at).toISOString().slice(-13);

    it('for the end of a pause', () => {
      const { clock, bucket } = made({ maxConcurrent: 1 });
      bucket.pause(clock.wall() + 500);
      const untilAt = clock.wall() + 500;
      const why = `paused until ${timeOf(untilAt)}, place 1 of 1 in the queue`;
      expect(waits(bucket).standing()).toEqual({ place: 1, of: 1, untilAt, why });
    });

    it('for room, of which nobody knows when there is some', async () => {
      const { bucket, ask } = made({ maxConcurrent: 1 });
      await ask();
      const [, second] = [waits(bucket), waits(bucket)];
      const why = 'limit.maxConcurrent (1) is reached, place 2 of 2 in the queue';
      expect(second.standing()).toEqual({ place: 2, of: 2, untilAt: undefined, why });
    });

    it('for its turn: not before the first, for whom there is a timer, nor before the pacer would let it', () => {
      const { clock, pacer, bucket } = made();
      pacer.from = clock.now() + 50;
      const [first, second] = [waits(bucket), waits(bucket)];
      const at = clock.wall() + 50;
      const why = `its turn comes at ${timeOf(at)} or later, place 2 of 2 in the queue`;
      expect(first.standing()).toMatchObject({ place: 1, untilAt: at });
      expect(second.standing()).toEqual({ place: 2, of: 2, untilAt: at, why });
      pacer.least = clock.now() + 90;
      expect(second.standing()).toMatchObject({ untilAt: clock.wall() + 90 });
    });

    it('for others to be answered', async () => {
      const { clock, pacer, bucket } = made();
      pacer.from = Number.POSITIVE_INFINITY;
      const one = waits(bucket);
      expect(one.standing()).toMatchObject({ untilAt: undefined, why: expect.stringMatching(/^others go first, or/) });
      pacer.from = Number.NEGATIVE_INFINITY;
      bucket.pause(clock.wall() + 10);
      await clock.advance(10);
      expect(one.state.settled).toBe('given');
      // The probe is out.
      const next = waits(bucket);
      const why = 'after a pause those that have left have to be answered first, place 1 of 1 in the queue';
      expect(next.standing()).toEqual({ place: 1, of: 1, untilAt: undefined, why });
    });

    it('and lets it go where its caller has gone, once', async () => {
      const { bucket, ask } = made({ maxConcurrent: 1 });
      const first = await ask();
      const [one, two] = [waits(bucket), waits(bucket)];
      one.leave();
      one.leave();
      await settle();
      expect(bucket.queued).toBe(1);
      first.release();
      await settle();
      two.leave();
      expect(two.state.settled).toBe('given');
      expect(bucket.running).toBe(1);
    });
  });

  describe('has sends within another', () => {
    it('go first, past maxConcurrent and the steps after a pause, and in their own order', async () => {
      const { clock, pacer, bucket, ask } = made({ maxConcurrent: 1 });
      await ask();
      pacer.from = Number.POSITIVE_INFINITY;
      const outer = watched(ask());
      const inner = [watched(ask({ nested: true })), watched(ask({ nested: true }))];
      expect([bucket.queued, bucket.wanted]).toEqual([3, 2]);
      pacer.from = Number.NEGATIVE_INFINITY;
      bucket.wake();
      await settle();
      expect([inner[0]?.settled, inner[1]?.settled, outer.settled]).toEqual(['given', 'given', undefined]);
      expect([bucket.running, bucket.queued]).toEqual([3, 1]);
      bucket.pause(clock.now() + 10);
      clock.jump(10);
      expect(watched(ask({ nested: true }))).toEqual({ settled: undefined });
      await settle();
      expect(bucket.running).toBe(4);
    });

    it('count against a queue of their own', async () => {
      const { pacer, ask } = made({ maxQueue: 1 });
      pacer.from = Number.POSITIVE_INFINITY;
      watched(ask());
      watched(ask({ nested: true }));
      for (const nested of [false, true])
        expect(await rejectionOf(ask({ nested }))).toMatchObject({ code: 'ERR_LIMIT_QUEUE_FULL' });
    });

    it('are refused with the others', async () => {
      const { clock, pacer, bucket, ask } = made();
      pacer.from = Number.POSITIVE_INFINITY;
      const late = rejectionOf(ask({ nested: true, deadlineAt: clock.now() + 50 }));
      bucket.pause(clock.now() + 100);
      expect(await late).toMatchObject({ code: 'ERR_LIMIT_DEADLINE' });
      const heavy = rejectionOf(ask({ nested: true, weight: 5 }));
      bucket.update({ maxConcurrent: 1, maxQueue: 10, maxWaitMs: 1e9, maxWeight: 4 }, (same) => same);
      expect(await heavy).toBeInstanceOf(RangeError);
    });
  });

  it('names in an error until when it is paused, and how long its caller waits at most', async () => {
    const { clock, bucket, ask } = made();
    bucket.pause(clock.wall() + 90_000.4);
    const retryAt = Math.ceil(clock.wall() + 90_000.4);
    const message = `retry.retryAfter.maxMs: nothing may be sent until ${new Date(retryAt).toISOString()}, for 90 s, and the call waits 1.5 s at most`;
    const error = await rejectionOf(ask({ maxPauseMs: 1_500 }));
    expect(error).toEqual(new LimitError('ERR_LIMIT_WAIT_TOO_LONG', message, { retryAt }));
    expect(error).toMatchObject({ retryAt });
  });

  it('lets who waits for no longer a pause ask in between, as soon as it has waited so long', async () => {
    const { clock, pacer, bucket, ask } = made();
    bucket.pause(clock.now() + 60_000);
    const [impatient, patient] = [watched(ask({ maxPauseMs: 5_000, clampsPause: true })), watched(ask())];
    await clock.advance(4_999);
    expect(impatient.settled).toBeUndefined();
    await clock.advance(1);
    expect([impatient.settled, patient.settled]).toEqual(['given', undefined]);
    expect(pacer.told).toContain('resumed');
  });

  it('wakes nobody early once who would have asked is gone', async () => {
    const { clock, pacer, bucket, ask } = made();
    bucket.pause(clock.now() + 60_000);
    const gone = new AbortController();
    const left = rejectionOf(ask({ maxPauseMs: 5_000, clampsPause: true, signal: gone.signal }));
    gone.abort();
    await left;
    const patient = watched(ask());
    await clock.advance(59_999);
    expect([patient.settled, pacer.told]).toEqual([undefined, [{ pausedForMs: 60_000 }]]);
    await clock.advance(1);
    expect(patient.settled).toBe('given');
  });

  it('warns once of weights of more than a burst, which waste half of the limit', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { ask } = made({ leastBurst: 3, maxWeight: 9 });
    const weigh = async (weight: number) => {
      await ask({ weight }).catch(() => {});
      return warned.mock.calls.length;
    };
    expect([await weigh(1), await weigh(3), await weigh(10), await weigh(4), await weigh(5)]).toEqual([0, 0, 0, 1, 1]);
    const [message, options] = warned.mock.calls[0] ?? [];
    expect(message).toBe(
      'A send weighs 4, and limit.burst is 3: so it waits for as much before it as it leaves free after it, and about half of the limit is used. Give a burst of at least the heaviest weight.',
    );
    expect(options).toMatchObject({ code: 'HOLDFAST_HEAVY_SEND' });
    warned.mockRestore();
  });

  it('takes the deadlines of its own attachment by the clock, and those of others by the time of day', async () => {
    for (const isOwn of [true, false]) {
      const { clock, ask } = made({ maxConcurrent: 1, isOwn });
      clock.adjust(3_600_000);
      await ask();
      const late = watched(ask({ deadlineAt: (isOwn ? clock.now() : clock.wall()) + 50 }));
      await clock.advance(49);
      expect(late.settled).toBeUndefined();
      await clock.advance(1);
      expect(late.settled).toMatchObject({ code: 'ERR_LIMIT_DEADLINE' });
    }
  });

  it('tells the pacer of a send that was dropped: that it never was, or else that it is over', async () => {
    const { pacer, bucket, ask } = made();
    (await ask()).drop?.();
    expect(pacer.told.pop()).toEqual({ ended: 1 });
    Object.assign(pacer, { dropped: (_now: number, handle: number) => pacer.told.push({ dropped: handle }) });
    const permit = await ask();
    permit.drop?.();
    permit.release();
    expect(pacer.told.pop()).toEqual({ dropped: 2 });
    expect(bucket.running).toBe(0);
  });

  it('tells for limits that are waited for together what its pacer has reserved elsewhere, if it does so', () => {
    const { pacer, bucket } = made();
    expect([bucket.isRemote, bucket.reservedAt(1), bucket.reservedBy(5)]).toEqual([false, undefined, Infinity]);
    const reserved = { reservedAt: (weight: number) => 10 * weight, reservedBy: (at: number) => at + 1 };
    Object.assign(pacer, { isRemote: true, ...reserved });
    expect([bucket.isRemote, bucket.reservedAt(2), bucket.reservedBy(5)]).toEqual([true, 20, 6]);
  });

  it('leaves it to a pacer that learns how long to pause, and how fast to go on', async () => {
    const { clock, pacer, bucket, ask } = made();
    Object.assign(pacer, { learns: true });
    const refused = await ask();
    refused.answered?.({ throttled: true });
    expect(bucket.isPaused).toBe(false);
    bucket.pause(clock.now() + 10);
    pacer.from = Number.POSITIVE_INFINITY;
    const waiting = [watched(ask()), watched(ask()), watched(ask())];
    expect(bucket.wanted).toBe(3);
    pacer.from = Number.NEGATIVE_INFINITY;
    await clock.advance(10);
    expect(waiting.map(({ settled }) => settled)).toEqual(['given', 'given', 'given']);
  });

  describe('may be forgotten', () => {
    it('when nobody runs and nobody waits, if it would be the same made anew', async () => {
      const { pacer, bucket, ask } = made({ maxConcurrent: 1 });
      expect(bucket.isIdle).toBe(true);
      const permit = await ask();
      expect(bucket.isIdle).toBe(false);
      permit.release();
      expect(bucket.isIdle).toBe(true);
      pacer.from = Number.POSITIVE_INFINITY;
      const waiting = rejectionOf(ask());
      expect(bucket.isIdle).toBe(false);
      bucket.refuseAll(() => new Error('closed'));
      await waiting;
      expect(bucket.isIdle).toBe(true);
    });

    it('not during a pause', () => {
      const { clock, bucket } = made();
      bucket.pause(clock.now() + 500);
      clock.jump(499);
      expect(bucket.isIdle).toBe(false);
      clock.jump(1);
      expect(bucket.isIdle).toBe(true);
    });

    it('ten minutes after its last use and its last pause, whatever it has learnt', async () => {
      const { clock, pacer, bucket, ask } = made();
      pacer.fresh = false;
      (await ask()).release();
      clock.jump(600_000);
      expect(bucket.isIdle).toBe(false);
      clock.jump(1);
      expect(bucket.isIdle).toBe(true);
      bucket.pause(clock.now() + 10);
      clock.jump(600_010);
      expect(bucket.isIdle).toBe(false);
      clock.jump(1);
      expect(bucket.isIdle).toBe(true);
    });
  });
});
