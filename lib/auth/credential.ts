import { trackReentrancy } from '../call/reentrancy.ts';
import { TokenRefreshError } from '../failure/errors.ts';
import { CallerToken } from './caller-token.ts';
import type { ResolvedAuth, StoredToken, Token } from './options.ts';
import { inBrackets, publicCodeOf } from './public-code.ts';
import { type Beginner, type Need, Refresh, type RefreshPorts, type Unauthorized } from './refresh.ts';

/**
 * How long after a failed refresh no other is tried, in ms; Azure's clients wait as long. The same after a refresh whose token the server
 * refused as well: another would hardly fare better, and every call would refresh anew.
 */
export const COOL_DOWN_MS = 3_000;

/** How long a refresh whose time is up, or nearly so, still waits for `token()` and `save()`, in ms. */
const LAST_MS = 1_000;

const NOTHING: Unauthorized = Object.freeze({ challenges: [], api: undefined });

/** What a credential needs from outside. */
export interface CredentialPorts extends Pick<RefreshPorts, 'clock' | 'store' | 'life' | 'http'> {
  /** Told when it refreshes: it must not be forgotten, or must be remembered again. */
  keep(credential: Credential): void;
}

/** A refreshed token, and what it takes the place of. */
interface Replacement {
  /** The value that the caller's `token` gave. */
  readonly of: string;
  readonly token: StoredToken;
  /** In ms since the epoch, by the time of day, as its expiry is. */
  readonly obtainedAt: number;
}

interface Failed {
  /** The value that was to be replaced. */
  readonly of: string;
  readonly cause: unknown;
  readonly until: number;
  /** Whether calls are refused until then. Not where the refresh ran ahead of time: the token is still good. */
  readonly refuses: boolean;
  readonly secrets: readonly string[];
}

/**
 * One credential: which token is current, and one refresh at a time for everybody who needs another.
 *
 * Everything goes by the *values* of tokens. Say `token()` gives `old`, and a refresh gave `new`: then `new` takes the place of `old` until
 * `token()` gives anything else, or none. A 401 to a send that carried `old` needs no refresh any more: it is replayed with `new`.
 */
export class Credential {
  readonly #context: { readonly key: string };
  readonly #options: ResolvedAuth;
  readonly #ports: CredentialPorts;
  readonly #callerToken: CallerToken;
  #replacement: Replacement | undefined;
  /** Of the newest token that this process knows. */
  #generation = 0;
  /** By the value that is being replaced: a user who changes to and fro must not refresh one token twice. */
  readonly #refreshes = new Map<string, Refresh>();
  #failed: Failed | undefined;
  /** The refreshed token that was refused as well, and until when that is no reason to replace it. */
  #refusedAnew: { readonly value: string; readonly until: number } | undefined;

  constructor(key: string, options: ResolvedAuth, ports: CredentialPorts) {
    this.#context = Object.freeze({ key });
    this.#options = options;
    this.#ports = ports;
    this.#callerToken = new CallerToken(this.#context, options.token, ports, () => ports.store.forget?.(key));
  }

  /** What the error of the last failed refresh may quote. */
  get secrets(): readonly string[] {
    return this.#failed?.secrets ?? [];
  }

  /** Whether forgetting it would lose a token that a refresh gave, or a refresh under way. */
  get isHeld(): boolean {
    return this.#replacement !== undefined || this.#refreshes.size > 0;
  }

  /**
   * The token for a send, at once where it is at hand; `undefined` for none. Waits for a refresh where the token has expired, or was
   * refused and is being replaced; so hold nothing meanwhile that others wait for.
   *
   * @throws {TokenRefreshError} when the token cannot be had
   */
  currentToken(beginner: Beginner): Token | undefined | Promise<Token | undefined> {
    const own = this.#ask();
    return own instanceof Promise ? own.then((own) => this.#current(own, beginner)) : this.#current(own, beginner);
  }

  /** The same without waiting for a refresh: `'stale'` where that would be needed. */
  tokenIfFresh(): Token | 'stale' | undefined | Promise<Token | 'stale' | undefined> {
    const own = this.#ask();
    return own instanceof Promise ? own.then((own) => this.#ifFresh(own)) : this.#ifFresh(own);
  }

  /**
   * After a 401: the token for the replay, in place of the one that was refused, after a refresh if need be; `undefined` after a logout.
   *
   * A refresh that gives the same value again is believed: the replay will tell.
   *
   * @throws {TokenRefreshError}
   */
  async replace(refused: string, unauthorized: Unauthorized, beginner: Beginner): Promise<Token | undefined> {
    const underWay = this.#refreshes.get(refused);
    if (underWay !== undefined) await awaited(underWay);
    else {
      const asked = this.#ask();
      // Without a turn between, where the token is at hand: the calls refused in the same turn then share one refresh.
      const own = asked instanceof Promise ? await asked : asked;
      const token = this.#inPlaceOf(own);
      if (own === undefined || token?.value !== refused) return this.#current(own, beginner);
      await this.#refresh({ own, token, reason: 'unauthorized', unauthorized, beginner });
    }
    return this.currentToken(beginner);
  }

  /**
   * A replay with this token was refused, too. If a refresh gave it, a 401 is no reason to replace it for 3 s. Calls are sent all the same:
   * this one may have been refused for reasons of its own.
   */
  refused(value: string): void {
    if (this.#replacement?.token.value !== value) return;
    this.#refusedAnew = { value, until: this.#ports.clock.now() + COOL_DOWN_MS };
  }

  /** Whether a 401 is no reason to replace this token now. */
  isRefusedAnew(value: string): boolean {
    return this.#refusedAnew?.value === value && this.#refusedAnew.until > this.#ports.clock.now();
  }

  #ask(): Token | undefined | Promise<Token | undefined> {
    return this.#callerToken.ask(this.#options.refreshTimeoutMs);
  }

  #current(own: Token | undefined, beginner: Beginner, refreshes = 0): Token | undefined | Promise<Token | undefined> {
    const token = this.#inPlaceOf(own);
    // A `token()` that gives an expired one each time is not waited for for ever.
    if (own === undefined || token === undefined || refreshes === 2) return token;
    const isStale = this.#isStale(token);
    if (!isStale && !this.#isDue(token)) return token;
    const need: Need = { own, token, reason: 'expiring', unauthorized: NOTHING, beginner };
    // Asked anew after every wait: the caller may have logged out meanwhile.
    if (isStale) return this.#refresh(need).then(async () => this.#current(await this.#ask(), beginner, refreshes + 1));
    this.#begin(need).done.catch(() => {});
    return token;
  }

  #ifFresh(own: Token | undefined): Token | 'stale' | undefined {
    const token = this.#inPlaceOf(own);
    return token && this.#isStale(token) ? 'stale' : token;
  }

  /** The current token, where `token()` gives this. */
  #inPlaceOf(own: Token | undefined): Token | undefined {
    const replacement = this.#replacement;
    if (replacement === undefined) return own;
    if (replacement.of === own?.value) return replacement.token;
    // The caller's own copy of the refreshed token: when we got it still tells how to read its expiry.
    if (replacement.token.value === own?.value) return usable(own, replacement.obtainedAt);
    this.#replacement = undefined;
    return own;
  }

  /** Whether it must not be sent now: it has expired, or calls wait for its refresh, or are refused since that failed. */
  #isStale(token: Token): boolean {
    return (
      this.#leftMs(token) <= 0 ||
      this.#refreshes.get(token.value)?.isAwaited === true ||
      this.#coolingDown(token)?.refuses === true
    );
  }

  #leftMs({ expiresAt }: Token): number {
    return expiresAt === undefined ? Number.POSITIVE_INFINITY : expiresAt - this.#ports.clock.wall();
  }

  /** Whether it is time for a refresh that nobody waits for. */
  #isDue(token: Token): boolean {
    return (
      this.#leftMs(token) <= this.#aheadMs(token) &&
      !this.#refreshes.has(token.value) &&
      this.#coolingDown(token) === undefined &&
      !this.#ports.life.requested
    );
  }

  /** At most half of its life, or a token that lives for a minute would be refreshed at every call. */
  #aheadMs({ value, expiresAt = 0 }: Token): number {
    const { refreshAheadMs } = this.#options;
    if (this.#replacement?.token.value !== value) return refreshAheadMs;
    return Math.min(refreshAheadMs, (expiresAt - this.#replacement.obtainedAt) / 2);
  }

  /** The failed refresh after which no other is tried yet. */
  #coolingDown({ value }: Token): Failed | undefined {
    return this.#failed?.of === value && this.#failed.until > this.#ports.clock.now() ? this.#failed : undefined;
  }

  /** Waits for the refresh of this token, which begins if there is none. */
  async #refresh(need: Need): Promise<void> {
    const failed = this.#coolingDown(need.token);
    if (failed !== undefined) throw failure(failed.cause);
    if (this.#ports.life.over !== undefined) throw this.#ports.life.over;
    await awaited(this.#refreshes.get(need.token.value) ?? this.#begin(need));
  }

  #begin(need: Need): Refresh {
    const refresh = new Refresh(need, {
      ...this.#ports,
      ...this.#context,
      options: this.#options,
      ask: () => this.#ask(),
      late: (token) => void this.#late(refresh, token),
    });
    // A turn later: it must be in the map before it can be over, and the send that only begins it goes first.
    refresh.done = Promise.resolve().then(() => this.#run(refresh));
    this.#refreshes.set(need.token.value, refresh);
    this.#ports.keep(this);
    return refresh;
  }

  async #run(refresh: Refresh): Promise<void> {
    const { beginner, own, reason, token } = refresh.need;
    const { clock, life } = this.#ports;
    const { key } = this.#context;
    const begunAt = clock.now();
    const lastedMs = () => clock.now() - begunAt;
    beginner.refreshing(key, reason);
    try {
      const stored = await trackReentrancy(this, () => refresh.run(this.#generation));
      this.#generation = stored.generation;
      if (this.#failed?.of === token.value) this.#failed = undefined;
      await this.#take(refresh, stored, begunAt + this.#options.refreshTimeoutMs);
      beginner.refreshed(key, lastedMs());
    } catch (cause) {
      const until = clock.now() + COOL_DOWN_MS;
      this.#failed = { of: token.value, cause, until, refuses: refresh.isAwaited, secrets: refresh.secrets };
      beginner.refreshFailed(key, cause, lastedMs());
      if (life.over !== undefined) throw life.over;
      // Where `token()` gives another by now, the calls go on with that. A logout is an error: they must not go out without a token.
      const now = await this.#callerToken.askIfPossible(LAST_MS);
      if (now === undefined || now.value === own.value) throw failure(cause);
    } finally {
      this.#refreshes.delete(token.value);
    }
  }

  /**
   * A refresh that succeeds after its time was up is still used, and ends the cool-down; unless there has been another refresh since.
   *
   * @param given `undefined` where the new token is `token()`'s to give
   */
  async #late(refresh: Refresh, given: Token | undefined): Promise<void> {
    if (this.#failed?.of !== refresh.need.token.value) return;
    this.#failed = undefined;
    if (given !== undefined) await this.#take(refresh, { ...given, generation: this.#generation }, 0);
  }

  /**
   * Puts a refreshed token in its place, and has it saved if this process got it: unless the user has logged out or is another.
   *
   * @param deadlineAt when its time is up, by `now()`
   */
  async #take(refresh: Refresh, stored: StoredToken, deadlineAt: number): Promise<void> {
    const { clock } = this.#ports;
    const own = refresh.need.own.value;
    const { given } = refresh;
    const saves = this.#options.save !== undefined && given?.value === stored.value;
    const isWanted = () => {
      const last = this.#callerToken.last?.value;
      return last === own || last === stored.value;
    };
    // A token that is saved after a logout would bring the session back. And what `token()` gave last may be older than this refresh.
    if (saves || !isWanted()) await this.#callerToken.askIfPossible(Math.max(LAST_MS, deadlineAt - clock.now()));
    if (!isWanted()) return;
    const obtainedAt = clock.wall();
    this.#replacement = { of: own, token: usable(stored, obtainedAt), obtainedAt };
    const leftMs = deadlineAt - clock.now();
    if (saves) await refresh.save(given, leftMs > 0 ? leftMs : LAST_MS);
  }
}

function awaited(refresh: Refresh): Promise<void> {
  refresh.isAwaited = true;
  return refresh.done;
}

/** The cause's own message stays with the cause: it may quote the token. */
const failure = (cause: unknown): TokenRefreshError =>
  new TokenRefreshError(`the token could not be refreshed${inBrackets(publicCodeOf(cause))}`, cause);

/** A token that is expired on arrival comes from a clock that is wrong; refreshing it again would never end. */
function usable<T extends Token>(token: T, now: number): T {
  return token.expiresAt !== undefined && token.expiresAt <= now ? { ...token, expiresAt: undefined } : token;
}
