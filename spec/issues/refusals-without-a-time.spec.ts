import { describe, expect, it } from 'vitest';
import type { Policy } from '../../lib/policy/options.ts';
import { ADAPTERS } from '../support/attached.ts';
import { byHand, runQuietly } from '../support/by-hand.ts';
import { type Answer, json } from '../support/loopback.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** Report: JRACLOUD-82801. While a server answered 429 without a time, every call went on sending: 149 sends for 60 calls, most of them lost. */

/** Answers 429 and no time for so long, then well. */
async function refusingFor(ms: number, policy: Policy, defaults = {}, random = () => 0.5) {
  const clock = new ManualClock();
  const begun = clock.now();
  const sentAt: number[] = [];
  const answer: Answer = (_request, response) => {
    sentAt.push(clock.now() - begun);
    json(response, clock.now() - begun < ms ? 429 : 200);
  };
  const made = await byHand(answer, policy, defaults, { clock, random });
  return { ...made, sentAt };
}

describe.each(ADAPTERS)('a refusal that names no time, over %s', (adapter) => {
  it('pauses the bucket for longer and longer, one probe ends it, and all 60 calls succeed', async () => {
    const setting = await refusingFor(3_000, { limit: { maxConcurrent: 2 } }, { adapter });
    const { client, holdfast, sentAt } = setting;
    const calls = Array.from({ length: 60 }, (_, n) => client.get(`/${n}`));
    const statuses = (await runQuietly(setting, Promise.all(calls))).map(({ status }) => status);
    expect(statuses).toEqual(new Array(60).fill(200));
    // Two were on their way. Then 1, 2 and 4 s, the half of it by chance: so 0.75, 1.5 and 3 s.
    expect(sentAt.filter((at) => at < 3_000)).toEqual([0, 0, 750, 2_250]);
    expect(sentAt.filter((at) => at === 5_250).length).toBeGreaterThanOrEqual(1);
    expect(sentAt).toHaveLength(60 + 4);
    expect(holdfast.stats().budget[String(client.defaults.baseURL)]).toBe(2_100);
  });
});

describe('a refusal that names no time', () => {
  it('begins with a second, doubles while refusals follow each other, and never waits more than 20 s', async () => {
    const setting = await refusingFor(90_000, { limit: {}, retry: { maxRetries: 20, backoff: () => 0 } }, {}, () => 1);
    await runQuietly(setting, setting.client.get('/'));
    const waits = setting.sentAt.slice(1).map((at, n) => at - Number(setting.sentAt[n]));
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000, 20_000]);
  });

  it('begins anew after a send that was let through', async () => {
    const answers = [429, 429, 200, 429, 200];
    const clock = new ManualClock();
    const sentAt: number[] = [];
    const policy: Policy = { limit: {}, retry: { backoff: () => 0 } };
    const answer: Answer = (_request, response, n) => {
      sentAt.push(clock.now());
      json(response, Number(answers[n]));
    };
    const setting = await byHand(answer, policy, {}, { clock, random: () => 1 });
    for (const path of ['/a', '/b']) await runQuietly(setting, setting.client.get(path));
    expect(sentAt.slice(1).map((at, n) => at - Number(sentAt[n]))).toEqual([1_000, 2_000, 0, 1_000]);
  });

  it('holds the windows of the policy: they go on from where the pause ends', async () => {
    const setting = await refusingFor(500, { limit: { requests: 10, perMs: 1_000, burst: 10 } });
    const calls = Array.from({ length: 10 }, (_, n) => setting.client.get(`/${n}`));
    await runQuietly(setting, Promise.all(calls));
    expect(setting.sentAt.slice(0, 10)).toEqual(new Array(10).fill(0));
    const again = setting.sentAt.slice(10);
    expect(again).toHaveLength(10);
    expect(Math.min(...again)).toBeGreaterThanOrEqual(750);
    for (const at of again) expect(again.filter((other) => other >= at && other < at + 1_000).length).toBeLessThan(20);
  });
});
