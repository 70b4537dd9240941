import { Readable } from 'node:stream';
import { AxiosError, AxiosHeaders, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it, vi } from 'vitest';
import type { Decision } from '../../lib/call/decision.ts';
import type { Outcome } from '../../lib/call/outcome.ts';
import type { Limiter, Policy } from '../../lib/index.ts';
import { arrive } from '../../lib/loop/arrive.ts';
import { CallUnderWay } from '../../lib/loop/call-under-way.ts';
import { borrow } from '../../lib/send/borrow.ts';
import { settle } from '../support/manual-clock.ts';
import { answered, underWay } from '../support/under-way.ts';

const ORIGIN = 'https://api.example.com';

/** A call that sends, and a limiter and events that note what they are told. */
function setUp(policy: Policy = {}, config: object = {}) {
  const controller = new AbortController();
  const own: InternalAxiosRequestConfig = {
    url: `${ORIGIN}/`,
    method: 'get',
    baseURL: ORIGIN,
    headers: new AxiosHeaders(),
    signal: controller.signal,
    ...config,
  };
  const events: unknown[] = [];
  const { call, plan, clock } = underWay(own, {
    on: { '*': ({ name, ...about }) => events.push([name, { ...about, call: undefined }]) },
    ...policy,
    retry: policy.retry === false ? false : { backoff: () => 100, ...policy.retry },
  });
  const answer = (status: number, headers: Record<string, string> = {}, data: unknown = '') =>
    answered(own, status, { headers, data });
  /** It leaves as the loop has it leave. */
  const leaves = () => {
    plan.breaker?.enter(call, clock.now());
    plan.breaker?.depart(call, clock.now());
    call.leaves({ ...own, headers: new AxiosHeaders(own.headers) }, clock.now());
    plan.counters.inFlight += 1;
  };
  const get = async (outcome: Outcome): Promise<Decision> => {
    leaves();
    return arrive(call, plan, outcome);
  };
  return { call, plan, clock, controller, own, events, answer, leaves, get };
}

const LOST: Outcome = { error: new AxiosError('lost', 'ECONNRESET') };

function noting(log: unknown[], more: Partial<Limiter> = {}): Limiter {
  return {
    acquire: () => ({
      release: () => log.push('release'),
      drop: () => log.push('drop'),
      answered: (answer) => log.push(answer),
    }),
    pause: (...about) => log.push(about),
    close: async () => {},
    stats: () => ({ queued: 0, running: 0 }),
    ...more,
  };
}

describe(arrive.name, () => {
  it.each<[number, string]>([
    [200, 'finish'],
    [204, 'finish'],
    [503, 'retry'],
    [404, 'stop'],
  ])('decides what to do about a %i: %s', async (status, kind) => {
    const { answer, call, get, plan } = setUp();
    expect((await get(answer(status))).kind).toBe(kind);
    expect(call.sends).toHaveLength(1);
    expect(call.sends[0]).toMatchObject({ status, decision: kind });
    expect(plan.counters.inFlight).toBe(0);
  });

  it('decides within the turn where nobody has to be waited for', () => {
    const { answer, call, leaves, plan } = setUp();
    leaves();
    expect(arrive(call, plan, answer(503))).toMatchObject({ kind: 'retry', delayMs: 100 });
  });

  it('passes on why the send was given up before it left, and writes no send down', async () => {
    const { call, get } = setUp();
    call.refusedBecause = 'circuit-open';
    expect(await get(LOST)).toEqual({ kind: 'stop', why: 'circuit-open' });
    expect(call.sends).toEqual([]);
  });

  it("puts the caller's config back, on itself and on what came", async () => {
    const { answer, call, leaves, own, plan } = setUp();
    const { headers } = own;
    leaves();
    call.borrowed = borrow(own);
    const outcome = answer(503);
    const error = outcome.error as AxiosError;
    error.config = { ...own };
    arrive(call, plan, outcome);
    expect(own.headers).toBe(headers);
    expect(call.borrowed).toBeUndefined();
    expect(error.config).toBe(own);
  });

  it('writes down and tells what came, with the wait that follows', async () => {
    const { answer, call, clock, events, leaves, plan } = setUp({}, {});
    leaves();
    await clock.advance(250);
    arrive(call, plan, answer(503));
    expect(call.sends).toEqual([
      expect.objectContaining({ durationMs: 250, status: 503, verdict: 'transient', decision: 'retry', delayMs: 100 }),
    ]);
    expect(events).toEqual([
      ['answered', expect.objectContaining({ send: 1, status: 503, verdict: 'transient', durationMs: 250 })],
      ['retry-scheduled', expect.objectContaining({ retry: 1, delayMs: 100, status: 503, verdict: 'transient' })],
    ]);
  });

  it('builds a backoff on the one before, and adds up the waits that servers named', async () => {
    const { answer, call, get } = setUp({
      retry: { maxRetries: 9, backoff: ({ previousMs }) => (previousMs ?? 0) + 100, budget: false },
    });
    await get(answer(503));
    expect(call.backoffMs).toBe(100);
    call.next = 'retries';
    await get(answer(503));
    expect(call.backoffMs).toBe(200);
    await get(answer(503, { 'retry-after': '2' }));
    expect([call.backoffMs, call.namedMs]).toEqual([200, 2_000]);
    await get(answer(503, { 'retry-after': '3' }));
    expect([call.backoffMs, call.namedMs]).toEqual([200, 5_000]);
  });

  it('keeps the numbers that a refusal rests on', async () => {
    const long = setUp();
    expect(await long.get(long.answer(503, { 'retry-after': '61' }))).toEqual({ kind: 'stop', why: 'wait-too-long' });
    expect(long.call.refusedWait).toEqual({ waitedMs: 0, maxMs: 60_000 });

    const poor = setUp({ retry: { budget: { capacity: 0 } } });
    for (let i = 0; i < 200; i++) poor.plan.budget?.withdraw(poor.call, 'transient', false, poor.clock.now());
    expect(await poor.get(poor.answer(503))).toEqual({ kind: 'stop', why: 'budget-empty' });
    expect(poor.call.refusedRetry).toMatchObject({ rule: 'bucket', cost: 14 });
    expect(poor.events).toContainEqual(['budget-empty', expect.objectContaining({ key: ORIGIN, rule: 'bucket' })]);
  });

  it('keeps none of them where the refusal rests on something else', async () => {
    const refused = async (policy: Policy, status: number, changes: object = {}) => {
      const { answer, call, events, get } = setUp(policy);
      Object.assign(call, changes);
      expect((await get(answer(status, { 'retry-after': '1' }))).kind).toBe('stop');
      expect(events).toEqual([['answered', expect.anything()]]);
      return [call.polledMs, call.refusedWait, call.refusedRetry];
    };
    const pollingSince = 0;
    for (const [policy, status] of [
      [{}, 404],
      [{ retry: { maxRetries: 0 } }, 503],
      [{ retry: false }, 503],
    ] as const)
      expect(await refused(policy, status, { pollingSince })).toEqual([0, undefined, undefined]);
  });

  it('takes what a retry costs from the budget, and nothing for one that the limiter paces', async () => {
    const { answer, clock, get, call } = setUp();
    await get(answer(503));
    expect(call.budget?.home.balance(clock.now())).toBe(2_100 - 14);
    const paced = setUp({ limit: noting([]) });
    await paced.plan.limit?.enter(paced.call);
    await paced.get(paced.answer(429, { 'retry-after': '1' }));
    expect(paced.call.budget?.home.balance(paced.clock.now())).toBe(2_100);
  });

  it('counts a call once, with its first send', async () => {
    const { answer, call, clock, get } = setUp({ retry: { budget: {} } });
    const counted: number[] = [];
    for (let i = 0; i < 3; i++) {
      await get(answer(503));
      counted.push(Number(call.budget?.home.refusal('transient', 5_000, clock.now())?.calls ?? -1));
    }
    expect(counted).toEqual([1, 1, 1]);
  });

  describe('the limiter', () => {
    it('is told what an answer said, and gets its permit back', async () => {
      const log: unknown[] = [];
      const { answer, call, events, get, plan, clock } = setUp({ limit: noting(log) });
      await plan.limit?.enter(call);
      await get(answer(429, { 'retry-after': '2' }));
      expect(log).toEqual([expect.objectContaining({ throttled: true, untilAt: clock.wall() + 2_000 }), 'release']);
      expect(events).toContainEqual(['paused', { key: ORIGIN, untilAt: clock.wall() + 2_000 }]);
    });

    it('has it back at once where the caller gets a body that is whole', async () => {
      const log: unknown[] = [];
      const { answer, call, events, get, plan } = setUp({ limit: noting(log) });
      await plan.limit?.enter(call);
      await get(answer(200));
      expect(log).toEqual([expect.objectContaining({ throttled: false }), 'release']);
      expect(events.map((event) => (event as unknown[])[0])).toEqual(['answered']);
    });

    it('waits for a body that the caller gets, also where the call has failed', async () => {
      const log: unknown[] = [];
      const { answer, call, get, plan } = setUp({
        ...{ limit: noting(log), retry: false },
        classify: () => ({ kind: 'transient' }),
      });
      await plan.limit?.enter(call);
      expect(await get(answer(200, {}, Readable.from(['abc'])))).toEqual({ kind: 'stop', why: 'disabled' });
      expect(log).not.toContain('release');
    });

    it('is paused until an instant that is told by the time of day', async () => {
      const { answer, call, clock, events, get, plan } = setUp({ limit: noting([]) });
      clock.adjust(3_600_000);
      await plan.limit?.enter(call);
      await get(answer(429, { 'retry-after': '2' }));
      expect(events).toContainEqual(['paused', { key: ORIGIN, untilAt: clock.wall() + 2_000 }]);
    });

    it('keeps its permit while the body of an answer goes on, and not where the answer is repeated', async () => {
      const log: unknown[] = [];
      const limit = noting(log);
      const { answer, call, get, plan } = setUp({
        limit,
        classify: ({ response }) => (response?.headers['x-again'] ? { kind: 'transient' } : undefined),
      });
      await plan.limit?.enter(call);
      await get(answer(200, {}, Readable.from(['abc'])));
      expect(log.filter((each) => each === 'release')).toEqual([]);
      expect(call.streamed).toBeDefined();
      await plan.limit?.enter(call);
      await get(answer(200, { 'x-again': '1' }, Readable.from(['abc'])));
      expect(log).toContain('release');
    });
  });

  describe('the breaker', () => {
    it('opens, and ends the call whose retry would find it open', async () => {
      const { answer, call, events, get, plan } = setUp({ breaker: {}, retry: { budget: false, maxRetries: 50 } });
      for (let i = 0; i < 19; i++) await get(answer(503));
      expect(await get(answer(503))).toEqual({ kind: 'stop', why: 'circuit-open' });
      expect(events.at(-1)).toEqual(['circuit-opened', expect.objectContaining({ key: ORIGIN })]);
      expect(plan.breaker?.isOpenIn(call, 0, call.judgedAt)).toBe(true);
    });

    it('is told what came, and when', async () => {
      const { call, clock, leaves, plan } = setUp({ breaker: {}, deadlineMs: 1_000 });
      const told = vi.spyOn(plan.breaker as NonNullable<typeof plan.breaker>, 'arrive');
      leaves();
      arrive(call, plan, LOST);
      expect(told.mock.calls).toEqual([[call, LOST, clock.now()]]);
    });

    it('learns nothing of a poll', async () => {
      const { answer, call, get, plan } = setUp({ breaker: {}, retry: { budget: false, maxRetries: 50 } });
      await get(answer(202));
      for (let i = 0; i < 25; i++) {
        call.next = 'polls';
        await get(answer(503));
      }
      expect(plan.breaker?.isOpenIn(call, 0, call.judgedAt)).toBe(false);
      expect(call.breaker?.ticket).toBeUndefined();
    });
  });

  describe('a connection that had been closed while it was idle', () => {
    const dead = (): Outcome => ({ error: new AxiosError('lost', 'ECONNRESET', undefined, { reusedSocket: true }) });

    it('is repeated at once, for nothing, and once only', async () => {
      const { call, clock, get } = setUp({ breaker: {} });
      expect(await get(dead())).toMatchObject({ kind: 'retry', delayMs: 0 });
      expect(call.budget?.home.balance(clock.now())).toBe(2_100);
      expect(call.breaker?.ticket).toBeUndefined();
      expect(await get(dead())).toMatchObject({ kind: 'retry', delayMs: 100 });
      expect(call.wantsFresh).toBe(false);
      expect(call.budget?.home.balance(clock.now())).toBe(2_100 - 14);
    });

    it('is so also after an answer that failed otherwise', async () => {
      const { answer, get } = setUp();
      await get(answer(503));
      expect(await get(dead())).toMatchObject({ kind: 'retry', delayMs: 0 });
    });

    it('and those that are idle beside it are destroyed', async () => {
      const destroyed: string[] = [];
      const freeSockets = { 'api.example.com:443:': [{ destroy: () => destroyed.push('one') }] };
      const request = { reusedSocket: true, host: 'api.example.com', agent: { freeSockets } };
      const { get } = setUp();
      await get({ error: new AxiosError('lost', 'ECONNRESET', undefined, request) });
      expect(destroyed).toEqual(['one']);
    });
  });

  describe('an error whose body is still to be read', () => {
    const JSON_ANSWER = { 'content-type': 'application/json' };

    it('is read where it is JSON, and given back whole', async () => {
      const { answer, call, get } = setUp();
      const body = Readable.from([Buffer.from('{"error":'), Buffer.from('{"code":"Busy"}}')]);
      const outcome = answer(503, JSON_ANSWER, body);
      await get(outcome);
      expect(call.errorText).toBe('{"error":{"code":"Busy"}}');
      let text = '';
      for await (const chunk of dataOf(outcome)) text += String(chunk);
      expect(text).toBe('{"error":{"code":"Busy"}}');
    });

    it('is one from 400 on', async () => {
      const { answer, call, get } = setUp();
      await get(answer(400, JSON_ANSWER, Readable.from(['{}'])));
      expect(call.errorText).toBe('{}');
    });

    it.each<[string, number, Record<string, string>]>([
      ['which is no JSON', 503, { 'content-type': 'text/html' }],
      ['which is no error', 200, JSON_ANSWER],
    ])('is left alone where it is one %s', async (_, status, headers) => {
      const { answer, call, get } = setUp();
      await get(answer(status, headers, Readable.from(['{}'])));
      expect(call.errorText).toBeUndefined();
    });

    it('is read for a second at most, and no longer than the call may last', async () => {
      for (const [deadlineMs, tookMs] of [
        [60_000, 1_000],
        [300, 300],
      ] as const) {
        const { answer, call, clock, get } = setUp({ deadlineMs });
        const deciding = get(answer(503, JSON_ANSWER, new Readable({ read: () => {} })));
        await settle();
        expect(call.waiting?.phase).toBe('body');
        expect(call.waiting?.why()).toBe('reads the body of an error');
        await clock.advance(tookMs - 1);
        expect(call.sends).toHaveLength(0);
        await clock.advance(1);
        await deciding;
        expect(call.sends).toHaveLength(1);
        expect(call.waiting).toBeUndefined();
      }
    });

    it('belongs to its own answer: the next has none', async () => {
      const { answer, call, get } = setUp();
      await get(answer(503, JSON_ANSWER, Readable.from(['{}'])));
      await get(LOST);
      expect(call.errorText).toBeUndefined();
    });
  });

  describe('a judge', () => {
    it('decides, and its reason is written down', async () => {
      const { answer, events, get } = setUp({ classify: () => ({ kind: 'transient', reason: 'not yet' }) });
      expect((await get(answer(200))).kind).toBe('retry');
      expect(events[0]).toEqual(['answered', expect.objectContaining({ verdict: 'transient', reason: 'not yet' })]);
    });

    it('that throws ends the call, and the send is written down all the same', async () => {
      const fail = () => {
        throw new Error('odd');
      };
      for (const classify of [fail, async () => fail()]) {
        const { answer, call, get } = setUp({ classify });
        await expect(get(answer(503))).rejects.toThrow('odd');
        expect(call.sends).toEqual([expect.objectContaining({ status: 503, verdict: 'permanent', decision: 'stop' })]);
        expect(call.waiting).toBeUndefined();
      }
    });

    it('may take time: when the answer came stays as it was', async () => {
      const { answer, call, clock, leaves, plan } = setUp({
        classify: () => new Promise((resolve) => void clock.after(300, () => resolve({ kind: 'transient' }))),
      });
      leaves();
      await clock.advance(50);
      const deciding = arrive(call, plan, answer(404));
      await settle();
      expect(call.waiting?.phase).toBe('body');
      expect(call.waiting?.why()).toBe('waits for a judge of `classify`');
      await clock.advance(300);
      expect((await deciding).kind).toBe('retry');
      expect(call.sends[0]?.durationMs).toBe(50);
      expect(call.judgedAt - call.answeredAt).toBe(300);
    });

    it('is waited for no longer than the call may last: the answer stands as it is', async () => {
      const { answer, call, clock, get } = setUp({ classify: () => new Promise(() => {}), deadlineMs: 1_000 });
      const deciding = get(answer(503));
      await clock.advance(1_000);
      expect(await deciding).toEqual({ kind: 'stop', why: 'deadline' });
      expect(call.sends[0]).toMatchObject({ status: 503, verdict: 'transient', decision: 'stop' });
    });

    it('is waited for no longer once the call is given up', async () => {
      const { answer, call, controller, get } = setUp({ classify: () => new Promise(() => {}) });
      const deciding = get(answer(503));
      await settle();
      controller.abort();
      expect((await deciding).kind).toBe('stop');
      expect(call.sends[0]?.verdict).toBe('cancelled');
    });

    it('is not asked of a send that was given up, unless it was answered', async () => {
      const asked: unknown[] = [];
      const classify: Policy['classify'] = ({ response }) => void asked.push(response?.status);
      const [lost, answered] = [setUp({ classify }), setUp({ classify })];
      for (const { controller } of [lost, answered]) controller.abort();
      expect(await lost.get(LOST)).toEqual({ kind: 'stop', why: 'cancelled' });
      await answered.get(answered.answer(503));
      expect(asked).toEqual([503]);
    });
  });

  describe('an answer that is good enough', () => {
    const permanent = (accept: boolean): Policy => ({ classify: () => ({ kind: 'permanent', accept }) });

    it('is one that a judge accepts, whatever it is and whichever way axios has it', async () => {
      for (const status of [200, 404]) {
        const { answer, get } = setUp(permanent(true));
        expect(await get(answer(status))).toEqual({ kind: 'finish' });
      }
    });

    it('is none that a judge does not accept', async () => {
      for (const status of [200, 404]) {
        const { answer, get } = setUp(permanent(false));
        expect(await get(answer(status))).toEqual({ kind: 'stop', why: 'not-retryable' });
      }
    });

    it('has to be an answer', async () => {
      expect(await setUp(permanent(true)).get(LOST)).toEqual({ kind: 'stop', why: 'not-retryable' });
    });

    it.each<[number, 'resolves' | 'rejects', Decision]>([
      [304, 'resolves', { kind: 'finish' }],
      [399, 'resolves', { kind: 'finish' }],
      [300, 'resolves', { kind: 'finish' }],
      [101, 'resolves', { kind: 'finish' }],
      [304, 'rejects', { kind: 'stop', why: 'not-retryable' }],
      [404, 'resolves', { kind: 'stop', why: 'not-retryable' }],
      [400, 'resolves', { kind: 'stop', why: 'not-retryable' }],
    ])('is a %i that axios %s, which is no error: %j', async (status, which, decision) => {
      const { answer, get } = setUp();
      const { response } = answer(200);
      const given = { ...response, status } as AxiosResponse;
      const outcome: Outcome =
        which === 'resolves'
          ? { response: given }
          : { error: new AxiosError('no', 'ERR_BAD_RESPONSE', given.config, {}, given) };
      expect(await get(outcome)).toEqual(decision);
    });
  });

  describe('a judge that makes a call of its own', () => {
    it('needs no permit for it, and finds no circuit open that the answer is to close', async () => {
      for (const isLate of [false, true]) {
        const log: unknown[] = [];
        const limit = noting(log, { takesNested: true });
        const nested: unknown[] = [];
        limit.acquire = (request) => {
          nested.push(request.nested);
          return { release: () => {} };
        };
        const inner = setUp({ limit });
        const { answer, call, get, plan } = setUp({
          limit,
          breaker: {},
          classify: async () => {
            if (isLate) await settle();
            await inner.plan.limit?.enter(inner.call);
            return undefined;
          },
        });
        await plan.limit?.enter(call);
        await get(answer(200));
        expect(nested).toEqual([false, true]);
      }
    });
  });

  describe('a POST', () => {
    it('is retried where it carried a key that stays', async () => {
      const idempotency = { generate: () => 'k' };
      const made = setUp({ idempotency }, { method: 'post' });
      made.leaves();
      made.call.idempotencyKey = 'k';
      made.call.wireHeaders?.set('Idempotency-Key', 'k');
      expect(await arrive(made.call, made.plan, LOST)).toMatchObject({ kind: 'retry' });
      const without = setUp({}, { method: 'post' });
      expect(await without.get(LOST)).toEqual({ kind: 'stop', why: 'unsafe-method' });
    });

    it('gets another key after an answer, where the policy says so, and not after none', async () => {
      for (const [outcome, key] of [
        ['answered', undefined],
        ['lost', 'k'],
      ] as const) {
        const { answer, call, get } = setUp({ idempotency: { renew: 'after-response' } }, { method: 'post' });
        call.idempotencyKey = 'k';
        await get(outcome === 'lost' ? LOST : answer(503));
        expect(call.idempotencyKey).toBe(key);
      }
    });
  });

  it('retries no timeout where the policy says so', async () => {
    const late: Outcome = { error: new AxiosError('late', 'ETIMEDOUT') };
    expect((await setUp().get(late)).kind).toBe('retry');
    expect(await setUp({ retry: { timeouts: false } }).get(late)).toEqual({ kind: 'stop', why: 'not-retryable' });
  });

  it('bounds the waits that servers name by what they come to together', async () => {
    const { answer, call, get } = setUp({ retry: { retryAfter: { maxMs: 3_000 } } });
    await get(answer(503, { 'retry-after': '2' }));
    expect(await get(answer(503, { 'retry-after': '2' }))).toEqual({ kind: 'stop', why: 'wait-too-long' });
    expect(call.refusedWait).toEqual({ waitedMs: 2_000, maxMs: 3_000 });
  });

  it('counts the retries since the last pending answer', async () => {
    const { answer, call, get } = setUp({ retry: { maxRetries: 2, budget: false } });
    Object.assign(call, { retries: 5, retriesBefore: 4 });
    expect((await get(answer(503))).kind).toBe('retry');
    Object.assign(call, { retries: 6 });
    expect(await get(answer(503))).toEqual({ kind: 'stop', why: 'retries-exhausted' });
  });

  it('writes down how long the send waited for a permit and for a token, and what was asked', async () => {
    const { answer, call, get, plan } = setUp({
      limit: noting([]),
      auth: { token: () => 'a', refresh: async () => 'b' },
    });
    await plan.limit?.enter(call);
    if (call.limit !== undefined) call.limit.queuedMs = 300;
    call.refreshMs = 40;
    call.asked = `${ORIGIN}/jobs/7`;
    await get(answer(503));
    call.refreshMs = 90;
    await get(answer(503));
    expect(call.sends).toEqual([
      expect.objectContaining({ queuedMs: 300, refreshMs: 40, polled: `${ORIGIN}/jobs/7` }),
      expect.objectContaining({ queuedMs: 300, refreshMs: 50 }),
    ]);
    const plain = setUp();
    await plain.get(plain.answer(503));
    expect(plain.call.sends[0]).toMatchObject({ queuedMs: 0, refreshMs: undefined, polled: undefined });
  });

  it('writes down the code of what was lost', async () => {
    const { call, events, get } = setUp();
    await get(LOST);
    expect(call.sends[0]).toMatchObject({ status: undefined, code: 'ECONNRESET' });
    expect(events).toEqual([
      ['answered', expect.objectContaining({ code: 'ECONNRESET', status: undefined })],
      ['retry-scheduled', expect.objectContaining({ code: 'ECONNRESET', retry: 1 })],
    ]);
  });

  describe('an answer that is still pending', () => {
    const pending: Policy = {
      classify: ({ response }) => (response?.status === 202 ? { kind: 'pending' } : undefined),
    };

    it('is asked for again, where it says', async () => {
      const { answer, call, events, get } = setUp(pending);
      expect(await get(answer(202, { location: '/jobs/7?full=1' }))).toEqual({
        kind: 'poll',
        delayMs: 1_000,
        url: `${ORIGIN}/jobs/7?full=1`,
      });
      expect(events.at(-1)).toEqual([
        'poll-scheduled',
        expect.objectContaining({ poll: 1, delayMs: 1_000, url: `${ORIGIN}/jobs/7`, status: 202 }),
      ]);
      expect(call.pollingSince).toBe(call.judgedAt);
    });

    it('is asked for where the sends go, if it names nothing', async () => {
      const { answer, call, events, get } = setUp(pending);
      call.template = { ...call.template, url: `${ORIGIN}/jobs?page=1` };
      expect(await get(answer(202))).toEqual({ kind: 'poll', delayMs: 1_000, url: undefined });
      expect(events.at(-1)).toEqual(['poll-scheduled', expect.objectContaining({ url: `${ORIGIN}/jobs` })]);
      expect(call.sends[0]).toMatchObject({ decision: 'poll', delayMs: 1_000 });
    });

    it('counts retries and replays anew', async () => {
      const { answer, call, get } = setUp(pending);
      Object.assign(call, { retries: 3, replays: 1, backoffMs: 700 });
      await get(answer(202, { location: '/jobs/7' }));
      expect(call).toMatchObject({ retriesBefore: 3, replaysBefore: 1, backoffMs: 0 });
      expect((await get(answer(503))).kind).toBe('retry');
    });

    it('is given up after `poll.maxMs`, and says how long it was asked for', async () => {
      const { answer, call, clock, get } = setUp({ ...pending, poll: { maxMs: 5_000 } });
      await get(answer(202, { location: '/jobs/7' }));
      await clock.advance(4_500);
      expect(await get(answer(202, { location: '/jobs/7' }))).toEqual({ kind: 'stop', why: 'still-pending' });
      expect(call.polledMs).toBe(4_500);
    });
  });

  describe('a 401', () => {
    const auth = { token: () => 'a', refresh: async () => 'b' };
    const carrying = async (policy: Policy = { auth }, config: object = {}) => {
      const made = setUp(policy, { headers: new AxiosHeaders({ Authorization: 'Bearer a' }), ...config });
      await made.plan.auth?.enter(made.call);
      return made;
    };

    it('is answered with another token', async () => {
      const { answer, get } = await carrying();
      expect(await get(answer(401))).toEqual({ kind: 'refresh' });
    });

    it('ends the call where the replay gets another', async () => {
      const { answer, call, get } = await carrying();
      await get(answer(401));
      call.next = 'replays';
      expect(await get(answer(401))).toEqual({ kind: 'stop', why: 'still-unauthorized' });
    });

    it('is answered with another token after each pending answer', async () => {
      const { answer, call, get } = await carrying();
      Object.assign(call, { replays: 1, replaysBefore: 1 });
      expect(await get(answer(401))).toEqual({ kind: 'refresh' });
    });

    it.each<[string, number[], string]>([
      ['the first send with it', [401], 'refresh'],
      ['a replay that failed otherwise', [503, 401], 'refresh'],
    ])('to %s is no reason to spare the calls to come a refresh', async (_, statuses, kind) => {
      const { answer, call, clock, get, plan } = await carrying();
      await get(answer(401));
      await plan.auth?.replace(call, { challenges: [], api: undefined });
      call.config.headers.set('Authorization', 'Bearer b');
      if (statuses.length > 1) {
        call.next = 'replays';
        await get(answer(statuses[0] as number));
      }
      const next = new CallUnderWay(call.config, plan);
      await plan.auth?.enter(next);
      next.leaves(call.config, clock.now());
      expect((await arrive(next, plan, answer(statuses.at(-1) as number))).kind).toBe(kind);
    });

    it('that its replay gets tells the calls to come that a refresh does not help, for a while', async () => {
      const { answer, call, clock, get, plan } = await carrying();
      await get(answer(401));
      expect(await plan.auth?.replace(call, { challenges: [], api: undefined })).toBeUndefined();
      call.next = 'replays';
      call.config.headers.set('Authorization', 'Bearer b');
      await get(answer(401));
      const next = new CallUnderWay(call.config, plan);
      await plan.auth?.enter(next);
      next.leaves(call.config, clock.now());
      expect(await arrive(next, plan, answer(401))).toEqual({ kind: 'stop', why: 'still-unauthorized' });
    });

    it.each<[Policy['statuses'], Record<string, string>, string]>([
      [{ 403: 'refresh' }, {}, 'refresh'],
      [{ 403: 'refresh' }, { 'www-authenticate': 'Bearer error="insufficient_scope"' }, 'refresh'],
      [{}, {}, 'stop'],
    ])('may be a 403 where the policy says %j, whatever its challenge says', async (statuses, headers, kind) => {
      const { answer, get } = await carrying({ auth, ...(statuses && { statuses }) });
      expect((await get(answer(403, headers))).kind).toBe(kind);
    });

    it('for want of a scope calls for no refresh unless the policy says so', async () => {
      const { answer, get } = await carrying();
      const headers = { 'www-authenticate': 'Bearer error="insufficient_scope"' };
      expect(await get(answer(401, headers))).toEqual({ kind: 'stop', why: 'not-retryable' });
    });

    it('ends the call without credentials, and where it came from another origin', async () => {
      const without = setUp();
      expect(await without.get(without.answer(401))).toEqual({ kind: 'stop', why: 'not-retryable' });
      const left = await carrying();
      const outcome = left.answer(401);
      Object.assign((outcome.error as AxiosError).response as object, {
        request: { responseURL: 'https://login.example.com/' },
      });
      expect(await left.get(outcome)).toEqual({ kind: 'stop', why: 'not-retryable' });
    });

    it('says why the send carried no token', async () => {
      const { answer, call, get } = setUp({ auth: { ...auth, origins: ['https://other.example.com'] } });
      await get(answer(401));
      expect(call.bareBecause).toContain('is not among auth.origins');
      await get(answer(404));
      expect(call.bareBecause).toBeUndefined();
    });

    it('has the token replaced for the next call where this one cannot be sent again', async () => {
      let refreshed = 0;
      const { answer, get } = await carrying(
        { auth: { ...auth, refresh: async () => `b${++refreshed}` } },
        { method: 'post', data: Readable.from(['once']) },
      );
      expect(await get(answer(401))).toEqual({ kind: 'stop', why: 'body-not-replayable' });
      await settle();
      expect(refreshed).toBe(1);
    });

    it('has nothing replaced where the call ends for another reason, nor has another answer', async () => {
      let refreshed = 0;
      const counting = { ...auth, refresh: async () => `b${++refreshed}` };
      const replayed = await carrying({ auth: counting });
      replayed.call.next = 'replays';
      await replayed.get(replayed.answer(503));
      expect(await replayed.get(replayed.answer(401))).toEqual({ kind: 'stop', why: 'still-unauthorized' });
      const once = await carrying({ auth: counting }, { method: 'put', data: Readable.from(['once']) });
      expect(await once.get(once.answer(503))).toEqual({ kind: 'stop', why: 'body-not-replayable' });
      await settle();
      expect(refreshed).toBe(0);
    });
  });

  it('takes nothing for not applied that a redirect lies behind', async () => {
    const { answer, get } = setUp({}, { method: 'post' });
    expect((await get(answer(429, { 'retry-after': '1' }))).kind).toBe('retry');
    const redirected = setUp({}, { method: 'post' });
    const outcome = redirected.answer(429, { 'retry-after': '1' });
    Object.assign((outcome.error as AxiosError).response as object, {
      request: { responseURL: `${ORIGIN}/elsewhere` },
    });
    expect(await redirected.get(outcome)).toEqual({ kind: 'stop', why: 'unsafe-method' });
  });

  it('goes by the method that was sent, which beforeSend may have changed', async () => {
    const { answer, call, leaves, plan } = setUp({}, { method: 'post' });
    leaves();
    if (call.wire !== undefined) call.wire.method = 'get';
    expect(await arrive(call, plan, answer(503))).toMatchObject({ kind: 'retry' });
  });

  it('does not retry a body that can be read once, unless the policy makes another', async () => {
    const config = { method: 'put', data: Readable.from(['once']) };
    const once = setUp({}, config);
    expect(await once.get(once.answer(503))).toEqual({ kind: 'stop', why: 'body-not-replayable' });
    const anew = setUp({ body: () => 'anew' }, config);
    expect((await anew.get(anew.answer(503))).kind).toBe('retry');
  });

  it('ends at the deadline that cut the send off', async () => {
    const { call, clock, leaves, plan } = setUp({ deadlineMs: 1_000, retry: { backoff: () => 0 } });
    leaves();
    await clock.advance(999);
    call.cutOff = { error: call.deadlineError(call.config) };
    expect(await arrive(call, plan, call.cutOff)).toEqual({ kind: 'stop', why: 'deadline' });
  });

  it('takes a body of the request that fails for what failed, and not the connection', async () => {
    const reset = Object.assign(new Error('reset elsewhere'), { code: 'ECONNRESET' });
    const data = new Readable({ read: () => {} });
    data.once('error', () => {});
    data.destroy(reset);
    await settle();
    for (const [sent, kind] of [
      [data, 'stop'],
      ['text', 'retry'],
    ] as const) {
      const { call, leaves, own, plan } = setUp({ body: () => sent }, { method: 'put' });
      leaves();
      if (call.wire !== undefined) call.wire.data = sent;
      expect(await arrive(call, plan, { error: AxiosError.from(reset, 'ECONNRESET', own) })).toMatchObject({ kind });
    }
  });

  it('follows no body of an answer that axios rejects', async () => {
    const { answer, call, get } = setUp();
    await get(answer(404, {}, Readable.from(['no'])));
    expect(call.streamed).toBeUndefined();
  });

  it('puts a web stream of its own in the place of that of the adapter, unless the answer is frozen', async () => {
    const { answer, call, get } = setUp();
    const body = new ReadableStream<Uint8Array>();
    const outcome = answer(200, {}, body);
    await get(outcome);
    expect(outcome.response?.data).not.toBe(body);
    expect(outcome.response?.data).toBe(call.streamed?.data);
    const frozen = answer(200, {}, new ReadableStream<Uint8Array>());
    Object.freeze(frozen.response);
    await get(frozen);
    expect(call.streamed).toBeUndefined();
  });
});

const dataOf = ({ error }: Outcome): Readable => ((error as AxiosError).response as AxiosResponse<Readable>).data;
