import { failureOf, LimitError, type Limiter, localLimiter, reportOf } from 'axios-holdfast';
import { redisLimiter } from 'axios-holdfast/redis';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LimitOptions } from '../../lib/limit/options.ts';
import { attached, rejectionOf, status } from '../support/attached.ts';
import { until } from '../support/by-hand.ts';

/** Several calls that were refused at once rejected with one error: what `failureOf` told of /a was the story of /c. */

const PATHS = ['/a', '/b', '/c'];

/** What each call rejects with, after `refuse`. */
async function refusedAt(limit: LimitOptions | Limiter, refuse: (close: () => Promise<void>) => unknown) {
  const made = await attached(status(200), { limit });
  const errors = PATHS.map((path) => rejectionOf(made.client.get(path)));
  await until(() => made.holdfast.stats().queued === PATHS.length);
  await refuse(() => made.holdfast.close());
  return Promise.all(errors);
}

function expectOwnStories(errors: readonly unknown[]): void {
  expect(new Set(errors).size).toBe(PATHS.length);
  errors.forEach((error, i) => {
    expect(reportOf(error)?.url).toMatch(new RegExp(`${PATHS[i]}$`));
    expect(failureOf(error)?.summary).toContain(`GET ${PATHS[i]} ended`);
  });
}

const busy = async (limiter: Limiter, key: string) => {
  await limiter.acquire({ key });
  return limiter;
};

describe('each call that is refused with others gets an error of its own', () => {
  it('when the limiter is closed', async () => {
    const limiter = await busy(localLimiter({ maxConcurrent: 1, key: () => 'k' }), 'k');
    expectOwnStories(await refusedAt(limiter, () => limiter.close()));
  });

  it('when the attachment is closed', async () => {
    const limiter = await busy(localLimiter({ maxConcurrent: 1, key: () => 'k' }), 'k');
    expectOwnStories(await refusedAt(limiter, (close) => close()));
  });

  it('when the store is lost', async () => {
    const gone = new Error('Redis is gone');
    const lost: (() => void)[] = [];
    const never = () => new Promise<never>((_, reject) => lost.push(() => reject(gone)));
    const limiter = redisLimiter({ redis: { evalsha: never, eval: never }, onStoreLoss: 'closed' });
    onTestFinished(() => limiter.close());
    expectOwnStories(
      await refusedAt(limiter, () => {
        for (const lose of lost) lose();
      }),
    );
  });

  it.each([
    ['a LimitError', () => new LimitError('ERR_LIMIT_CLOSED', 'closed')],
    ['another error', () => Object.assign(new Error('gone'), { code: 'E_GONE' })],
  ])('when a limiter of the caller refuses all with one: %s', async (_what, make) => {
    const error = make();
    let refuse = () => {};
    const refused = new Promise<never>((_, reject) => {
      refuse = () => reject(error);
    });
    refused.catch(() => {});
    const limiter: Limiter = {
      acquire: () => refused,
      pause: () => {},
      close: async () => {},
      stats: () => ({ queued: 0, running: 0 }),
    };
    const errors = await refusedAt(limiter, refuse);
    expectOwnStories(errors);
    expect(errors[0]).toBe(error);
    for (const each of errors)
      expect(each).toMatchObject({ code: error.code, message: error.message, name: error.name });
  });

  it('when they give up by one signal: its reason stays the reason of each', async () => {
    const limiter = await busy(localLimiter({ maxConcurrent: 1 }), 'k');
    const controller = new AbortController();
    const reason = new Error('enough');
    const waiting = [1, 2].map(() =>
      rejectionOf(Promise.resolve(limiter.acquire({ key: 'k', signal: controller.signal }))),
    );
    controller.abort(reason);
    expect(await Promise.all(waiting)).toEqual([reason, reason]);
  });
});
