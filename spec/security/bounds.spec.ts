import axios from 'axios';
import { failureOf, localLimiter, type Policy, reportOf } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { CredentialSet } from '../../lib/auth/credential-set.ts';
import { Circuits } from '../../lib/breaker/circuits.ts';
import { attachWith } from '../../lib/full.ts';
import type { Permit } from '../../lib/limit/limiter.ts';
import type { Buckets } from '../../lib/limit/queue/buckets.ts';
import { RetryBudget } from '../../lib/retry/budget.ts';
import { ADAPTERS, attached, axiosErrorOf } from '../support/attached.ts';
import { byHand } from '../support/by-hand.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { DEFAULTS } from '../support/policies.ts';
import { scripted } from '../support/scripted.ts';

/*
 * How each form of Retry-After is read: `spec/time/retry-after.spec.ts`. A 429 that pauses a bucket for no longer than `maxMs`:
 * `spec/integration/limit.spec.ts`. 64 KiB of an error's stream, and what is done with the rest: `spec/integration/streams.spec.ts`.
 * Deadlines: `spec/integration/deadline.spec.ts`. Keys of budgets: `spec/retry/budget.spec.ts`, of limiters: `spec/limit/local.spec.ts`.
 */
const FAR: readonly [name: string, headers: Record<string, string>][] = [
  ['Retry-After: 1e9 s', { 'retry-after': '1000000000' }],
  ['Retry-After: more than a number holds', { 'retry-after': '9'.repeat(400) }],
  ['Retry-After: the year 9999', { 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' }],
  [
    'Retry-After beside a Date of long ago',
    { 'retry-after': 'Thu, 01 Jan 2026 00:00:00 GMT', date: 'Thu, 01 Jan 1970 00:00:00 GMT' },
  ],
  ['retry-after-ms', { 'retry-after-ms': '1000000000000' }],
  ['a RateLimit reset', { ratelimit: '"default";r=0;t=1000000000' }],
  [
    'an X-RateLimit-Reset',
    { 'x-ratelimit-limit': '1', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '999999999' },
  ],
  [
    'an X-RateLimit-Reset in the year 9999',
    { 'x-ratelimit-limit': '1', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '9999-12-31T23:59:59Z' },
  ],
];

describe('a server that names a time far away', () => {
  it.each(FAR)('does not make a call wait: %s', async (_name, headers) => {
    for (const status of [429, 503]) {
      const subject = scripted(() => ({ status, headers }));
      const ended = await subject.call();
      expect(failureOf(ended)).toMatchObject({ endedBecause: 'wait-too-long', sends: 1, waitedMs: 0 });
      expect(subject.clock.pending).toBe(0);
    }
  });

  it.each(FAR)('makes it wait for maxMs where the policy clamps: %s', async (_name, headers) => {
    const retry = { retryAfter: { whenLonger: 'clamp', maxMs: 5_000 } } as const;
    const subject = scripted((n) => (n === 0 ? { status: 429, headers } : 200), { retry });
    expect(await subject.call()).toMatchObject({ status: 200 });
    expect(subject.sentAt).toEqual([0, 5_000]);
  });

  /** When another call of the same client leaves after an answer: at once, or as the probe of the first minute. */
  async function nextLeavesAfter(status: number, headers: Record<string, string>, policy: Policy): Promise<number> {
    const subject = scripted((n) => (n === 0 ? { status, headers } : 200), { ...policy, retry: false });
    await subject.call();
    await subject.call();
    if (subject.sentAt.length === 1) {
      await subject.clock.advance(60_000);
      await subject.call();
    }
    return Number(subject.sentAt[1]);
  }

  it.each(FAR)('does not shut the others out for longer than maxMs: %s', async (_name, headers) => {
    for (const limit of [{}, { requests: 100, perMs: 1_000 }, { adaptive: true }]) {
      for (const status of [429, 503]) expect(await nextLeavesAfter(status, headers, { limit })).toBeLessThan(65_000);
    }
    for (const limit of [{}, { requests: 100, perMs: 1_000 }]) {
      for (const status of [200, 404, 500]) expect(await nextLeavesAfter(status, headers, { limit })).toBeLessThan(100);
    }
  });

  // Such a header on a mere 200 would otherwise stop every call to the origin for 31 years, and in Redis those of a fleet.
  it.each(FAR)('nor with an answer that is no refusal, where the quota is learnt: %s', async (_name, headers) => {
    for (const status of [200, 404, 500]) {
      expect(await nextLeavesAfter(status, headers, { limit: { adaptive: true } })).toBeLessThan(65_000);
    }
  });

  it('cannot keep one in a loop: a refusal each time ends it once maxMs are over, or maxRetries, whatever the limiter', async () => {
    for (const limit of [false, {}, { adaptive: true }] as const) {
      for (const [seconds, sends] of [
        [60, 2],
        [15, 4],
      ] as const) {
        const subject = scripted(() => ({ status: 429, headers: { 'retry-after': String(seconds) } }), { limit });
        const ended = await subject.call();
        expect(reportOf(ended)?.sends).toHaveLength(sends);
        expect(reportOf(ended)?.elapsedMs).toBeLessThan(65_000);
      }
    }
  });

  it('cannot stretch a call beyond its deadline', async () => {
    const headers = { 'retry-after': '59' };
    const subject = scripted(() => ({ status: 429, headers }), { deadlineMs: 100_000, limit: { adaptive: true } });
    expect(reportOf(await subject.call())?.elapsedMs).toBeLessThanOrEqual(100_000);
  });
});

describe.each(ADAPTERS)('over %s, an error body that never ends', (adapter) => {
  it('does not hold up a call whose body is a stream, nor does it fill the memory', async () => {
    let written = 0;
    const { client, server } = await attached(
      (_request, response) => {
        response.writeHead(503, { 'content-type': 'application/json' });
        const chunk = Buffer.alloc(16_384, '{');
        const more = () => {
          while (!response.destroyed && !response.writableEnded) {
            written += chunk.length;
            if (!response.write(chunk)) return void response.once('drain', more);
          }
        };
        more();
      },
      { retry: { maxRetries: 1 } },
      { adapter, responseType: 'stream' },
    );
    const error = await axiosErrorOf(client.get('/x'));
    expect(failureOf(error)).toMatchObject({ status: 503, sends: 2, endedBecause: 'retries-exhausted' });
    expect(failureOf(error)?.api).toBeUndefined();
    // Two bodies: 64 KiB of each are read, 256 KiB of the first are drained, and the rest lies in the buffers of the sockets.
    expect(written).toBeLessThan(32 * 2 ** 20);
    for (const socket of server.sockets) socket.destroy();
    const body = error.response?.data as { destroy?(): void; cancel?(): Promise<void> };
    body.destroy?.();
    await body.cancel?.().catch(() => {});
  });
});

describe('keys that anybody can make up', () => {
  const MANY = 200_000;

  it('do not fill the budgets', () => {
    const budget = new RetryBudget(DEFAULTS.retry.budget);
    for (let n = 0; n < MANY; n++) budget.account(`key ${n}`);
    expect(Object.keys(budget.balances(0)).length).toBeLessThanOrEqual(10_000);
  });

  it('do not fill the buckets, also of a limiter that learns', () => {
    for (const options of [{}, { maxConcurrent: 1 }, { adaptive: true }]) {
      const limiter = localLimiter(options) as unknown as Buckets<unknown>;
      for (let n = 0; n < MANY; n++) (limiter.acquire({ key: `key ${n}` }) as Permit).release();
      expect(limiter.size).toBeLessThan(20_000);
    }
  });

  it('do not fill the circuits and the credentials: what ten thousand others came after is forgotten', () => {
    const options = { ...DEFAULTS.auth, token: () => 'x', refresh: async () => 'y' };
    const credentials = new CredentialSet(options, { clock: new ManualClock() });
    const breaker = new Circuits(DEFAULTS.breaker);
    const [credential, circuit] = [credentials.of('mine'), breaker.circuit('mine')];
    for (let n = 0; n < 10_000; n++) {
      credentials.of(`key ${n}`);
      breaker.circuit(`key ${n}`);
    }
    expect(credentials.of('mine')).not.toBe(credential);
    expect(breaker.circuit('mine')).not.toBe(circuit);
  });

  it('do not slow the next call down', async () => {
    const client = axios.create({
      adapter: async (config) => ({ status: 200, statusText: '', headers: {}, config, data: '' }),
    });
    const holdfast = attachWith({ clock: new ManualClock(), random: () => 0.5 }, client, { limit: {} });
    for (let n = 0; n < 20_000; n++) await client.get(`https://host-${n}.example/x`);
    expect(Object.keys(holdfast.stats().budget).length).toBeLessThanOrEqual(10_000);
    expect(holdfast.stats()).toMatchObject({ calls: 20_000, inFlight: 0, queued: 0 });
  });
});

describe('a server that is silent', () => {
  it('leaves neither timers nor listeners behind when its caller gives up', async () => {
    const { client, clock, holdfast } = await byHand(() => {}, { limit: { maxConcurrent: 2 }, deadlineMs: 10_000 });
    const calls = Array.from({ length: 10 }, () => client.get('/x').catch((error: unknown) => failureOf(error)?.kind));
    while (holdfast.stats().inFlight < 2) await settle();
    await clock.advance(10_000);
    for (const kind of await Promise.all(calls)) expect(['timeout', 'limited']).toContain(kind);
    expect(clock.pending).toBe(0);
    expect(holdfast.stats()).toMatchObject({ inFlight: 0, queued: 0, waiting: 0 });
  });
});
