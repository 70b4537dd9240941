import { describe, expect, it, vi } from 'vitest';
import type { AuthOptions, RefreshContext, Token } from '../../lib/auth/options.ts';
import { runRefresh } from '../../lib/auth/run-refresh.ts';
import { isRetryable } from '../../lib/classify/is-retryable.ts';
import { rejectionOf } from '../support/attached.ts';
import { gate } from '../support/guarded.ts';
import { settle } from '../support/manual-clock.ts';
import { unhandledDuring } from '../support/unhandled.ts';

const context: Omit<RefreshContext, 'signal'> = {
  key: 'tenant',
  token: { value: 'old', refreshToken: 'r1' },
  reason: 'unauthorized',
  challenges: [],
  api: undefined,
  http: undefined as never,
};
const refusal = (status: number) => Object.assign(new Error(`answered ${status}`), { status });

const OVER = new Error('the time is up');

/** Runs a refresh until the end, with two more tries that follow at once. */
function begin(refresh: AuthOptions['refresh'], retry: AuthOptions['retry'] = {}) {
  const aborter = new AbortController();
  const { signal } = aborter;
  const late = vi.fn<(token: Token | undefined) => void>();
  const options = { refresh: vi.fn(refresh), retry: { retries: 2, minTimeout: 0, ...retry } };
  const result = runRefresh(options, { ...context, signal }, isRetryable, late);
  return { end: () => aborter.abort(OVER), late, refresh: options.refresh, result };
}

describe(runRefresh.name, () => {
  it.each(['fresh', { value: 'fresh' }])('gives %j as a token', async (given) => {
    const { late, result } = begin(async () => given);
    expect(await result).toEqual({ value: 'fresh' });
    expect(late).not.toHaveBeenCalled();
  });

  it('tells the refresh all there is to know, and lets it change nothing of that', async () => {
    const { refresh, result } = begin(async () => 'fresh');
    await result;
    const told = refresh.mock.lastCall?.[0];
    expect(told).toEqual({ ...context, signal: expect.any(AbortSignal) });
    expect(told?.signal.aborted).toBe(false);
    expect(told).toSatisfy(Object.isFrozen);
  });

  it('needs no more of a signal than pages of jsdom have', async () => {
    const { signal } = new AbortController();
    Object.defineProperty(signal, 'throwIfAborted', { value: undefined, writable: true });
    const options = { refresh: async () => 'fresh', retry: { retries: 0 } };
    expect(await runRefresh(options, { ...context, signal }, isRetryable, () => {})).toEqual({ value: 'fresh' });
  });

  it.each(['', { value: 'a\r\nX: y' }])('refuses %j, which is no token, without another try', async (given) => {
    const { refresh, result } = begin(async () => given as string);
    expect(await rejectionOf(result)).toBeInstanceOf(TypeError);
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it.each([undefined, null])('gives nothing where it gives %s', async (given) => {
    const { refresh, result } = begin(async () => given as undefined);
    expect(await result).toBeUndefined();
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  describe('repeats', () => {
    it('what may pass, until it succeeds', async () => {
      let tries = 0;
      const { refresh, result } = begin(async () => {
        tries += 1;
        if (tries < 3) throw refusal(503);
        return 'fresh';
      });
      expect(await result).toEqual({ value: 'fresh' });
      expect(refresh).toHaveBeenCalledTimes(3);
    });

    it.each([
      ['503 as often as the policy says', 503, undefined, 3],
      ['503 if the policy agrees', 503, async () => true, 3],
      ['no 503 against the policy', 503, async () => false, 1],
      ['no 400: the grant is dead', 400, undefined, 1],
      ['no 400, whatever the policy says', 400, () => true, 1],
    ])('%s', async (_name, status, shouldRetry, times) => {
      const { refresh, result } = begin(async () => {
        throw refusal(status);
      }, shouldRetry && { shouldRetry });
      expect(await rejectionOf(result)).toMatchObject({ status });
      expect(refresh).toHaveBeenCalledTimes(times);
    });

    it('nothing once the time is up', async () => {
      const { promise, shut } = gate<string>();
      const { end, refresh, result } = begin(() => promise);
      const error = rejectionOf(result);
      end();
      shut(refusal(503));
      await error;
      await settle();
      expect(refresh).toHaveBeenCalledTimes(1);
    });
  });

  it.each(['invalid_grant', undefined, { status: 400 }])(
    'makes an Error of %j, with what was thrown behind it',
    async (thrown) => {
      const { result } = begin(() => Promise.reject(thrown));
      const error = await rejectionOf(result);
      expect(error).toBeInstanceOf(Error);
      expect(error).toMatchObject({ message: 'the refresh threw what is no Error', cause: thrown });
    },
  );

  describe('when its time is up', () => {
    it('rejects and aborts', async () => {
      const { end, refresh, result } = begin(() => new Promise(() => {}));
      const error = rejectionOf(result);
      const signal = refresh.mock.lastCall?.[0].signal;
      expect(signal?.aborted).toBe(false);
      end();
      expect(await error).toBe(OVER);
      expect(signal?.reason).toBe(OVER);
    });

    it('hands on the token that comes after all: the refresh token that it cost is used up', async () => {
      const { promise, open } = gate<string>();
      const { end, late, result } = begin(() => promise);
      const error = rejectionOf(result);
      end();
      await error;
      open('fresh');
      await settle();
      expect(late.mock.calls).toEqual([[{ value: 'fresh' }]]);
    });

    it('leaves the error that comes after all to nobody', async () => {
      const { promise, shut } = gate<string>();
      const { end, late, result } = begin(() => promise);
      const unhandled = await unhandledDuring(async () => {
        const error = rejectionOf(result);
        end();
        await error;
        shut(refusal(400));
      });
      expect(unhandled).toEqual([]);
      expect(late).not.toHaveBeenCalled();
    });
  });
});
