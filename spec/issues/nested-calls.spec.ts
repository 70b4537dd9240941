import { describe, expect, it } from 'vitest';
import { localLimiterWith } from '../../lib/limit/local/local-buckets.ts';
import { fillIn, type LimitOptions } from '../../lib/limit/options.ts';
import type { BeforeSend } from '../../lib/send/before-send.ts';
import { ADAPTERS } from '../support/attached.ts';
import { byHand, runQuietly } from '../support/by-hand.ts';
import { type Answer, json } from '../support/loopback.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A call that `beforeSend` makes took no permit at all: 40 a second left under a limit of 20. */

async function nesting(limit: LimitOptions, defaults = {}) {
  const clock = new ManualClock();
  const begun = clock.now();
  const sentAt: number[] = [];
  const setting = await byHand(
    (_request, response) => {
      sentAt.push(clock.now() - begun);
      json(response, 200);
    },
    {
      limit,
      beforeSend: async ({ config }) => {
        if (config.url !== '/token') await setting.client.get('/token');
      },
    },
    defaults,
    { clock },
  );
  const all = (count: number) =>
    runQuietly(setting, Promise.all(Array.from({ length: count }, (_, n) => setting.client.get(`/${n}`))));
  return { ...setting, all, sentAt };
}

/** The most in any sliding second. */
const most = (at: readonly number[]) =>
  Math.max(...at.map((from) => at.filter((other) => other >= from && other < from + 1_000).length));

describe.each(ADAPTERS)('a call within beforeSend, over %s', (adapter) => {
  it.each<[string, LimitOptions, number]>([
    ['evenly', { requests: 20, perMs: 1_000 }, 21],
    ['with a burst', { requests: 20, perMs: 1_000, burst: 20 }, 39],
    ['one at a time', { requests: 20, perMs: 1_000, maxConcurrent: 1 }, 21],
  ])('is counted by the windows: 40 calls at 20 a second, %s', async (_what, limit, bound) => {
    const { all, sentAt } = await nesting(limit, { adapter });
    await all(40);
    expect(sentAt).toHaveLength(80);
    expect(most(sentAt)).toBeLessThanOrEqual(bound + 1);
    expect(Number(sentAt.at(-1))).toBeGreaterThanOrEqual((80 - bound) * 50);
  });
});

describe('a call within beforeSend', () => {
  it.each<[string, LimitOptions]>([
    ['all slots taken', { maxConcurrent: 3 }],
    ['a queue of its own kind that is full', { maxConcurrent: 1, maxQueue: 0 }],
    ['a quota that is being learnt', { adaptive: { startConcurrency: 1 } }],
  ])('never waits for the permit of the call that makes it, with %s', async (_what, limit) => {
    const { all, clock, sentAt } = await nesting(limit);
    const begun = clock.now();
    await all('maxQueue' in limit ? 1 : 5);
    expect(sentAt.length).toBeGreaterThan(1);
    expect(clock.now() - begun).toBe(0);
  });

  it('waits for the end of a pause as every other', async () => {
    const clock = new ManualClock();
    const begun = clock.now();
    const limit = localLimiterWith(clock, fillIn({}));
    const sentAt: number[] = [];
    const answer: Answer = (_request, response) => {
      sentAt.push(clock.now() - begun);
      json(response, 200);
    };
    const beforeSend: BeforeSend = async ({ config }) => {
      if (config.url === '/token') return;
      limit.pause(setting.server.url, clock.now() + 1_000);
      await setting.client.get('/token');
    };
    const setting = await byHand(answer, { limit, beforeSend }, {}, { clock });
    await runQuietly(setting, setting.client.get('/'));
    expect(sentAt).toEqual([1_000, 1_000]);
  });
});
