import pRetry from 'p-retry';
import type { RefreshContext, ResolvedAuth, Token } from './options.ts';
import { tokenOf } from './token.ts';

/**
 * Runs the caller's refresh, with its own retries, until its signal aborts; also where it is deaf to that.
 *
 * @param isRetryable whether an error is worth another try
 * @param late is given what comes after all: the refresh token that it cost is used up
 * @returns `undefined` where the refresh gives nothing
 */
export async function runRefresh(
  { refresh, retry }: Pick<ResolvedAuth, 'refresh' | 'retry'>,
  context: RefreshContext,
  isRetryable: (error: unknown) => boolean,
  late: (token: Token | undefined) => void,
): Promise<Token | undefined> {
  const { signal } = context;
  const argument = Object.freeze({ ...context });
  // p-retry replaces what is not an Error by one that says so.
  const attempt = async (): Promise<Token | undefined> => {
    try {
      const given: unknown = await refresh(argument);
      const token = given === undefined || given === null ? undefined : tokenOf(given, 'auth.refresh');
      if (signal.aborted) late(token);
      return token;
    } catch (thrown) {
      throw thrown instanceof Error ? thrown : new Error('the refresh threw what is no Error', { cause: thrown });
    }
  };
  const flight = pRetry(attempt, {
    ...retry,
    signal,
    shouldRetry: async (state) => isRetryable(state.error) && (await (retry.shouldRetry?.(state) ?? true)),
  });
  return Promise.race([flight, aborted(signal)]);
}

/** Rejects when the signal aborts, with its reason; for a race, so it is never an unhandled rejection. */
function aborted(signal: AbortSignal): Promise<never> {
  const never = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  never.catch(() => {});
  return never;
}
