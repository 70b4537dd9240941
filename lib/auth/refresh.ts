import pRetry from 'p-retry';
import type { Clock } from '../wait/clock.ts';
import type { RefreshContext, ResolvedAuth, Token } from './options.ts';
import { tokenOf } from './token.ts';

/**
 * Runs the caller's refresh, with its own retries, for at most `refreshTimeoutMs` in all; also where it is deaf to its signal.
 *
 * @param mayPass whether an error is worth another try
 * @param late is given a token that comes after all: the refresh token that it cost is used up
 */
export async function runRefresh(
  options: Pick<ResolvedAuth, 'refresh' | 'refreshTimeoutMs' | 'retry'>,
  context: Omit<RefreshContext, 'signal'>,
  clock: Clock,
  mayPass: (error: unknown) => boolean,
  late: (token: Token) => void,
): Promise<Token> {
  const { refresh, refreshTimeoutMs, retry } = options;
  const aborter = new AbortController();
  const argument = Object.freeze({ ...context, signal: aborter.signal });
  // p-retry replaces what is not an Error by one that says so.
  const attempt = async (): Promise<Token> => {
    try {
      const token = tokenOf(await refresh(argument));
      if (aborter.signal.aborted) late(token);
      return token;
    } catch (thrown) {
      throw thrown instanceof Error ? thrown : new Error('the refresh threw what is no Error', { cause: thrown });
    }
  };
  const flight = pRetry(attempt, {
    ...retry,
    signal: aborter.signal,
    shouldRetry: async (state) => mayPass(state.error) && (await (retry.shouldRetry?.(state) ?? true)),
  });
  let stopTimer = () => {};
  const timeout = new Promise<never>((_, reject) => {
    stopTimer = clock.after(refreshTimeoutMs, () => {
      const error = new DOMException(`the refresh took longer than ${Math.round(refreshTimeoutMs)} ms`, 'TimeoutError');
      reject(error);
      aborter.abort(error);
    });
  });
  try {
    return await Promise.race([flight, timeout]);
  } finally {
    stopTimer();
  }
}
