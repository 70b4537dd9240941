import { PassThrough, Readable } from 'node:stream';
import { AxiosError, AxiosHeaders, CanceledError, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it, vi } from 'vitest';
import type { Outcome } from '../../lib/call/outcome.ts';
import type { Verdict } from '../../lib/call/verdict.ts';
import { evidenceOn } from '../../lib/classify/judging.ts';
import { failureOf, type Policy, reportOf } from '../../lib/index.ts';
import { leave } from '../../lib/loop/leave.ts';
import type { BudgetStation } from '../../lib/retry/budget-station.ts';
import { borrow } from '../../lib/send/borrow.ts';
import { followBody } from '../../lib/send/streamed-body.ts';
import { settle } from '../support/manual-clock.ts';
import { answered, underWay } from '../support/under-way.ts';

const ORIGIN = 'https://api.example.com';

function setUp(policy: Policy = {}, config: object = {}) {
  const controller = new AbortController();
  const own: InternalAxiosRequestConfig = {
    url: `${ORIGIN}/`,
    method: 'get',
    headers: new AxiosHeaders(),
    signal: controller.signal,
    ...config,
  };
  const finished: unknown[] = [];
  const { call, plan, clock } = underWay(own, {
    on: { finished: ({ endedBecause, report }) => finished.push([endedBecause, report.endedBecause]) },
    ...policy,
  });
  plan.underWay.begun(call);
  const answer = (status: number, data: unknown = '') => answered(own, status, { data });
  /** Its last send came to that. */
  const judged = (outcome: Outcome, verdict: Verdict): Outcome => {
    call.sent = 1;
    call.last = outcome;
    call.outcome = outcome;
    call.verdict = verdict;
    call.judgedAt = clock.now();
    plan.budget?.arrive(call);
    return outcome;
  };
  const end = async (outcome: Outcome, why: Parameters<typeof leave>[3]) => {
    const [settled] = await Promise.allSettled([leave(call, plan, outcome, why)]);
    return settled;
  };
  return { call, plan, clock, controller, own, finished, answer, judged, end };
}

const BAD: Verdict = { kind: 'transient' };
const GOOD: Verdict = { kind: 'success' };

describe(leave.name, () => {
  it('gives the response of a call that did well, and tells that it has finished', async () => {
    const { answer, call, end, finished, judged, plan } = setUp();
    const outcome = judged(answer(200), GOOD);
    expect(await end(outcome, 'success')).toEqual({ status: 'fulfilled', value: outcome.response });
    expect(finished).toEqual([['success', 'success']]);
    expect(call.endedBecause).toBe('success');
    expect(reportOf(outcome.response)?.endedBecause).toBe('success');
    expect(plan.underWay.pending()).toEqual([]);
  });

  it('rejects with the error, by which and by whose response the call can be found', async () => {
    const { answer, end, finished, judged } = setUp();
    const outcome = judged(answer(503), BAD);
    expect(await end(outcome, 'retries-exhausted')).toEqual({ status: 'rejected', reason: outcome.error });
    expect(finished).toEqual([['retries-exhausted', 'retries-exhausted']]);
    expect(failureOf(outcome.error)?.endedBecause).toBe('retries-exhausted');
    expect(reportOf((outcome.error as AxiosError).response)?.endedBecause).toBe('retries-exhausted');
  });

  it.each([[undefined], [null], [0]])('rejects with whatever an adapter rejected with: %s', async (error) => {
    const { end, judged } = setUp();
    expect(await end(judged({ error }, BAD), 'not-retryable')).toEqual({ status: 'rejected', reason: error });
  });

  it('says of an answer that axios rejects, and a judge takes for good, that it was not retryable', async () => {
    const { answer, end, finished, judged } = setUp();
    await end(judged(answer(404), GOOD), 'success');
    expect(finished).toEqual([['not-retryable', 'not-retryable']]);
  });

  it('marks a failure for all to see, and a success by what costs nothing', async () => {
    const seen = async (status: number, verdict: Verdict, why: Parameters<typeof leave>[3]) => {
      const { answer, end, judged } = setUp();
      const outcome = judged(answer(status), verdict);
      await end(outcome, why);
      const response = outcome.response ?? (outcome.error as AxiosError).response;
      expect(reportOf(response)).toBeDefined();
      return reportOf(new Proxy(response as object, {})) !== undefined;
    };
    expect(await seen(200, GOOD, 'success')).toBe(false);
    expect(await seen(404, GOOD, 'success')).toBe(true);
    expect(await seen(503, BAD, 'retries-exhausted')).toBe(true);
    expect(await seen(202, { kind: 'pending' }, 'stopped')).toBe(true);
  });

  it('keeps nothing of the request once it has done well, and all of it where it has not: somebody may ask why', async () => {
    const keeps = async (status: number, verdict: Verdict, why: Parameters<typeof leave>[3], body: unknown = '') => {
      const { answer, call, end, judged, own } = setUp({}, { data: 'much' });
      const outcome = judged(answer(status, body), verdict);
      call.streamed = followBody(body);
      call.template = { ...own };
      await end(outcome, why);
      return [call.outcome, call.last, call.template.data].some((each) => each !== undefined);
    };
    expect(await keeps(200, GOOD, 'success')).toBe(false);
    expect(await keeps(404, GOOD, 'success')).toBe(true);
    expect(await keeps(503, BAD, 'disabled')).toBe(true);
    expect(await keeps(202, { kind: 'pending' }, 'stopped')).toBe(true);
    // Its stream is still to be read, and may be cut at the deadline.
    expect(await keeps(200, GOOD, 'success', new PassThrough())).toBe(true);
  });

  it('ends a call that retries nothing', async () => {
    const { answer, end, judged } = setUp({ retry: false });
    const outcome = judged(answer(503), BAD);
    expect(await end(outcome, 'disabled')).toEqual({ status: 'rejected', reason: outcome.error });
  });

  it('hands on what a judge has made of the body, unless the call was cancelled', async () => {
    for (const isCancelled of [false, true]) {
      const transformResponse = [(text: string) => JSON.parse(text)];
      const { answer, call, controller, end, judged, own, plan } = setUp({}, { transformResponse });
      const outcome = judged(answer(200, '{"a":1}'), GOOD);
      const { data } = evidenceOn(call, outcome, plan.clock);
      if (isCancelled) controller.abort();
      await end(outcome, 'success');
      expect(call.shown).toBeUndefined();
      expect(data).toEqual({ a: 1 });
      // So axios takes it, and does not run them once more.
      expect(own.transformResponse === transformResponse).toBe(isCancelled);
    }
  });

  it('ends when it was judged, where it did well, and else now', async () => {
    for (const [why, tookMs] of [
      ['success', 0],
      ['disabled', 300],
    ] as const) {
      const { answer, call, clock, end, judged } = setUp();
      const outcome = judged(answer(200), GOOD);
      await clock.advance(300);
      await end(outcome, why);
      expect(call.endedAt - call.startedAt).toBe(tookMs);
    }
  });

  it("puts the caller's config back", async () => {
    const { answer, call, end, judged, own } = setUp();
    const { headers } = own;
    call.borrowed = borrow(own);
    await end(judged(answer(200), GOOD), 'success');
    expect(own.headers).toBe(headers);
    expect(call.borrowed).toBeUndefined();
  });

  it('gives back the permit, the place of a probe, and what a retry took that never left', async () => {
    const log: string[] = [];
    const { answer, call, clock, end, judged, plan } = setUp({
      breaker: {},
      limit: {
        acquire: () => ({ release: () => log.push('release') }),
        pause: () => {},
        close: async () => {},
        stats: () => ({ queued: 0, running: 0 }),
      },
    });
    await plan.limit?.enter(call);
    plan.breaker?.enter(call, clock.now());
    plan.breaker?.depart(call, clock.now());
    const outcome = judged(answer(503), BAD);
    plan.budget?.withdraw(call, 'transient', false, clock.now());
    const before = call.budget?.home.balance(clock.now());
    await end(outcome, 'cancelled');
    expect(log).toEqual(['release']);
    expect(call.breaker?.ticket).toBeUndefined();
    expect(Number(call.budget?.home.balance(clock.now())) - Number(before)).toBe(14);
  });

  describe('the budget', () => {
    it.each<[string, number, Verdict, Parameters<typeof leave>[3], number]>([
      ['gets a little back for a success', 200, GOOD, 'success', 1],
      ['gets nothing back for a failure', 503, BAD, 'retries-exhausted', 0],
      ['gets nothing back for what was stopped', 200, GOOD, 'stopped', 0],
    ])('%s', async (_, status, verdict, why, tokens) => {
      const { answer, call, clock, end, judged, plan } = setUp();
      const outcome = judged(answer(status), verdict);
      plan.budget?.withdraw(call, 'transient', false, clock.now());
      plan.budget?.arrive(call);
      if (call.budget !== undefined) call.budget.lastCost = undefined;
      const before = Number(call.budget?.home.balance(clock.now()));
      await end(outcome, why);
      expect(Number(call.budget?.home.balance(clock.now())) - before).toBe(tokens);
    });

    const lost = (code: string): Outcome => ({ error: new AxiosError('lost', code) });
    it.each<[string, number | Outcome, Verdict, Parameters<typeof leave>[3], boolean, boolean | undefined]>([
      ['a success', 200, GOOD, 'success', true, false],
      ['a 503', 503, BAD, 'retries-exhausted', false, true],
      ['a lost connection', lost('ECONNRESET'), BAD, 'retries-exhausted', false, true],
      ['a 503 that the policy takes for permanent', 503, { kind: 'permanent' }, 'not-retryable', false, false],
      ['a 404', 404, { kind: 'permanent' }, 'not-retryable', false, false],
      ['a 404 that a judge has tried again', 404, BAD, 'retries-exhausted', false, false],
      ['a wrong URL', lost('ERR_INVALID_URL'), { kind: 'permanent' }, 'not-retryable', false, undefined],
    ])('is told of %s whether the server failed for a moment', async (_, answered, verdict, why, succeeded, failed) => {
      const { answer, call, clock, end, judged, plan } = setUp();
      const ended = vi.spyOn(plan.budget as BudgetStation, 'ended');
      await end(judged(typeof answered === 'number' ? answer(answered) : answered, verdict), why);
      expect(ended.mock.calls).toEqual([[call, succeeded, failed, clock.now()]]);
    });

    it('is told nothing of the server where a dead connection was to blame', async () => {
      const { call, clock, end, judged, plan } = setUp();
      const ended = vi.spyOn(plan.budget as BudgetStation, 'ended');
      const outcome = judged(lost('ECONNRESET'), BAD);
      call.wantsFresh = true;
      await end(outcome, 'unsafe-method');
      expect(ended.mock.calls).toEqual([[call, false, undefined, clock.now()]]);
    });

    it('learns nothing of a call that did not end with its last answer', async () => {
      const { answer, call, clock, end, judged, plan } = setUp();
      judged(answer(200), GOOD);
      plan.budget?.withdraw(call, 'transient', false, clock.now());
      plan.budget?.arrive(call);
      const before = call.budget?.home.balance(clock.now());
      await end({ error: new Error('refused') }, 'success');
      expect(call.budget?.home.balance(clock.now())).toBe(before);
    });
  });

  describe('what a judge wants the caller to have', () => {
    it('an answer that axios rejects, as a response', async () => {
      const { answer, end, finished, judged } = setUp();
      const outcome = judged(answer(404), { kind: 'success', accept: true });
      expect(await end(outcome, 'success')).toMatchObject({ status: 'fulfilled', value: { status: 404 } });
      expect(finished).toEqual([['success', 'success']]);
    });

    it.each([
      [200, 'ERR_BAD_RESPONSE'],
      [404, 'ERR_BAD_REQUEST'],
      [400, 'ERR_BAD_REQUEST'],
      [499, 'ERR_BAD_REQUEST'],
      [500, 'ERR_BAD_RESPONSE'],
    ])('an answer of %i that axios resolves, as an error of code %s', async (status, code) => {
      const { call, end, judged, own } = setUp();
      const response = { status, headers: {}, config: own, data: '', request: {} } as never;
      const outcome = judged({ response }, { kind: 'permanent', reject: true, reason: 'no such thing' });
      const settled = await end(outcome, 'not-retryable');
      const { reason } = settled as PromiseRejectedResult;
      expect(reason).toBeInstanceOf(AxiosError);
      expect(reason).toMatchObject({
        code,
        message: 'classify rejected the answer: no such thing',
        config: call.config,
      });
      expect(reason.response).toBe(response);
      expect(reason.request).toBe((response as { request: object }).request);
    });

    it('is not told of where it says no more', async () => {
      const { answer, end, judged } = setUp();
      const settled = await end(judged(answer(200), { kind: 'permanent', reject: true }), 'not-retryable');
      expect((settled as PromiseRejectedResult).reason.message).toBe('classify rejected the answer');
    });

    it('what axios does already is left as it is', async () => {
      const { answer, end, judged } = setUp();
      const good = judged(answer(200), { kind: 'success', accept: true });
      expect(await end(good, 'success')).toEqual({ status: 'fulfilled', value: good.response });
      const again = setUp();
      const bad = again.judged(again.answer(503), { kind: 'transient', reject: true });
      expect(await again.end(bad, 'disabled')).toEqual({ status: 'rejected', reason: bad.error });
    });

    it('counts for an answer only, and for the last one', async () => {
      const { end, judged } = setUp();
      const lost = judged({ error: new AxiosError('lost', 'ECONNRESET') }, { kind: 'success', accept: true });
      expect(await end(lost, 'success')).toEqual({ status: 'rejected', reason: lost.error });
      const other = setUp();
      const { error } = other.judged(other.answer(404), { kind: 'success', accept: true });
      // As the error of a failed refresh, which carries the answer.
      const refused = { error: Object.assign(new Error('full'), { response: (error as AxiosError).response }) };
      expect(await other.end(refused, 'limited')).toEqual({ status: 'rejected', reason: refused.error });
    });

    it.each<[Parameters<typeof leave>[3], boolean]>([
      ['still-pending', true],
      ['deadline', true],
      ['success', false],
      ['stopped', false],
    ])('nobody takes "not yet" for the result where the call ended because of %s: %s', async (why, rejects) => {
      const { answer, end, judged } = setUp();
      const settled = await end(judged(answer(202), { kind: 'pending', reason: '3 of 4' }), why);
      if (rejects) {
        expect(settled).toMatchObject({ reason: { message: 'the answer is still pending: 3 of 4' } });
      } else expect(settled?.status).toBe('fulfilled');
    });
  });

  describe('that is cancelled', () => {
    it('rejects as axios does, whatever came, and the books say the same', async () => {
      const { answer, controller, end, finished, judged } = setUp();
      const outcome = judged(answer(200), GOOD);
      controller.abort();
      const settled = await end(outcome, 'success');
      expect((settled as PromiseRejectedResult).reason).toBeInstanceOf(CanceledError);
      expect(finished).toEqual([['cancelled', 'cancelled']]);
    });

    it('keeps the error of axios, if it ended with one', async () => {
      const { controller, end, finished } = setUp();
      controller.abort();
      const error = new CanceledError('mine');
      expect(await end({ error }, 'not-retryable')).toEqual({ status: 'rejected', reason: error });
      expect(finished).toEqual([['cancelled', 'cancelled']]);
    });

    it('destroys the body of an answer that nobody is handed', async () => {
      const { answer, controller, end, judged } = setUp();
      const body = new PassThrough();
      const outcome = judged(answer(200, body), GOOD);
      controller.abort();
      await end(outcome, 'success');
      await settle();
      expect(body.destroyed).toBe(true);
    });
  });

  describe('with onGiveUp', () => {
    it('tells it of a failure, when nothing is held any more, and before the caller', async () => {
      const told: unknown[] = [];
      const { answer, call, end, finished, judged } = setUp({
        retry: {
          onGiveUp: (about) => {
            told.push({
              ...about,
              isFrozen: Object.isFrozen(about),
              finished: finished.length,
              phase: call.waiting?.why(),
            });
          },
        },
      });
      const outcome = judged(answer(503), BAD);
      expect(await end(outcome, 'disabled')).toEqual({ status: 'rejected', reason: outcome.error });
      expect(told).toEqual([
        expect.objectContaining({
          endedBecause: 'disabled',
          outcome,
          error: outcome.error,
          isFrozen: true,
          finished: 0,
          phase: 'waits for `retry.onGiveUp`',
        }),
      ]);
      expect(finished).toEqual([['disabled', 'disabled']]);
      expect(call.waiting).toBeUndefined();
    });

    it.each<[string, number, Verdict, Parameters<typeof leave>[3]]>([
      ['a success', 200, GOOD, 'success'],
      ['what was stopped and resolves', 202, { kind: 'pending' }, 'stopped'],
    ])('does not tell it of %s', async (_, status, verdict, why) => {
      const { answer, end, judged } = setUp({ retry: { onGiveUp: () => Promise.reject(new Error('told')) } });
      expect((await end(judged(answer(status), verdict), why))?.status).toBe('fulfilled');
    });

    it.each<[string, number, Verdict, Parameters<typeof leave>[3]]>([
      ['a success that axios rejects', 404, GOOD, 'success'],
      ['what was stopped and rejects', 503, BAD, 'stopped'],
      ['what resolves and has failed', 202, GOOD, 'deadline'],
    ])('tells it of %s', async (_, status, verdict, why) => {
      let told = 0;
      const { answer, end, judged } = setUp({ retry: { onGiveUp: () => void told++ } });
      await end(judged(answer(status), verdict), why);
      expect(told).toBe(1);
    });

    it('rejects with what it throws, and remembers what the call failed with', async () => {
      const mine = new Error('mine');
      const { answer, call, end, finished, judged } = setUp({ retry: { onGiveUp: () => Promise.reject(mine) } });
      const outcome = judged(answer(503), BAD);
      expect(await end(outcome, 'disabled')).toEqual({ status: 'rejected', reason: mine });
      expect(mine.cause).toBe(outcome.error);
      expect(call.failedWith).toBe(outcome);
      expect(failureOf(mine)?.endedBecause).toBe('disabled');
      expect(finished).toHaveLength(1);
    });

    it('waits for it no longer than the call may last, and keeps the reason', async () => {
      const { answer, call, clock, end, judged } = setUp({
        deadlineMs: 1_000,
        retry: { onGiveUp: () => new Promise(() => {}) },
      });
      const outcome = judged(answer(503), BAD);
      const ended = end(outcome, 'disabled');
      await clock.advance(1_000);
      expect(await ended).toEqual({ status: 'rejected', reason: outcome.error });
      expect(call.endedBecause).toBe('disabled');
      expect(call.failedWith).toBeUndefined();
    });

    it('ends as cancelled where the caller gives up meanwhile', async () => {
      const { answer, controller, end, judged } = setUp({ retry: { onGiveUp: () => new Promise(() => {}) } });
      const ended = end(judged(answer(503), BAD), 'disabled');
      controller.abort();
      expect(((await ended) as PromiseRejectedResult).reason).toBeInstanceOf(CanceledError);
    });
  });

  describe('with a stream', () => {
    it('is over for the caller, and stays in flight until the body has ended', async () => {
      const { answer, call, clock, end, judged, plan } = setUp({ deadlineMs: 10_000 });
      const body = Readable.from(['abc', 'def']);
      const outcome = judged(answer(200, body), GOOD);
      call.streamed = followBody(body);
      expect((await end(outcome, 'success'))?.status).toBe('fulfilled');
      expect(plan.counters.inFlight).toBe(1);
      expect(call.isStreaming).toBe(true);
      const [pending] = plan.underWay.pending();
      expect(pending).toMatchObject({ phase: 'body', until: clock.wall() + 10_000 });
      expect(pending?.why).toMatch(/^its stream is read by its caller: \d+ of the \d+ bytes that came$/);
      for await (const chunk of body) void chunk;
      await settle();
      expect(plan.counters.inFlight).toBe(0);
      expect(plan.underWay.pending()).toEqual([]);
      expect(clock.pending).toBe(0);
    });

    it('that axios rejected and a judge accepts is handed over like any other', async () => {
      const { answer, end, judged, plan } = setUp();
      const body = new PassThrough();
      const outcome = judged(answer(404, body), { kind: 'permanent', accept: true });
      expect((await end(outcome, 'success'))?.status).toBe('fulfilled');
      expect(plan.counters.inFlight).toBe(1);
      body.destroy();
      await settle();
      expect(plan.counters.inFlight).toBe(0);
    });

    it("of an answer that is rejected is nobody's to wait for", async () => {
      const { answer, end, judged, plan } = setUp();
      await end(judged(answer(404, new PassThrough()), { kind: 'permanent' }), 'not-retryable');
      expect(plan.counters.inFlight).toBe(0);
      expect(plan.underWay.pending()).toEqual([]);
    });

    it('is cut at the deadline', async () => {
      const { answer, call, clock, end, judged } = setUp({ deadlineMs: 1_000 });
      const body = new PassThrough();
      const outcome = judged(answer(200, body), GOOD);
      call.streamed = followBody(body);
      let aborted = 0;
      call.aborter = { abort: () => void aborted++, putBack: () => {}, end: () => {} };
      await end(outcome, 'success');
      body.write('abc');
      const failed = new Promise((resolve) => body.once('error', resolve));
      await clock.advance(1_000);
      expect(await failed).toMatchObject({
        code: 'ETIMEDOUT',
        message: 'deadline of 1000ms exceeded while the body was read, 3 bytes',
        config: call.config,
      });
      expect(aborted).toBe(1);
    });

    it('that is of the web ends when the caller gives up', async () => {
      const { answer, call, controller, end, judged, plan } = setUp();
      const followed = followBody(new ReadableStream<Uint8Array>());
      const outcome = judged(answer(200, followed?.data), GOOD);
      call.streamed = followed;
      await end(outcome, 'success');
      expect(plan.counters.inFlight).toBe(1);
      controller.abort();
      await settle();
      const { data } = followed as { data: ReadableStream };
      await expect(data.getReader().read()).rejects.toBeInstanceOf(CanceledError);
      expect(plan.counters.inFlight).toBe(0);
    });

    it('keeps the permit until its body has ended', async () => {
      const { answer, call, clock, end, judged, plan } = setUp({ limit: { maxConcurrent: 1 } });
      await plan.limit?.enter(call);
      const body = Readable.from(['abc']);
      const outcome = judged(answer(200, body), GOOD);
      call.streamed = followBody(body);
      plan.limit?.arrive(call, outcome, GOOD, clock.now(), true);
      await end(outcome, 'success');
      const next = underWay({ url: `${ORIGIN}/`, headers: new AxiosHeaders() }).call;
      let entered = false;
      const entering = Promise.resolve(plan.limit?.enter(next)).then(() => {
        entered = true;
      });
      await settle();
      expect(entered).toBe(false);
      for await (const chunk of body) void chunk;
      await entering;
      expect(entered).toBe(true);
    });

    it('that has ended by now is nothing to wait for', async () => {
      const { answer, call, end, judged, plan } = setUp();
      const body = Readable.from([]);
      const outcome = judged(answer(200, body), GOOD);
      call.streamed = followBody(body);
      for await (const chunk of body) void chunk;
      let ended = 0;
      call.aborter = { abort: () => {}, putBack: () => {}, end: () => void ended++ };
      await end(outcome, 'success');
      expect(plan.counters.inFlight).toBe(0);
      expect(call.isStreaming).toBe(false);
      expect(ended).toBe(1);
    });
  });
});
