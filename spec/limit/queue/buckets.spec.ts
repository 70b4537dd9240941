import { describe, expect, it } from 'vitest';
import { LimitError } from '../../../lib/failure/errors.ts';
import { localLimiterWith } from '../../../lib/limit/local/local-buckets.ts';
import { fillIn } from '../../../lib/limit/options.ts';
import { Buckets } from '../../../lib/limit/queue/buckets.ts';
import { rejectionOf } from '../../support/attached.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function made() {
  const clock = new ManualClock();
  return { clock, buckets: localLimiterWith(clock, fillIn({ requests: 1, perMs: 1_000 })) };
}

/** Uses so many keys that were not used before. */
function use(buckets: ReturnType<typeof made>['buckets'], from: number, to: number): void {
  for (let i = from; i < to; i++) buckets.acquire({ key: `key ${i}` });
}

describe(Buckets.name, () => {
  it('knows how long each is paused, and of one that nobody has used that it is not', () => {
    const { clock, buckets } = made();
    expect(buckets.pausedUntil('k')).toBe(Number.NEGATIVE_INFINITY);
    expect(buckets.size).toBe(0);
    buckets.pause('k', clock.now() + 5);
    expect(buckets.pausedUntil('k')).toBe(clock.now() + 5);
    expect(buckets.pausedUntil('other')).toBe(Number.NEGATIVE_INFINITY);
  });

  it('makes no bucket any more when it is closed', async () => {
    const { clock, buckets } = made();
    await buckets.close();
    buckets.pause('k', clock.now() + 5);
    const closed = new LimitError('ERR_LIMIT_CLOSED', 'the limiter is closed');
    expect(await rejectionOf(Promise.resolve(buckets.acquire({ key: 'k' })))).toEqual(closed);
    expect(buckets.size).toBe(0);
  });

  it('looks for the idle at a thousand, and again when those that it had to keep have doubled', () => {
    const { clock, buckets } = made();
    const release = (permit: unknown) => (permit as { release(): void }).release();
    for (let i = 0; i < 999; i++) release(buckets.acquire({ key: `idle ${i}` }));
    clock.jump(60_000);
    release(buckets.acquire({ key: 'the thousandth' }));
    expect(buckets.size).toBe(1_000);
    buckets.acquire({ key: 'one more' });
    expect(buckets.size).toBe(2);
    use(buckets, 0, 1_500);
    expect(buckets.size).toBe(1_502);
    for (let i = 0; i < 500; i++) release(buckets.acquire({ key: `more ${i}` }));
    clock.jump(60_000);
    const before = buckets.size;
    buckets.acquire({ key: 'not yet' });
    expect(buckets.size).toBe(before + 1);
  });
});
