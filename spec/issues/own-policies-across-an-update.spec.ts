import { setTimeout as pass } from 'node:timers/promises';
import { type Policy, preparePolicy } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { attached, axiosErrorOf, status } from '../support/attached.ts';
import { limiterOf } from '../support/limiters.ts';
import { json } from '../support/loopback.ts';

/** A call whose own policy said nothing of the limit, or only its place in it, was left behind when the attachment got another limit. */

const ONE_AN_HOUR = { requests: 1, perMs: 3_600_000 };
const FAST = { requests: 1_000, perMs: 1_000, burst: 100 };

const LIMITS: readonly [string, (slow: boolean) => Policy['limit']][] = [
  ['numbers', (slow) => (slow ? ONE_AN_HOUR : FAST)],
  ['a list', (slow) => [slow ? ONE_AN_HOUR : FAST, { maxConcurrent: 9 }]],
  ['a Limiter', (slow) => limiterOf(slow ? ONE_AN_HOUR : FAST)],
  ['a list with a Limiter', (slow) => [limiterOf(slow ? ONE_AN_HOUR : FAST), { maxConcurrent: 9 }]],
];
const TO: typeof LIMITS = [...LIMITS, ['no limit', () => false]];

/** What a call's own policy may say. */
const OWN: readonly Policy[] = [
  {},
  { deadlineMs: 36_000_000 },
  { retry: { retryAfter: { maxMs: 5 } } },
  { limit: { priority: () => 1 } },
  { limit: { maxWaitMs: 36_000_000 } },
];

describe('a call with a policy of its own, when the attachment gets another limit', () => {
  it.each(LIMITS.flatMap(([from, before]) => TO.map(([to, after]) => [from, to, before, after] as const)))(
    'is let out by that: %s, then %s',
    async (_from, _to, before, after) => {
      const { client, holdfast, server } = await attached(status(200), { limit: before(true) });
      await client.get('/first');
      const prepared = OWN.map((own) => preparePolicy(own));
      const calls = [...OWN, ...prepared].map((holdfast, n) => client.get(`/${n}`, { holdfast }));
      while (holdfast.stats().queued < calls.length) await pass(5);
      holdfast.update({ limit: after(false) });
      await Promise.all(calls);
      expect(server.seen).toHaveLength(1 + calls.length);
      expect(holdfast.stats()).toMatchObject({ queued: 0, inFlight: 0 });
    },
  );

  it('goes by it after a second update, and with those that have none of their own in one order', async () => {
    const { client, holdfast, server } = await attached(status(200), { limit: limiterOf(ONE_AN_HOUR) });
    await client.get('/first');
    const calls = Array.from({ length: 8 }, (_, n) =>
      client.get(`/${n}`, n % 2 === 0 ? { holdfast: { deadlineMs: 36_000_000 } } : {}),
    );
    while (holdfast.stats().queued < calls.length) await pass(5);
    holdfast.update({ limit: [limiterOf(ONE_AN_HOUR), { maxConcurrent: 1 }] });
    await pass(20);
    holdfast.update({ limit: false });
    holdfast.update({ limit: { maxConcurrent: 1 } });
    await Promise.all(calls);
    expect(server.seen.slice(1).map(({ url }) => url)).toEqual(calls.map((_, n) => `/${n}`));
  });

  it('asks the new one for its retries', async () => {
    const { client, holdfast, server } = await attached(
      (_request, response, n) => json(response, n === 0 ? 503 : 200),
      { limit: limiterOf(ONE_AN_HOUR), retry: { backoff: () => 50 } },
    );
    let changed = false;
    holdfast.on('retry-scheduled', () => {
      holdfast.update({ limit: [FAST] });
      changed = true;
    });
    await client.get('/', { holdfast: { limit: { priority: () => 0 } } });
    expect([changed, server.seen.length]).toEqual([true, 2]);
  });

  it('stays where it is if it has a Limiter of its own', async () => {
    const { client, holdfast } = await attached(status(200));
    const own = [limiterOf(ONE_AN_HOUR), limiterOf({ maxConcurrent: 9 })];
    await client.get('/first', { holdfast: { limit: own } });
    const call = axiosErrorOf(client.get('/', { holdfast: { limit: own } })).catch((error: unknown) => error);
    while (holdfast.stats().queued < 1) await pass(5);
    holdfast.update({ limit: FAST });
    await pass(20);
    expect(holdfast.stats().queued).toBe(1);
    await holdfast.close();
    await call;
  });
});
