import { warn } from '../../observe/warn.ts';
import { systemClock } from '../../time/clock.ts';
import type { TokenStore } from '../options.ts';
import { memoryTokenStore } from './memory.ts';
import { type Page, WebLocksTokenStore } from './web-locks.ts';

export interface WebTokenStoreOptions {
  /** Names the session among the pages of this origin, together with `auth.key`: pages with the same two names share. Not empty. */
  readonly key: string;
}

/**
 * Makes one refresh do for all tabs: the pages of one origin that have the same `key` share the refreshed token. One of them takes a lock
 * (Web Locks) and refreshes; the others get its token by a message (BroadcastChannel).
 *
 * Nothing is persisted: the newest token, with all its fields, is in the memory of the tabs, and in messages that any script of this origin
 * can hear. A tab takes a token only if it was refreshed, in one step or several, from the one that the tab itself has: so after a logout
 * and another sign-in nobody gets a token of the former user.
 *
 * A tab that has just been opened asks the others, for 200 ms at most, and then goes by what `token` gives. So where refresh tokens rotate,
 * have `save` keep the new one for the tabs to come, return it as the token's `refreshToken`, and take it from the `token` that `refresh`
 * is told.
 *
 * A tab that is closed during its refresh frees the lock, and the next one refreshes. If the closed one had used up the refresh token, that
 * fails as any refresh may, and a warning (`HOLDFAST_TABS`) tells of it.
 *
 * When `token` gives none any more, all tabs forget the token that they shared. A tab whose `token` still gives one goes on with that.
 *
 * Where the page is no secure context (plain HTTP, but for this machine), or the browser has no Web Locks, each tab refreshes by itself, and
 * a warning (`HOLDFAST_TABS`) says so, once.
 *
 * @throws {TypeError} when the key is no string, or empty
 *
 * @example
 * attach(client, {
 *   auth: {
 *     token: () => JSON.parse(localStorage.getItem('session') ?? 'null'), // { value, expiresAt, refreshToken } of the sign-in
 *     refresh: ({ token, http, signal }) => renew(http, token.refreshToken, signal),
 *     save: (token) => localStorage.setItem('session', JSON.stringify(token)),
 *     store: webTokenStore({ key: 'contoso' }),
 *   },
 * });
 */
export function webTokenStore(options: WebTokenStoreOptions): TokenStore {
  const { key } = options;
  if (typeof key !== 'string' || key === '') throw new TypeError('key must be a non-empty string');
  const page = thisPage();
  if (page !== undefined) return new WebLocksTokenStore(key, page);
  if (!hasWarned) warn('HOLDFAST_TABS', ALONE);
  hasWarned = true;
  return memoryTokenStore();
}

const ALONE =
  'webTokenStore needs Web Locks and BroadcastChannel, which browsers have in a secure context (https): here each tab refreshes by itself';
let hasWarned = false;

/** `undefined` where something is missing. */
function thisPage(): Page | undefined {
  const { BroadcastChannel, addEventListener, document, navigator } = globalThis as Partial<typeof globalThis>;
  const locks = navigator?.locks as LockManager | undefined;
  if (locks === undefined || BroadcastChannel === undefined) return undefined;
  return {
    locks,
    clock: systemClock,
    open(name, hear) {
      const channel = new BroadcastChannel(name);
      channel.onmessage = ({ data }) => hear(data);
      // In Node it would keep the process alive.
      (channel as { unref?(): void }).unref?.();
      return (message) => channel.postMessage(message);
    },
    onWake(woken) {
      addEventListener?.('pageshow', woken);
      document?.addEventListener('resume', woken);
    },
  };
}
