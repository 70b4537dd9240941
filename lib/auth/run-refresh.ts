import pRetry from 'p-retry';
import type { RefreshContext, ResolvedAuth, Token } from './options.ts';
import { tokenOf } from './token.ts';

/**
 * Calls the caller's `refresh`, again by p-retry if it fails, and rejects when the signal aborts, whether `refresh` listens to that or not.
 *
 * @param isRetryable whether an error is worth another try
 * @param late is told what `refresh` gives after that: it must not be lost, since the refresh token that it cost is used up
 * @returns `undefined` where `refresh` gives nothing
 */
export async function runRefresh(
  { refresh, retry }: Pick<ResolvedAuth, 'refresh' | 'retry'>,
  context: RefreshContext,
  isRetryable: (error: unknown) => boolean,
  late: (token: Token | undefined) => void,
): Promise<Token | undefined> {
  const { signal } = context;
  // p-retry asks it, and pages of jsdom do not have it.
  signal.throwIfAborted ??= () => {
    if (signal.aborted) throw signal.reason;
  };
  const argument = Object.freeze({ ...context });
  // p-retry would replace what is no Error, and lose it.
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
  const refreshed = pRetry(attempt, {
    ...retry,
    signal,
    shouldRetry: async (state) => isRetryable(state.error) && (await (retry.shouldRetry?.(state) ?? true)),
  });
  return Promise.race([refreshed, aborted(signal)]);
}

/** Rejects when the signal aborts, with its reason. Nobody needs to handle that: it is for a race. */
function aborted(signal: AbortSignal): Promise<never> {
  const never = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  never.catch(() => {});
  return never;
}
