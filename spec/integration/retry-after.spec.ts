import { failureOf, reportOf } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import type { Policy } from '../../lib/policy/options.ts';

import { ADAPTERS, axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';
import { byHand, next, runThrough } from '../support/by-hand.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** The server's clock is far from the client's, which stands at the beginning of 2026. */
const DATE = 'Tue, 20 Oct 2015 07:28:00 GMT';
const NO_BUDGET: Policy = { retry: { budget: false } };

describe.each(ADAPTERS)('a wait that the server names, with the %s adapter', (adapter) => {
  const then200 = (code: number, headers: { [name: string]: string }) => inTurn(status(code, headers), status(200));

  it.each([
    [429, { 'retry-after': '2' }, 2_000],
    [503, { 'retry-after': '2' }, 2_000],
    [502, { 'retry-after': '2' }, 2_000],
    [429, { 'retry-after': '60' }, 60_000],
    [429, { 'retry-after': '2.0' }, 2_000],
    [429, { 'retry-after': '1.0004' }, 1_001],
    [429, { 'retry-after-ms': '250', 'retry-after': '9' }, 250],
    [429, { 'x-ms-retry-after-ms': '1250' }, 1_250],
    [429, { date: DATE, 'retry-after': 'Tue, 20 Oct 2015 07:28:05 GMT' }, 5_000],
    [429, { date: DATE, 'retry-after': 'Tuesday, 20-Oct-15 07:28:05 GMT' }, 5_000],
    [429, { date: DATE, 'retry-after': 'Tue Oct 20 07:28:05 2015' }, 5_000],
    [429, { ratelimit: '"default";r=0;t=7' }, 7_000],
    [429, { 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '9' }, 9_000],
    [
      429,
      { 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '9', 'retry-after': '3' },
      3_000,
    ],
  ])('is sat out to the millisecond: %i %o means %i ms', async (code, headers, delayMs) => {
    const { server, client, holdfast, clock } = await byHand(then200(code, headers), {}, { adapter });
    const scheduled = next(holdfast, 'retry-scheduled');
    const call = client.get('/');
    expect((await scheduled).delayMs).toBe(delayMs);
    await clock.advance(delayMs - 1);
    expect(server.seen).toHaveLength(1);
    expect(clock.nextIn).toBe(1);
    await clock.advance(1);
    expect((await call).status).toBe(200);
    expect(server.seen).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['0 s', { 'retry-after': '0' }],
    ['a date in the past', { date: DATE, 'retry-after': 'Tue, 20 Oct 2015 07:27:00 GMT' }],
    ['0 ms', { 'retry-after-ms': '0' }],
  ])('may be over at once: %s', async (_, headers) => {
    const setting = await byHand(then200(429, headers), {}, { adapter });
    const delays = runThrough(setting);
    await setting.client.get('/');
    expect(delays).toEqual([0]);
    expect(setting.server.seen).toHaveLength(2);
  });

  it.each([
    { 'retry-after': 'soon' },
    { 'retry-after': '-5' },
    { 'retry-after': '1e3' },
    { 'retry-after': '0x10' },
    { 'retry-after': '' },
    { 'retry-after': '2, 3' },
    { ratelimit: '"default";r=5;t=7' },
    { 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '5', 'x-ratelimit-reset': '9' },
    { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '9' },
    {},
  ])('is left to the backoff where it names none that can be read: %o', async (headers) => {
    const setting = await byHand(then200(429, headers as { [name: string]: string }), {}, { adapter });
    const delays = runThrough(setting);
    await setting.client.get('/');
    // Half of the base for throttling.
    expect(delays).toEqual([750]);
  });
});

describe('a wait that is longer than maxMs', () => {
  it.each([
    ['seconds', { 'retry-after': '61' }, 61_000],
    ['a year', { 'retry-after': '31536000' }, 31_536_000_000],
    ['more than a number holds', { 'retry-after': '9'.repeat(400) }, 1e15],
    ['a date', { date: DATE, 'retry-after': 'Tue, 20 Oct 2015 08:28:00 GMT' }, 3_600_000],
    ['a reset', { 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '3600' }, 3_600_000],
  ])('ends the call at once, and says so: %s', async (_, headers, retryAfterMs) => {
    const { server, client, clock } = await byHand(status(429, headers as { [name: string]: string }));
    const error = await axiosErrorOf(client.get('/'));
    expect(error.response?.status).toBe(429);
    expect(failureOf(error)).toMatchObject({
      kind: 'throttled',
      endedBecause: 'wait-too-long',
      retryAfterMs,
      sends: 1,
    });
    expect(server.seen).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('is one that is longer, not one that is as long', async () => {
    const policy: Policy = { retry: { retryAfter: { maxMs: 1_500 } } };
    const setting = await byHand(
      inTurn(status(429, { 'retry-after': '1.5' }), status(429, { 'retry-after': '1.501' })),
      policy,
    );
    const delays = runThrough(setting);
    const error = await rejectionOf(setting.client.get('/'));
    expect(delays).toEqual([1_500]);
    expect(failureOf(error)).toMatchObject({ endedBecause: 'wait-too-long', retryAfterMs: 1_501, sends: 2 });
  });

  it('is cut to maxMs where the policy says so, and a shorter one is not touched', async () => {
    const policy: Policy = { retry: { retryAfter: { maxMs: 5_000, whenLonger: 'clamp' } } };
    const answer = inTurn(status(429, { 'retry-after': '86400' }), status(503, { 'retry-after': '3' }), status(200));
    const setting = await byHand(answer, policy);
    const delays = runThrough(setting);
    await setting.client.get('/');
    expect(delays).toEqual([5_000, 3_000]);
  });

  it('may be allowed beyond what a timer can hold', async () => {
    const days30 = 30 * 86_400_000;
    const clock = new ManualClock();
    const policy: Policy = { retry: { retryAfter: { maxMs: days30 } } };
    const { server, client, holdfast } = await byHand(
      inTurn(status(503, { 'retry-after': String(days30 / 1_000) }), status(200)),
      policy,
      {},
      { clock },
    );
    const scheduled = next(holdfast, 'retry-scheduled');
    const call = client.get('/');
    expect((await scheduled).delayMs).toBe(days30);
    await clock.advance(days30 - 1);
    expect(server.seen).toHaveLength(1);
    await clock.advance(1);
    expect((await call).status).toBe(200);
  });
});

describe('jitter on a wait that the server named', () => {
  it.each([
    [0, 2_000],
    [0.5, 2_500],
    [1 - Number.EPSILON, 2_999],
  ])('is only ever added (chance %d makes %i ms)', async (chance, delayMs) => {
    const policy: Policy = { retry: { retryAfter: { jitterMs: 1_000 } } };
    const setting = await byHand(
      inTurn(status(429, { 'retry-after': '2' }), status(200)),
      policy,
      {},
      { random: () => chance },
    );
    const delays = runThrough(setting);
    await setting.client.get('/');
    expect(delays).toEqual([delayMs]);
  });

  it('is none by default', async () => {
    const setting = await byHand(
      inTurn(status(429, { 'retry-after': '2' }), status(200)),
      {},
      {},
      { random: () => 0.99 },
    );
    const delays = runThrough(setting);
    await setting.client.get('/');
    expect(delays).toEqual([2_000]);
  });
});

describe('a wait that the server does not name', () => {
  it.each([
    [503, [375, 750, 1_500, 3_000]],
    [429, [750, 1_500, 3_000, 6_000]],
  ])('starts from the base of its kind and doubles: %i', async (code, expected) => {
    const setting = await byHand(status(code), { retry: { maxRetries: 4, budget: false } });
    const delays = runThrough(setting);
    const error = await rejectionOf(setting.client.get('/'));
    expect(delays).toEqual(expected);
    const sends = reportOf(error)?.sends ?? [];
    expect(sends.map(({ delayMs }) => delayMs)).toEqual([...expected, undefined]);
    expect(failureOf(error)?.waitedMs).toBe(expected.reduce((total, ms) => total + ms));
  });

  it('takes the base of each failure as it comes', async () => {
    const setting = await byHand(inTurn(status(503), status(429), status(503), status(200)), NO_BUDGET);
    const delays = runThrough(setting);
    await setting.client.get('/');
    expect(delays).toEqual([375, 1_500, 1_500]);
  });

  it('does not count a named wait as a step back from the backoff', async () => {
    const setting = await byHand(inTurn(status(429, { 'retry-after': '7' }), status(429), status(200)), NO_BUDGET);
    const delays = runThrough(setting);
    await setting.client.get('/');
    expect(delays).toEqual([7_000, 1_500]);
  });

  it('is asked of the policy with what there is to know', async () => {
    const asked: unknown[] = [];
    const policy: Policy = {
      retry: {
        backoff: (context) => {
          const { retry, verdict, previousMs } = context;
          asked.push([retry, verdict.kind, previousMs, Object.isFrozen(context)]);
          return 10 * (retry + 1);
        },
      },
    };
    const setting = await byHand(inTurn(status(503), status(429), status(200)), policy);
    const delays = runThrough(setting);
    await setting.client.get('/');
    expect(delays).toEqual([10, 20]);
    expect(asked).toEqual([
      [0, 'transient', 0, true],
      [1, 'throttled', 10, true],
    ]);
  });

  it('rejects with what a backoff throws, and leaves nothing', async () => {
    const error = new Error('no idea');
    const policy: Policy = {
      retry: {
        backoff: () => {
          throw error;
        },
      },
    };
    const { client, clock, holdfast } = await byHand(status(503), policy);
    await expect(client.get('/')).rejects.toBe(error);
    expect(clock.pending).toBe(0);
    expect(holdfast.stats()).toMatchObject({ inFlight: 0, waiting: 0, queued: 0 });
  });
});

describe('the clock of this side', () => {
  const answer = inTurn(status(429, { 'retry-after': '2' }), status(200));

  it.each([-3_600_000, -86_400_000, 3_600_000])('may be set by %i ms meanwhile: the wait stays as long', async (ms) => {
    const clock = new ManualClock();
    const { server, client, holdfast } = await byHand(answer, {}, {}, { clock });
    const scheduled = next(holdfast, 'retry-scheduled');
    const call = client.get('/');
    await scheduled;
    await clock.advance(500);
    clock.adjust(ms);
    await clock.advance(1_499);
    expect(server.seen).toHaveLength(1);
    await clock.advance(1);
    const response = await call;
    expect(reportOf(response)?.elapsedMs).toBeGreaterThanOrEqual(0);
  });

  it('does not bear on a date, which is read against that of the answer', async () => {
    const headers = { date: DATE, 'retry-after': 'Tue, 20 Oct 2015 07:28:30 GMT' };
    for (const at of [0, Date.UTC(2040, 0, 1)]) {
      const setting = await byHand(inTurn(status(503, headers), status(200)), {}, {}, { clock: new ManualClock(at) });
      const delays = runThrough(setting);
      await setting.client.get('/');
      expect(delays).toEqual([30_000]);
    }
  });
});

it('does not wait after a success that names a time', async () => {
  const { server, client, clock } = await byHand(status(200, { 'retry-after': '5' }));
  await client.get('/');
  expect(server.seen).toHaveLength(1);
  expect(clock.pending).toBe(0);
});

it('tells of a retry before it waits', async () => {
  const { client, holdfast, clock } = await byHand(inTurn(status(503, { 'retry-after': '2' }), status(200)));
  const scheduled = next(holdfast, 'retry-scheduled');
  const call = client.get('/orders?key=hidden');
  const event = await scheduled;
  expect(event).toMatchObject({ retry: 1, delayMs: 2_000, verdict: 'transient', call: { sends: 1, retries: 0 } });
  expect(holdfast.stats()).toMatchObject({ waiting: 1, inFlight: 0 });
  expect(JSON.stringify(event)).not.toContain('hidden');
  await clock.advance(2_000);
  await call;
  expect(holdfast.stats()).toMatchObject({ waiting: 0, inFlight: 0, sends: 2, retries: 1 });
});
