import { AxiosError, AxiosHeaders, CanceledError, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import { LiveCall, type Terms } from '../../lib/call/live-call.ts';
import type { Outcome } from '../../lib/call/outcome.ts';
import { AxiosErrors } from '../../lib/send/axios-errors.ts';
import { cancellationOf } from '../../lib/send/cancellation.ts';
import { ManualClock } from '../support/manual-clock.ts';

const FAILED: Outcome = { response: { status: 503, headers: {}, data: '' } as never };

function setUp({ deadlineMs = Number.POSITIVE_INFINITY, hears = true } = {}) {
  const clock = new ManualClock();
  const emitted: unknown[] = [];
  const watched: string[] = [];
  const terms: Terms = {
    deadlineMs,
    mayMove: false,
    ids: [],
    clock,
    wallAheadMs: () => clock.wall() - clock.now(),
    errors: new AxiosErrors(() => {
      throw new Error('made an instance');
    }),
    hears: { sent: () => hears } as Terms['hears'],
    emit: (name, event) => emitted.push([name, event]),
    watch: (phase) => watched.push(phase),
  };
  const controller = new AbortController();
  const config: InternalAxiosRequestConfig = {
    url: 'https://api.example.com/',
    headers: new AxiosHeaders(),
    signal: controller.signal,
  };
  const call = new LiveCall(config, terms, cancellationOf(config));
  return { call, clock, config, controller, emitted, watched };
}

describe(LiveCall.name, () => {
  it('begins when it is made, and ends so long after', () => {
    const { call, clock } = setUp({ deadlineMs: 1_000 });
    expect(call.startedAt).toBe(clock.now());
    expect(call.deadlineAt).toBe(clock.now() + 1_000);
    expect(call.timeout(clock)).toEqual({ ms: 1_000, clock, cancellation: call.cancellation });
  });

  it('may go on until its deadline, and not from then on', async () => {
    const { call, clock } = setUp({ deadlineMs: 1_000 });
    await clock.advance(999);
    expect(call.ended(clock.now())).toBeUndefined();
    await clock.advance(1);
    expect(call.ended(clock.now())).toMatchObject({ why: 'deadline' });
    expect(call.timeout(clock).ms).toBe(0);
  });

  it('may not go on once it is given up', () => {
    const { call, clock, controller } = setUp({ deadlineMs: 1_000 });
    controller.abort();
    const refused = call.ended(clock.now());
    expect(refused?.why).toBe('cancelled');
    expect(refused?.outcome.error).toBeInstanceOf(CanceledError);
  });

  it('is overdue with the answer that it has, else with an error of axios', () => {
    const { call, config } = setUp({ deadlineMs: 1_000.4 });
    const { outcome, why } = call.deadlineRefusal();
    expect(why).toBe('deadline');
    expect(outcome.error).toBeInstanceOf(AxiosError);
    expect(outcome.error).toMatchObject({ code: 'ETIMEDOUT', message: 'deadline of 1000ms exceeded', config });
    call.outcome = FAILED;
    expect(call.deadlineRefusal()).toEqual({ outcome: FAILED, why: 'deadline' });
  });

  it('says at what its deadline cut it off, and keeps the request', () => {
    const { call, config } = setUp({ deadlineMs: 1_000 });
    const request = {};
    const error = call.deadlineError(config, ' while the body was read', request);
    expect(error.message).toBe('deadline of 1000ms exceeded while the body was read');
    expect(error.request).toBe(request);
  });

  describe('that waits', () => {
    const wait = { phase: 'limit', why: () => 'waits' } as const;

    it('says for what, and how long it did', async () => {
      const { call, clock } = setUp();
      call.waits(wait);
      expect(call).toMatchObject({ waiting: wait, since: clock.now(), isStreaming: false });
      await clock.advance(300);
      expect(call.waited()).toBe(300);
      expect(call.waiting).toBeUndefined();
    });

    it('is watched where it has no deadline, and not where it has one', () => {
      const [without, within] = [setUp(), setUp({ deadlineMs: 1_000 })];
      for (const { call } of [without, within]) call.waits(wait);
      expect(without.watched).toEqual(['limit']);
      expect(within.watched).toEqual([]);
    });

    it('for its caller, who reads a stream, is watched by nobody', async () => {
      const { call, clock, watched } = setUp();
      await clock.advance(10);
      call.streams({ ...wait, phase: 'body' });
      expect(call).toMatchObject({ waiting: { phase: 'body' }, since: clock.now(), isStreaming: true });
      expect(watched).toEqual([]);
    });
  });

  it('tells who listens, and makes nothing for nobody', () => {
    const [heard, unheard] = [setUp(), setUp({ hears: false })];
    for (const { call } of [heard, unheard]) call.tell('sent', { send: 1 });
    expect(heard.emitted).toEqual([['sent', { call: heard.call.snapshot(), send: 1 }]]);
    expect(unheard.emitted).toEqual([]);
  });
});
