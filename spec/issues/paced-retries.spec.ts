import { failureOf } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { axiosErrorOf, status } from '../support/attached.ts';
import { byHand } from '../support/by-hand.ts';

describe('a throttled retry that a limiter paces', () => {
  it('costs no budget: 200 calls whose first send is a 429 with Retry-After 1 all succeed', async () => {
    const throttled = new Set<string>();
    const setting = await byHand(
      (request, response, n) => {
        const first = !throttled.has(request.url);
        throttled.add(request.url);
        return status(first ? 429 : 200, first ? { 'retry-after': '1' } : {})(request, response, n);
      },
      // As small a bucket as there can be for a single retry.
      { limit: { maxConcurrent: 10 }, retry: { budget: { capacity: 5, refillPerSecond: 0 } } },
    );
    const { client, clock, holdfast, server } = setting;
    const calls = Array.from({ length: 200 }, (_, n) => client.get(`/${n}`));
    const statuses = (await clock.run(Promise.all(calls))).map((response) => response.status);
    expect(statuses).toEqual(new Array(200).fill(200));
    expect(holdfast.stats()).toMatchObject({ retries: 200, budget: { [server.url]: 5 } });
  });

  it('costs what it costs without a limiter, and where it failed for another reason', async () => {
    const budget = { capacity: 13, refillPerSecond: 0 };
    const free = await byHand(status(429, { 'retry-after': '1' }), { retry: { budget } });
    expect(failureOf(await free.clock.run(axiosErrorOf(free.client.get('/'))))).toMatchObject({
      endedBecause: 'budget-empty',
      retries: 2,
    });
    const failing = await byHand(status(503, { 'retry-after': '1' }), { limit: {}, retry: { budget } });
    expect(failureOf(await failing.clock.run(axiosErrorOf(failing.client.get('/'))))).toMatchObject({
      endedBecause: 'budget-empty',
      retries: 0,
    });
  });
});
