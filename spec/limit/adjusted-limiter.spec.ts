import { describe, expect, it } from 'vitest';
import { AdjustedLimiter, isAdjusted, numbersIn } from '../../lib/limit/adjusted-limiter.ts';
import type { Limiter } from '../../lib/limit/limiter.ts';

const PERMIT = { release: () => {} };
const STATS = { queued: 1, running: 2 };

function noting() {
  const log: unknown[] = [];
  const limiter: Limiter = {
    key: () => 'own',
    priority: () => 1,
    acquire: (request) => {
      log.push(request);
      return PERMIT;
    },
    pause: (...about) => log.push(about),
    close: async () => void log.push('close'),
    stats: () => STATS,
  };
  return { limiter, log };
}

describe(AdjustedLimiter.name, () => {
  it('has everything done by the limiter under it', async () => {
    const { limiter, log } = noting();
    const adjusted = new AdjustedLimiter(limiter, {});
    const request = { key: 'a' };
    expect(adjusted.acquire(request)).toBe(PERMIT);
    adjusted.pause('a', 7);
    await adjusted.close();
    expect(log).toEqual([request, ['a', 7], 'close']);
    expect(adjusted.stats()).toBe(STATS);
  });

  it('has a key, a priority and a patience of its own, else those of the limiter', () => {
    const { limiter } = noting();
    const [key, priority] = [() => 'mine', () => 2];
    expect(new AdjustedLimiter(limiter, { key, priority, maxWaitMs: 5 })).toMatchObject({
      key,
      priority,
      maxWaitMs: 5,
    });
    expect(new AdjustedLimiter(limiter, {})).toMatchObject({ key: limiter.key, priority: limiter.priority });
    expect(new AdjustedLimiter(limiter, {}).maxWaitMs).toBeUndefined();
  });

  it('lies over what is adjusted already, and keeps what that says', () => {
    const { limiter } = noting();
    const key = () => 'mine';
    const first = new AdjustedLimiter(limiter, { key, maxWaitMs: 5 });
    const second = new AdjustedLimiter(first, { priority: () => 2 });
    expect(second.limiter).toBe(limiter);
    expect(second).toMatchObject({ key, maxWaitMs: 5 });
    expect(new AdjustedLimiter(first, { maxWaitMs: 9 }).maxWaitMs).toBe(9);
  });

  it('can be told from any other', () => {
    const { limiter } = noting();
    expect(isAdjusted(limiter)).toBe(false);
    expect(isAdjusted(new AdjustedLimiter(limiter, {}))).toBe(true);
  });
});

describe(numbersIn.name, () => {
  it('are the options that cannot be laid over a limiter that was handed in', () => {
    expect(numbersIn({ key: () => 'a', priority: () => 1, maxWaitMs: 5, requests: undefined })).toEqual([]);
    expect(numbersIn({ requests: 1, perMs: 2, maxQueue: 3 })).toEqual(['requests', 'perMs', 'maxQueue']);
  });
});
