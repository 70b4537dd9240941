import type { InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import { CallState } from '../../lib/call/call.ts';

const begin = (config: object = {}, startedAt = 1_000, deadlineMs = Number.POSITIVE_INFINITY) =>
  new CallState(config as InternalAxiosRequestConfig, startedAt, deadlineMs);

describe(CallState.name, () => {
  it('has an id of its own', () => {
    expect(new Set(Array.from({ length: 100 }, () => begin().id)).size).toBe(100);
  });

  it.each([
    [{}, 'GET'],
    [{ method: 'get' }, 'GET'],
    [{ method: 'post' }, 'POST'],
    [{ method: 'Query' }, 'QUERY'],
  ])('gives the method of %o in upper case: %s', (config, method) => {
    expect(begin(config).method).toBe(method);
  });

  it('reads the address once, so that a URL changed later does not rewrite the story', () => {
    const config = { url: 'https://a.example/one?x' };
    const call = begin(config);
    expect(call.url).toBe('https://a.example/one');
    config.url = 'https://a.example/two';
    expect(call.url).toBe('https://a.example/one');
  });

  it('knows the instant by which it must have ended', () => {
    expect(begin({}, 1_000, 500).deadlineAt).toBe(1_500);
    expect(begin().deadlineAt).toBe(Number.POSITIVE_INFINITY);
  });

  it('shows itself as a frozen snapshot, which stays as it was', () => {
    const call = begin({ url: '/x' }, 1_000, 500);
    const before = call.snapshot();
    call.sent = 2;
    call.retries = 1;
    expect(Object.isFrozen(before)).toBe(true);
    expect(before).toEqual({
      id: call.id,
      method: 'GET',
      url: '/x',
      startedAt: 1_000,
      deadlineAt: 1_500,
      sends: 0,
      retries: 0,
      replays: 0,
      polls: 0,
      sentAt: undefined,
    });
    expect(call.snapshot()).toEqual({ ...before, sends: 2, sentAt: 0, retries: 1 });
  });

  it('takes a new snapshot when something has changed, and not otherwise', () => {
    const call = begin();
    let last = call.snapshot();
    expect(call.snapshot()).toBe(last);
    for (const what of ['sent', 'retries', 'replays', 'polls'] as const) {
      call[what] += 1;
      const next = call.snapshot();
      expect(next).not.toBe(last);
      expect(next).toMatchObject({ sends: call.sent, retries: call.retries, replays: call.replays, polls: call.polls });
      expect(call.snapshot()).toBe(next);
      last = next;
    }
  });

  it('is shown by the time of day as it is when it is read', () => {
    let aheadMs = 0;
    const call = new CallState({} as InternalAxiosRequestConfig, 1_000, 5_000, () => aheadMs);
    expect(call.snapshot()).toMatchObject({ startedAt: 1_000, deadlineAt: 6_000 });
    aheadMs = 3_600_000;
    expect(call.snapshot()).toMatchObject({ startedAt: 3_601_000, deadlineAt: 3_606_000 });
    call.endedAt = 1_400;
    expect(call.report()).toMatchObject({ startedAt: 3_601_000, elapsedMs: 400 });
  });

  it('is reported as a success where nothing else is known', () => {
    expect(begin().report().endedBecause).toBe('success');
  });

  it('is reported with what it took in whole ms', () => {
    const call = begin();
    call.endedAt = 1_400.4;
    call.endedBecause = 'not-retryable';
    expect(call.report()).toEqual({
      id: call.id,
      method: 'GET',
      url: '',
      startedAt: 1_000,
      elapsedMs: 400,
      queuedMs: 0,
      refreshMs: 0,
      waitedMs: 0,
      sendingMs: 0,
      sends: [],
      polls: 0,
      endedBecause: 'not-retryable',
    });
  });

  it('tells of each send in order: when by the time of day, for how long, in whole ms', () => {
    const call = new CallState({} as InternalAxiosRequestConfig, 1_000, 5_000, () => 60_000);
    const lost = { startedAt: 1_000.4, durationMs: 99.6, queuedMs: 2.2, verdict: 'transient' } as const;
    const good = { startedAt: 1_600, durationMs: 200.6, queuedMs: 0, verdict: 'success' } as const;
    call.addSend({ ...lost, code: 'ECONNRESET', decision: 'retry', delayMs: 499.7, refreshMs: 3.3 });
    call.addSend({ ...good, status: 200, decision: 'finish', polled: 'https://a.example/jobs/7' });
    const { sends, sendingMs } = call.report();
    expect(sends).toEqual([
      {
        ...{ startedAt: 61_000, durationMs: 100, queuedMs: 2, refreshMs: 3, delayMs: 500 },
        ...{ code: 'ECONNRESET', verdict: 'transient', decision: 'retry' },
      },
      {
        ...{ startedAt: 61_600, durationMs: 201, queuedMs: 0, polled: 'https://a.example/jobs/7' },
        ...{ status: 200, verdict: 'success', decision: 'finish' },
      },
    ]);
    expect(sendingMs).toBe(300);
    expect([sends, ...sends].every(Object.isFrozen)).toBe(true);
  });

  it('keeps nothing of the request once it has ended well, but what its report says', () => {
    const config = { method: 'post', url: 'jobs', baseURL: 'https://a.example/', data: 'much', headers: {} };
    const call = begin(config);
    const wire = { ...config } as unknown as InternalAxiosRequestConfig;
    Object.assign(call, { wire, wireHeaders: wire.headers, outcome: { response: {} } });
    call.letGo();
    expect(call).toMatchObject({ method: 'POST', url: 'https://a.example/jobs' });
    expect(call.report()).toMatchObject({ method: 'POST', url: 'https://a.example/jobs' });
    expect(call.config).toEqual({ method: 'post', url: 'jobs', baseURL: 'https://a.example/' });
    expect([call.wire, call.wireHeaders, call.outcome]).toEqual([undefined, undefined, undefined]);
  });
});
