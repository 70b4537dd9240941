import { describe, expect, it } from 'vitest';
import { localLimiterWith } from '../../lib/limit/local/local-buckets.ts';
import { fillIn } from '../../lib/limit/options.ts';
import { ManualClock } from '../support/manual-clock.ts';

/**
 * Timers come in whole ms, and late. One call after the other under a limit of 5,000 a second had 800: each wait of 0.2 ms took more than a
 * ms, and the slots of that time were lost.
 */

/** Calls of 2 µs, one after the other, each timer 0.3 ms late; gives when they left, in ms. */
async function callsInSequence(requests: number, forMs: number): Promise<readonly number[]> {
  const clock = new ManualClock(0);
  const limiter = localLimiterWith(clock, fillIn({ requests, perMs: 1_000 }));
  const at: number[] = [];
  while (clock.now() < forMs) {
    let permit = limiter.acquire({ key: 'k' });
    if (permit instanceof Promise) {
      clock.jump(0.3);
      permit = await clock.run(permit);
    }
    at.push(clock.now());
    clock.jump(0.002);
    permit.answered?.({ throttled: false });
    permit.release();
  }
  await limiter.close();
  return at;
}

describe('a limit whose sends lie closer together than the ms of a timer', () => {
  it.each([2_000, 5_000, 20_000, 100_000])('is used by one call after the other: %i a second', async (requests) => {
    const at = await callsInSequence(requests, 300);
    expect(at.length).toBeGreaterThan(0.98 * requests * 0.3);
  });

  it('is kept all the same: no second holds more than it says', async () => {
    const at = await callsInSequence(5_000, 1_500);
    const most = at.reduce(
      (most, from, i) => Math.max(most, at.findLastIndex((each) => each < from + 1_000) - i + 1),
      0,
    );
    expect(most).toBeLessThanOrEqual(5_000);
    expect(most).toBeGreaterThan(0.98 * 5_000);
  });

  it('makes nobody wait who does not come near it, however late some answers are', async () => {
    const clock = new ManualClock(0);
    const limiter = localLimiterWith(clock, fillIn({ requests: 1e9, perMs: 1_000 }));
    let waited = 0;
    for (let n = 0; n < 3_000; n++) {
      const permit = limiter.acquire({ key: 'k' });
      if (permit instanceof Promise) waited += 1;
      const given = await clock.run(Promise.resolve(permit));
      clock.jump(n % 20 === 19 ? 30 : 1);
      given.answered?.({ throttled: false });
      given.release();
    }
    expect(waited).toBe(0);
    await limiter.close();
  });
});
