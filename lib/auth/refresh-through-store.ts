import { aborted } from './aborted.ts';
import type { StoredToken, Token, TokenStore } from './options.ts';

/** What of a refresh a store is told. */
interface Refreshing {
  readonly key: string;
  readonly generation: number;
  readonly signal: AbortSignal;
  lost(error: unknown): void;
}

/**
 * Has the store make or share a refresh, until the signal aborts: waiting for somebody else's counts too. A store that does not come to
 * an end does not lose a token that the refresh gave.
 *
 * @param start the refresh, for the newest token, if that is not the one this process knows
 */
export async function refreshThroughStore(
  store: TokenStore,
  { key, generation, signal, lost }: Refreshing,
  start: (newest: StoredToken | undefined) => Promise<Token>,
): Promise<StoredToken> {
  let given: Token | undefined;
  const refresh = async (newest?: StoredToken) => {
    signal.throwIfAborted();
    given = await start(newest);
    return given;
  };
  const shared = store.refresh(key, generation, refresh, { signal, lost });
  const ended = aborted(signal).catch((reason) => {
    if (given === undefined) throw reason;
    return { ...given, generation };
  });
  return Promise.race([shared, ended]);
}
