import { Readable } from 'node:stream';
import { AxiosHeaders, CanceledError, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import type { Again } from '../../lib/call/decision.ts';
import type { Outcome } from '../../lib/call/outcome.ts';
import type { Policy } from '../../lib/index.ts';
import { refresh, wait } from '../../lib/loop/again.ts';
import { settle } from '../support/manual-clock.ts';
import { underWay } from '../support/under-way.ts';

const ORIGIN = 'https://api.example.com';
const answered = (status: number, data: unknown = ''): Outcome => ({
  response: { status, headers: {}, data } as never,
});
const retry = (delayMs: number): Again => ({ kind: 'retry', delayMs, backoff: true, namedMs: 0 });
const poll = (delayMs: number, url?: string): Again => ({ kind: 'poll', delayMs, url });

/** A call whose first send has been answered. */
function setUp(policy: Policy = {}, config: object = {}, outcome = answered(503)) {
  const own: InternalAxiosRequestConfig = {
    url: `${ORIGIN}/jobs`,
    method: 'post',
    baseURL: ORIGIN,
    headers: new AxiosHeaders({ 'Content-Type': 'text/plain', 'X-Tenant': '7' }),
    ...config,
  };
  const { call, plan, clock } = underWay(own, policy);
  call.sent = 1;
  call.outcome = outcome;
  call.addSend({ startedAt: 0, durationMs: 0, queuedMs: 0, status: 503, verdict: 'transient', decision: 'retry' });
  return { call, plan, clock, own };
}

describe(wait.name, () => {
  it('waits so long, and says for what', async () => {
    const { call, clock, plan } = setUp();
    const waited = wait(call, plan, retry(1_200));
    await settle();
    expect(plan.counters.waiting).toBe(1);
    expect(call.waiting?.phase).toBe('retry-wait');
    expect(call.waiting?.why()).toBe('waits 1.2 s before retry 1 of 3 after 503');
    expect(call.waiting?.until?.()).toBe(clock.now() + 1_200);
    await clock.advance(1_199);
    expect(plan.counters.waiting).toBe(1);
    await clock.advance(1);
    expect(await waited).toBeUndefined();
    expect(plan.counters.waiting).toBe(0);
    expect(call.waitedMs).toBe(1_200);
    expect(call.waiting).toBeUndefined();
  });

  it('counts retries from the last pending answer on, and names no bound that there is not', async () => {
    const { call, clock, plan } = setUp({ retry: { maxRetries: Number.POSITIVE_INFINITY } });
    call.retries = 5;
    call.retriesBefore = 3;
    call.addSend({
      startedAt: 0,
      durationMs: 0,
      queuedMs: 0,
      code: 'ECONNRESET',
      verdict: 'transient',
      decision: 'retry',
    });
    const waited = wait(call, plan, retry(10));
    await settle();
    expect(call.waiting?.why()).toBe('waits 10 ms before retry 3 after ECONNRESET');
    await clock.advance(10);
    await waited;
    call.addSend({ startedAt: 0, durationMs: 0, queuedMs: 0, verdict: 'transient', decision: 'retry' });
    const next = wait(call, plan, retry(10));
    await settle();
    expect(call.waiting?.why()).toBe('waits 10 ms before retry 3 after no answer');
    await clock.advance(10);
    await next;
  });

  it('ends when the call is given up', async () => {
    const controller = new AbortController();
    const { call, clock, plan } = setUp({}, { signal: controller.signal });
    const waited = wait(call, plan, retry(1_000));
    await clock.advance(300);
    controller.abort();
    const refused = await waited;
    expect(refused?.why).toBe('cancelled');
    expect(refused?.outcome.error).toBeInstanceOf(CanceledError);
    expect(call.waitedMs).toBe(300);
    expect(plan.counters.waiting).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('gets rid of a body that nobody wants, so that its socket can be used again', async () => {
    const body = Readable.from(['left over']);
    const { call, clock, plan } = setUp({}, {}, answered(503, body));
    const waited = wait(call, plan, retry(100));
    await clock.advance(100);
    await waited;
    expect(body.readableEnded || body.destroyed).toBe(true);
  });

  it('destroys a body that does not end within the wait, or within 50 ms of a shorter one', async () => {
    for (const [delayMs, withinMs] of [
      [0, 50],
      [200, 200],
    ] as const) {
      const body = new Readable({ read: () => {} });
      const { call, clock, plan } = setUp({}, {}, answered(503, body));
      const waited = wait(call, plan, retry(delayMs));
      await clock.advance(withinMs - 1);
      expect(body.destroyed).toBe(false);
      await clock.advance(1);
      await waited;
      expect(body.destroyed).toBe(true);
    }
  });

  it('destroys what is idle beside a dead connection once the answer has given back its own', async () => {
    for (const [wantsFresh, count] of [
      [true, 1],
      [false, 0],
    ] as const) {
      const destroyed: string[] = [];
      const freeSockets = { 'api.example.com:443:': [{ destroy: () => destroyed.push('one') }] };
      const request = { host: 'api.example.com', agent: { freeSockets } };
      const outcome = { response: { status: 421, headers: {}, data: '', request } as never };
      const { call, clock, plan } = setUp({}, {}, outcome);
      call.wantsFresh = wantsFresh;
      const waited = wait(call, plan, retry(0));
      await clock.advance(0);
      await waited;
      expect(destroyed).toHaveLength(count);
    }
  });

  describe('before a retry', () => {
    it('says which one it is where nothing bounds them, since the policy retries nothing', async () => {
      const { call, clock, plan } = setUp({ retry: false });
      const waited = wait(call, plan, retry(10));
      await settle();
      expect(call.waiting?.why()).toBe('waits 10 ms before retry 1 after 503');
      await clock.advance(10);
      expect(await waited).toBeUndefined();
    });

    it('tells onRetry which one it is, counted from the last pending answer on', async () => {
      const told: number[] = [];
      const { call, clock, plan } = setUp({ retry: { onRetry: ({ retry: n }) => void told.push(n) } });
      Object.assign(call, { retries: 5, retriesBefore: 3 });
      const waited = wait(call, plan, retry(10));
      await clock.advance(10);
      await waited;
      expect(told).toEqual([3]);
    });

    it('makes nothing anew of the config where there is no onRetry', async () => {
      const { call, clock, own, plan } = setUp();
      const waited = wait(call, plan, retry(0));
      await clock.advance(0);
      await waited;
      expect(call.template).toBe(own);
    });

    it('has onRetry told, and makes the sends to come of what that makes of the config', async () => {
      const told: unknown[] = [];
      const { call, clock, own, plan } = setUp({
        retry: {
          onRetry: [
            ({ config, ...about }) => {
              told.push({ ...about, isFrozen: Object.isFrozen(about) });
              config.url = `${ORIGIN}/other`;
              config.headers = { 'X-Plain': '1' } as never;
            },
          ],
        },
      });
      const waited = wait(call, plan, retry(10));
      await clock.advance(10);
      await waited;
      expect(told).toEqual([
        expect.objectContaining({ retry: 1, delayMs: 10, send: 1, outcome: call.outcome, error: undefined }),
      ]);
      expect(call.template.url).toBe(`${ORIGIN}/other`);
      expect(call.template.headers).toBeInstanceOf(AxiosHeaders);
      expect({ ...call.template.headers }).toEqual({ 'X-Plain': '1' });
      expect(own.url).toBe(`${ORIGIN}/jobs`);
    });

    it('waits for onRetry before it counts the wait, no longer than the call may last', async () => {
      const { call, clock, plan } = setUp({
        deadlineMs: 1_000,
        retry: { onRetry: () => new Promise<void>(() => {}) },
      });
      const waited = wait(call, plan, retry(10));
      await settle();
      expect(call.waiting?.why()).toBe('waits for `retry.onRetry`');
      expect(plan.counters.waiting).toBe(0);
      await clock.advance(1_000);
      expect(await waited).toEqual({ outcome: call.outcome, why: 'deadline' });
      expect(call.waitedMs).toBe(0);
    });

    it.each([
      [989, undefined],
      [990, 'deadline'],
    ])('ends where onRetry took %i ms, and the wait would last until the deadline', async (tookMs, why) => {
      const { call, clock, plan } = setUp({
        deadlineMs: 1_000,
        retry: { onRetry: () => new Promise<void>((resolve) => void clock.after(tookMs, resolve)) },
      });
      const waited = wait(call, plan, retry(10));
      await clock.advance(1_000);
      expect((await waited)?.why).toBe(why);
    });

    it('ends where the call is given up while onRetry runs', async () => {
      const controller = new AbortController();
      const { call, plan } = setUp(
        { retry: { onRetry: () => new Promise<void>(() => {}) } },
        { signal: controller.signal },
      );
      const waited = wait(call, plan, retry(10));
      controller.abort();
      expect((await waited)?.why).toBe('cancelled');
    });

    it('passes on what onRetry throws', async () => {
      const { call, plan } = setUp({
        retry: {
          onRetry: () => {
            throw new Error('odd');
          },
        },
      });
      await expect(wait(call, plan, retry(10))).rejects.toThrow('odd');
    });

    it('is not begun where the budget of the place that onRetry turned it to has nothing left', async () => {
      const { call, clock, plan } = setUp({
        retry: {
          onRetry: ({ config }) => {
            config.url = 'https://mirror.example.com/';
          },
        },
      });
      plan.budget?.withdraw(call, 'transient', false, clock.now());
      const other = underWay({ url: 'https://mirror.example.com/', headers: new AxiosHeaders() }).call;
      for (let i = 0; i < 150; i++) plan.budget?.withdraw(other, 'transient', false, clock.now());
      expect(await wait(call, plan, retry(10))).toEqual({ outcome: call.outcome, why: 'budget-empty' });
    });
  });

  describe('before a poll', () => {
    it('asks for what the answer named: a GET without the body, and without a key', async () => {
      const { call, clock, own, plan } = setUp({ idempotency: {} }, { data: 'order' });
      call.idempotencyKey = 'k';
      const waited = wait(call, plan, poll(2_000, `${ORIGIN}/jobs/7?full=1`));
      await settle();
      expect(call.waiting?.phase).toBe('poll');
      expect(call.waiting?.why()).toBe('waits 2.0 s before poll 1: 503 is pending');
      expect(call.waiting?.until?.()).toBe(clock.now() + 2_000);
      await clock.advance(2_000);
      expect(await waited).toBeUndefined();
      expect(call.next).toBe('polls');
      expect(call.asked).toBe(`${ORIGIN}/jobs/7`);
      expect(call.idempotencyKey).toBeNull();
      expect(call.template).toMatchObject({ method: 'get', url: `${ORIGIN}/jobs/7?full=1`, data: undefined });
      expect({ ...call.template.headers }).toEqual({ 'X-Tenant': '7' });
      expect(own).toMatchObject({ method: 'post', data: 'order' });
    });

    it('asks the same again where the answer named nothing', async () => {
      const { call, clock, own, plan } = setUp();
      call.idempotencyKey = 'k';
      const waited = wait(call, plan, poll(100));
      await clock.advance(100);
      await waited;
      expect(call.next).toBe('polls');
      expect(call.template).toBe(own);
      expect(call.asked).toBeUndefined();
      expect(call.idempotencyKey).toBe('k');
    });

    it('tells no onRetry', async () => {
      const { call, clock, plan } = setUp({
        retry: {
          onRetry: () => {
            throw new Error('told');
          },
        },
      });
      const waited = wait(call, plan, poll(100));
      await clock.advance(100);
      expect(await waited).toBeUndefined();
    });

    it('has each policy go by where it goes', async () => {
      const { call, clock, plan } = setUp({ breaker: {}, limit: { maxConcurrent: 1 } });
      await plan.limit?.enter(call);
      plan.limit?.leave(call);
      const waited = wait(call, plan, poll(100, 'https://jobs.example.com/7'));
      await clock.advance(100);
      await waited;
      expect(call.breaker?.home.key).toBe('https://jobs.example.com');
      expect(call.limit?.home).toBe('https://jobs.example.com');
      expect(call.budget?.home.key).toBe('https://jobs.example.com');
    });
  });
});

describe(refresh.name, () => {
  it('has nothing to get without credentials: the send is a replay', async () => {
    const { call, plan } = setUp({}, {}, answered(401));
    expect(await refresh(call, plan)).toBeUndefined();
    expect(call.next).toBe('replays');
  });

  it('gets another token in place of the one that was refused', async () => {
    let given: unknown;
    const { call, clock, plan } = setUp(
      {
        auth: {
          token: () => 'a',
          refresh: ({ challenges }) => {
            given = challenges;
            return new Promise((resolve) => void clock.after(300, () => resolve('b')));
          },
        },
      },
      {},
      { response: { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' }, data: '' } as never },
    );
    await plan.auth?.enter(call);
    const refreshed = refresh(call, plan);
    await settle();
    expect(call.waiting?.phase).toBe('refresh');
    await clock.advance(300);
    expect(await refreshed).toBeUndefined();
    expect(call.auth?.token?.value).toBe('b');
    expect(call.refreshMs).toBe(300);
    expect(call.next).toBe('replays');
    expect(given).toEqual([expect.objectContaining({ params: { error: 'invalid_token' } })]);
  });

  it('gives the reason where there is none, and the next send is no replay', async () => {
    const { call, plan } = setUp(
      {
        auth: {
          token: () => 'a',
          refresh: async () => Promise.reject(Object.assign(new Error('no'), { status: 400 })),
          retry: { retries: 0 },
        },
      },
      {},
      answered(401),
    );
    await plan.auth?.enter(call);
    expect(await refresh(call, plan)).toMatchObject({ why: 'refresh-failed' });
    expect(call.next).toBe('retries');
  });

  it('frees the socket of the answer first: the refresh may need it', async () => {
    const body = new Readable({ read: () => {} });
    const freed: boolean[] = [];
    const { call, clock, plan } = setUp(
      {
        auth: {
          token: () => 'a',
          refresh: async () => {
            freed.push(body.destroyed);
            return 'b';
          },
        },
      },
      {},
      answered(401, body),
    );
    await plan.auth?.enter(call);
    const refreshed = refresh(call, plan);
    await clock.advance(49);
    expect(freed).toEqual([]);
    await clock.advance(1);
    await refreshed;
    expect(freed).toEqual([true]);
  });
});
