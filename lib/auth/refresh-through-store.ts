import type { Clock } from '../wait/clock.ts';
import type { StoredToken, Token, TokenStore } from './options.ts';

/** A refresh as a store starts it: for the newest token, if that is not the one this process knows, and within `leftMs`. */
export type Start = (newest: StoredToken | undefined, leftMs: number) => Promise<Token>;

/**
 * Has the store make or share a refresh, for at most `timeoutMs` in all: waiting for somebody else's counts too. A store that
 * does not come to an end does not lose a token that the refresh gave.
 */
export async function refreshThroughStore(
  store: TokenStore,
  clock: Clock,
  timeoutMs: number,
  { key, generation, lost }: { readonly key: string; readonly generation: number; lost(error: unknown): void },
  start: Start,
): Promise<StoredToken> {
  const begun = clock.now();
  const aborter = new AbortController();
  let given: Token | undefined;
  const refresh = async (newest?: StoredToken) => {
    aborter.signal.throwIfAborted();
    given = await start(newest, Math.max(1, timeoutMs - Math.max(0, clock.now() - begun)));
    return given;
  };
  const shared = store.refresh(key, generation, refresh, { signal: aborter.signal, lost });
  let stopTimer = () => {};
  const timeout = new Promise<StoredToken>((resolve, reject) => {
    stopTimer = clock.after(timeoutMs, () => {
      const error = new DOMException(`the refresh took longer than ${Math.round(timeoutMs)} ms`, 'TimeoutError');
      if (given === undefined) reject(error);
      else resolve({ ...given, generation });
      aborter.abort(error);
    });
  });
  try {
    return await Promise.race([shared, timeout]);
  } finally {
    stopTimer();
  }
}
