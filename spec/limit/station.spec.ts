import { AxiosHeaders, CanceledError, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../lib/call/outcome.ts';
import type { Judgement } from '../../lib/call/verdict.ts';
import { LimitError, type Limiter, type Permit, type Policy, type Standing } from '../../lib/index.ts';
import type { PermitRequest } from '../../lib/limit/limiter.ts';
import { CallUnderWay } from '../../lib/loop/call-under-way.ts';
import { Plan } from '../../lib/loop/plan.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { resolve } from '../support/policies.ts';
import { sharedBy } from '../support/under-way.ts';

const HERE = 'https://api.example.com';
const THERE = 'https://mirror.example.com';
const configOf = (origin = HERE, config: object = {}): InternalAxiosRequestConfig => ({
  url: `${origin}/`,
  headers: new AxiosHeaders(),
  ...config,
});
const answered = (status: number, headers: object = {}): Outcome => ({
  response: { status, headers, data: '' } as never,
});
const LOST: Outcome = { error: new Error('lost') };
const GOOD: Judgement = { kind: 'success' };

/** A limiter that notes what it is asked and told, and gives what the test says. */
class Noting implements Limiter {
  readonly log: string[] = [];
  readonly asked: PermitRequest[] = [];
  readonly answers: unknown[] = [];
  /** What `acquire` does; a permit at once by default. */
  give: () => Permit | Promise<Permit> = () => this.permit();
  takesNested?: true;

  acquire(request: PermitRequest): Permit | Promise<Permit> {
    this.log.push(`take ${request.key}`);
    this.asked.push(request);
    return this.give();
  }

  permit(): Permit {
    return {
      release: () => void this.log.push('release'),
      drop: () => void this.log.push('drop'),
      answered: (answer) => void this.answers.push(answer),
    };
  }

  pause(...about: unknown[]): void {
    this.log.push(`pause ${about.join(' ')}`);
  }

  async close(): Promise<void> {}

  stats() {
    return { queued: 0, running: 0 };
  }
}

function setUp(policy: Policy = {}, limiter = new Noting()) {
  const clock = new ManualClock();
  const shared = sharedBy(clock);
  const events: unknown[] = [];
  const on: Policy['on'] = {
    queued: ({ call: _, ...about }) => events.push(['queued', about]),
    limited: ({ call: _, ...about }) => events.push(['limited', about]),
  };
  const plan = new Plan(shared, resolve({ on, limit: limiter, ...policy }));
  const { limit: station } = plan;
  if (station === undefined) throw new Error('no limit');
  const call = (config = configOf()) => new CallUnderWay(config, plan);
  return { clock, shared, events, plan, station, call, limiter };
}

describe('LimitStation', () => {
  describe('a permit', () => {
    it('is had at once where there is one, and given back when the answer came', async () => {
      const { call, clock, limiter, station } = setUp();
      const subject = call();
      expect(station.enter(subject)).toBeUndefined();
      subject.sent = 1;
      station.arrive(subject, answered(200), GOOD, clock.now(), false);
      station.leave(subject);
      expect(limiter.log).toEqual([`take ${HERE}`, 'release']);
      expect(limiter.answers).toEqual([{ throttled: false, untilAt: undefined, quota: undefined }]);
    });

    it('is dropped where nothing was sent with it, once', () => {
      const { call, limiter, station } = setUp();
      const subject = call();
      station.enter(subject);
      for (let i = 0; i < 2; i++) station.leave(subject);
      expect(limiter.log).toEqual([`take ${HERE}`, 'drop']);
    });

    it('is released where something was sent, though nobody heard of it', () => {
      const { call, limiter, station } = setUp();
      const subject = call();
      station.enter(subject);
      subject.sent = 1;
      station.leave(subject);
      expect(limiter.log).toEqual([`take ${HERE}`, 'release']);
    });

    it('is released where the limiter knows no drop', () => {
      const limiter = new Noting();
      let released = 0;
      limiter.give = () => ({ release: () => void released++ });
      const { call, station } = setUp({}, limiter);
      const subject = call();
      station.enter(subject);
      station.leave(subject);
      expect(released).toBe(1);
    });

    it('is none to give back of a call that never came by', () => {
      const { call, limiter, station } = setUp();
      station.leave(call());
      expect(limiter.log).toEqual([]);
    });

    it('must be one: what cannot be given back ends the call', async () => {
      const limiter = new Noting();
      const { call, station } = setUp({}, limiter);
      const wrong = "the limiter's acquire must give a permit, { release() }, got ";
      limiter.give = () => [1, () => {}] as never;
      expect(station.enter(call())).toMatchObject({
        outcome: { error: { message: `${wrong}an array` } },
        why: 'limited',
      });
      limiter.give = () => undefined as never;
      expect(station.enter(call())).toMatchObject({ outcome: { error: { message: `${wrong}undefined` } } });
      limiter.give = async () => ({}) as never;
      expect(await station.enter(call())).toMatchObject({ outcome: { error: { message: `${wrong}an object` } } });
    });

    it('that fails when it is given back takes the place of no answer', () => {
      const limiter = new Noting();
      const fail = () => {
        throw new Error('odd');
      };
      limiter.give = () => ({ release: fail, drop: fail, answered: fail });
      const { call, clock, station } = setUp({}, limiter);
      const subject = call();
      station.enter(subject);
      expect(() => station.arrive(subject, answered(200), GOOD, clock.now(), false)).not.toThrow();
      station.enter(subject);
      expect(() => station.leave(subject)).not.toThrow();
    });
  });

  describe('asks', () => {
    it('by key, priority, bounds and the order in which calls began', () => {
      const limiter = Object.assign(new Noting(), { key: () => 'all', priority: () => 7, maxWaitMs: 300 });
      const { call, clock, station } = setUp(
        { deadlineMs: 5_000, retry: { retryAfter: { maxMs: 9_000, whenLonger: 'clamp' } } },
        limiter,
      );
      clock.adjust(60_000);
      const [one, two] = [call(), call()];
      for (const each of [two, one]) station.enter(each);
      const [later, sooner] = limiter.asked;
      expect(later).toMatchObject({
        key: 'all',
        priority: 7,
        call: two,
        nested: false,
        deadlineAt: clock.wall() + 5_000,
        maxWaitMs: 300,
        maxPauseMs: 9_000,
        clampsPause: true,
      });
      // Who came first goes first, also within one ms; and a retry keeps the place of its call.
      expect(Number(sooner?.since)).toBeGreaterThan(Number(later?.since));
      station.enter(two);
      expect(limiter.asked[2]?.since).toBe(later?.since);
    });

    it('by the origin, without a bound, where nobody says anything', () => {
      const { call, limiter, station } = setUp();
      station.enter(call());
      expect(limiter.asked[0]).toMatchObject({
        key: HERE,
        priority: undefined,
        deadlineAt: Number.POSITIVE_INFINITY,
        maxWaitMs: undefined,
        maxPauseMs: 60_000,
        clampsPause: false,
      });
    });

    it('stands behind the pauses of others also where it retries nothing, or honours no named wait', () => {
      for (const retry of [false, { retryAfter: false }] as const) {
        const { call, limiter, station } = setUp({ retry });
        station.enter(call());
        expect(limiter.asked[0]).toMatchObject({ maxPauseMs: 60_000, clampsPause: false });
      }
    });

    it.each([
      [{ key: () => 7 as never }, 'limit.key must return a string, got 7'],
      [{ priority: () => '1' as never }, 'limit.priority must return a number, got a string'],
      [{ priority: (async () => 1) as never }, 'limit.priority must return a number, got a promise'],
    ])('refuses %o, and names the option', (own, message) => {
      const { call, station } = setUp({}, Object.assign(new Noting(), own));
      expect(() => station.enter(call())).toThrow(message);
    });
  });

  describe('tells the limiter', () => {
    const told = (outcome: Outcome, judgement: Judgement, policy: Policy = {}) => {
      const { call, clock, limiter, station } = setUp(policy);
      const subject = call();
      station.enter(subject);
      subject.sent = 1;
      const pausedUntil = station.arrive(subject, outcome, judgement, clock.now(), false);
      const [answer] = limiter.answers as { throttled: boolean; untilAt?: number; quota?: unknown }[];
      const inMs = (at: number | undefined) => (at === undefined ? undefined : at - clock.now());
      return {
        pausedMs: inMs(pausedUntil),
        answer: answer && { ...answer, untilAt: inMs(answer.untilAt) },
        paces: station.paces(subject),
      };
    };

    it.each<[string, Outcome, Judgement, { throttled: boolean; untilAt: number | undefined } | undefined]>([
      [
        'a 429 with a time',
        answered(429),
        { kind: 'throttled', retryAfterMs: 2_000 },
        { throttled: true, untilAt: 2_000 },
      ],
      ['a 429 without one', answered(429), { kind: 'throttled' }, { throttled: true, untilAt: undefined }],
      [
        'a time that has come',
        answered(429),
        { kind: 'throttled', retryAfterMs: 0 },
        { throttled: true, untilAt: undefined },
      ],
      [
        'a 503 with a time',
        answered(503),
        { kind: 'transient', retryAfterMs: 2_000 },
        { throttled: false, untilAt: 2_000 },
      ],
      [
        'a 502 with a time',
        answered(502),
        { kind: 'transient', retryAfterMs: 2_000 },
        { throttled: false, untilAt: undefined },
      ],
      [
        'what no wait can change',
        answered(429),
        { kind: 'throttled', retryAfterMs: 2_000, final: true },
        { throttled: false, untilAt: undefined },
      ],
      [
        'a 503 that no wait can change',
        answered(503),
        { kind: 'transient', retryAfterMs: 2_000, final: true },
        { throttled: false, untilAt: undefined },
      ],
      ['a success', answered(200), GOOD, { throttled: false, untilAt: undefined }],
      ['nothing without an answer', LOST, { kind: 'transient' }, undefined],
      ['what a judge knows without one', LOST, { kind: 'throttled', retryAfterMs: 5 }, { throttled: true, untilAt: 5 }],
    ])('%s', (_, outcome, judgement, answer) => {
      const { answer: given, pausedMs } = told(outcome, judgement);
      expect(given).toEqual(answer && { ...answer, quota: undefined });
      expect(pausedMs).toBe(answer?.untilAt);
    });

    it('of a quota that the headers show', () => {
      const headers = { 'x-ratelimit-limit': '10', 'x-ratelimit-remaining': '3', 'x-ratelimit-reset': '7' };
      expect(told(answered(200, headers), GOOD).answer?.quota).toBeDefined();
    });

    it('of no time that the policy does not honour', () => {
      const { answer, pausedMs } = told(
        answered(429),
        { kind: 'throttled', retryAfterMs: 2_000 },
        { retry: { retryAfter: false } },
      );
      expect(answer).toEqual({ throttled: true, untilAt: undefined, quota: undefined });
      expect(pausedMs).toBeUndefined();
    });

    it('by the time of day', () => {
      const { call, clock, limiter, station } = setUp();
      clock.adjust(60_000);
      const subject = call();
      station.enter(subject);
      station.arrive(subject, answered(429), { kind: 'throttled', retryAfterMs: 5 }, clock.now(), false);
      expect(limiter.answers).toEqual([expect.objectContaining({ untilAt: clock.wall() + 5 })]);
    });

    it('itself of a pause where its permits cannot be told of one', () => {
      const limiter = new Noting();
      limiter.give = () => ({ release: () => {} });
      const { call, clock, station } = setUp({}, limiter);
      const subject = call();
      station.enter(subject);
      station.arrive(subject, answered(429), { kind: 'throttled', retryAfterMs: 5 }, clock.now(), false);
      expect(limiter.log).toEqual([`take ${HERE}`, `pause ${HERE} ${clock.wall() + 5}`]);
      expect(station.paces(subject)).toBe(false);
    });

    it('and paces the retry of what was refused for its rate, and of nothing else', () => {
      expect(told(answered(429), { kind: 'throttled' }).paces).toBe(true);
      expect(told(answered(503), { kind: 'transient' }).paces).toBe(false);
      const { call, station } = setUp();
      expect(station.paces(call())).toBe(false);
    });

    it('nothing of a send that had no permit', () => {
      const { call, clock, limiter, station } = setUp();
      const subject = call();
      expect(
        station.arrive(subject, answered(429), { kind: 'throttled', retryAfterMs: 5 }, clock.now(), false),
      ).toBeUndefined();
      expect(limiter.answers).toEqual([]);
    });
  });

  describe('in a queue', () => {
    /** A limiter whose permits come when the test says so. */
    const queueing = (policy: Policy = {}, config?: InternalAxiosRequestConfig) => {
      const made = setUp(policy);
      const { limiter } = made;
      const state: { give: (permit?: unknown) => void; refuse: (error: unknown) => void } = {
        give: () => {},
        refuse: () => {},
      };
      limiter.give = () =>
        new Promise((resolve, reject) => {
          state.give = (permit = limiter.permit()) => resolve(permit as Permit);
          state.refuse = reject;
        });
      const subject = made.call(config);
      const entered = Promise.resolve(made.station.enter(subject));
      return { ...made, ...{ subject, entered, state } };
    };

    it('waits for its permit, and says so', async () => {
      const { clock, entered, events, shared, state, station, subject } = queueing();
      await clock.advance(300);
      expect(shared.counters.queued).toBe(1);
      expect(shared.queue.size).toBe(1);
      expect(subject.waiting?.phase).toBe('limit');
      expect(subject.waiting?.why()).toBe(`waits for a permit of ${HERE}: its limiter says no more`);
      expect(subject.waiting?.until?.()).toBeUndefined();
      expect(events).toEqual([
        ['queued', { key: HERE, why: 'its limiter says no more', place: undefined, of: undefined, untilAt: undefined }],
      ]);
      state.give();
      expect(await entered).toBeUndefined();
      expect(shared.counters.queued).toBe(0);
      expect(shared.queue.size).toBe(0);
      expect(subject.waiting).toBeUndefined();
      expect(subject.queuedMs).toBe(300);
      expect(station.queuedMs(subject)).toBeGreaterThan(0);
    });

    it('says where it stands, where the limiter can tell', async () => {
      const made = setUp();
      const { call, clock, events, limiter, station } = made;
      clock.adjust(60_000);
      const standing: Standing = { place: 3, of: 7, untilAt: clock.wall() + 1_000.5, why: 'place 3 of 7 in the queue' };
      limiter.give = () => {
        limiter.asked.at(-1)?.queued?.(() => standing);
        return new Promise(() => {});
      };
      const subject = call();
      void station.enter(subject);
      expect(subject.waiting?.why()).toBe(`waits for a permit of ${HERE}: place 3 of 7 in the queue`);
      expect(subject.waiting?.until?.()).toBe(clock.now() + 1_000.5);
      expect(events).toEqual([
        ['queued', { key: HERE, why: standing.why, place: 3, of: 7, untilAt: Math.ceil(standing.untilAt ?? 0) }],
      ]);
    });

    it('counts how long each send waited, and the call in all', async () => {
      const { clock, entered, limiter, state, station, subject } = queueing();
      await clock.advance(300);
      state.give();
      await entered;
      limiter.give = () => limiter.permit();
      await station.enter(subject);
      expect(subject.limit?.queuedMs).toBe(0);
      expect(station.queuedMs(subject)).toBe(0);
      expect(subject.queuedMs).toBe(300);
    });

    it('waits no longer than the call may last', async () => {
      const { clock, entered, events, limiter, state } = queueing({ deadlineMs: 1_000 });
      await clock.advance(1_000);
      const refused = await entered;
      expect(refused).toMatchObject({
        outcome: { error: { code: 'ERR_LIMIT_DEADLINE', message: "deadlineMs: no permit within the call's 1000 ms" } },
        why: 'deadline',
      });
      expect(events.at(-1)).toEqual(['limited', { key: HERE, code: 'ERR_LIMIT_DEADLINE' }]);
      // A permit that comes all the same goes straight back.
      state.give();
      await settle();
      expect(limiter.log.at(-1)).toBe('drop');
    });

    it('waits no longer than `maxWaitMs` says', async () => {
      const limiter = Object.assign(new Noting(), { maxWaitMs: 300 });
      limiter.give = () => new Promise(() => {});
      const { call, clock, station } = setUp({ deadlineMs: 1_000 }, limiter);
      const entered = Promise.resolve(station.enter(call()));
      await clock.advance(300);
      expect(await entered).toMatchObject({
        outcome: { error: { code: 'ERR_LIMIT_WAIT_TOO_LONG', message: 'limit.maxWaitMs: no permit within 300 ms' } },
        why: 'limited',
      });
    });

    it('gives up its place when the call is given up', async () => {
      const controller = new AbortController();
      const { entered, limiter, shared } = queueing({}, configOf(HERE, { signal: controller.signal }));
      expect(limiter.asked[0]?.signal?.aborted).toBe(false);
      controller.abort();
      const refused = await entered;
      expect(refused?.why).toBe('cancelled');
      expect(refused?.outcome.error).toBeInstanceOf(CanceledError);
      expect(limiter.asked[0]?.signal?.aborted).toBe(true);
      expect(shared.counters.queued).toBe(0);
    });

    it('is refused when the attachment is closed', async () => {
      const { entered, shared } = queueing();
      for (const refuse of shared.queue) refuse();
      expect(await entered).toMatchObject({
        outcome: { error: { code: 'ERR_LIMIT_CLOSED', message: 'the attachment was closed' } },
        why: 'limited',
      });
    });

    it('passes on why the limiter refuses it', async () => {
      const { entered, events, state } = queueing();
      state.refuse(Object.assign(new Error('full'), { code: 'E_FULL' }));
      expect(await entered).toMatchObject({ outcome: { error: { message: 'full' } }, why: 'limited' });
      expect(events.at(-1)).toEqual(['limited', { key: HERE, code: 'E_FULL' }]);
    });
  });

  describe('a refusal', () => {
    it('of a pause that is too long ends an answered call with its answer, and says how long the pause is', () => {
      const { call, clock, limiter, station } = setUp();
      clock.adjust(60_000);
      limiter.give = () => {
        throw new LimitError('ERR_LIMIT_WAIT_TOO_LONG', 'paused', { retryAt: clock.wall() + 90_000 });
      };
      const first = call();
      expect(station.enter(first)).toMatchObject({ outcome: { error: { message: 'paused' } }, why: 'limited' });
      expect(first.refusedWait).toEqual({ waitedMs: 0, maxMs: 60_000, pausedMs: 90_000 });
      const retried = call();
      retried.outcome = answered(429);
      expect(station.enter(retried)).toEqual({ outcome: retried.outcome, why: 'wait-too-long' });
    });

    it('has an error of its own for each call, also where a limiter throws the same one', () => {
      const mine = Object.assign(new Error('full', { cause: 'why' }), { name: 'MyError', code: 'E_FULL' });
      const ours = new LimitError('ERR_LIMIT_QUEUE_FULL', 'full', { retryAt: 5 });
      for (const error of [mine, ours]) {
        const { call, limiter, station } = setUp();
        limiter.give = () => {
          throw error;
        };
        const [first, second] = [call(), call()].map((each) => {
          const refused = station.enter(each);
          if (refused === undefined || refused instanceof Promise) throw new Error('was let through');
          return refused.outcome.error as Error & { code?: string };
        });
        expect(first).toBe(error);
        expect(second).not.toBe(error);
        expect(second).toMatchObject({ message: error.message, name: error.name, code: error.code });
        if (error === mine) expect(second?.cause).toBe(mine);
        else expect(second).toBeInstanceOf(LimitError);
      }
    });

    it('may be anything', () => {
      const { call, limiter, station } = setUp();
      limiter.give = () => {
        throw 'full';
      };
      for (let i = 0; i < 2; i++) {
        expect(station.enter(call())).toEqual({ outcome: { error: 'full' }, why: 'limited' });
      }
    });
  });

  describe('where a send goes elsewhere', () => {
    it('takes the permit of there in place of the one that it has', () => {
      const { call, limiter, station } = setUp();
      const subject = call();
      station.enter(subject);
      expect(station.moveTo(subject, configOf())).toBeUndefined();
      expect(limiter.log).toEqual([`take ${HERE}`]);
      expect(station.moveTo(subject, configOf(THERE))).toBeUndefined();
      expect(limiter.log.splice(0)).toEqual([`take ${HERE}`, 'drop', `take ${THERE}`]);
      // The next send goes home again.
      station.leave(subject);
      station.enter(subject);
      expect(limiter.log).toEqual(['drop', `take ${HERE}`]);
    });

    it('asks for all sends to come where an answer has named another place', () => {
      const { call, limiter, station } = setUp();
      const subject = call();
      station.reroute(subject, configOf(THERE));
      station.enter(subject);
      expect(limiter.log).toEqual([`take ${THERE}`]);
    });
  });

  describe('what is done while a permit is held', () => {
    it('needs no other of the same key, unless the limiter wants to know', () => {
      for (const takesNested of [false, true]) {
        const { call, clock, limiter, station } = setUp();
        if (takesNested) limiter.takesNested = true;
        const outer = call();
        station.enter(outer);
        const inner = call();
        const elsewhere = call(configOf(THERE));
        station.holding(outer, () => {
          station.enter(inner);
          station.enter(elsewhere);
        });
        expect(limiter.asked.map(({ key, nested }) => [key, nested])).toEqual([
          [HERE, false],
          ...(takesNested ? [[HERE, true]] : []),
          [THERE, false],
        ]);
        // What it learns holds for all, though it had no permit.
        const until = station.arrive(inner, answered(429), { kind: 'throttled', retryAfterMs: 5 }, clock.now(), false);
        expect(until).toBe(clock.now() + 5);
        expect(limiter.log.some((step) => step.startsWith(`pause ${HERE}`))).toBe(!takesNested);
      }
    });

    it('needs one of its own once the permit is given back', async () => {
      const { call, clock, limiter, station } = setUp();
      for (const end of [
        (outer: CallUnderWay) => station.leave(outer),
        (outer: CallUnderWay) => station.arrive(outer, answered(200), GOOD, clock.now(), false),
      ]) {
        const outer = call();
        station.enter(outer);
        let enterLater = () => {};
        const later = new Promise<void>((resolve) => {
          enterLater = resolve;
        });
        const left = station.holding(outer, async () => {
          await later;
          station.enter(call());
        });
        limiter.log.length = 0;
        end(outer);
        limiter.log.length = 0;
        enterLater();
        await left;
        expect(limiter.log).toEqual([`take ${HERE}`]);
      }
    });
  });

  describe('the body of an answer that goes on', () => {
    const BODY = { came: 10, read: 10, isAwaited: true, hasEnded: false } as never;

    it('keeps the permit until it has ended, and gives it back once', () => {
      const { call, clock, limiter, station } = setUp();
      const subject = call();
      station.enter(subject);
      subject.sent = 1;
      station.arrive(subject, answered(200), GOOD, clock.now(), true);
      const over = station.holdFor(subject, BODY);
      station.leave(subject);
      expect(limiter.log).toEqual([`take ${HERE}`]);
      over();
      over();
      expect(limiter.log).toEqual([`take ${HERE}`, 'release']);
    });

    it('keeps none where nobody waits for the end of another', () => {
      const { call, clock, station } = setUp({ limit: localLimiterOptions() });
      const subject = call();
      station.enter(subject);
      subject.sent = 1;
      station.arrive(subject, answered(200), GOOD, clock.now(), true);
      expect(subject.limit?.permit).toBeUndefined();
      expect(() => station.holdFor(subject, BODY)()).not.toThrow();
    });
  });

  it('may hold up others where sends wait for the end of others', () => {
    expect(setUp().station.mayHoldUp).toBe(true);
    expect(setUp({ limit: { maxConcurrent: 1 } }).station.mayHoldUp).toBe(true);
    expect(setUp({ limit: localLimiterOptions() }).station.mayHoldUp).toBe(false);
  });
});

const localLimiterOptions = () => ({ requests: 1, perMs: 1_000 });
