import { type LimitOptions, localLimiter } from 'axios-holdfast';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { localLimiterWith } from '../../lib/limit/local/local-buckets.ts';
import { fillIn } from '../../lib/limit/options.ts';
import { ADAPTERS, attached, rejectionOf } from '../support/attached.ts';
import { json } from '../support/loopback.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { SimulatedClock } from '../support/simulated-clock.ts';

/**
 * Servers that take N at once and then none until the window ends (axios-rate-limit's shape; Slack, HubSpot): with a burst of N nearly twice
 * as many left within one window, and the server refused them.
 */

/** A quota as such servers count it: of the arrivals of the last `perMs` it admits so many. */
class Quota {
  readonly #arrived: { readonly at: number; readonly weight: number }[] = [];
  readonly #requests: number;
  readonly #perMs: number;
  refused = 0;

  constructor(requests: number, perMs: number) {
    this.#requests = requests;
    this.#perMs = perMs;
  }

  admits(at: number, weight = 1): boolean {
    const counted = this.#arrived.filter((each) => each.at > at - this.#perMs);
    const taken = counted.reduce((sum, each) => sum + each.weight, 0);
    if (taken + weight > this.#requests) {
      this.refused += 1;
      return false;
    }
    this.#arrived.push({ at, weight });
    return true;
  }
}

describe.each(ADAPTERS)("burst: 'all', over %s", (adapter) => {
  it.each<[string, LimitOptions]>([
    ['its own option', { requests: 20, perMs: 2_000, burst: 'all' }],
    ['one of several windows', { windows: [{ requests: 20, perMs: 2_000, burst: 'all' }] }],
  ])('sends N at once, and then none until the window ends: %s', async (_what, limit) => {
    // 1.3 s less than the limit's: so much may a request be late on a busy machine.
    const quota = new Quota(20, 700);
    let atFirst: unknown;
    const { client, server, holdfast } = await attached(
      (_request, response, n) => {
        if (n === 0) atFirst = [holdfast.stats().sends, holdfast.stats().queued];
        json(response, quota.admits(performance.now()) ? 200 : 429);
      },
      { limit },
      { adapter },
    );
    await Promise.all(Array.from({ length: 40 }, (_, n) => client.get(`/${n}`)));
    expect(atFirst).toEqual([20, 20]);
    expect([quota.refused, server.seen.length, holdfast.stats().retries]).toEqual([0, 40, 0]);
  });
});

interface Sent {
  readonly at: number;
  weight: number;
}

/** The most that any half-open stretch of that length holds. */
function densest(sent: readonly Sent[], lengthMs: number): number {
  return sent.reduce((most, { at: from }) => {
    const within = sent.filter(({ at }) => at >= from && at < from + lengthMs);
    return Math.max(
      most,
      within.reduce((sum, { weight }) => sum + weight, 0),
    );
  }, 0);
}

describe("a window with burst: 'all'", () => {
  const local = (options: LimitOptions, clock = new ManualClock()) => {
    const limit = localLimiterWith(clock, fillIn(options));
    onTestFinished(() => limit.close());
    const left: number[] = [];
    const from = clock.now();
    const ask = (count: number, request = {}) =>
      Array.from({ length: count }, async () => {
        const permit = await limit.acquire({ key: 'k', ...request });
        left.push(Math.round(clock.now() - from));
        return permit;
      });
    return { clock, limit, left, ask };
  };

  it('lets the n-th leave a window and its margin after the one N before it has left', async () => {
    const { clock, left, ask } = local({ requests: 3, perMs: 1_000, burst: 'all' });
    const some = ask(2);
    await clock.advance(600);
    const more = ask(5);
    await clock.advance(5_000);
    await Promise.all([...some, ...more]);
    expect(left).toEqual([0, 0, 600, 1_005, 1_005, 1_605, 2_010]);
  });

  it('has a weight leave when there is room for all of it', async () => {
    const { clock, left, ask } = local({ requests: 10, perMs: 1_000, burst: 'all' });
    const [light] = ask(1, { weight: 4 });
    await clock.advance(100);
    const all = [light, ...ask(1, { weight: 6 }), ...ask(1, { weight: 5 }), ...ask(1, { weight: 10 })];
    await clock.advance(5_000);
    await Promise.all(all);
    expect(left).toEqual([0, 100, 1_105, 2_110]);
    const { limit } = local({ requests: 10, perMs: 1_000, burst: 'all' });
    expect(await rejectionOf(limit.acquire({ key: 'k', weight: 11 }) as Promise<unknown>)).toBeInstanceOf(RangeError);
  });

  it('counts what a send cost from when it left, and a send that never left not at all', async () => {
    const { clock, left, ask } = local({ requests: 10, perMs: 1_000, burst: 'all' });
    const [dear, cheap, dropped] = await Promise.all([...ask(1), ...ask(1, { weight: 5 }), ...ask(1, { weight: 4 })]);
    dear?.answered?.({ throttled: false, cost: 3 });
    cheap?.answered?.({ throttled: false, cost: 2 });
    dropped?.drop?.();
    const all = ask(6);
    await clock.advance(5_000);
    await Promise.all(all);
    expect(left).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1_005]);
  });

  it('goes on evenly after a pause that was as long as it, and has all at once again after a rest', async () => {
    const { clock, limit, left, ask } = local({ requests: 4, perMs: 1_000, burst: 'all' });
    limit.pause('k', clock.wall() + 1_000);
    const [probe, ...others] = ask(4);
    await clock.advance(1_000);
    const permit = await probe;
    permit?.answered?.({ throttled: false });
    permit?.release();
    await clock.advance(3_000);
    expect(left).toEqual([1_000, 1_252, 1_503, 1_754]);
    await Promise.all(others);
    const rested = ask(4);
    await clock.advance(0);
    await Promise.all(rested);
    expect(left.slice(4)).toEqual([4_000, 4_000, 4_000, 4_000]);
  });

  it('tells at once who could only leave too late', async () => {
    const { clock, limit, ask } = local({ requests: 2, perMs: 1_000, burst: 'all' });
    const waiting = ask(4);
    waiting.map((each) => each.catch(() => {}));
    await settle();
    const late = limit.acquire({ key: 'k', maxWaitMs: 1_900 }) as Promise<unknown>;
    expect(await rejectionOf(late)).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
    const intime = limit.acquire({ key: 'k', maxWaitMs: 2_100 });
    await clock.advance(2_010);
    (await intime).release();
  });

  it.each([
    ['more', { requests: 6 }, [0, 0, 0, 100, 100, 100, 1_005]],
    ['fewer', { requests: 2 }, [0, 0, 0, 1_005, 1_005, 2_010, 2_010]],
    ['in a shorter time', { perMs: 200 }, [0, 0, 0, 201, 201, 201, 402]],
    ['evenly', { burst: 1 }, [0, 0, 0, 1_005, 1_340, 1_675, 2_010]],
  ])('counts what has left under new numbers: %s', async (_what, numbers, expected) => {
    const { clock, limit, left, ask } = local({ requests: 3, perMs: 1_000, burst: 'all' });
    const all = ask(7);
    await clock.advance(100);
    limit.update(numbers);
    await clock.advance(5_000);
    await Promise.all(all);
    expect(left).toEqual(expected);
  });

  it('begins evenly where the numbers before were of another shape', async () => {
    const { clock, limit, left, ask } = local({ requests: 4, perMs: 1_000 });
    const all = ask(8);
    await clock.advance(600);
    limit.update({ burst: 'all' });
    await clock.advance(5_000);
    await Promise.all(all);
    expect(
      densest(
        left.map((at) => ({ at, weight: 1 })),
        1_000,
      ),
    ).toBe(4);
    expect(left.at(-1)).toBeLessThan(2_000);
  });

  it('holds at most N in any stretch of its length, whatever sends weigh, cost and become', async () => {
    const step = fc.record({
      pause: fc.option(fc.integer({ min: 1, max: 400 }), { nil: undefined, freq: 8 }),
      count: fc.integer({ min: 0, max: 8 }),
      weight: fc.integer({ min: 1, max: 3 }),
      fate: fc.constantFrom<'good' | 'refused' | 'dropped' | 'cheap'>('good', 'refused', 'dropped', 'cheap'),
      afterMs: fc.integer({ min: 0, max: 90 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const clock = new ManualClock();
        const limit = localLimiterWith(clock, fillIn({ requests: 7, perMs: 200, burst: 'all' }));
        const sent: Sent[] = [];
        const all: Promise<void>[] = [];
        const go = async ({ weight, fate, afterMs }: (typeof steps)[number]): Promise<void> => {
          const permit = await limit.acquire({ key: 'k', weight });
          if (fate === 'dropped') return permit.drop?.();
          const each = { at: clock.now(), weight };
          sent.push(each);
          await new Promise<void>((resolve) => clock.after(5 + afterMs / 10, resolve));
          const cost = fate === 'cheap' ? 1 : undefined;
          permit.answered?.({ throttled: fate === 'refused', cost });
          if (cost !== undefined) each.weight = cost;
          permit.release();
          // A storm: what was refused comes again.
          if (fate === 'refused') await go({ weight, fate: 'good', afterMs, count: 1, pause: undefined });
        };
        for (const each of steps) {
          if (each.pause !== undefined) limit.pause('k', clock.wall() + each.pause);
          for (let n = 0; n < each.count; n++) all.push(go(each));
          await clock.advance(each.afterMs);
        }
        await clock.run(Promise.all(all));
        await limit.close();
        expect(densest(sent, 200)).toBeLessThanOrEqual(7);
      }),
      { numRuns: 60 },
    );
  });

  it('is refused nothing where requests take 1 to 9 ms to arrive and timers are late, and loses little', async () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const clock = new SimulatedClock(() => 2 * random());
    const limit = localLimiterWith(clock, fillIn({ requests: 50, perMs: 1_000, burst: 'all' }));
    const quota = new Quota(50, 1_000);
    let answered = 0;
    const worker = async () => {
      for (;;) {
        const permit = await limit.acquire({ key: 'k' });
        const travel = () => new Promise<void>((resolve) => clock.happens(1 + 8 * random(), resolve));
        await travel();
        const throttled = !quota.admits(clock.now());
        await travel();
        permit.answered?.({ throttled });
        permit.release();
        answered += 1;
      }
    };
    for (let n = 0; n < 150; n++) worker().catch(() => {});
    await clock.run(() => clock.elapsedMs > 20_000);
    await limit.close();
    expect(quota.refused).toBe(0);
    expect(answered).toBeGreaterThan(0.97 * 50 * 20);
  });

  it.each<[LimitOptions, RegExp]>([
    [
      { requests: 100_001, perMs: 1_000, burst: 'all' },
      /limit\.requests must be an integer from 1 to 100000 with burst 'all'/,
    ],
    [{ requests: 0.5, perMs: 1_000, burst: 'all' }, /limit\.requests must be an integer from 1 to 100000 .* got 0.5/],
    [{ windows: [{ requests: 1e6, perMs: 1, burst: 'all' }] }, /limit\.windows\.0\.requests must be an integer from 1/],
    [
      { requests: 1, perMs: 1_000, burst: 'some' as never },
      /limit\.burst must be an integer from 1 to 1000000, or 'all'/,
    ],
  ])('has a number that can be remembered: %o', (options, message) => {
    expect(() => localLimiter(options)).toThrow(message);
    const limit = localLimiter({ requests: 100_000, perMs: 1_000, burst: 'all' });
    onTestFinished(() => limit.close());
    expect(() => limit.update({ requests: 200_000 })).toThrow(/limit\.requests must be an integer from 1 to 100000/);
  });
});
