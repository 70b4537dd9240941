import { codeOf } from '../failure/code.ts';
import { TokenRefreshError } from '../failure/errors.ts';
import type { Clock } from '../wait/clock.ts';
import type { RefreshContext, ResolvedAuth, StoredToken, Token, TokenStore } from './options.ts';
import { runRefresh } from './refresh.ts';
import { tokenOf } from './token.ts';

/** How long after a failed refresh no other is tried, in ms: what Azure's clients wait. */
export const COOL_DOWN_MS = 3_000;

/** What a refresh is told of the answer that asked for it. */
export type Unauthorized = Pick<RefreshContext, 'challenges' | 'api'>;

const NOTHING: Unauthorized = Object.freeze({ challenges: [], api: undefined });

/** What a credential needs from outside. */
export interface CredentialPorts {
  readonly clock: Clock;
  readonly store: TokenStore;
  readonly http: RefreshContext['http'];
  /** Whether an error of the refresh is worth another try. */
  mayPass(error: unknown): boolean;
  refreshing(key: string, reason: RefreshContext['reason']): void;
  refreshed(key: string, durationMs: number): void;
  refreshFailed(key: string, error: unknown, durationMs: number): void;
}

interface Flight {
  /** The value that is being replaced. */
  readonly of: string;
  /** Whether calls wait for it; one that runs ahead of time delays nobody. */
  blocking: boolean;
  readonly done: Promise<void>;
}

interface Failed {
  readonly of: string;
  readonly cause: unknown;
  readonly until: number;
  /** Whether calls are refused meanwhile; not while the token may still be good. */
  readonly refuses: boolean;
}

/**
 * One credential: which token is current, and one refresh at a time for everybody who needs another.
 *
 * Everything is tied to token *values*. A 401 asks about the token that was sent: if that is no longer the current one,
 * somebody has refreshed meanwhile, and there is nothing to do. A refreshed token stands in for the value that the
 * caller's `token()` gave when it was refreshed; when `token()` gives another, or none, it is forgotten.
 */
export class Credential {
  private readonly key: string;
  private readonly options: ResolvedAuth;
  private readonly ports: CredentialPorts;
  /** The refreshed token, and the value of the caller's that it stands in for. */
  private standIn: { readonly for: string; readonly token: StoredToken; readonly obtainedAt: number } | undefined;
  private generation = 0;
  private flight: Flight | undefined;
  private failed: Failed | undefined;

  constructor(key: string, options: ResolvedAuth, ports: CredentialPorts) {
    this.key = key;
    this.options = options;
    this.ports = ports;
  }

  /**
   * The token for a send; `undefined` for none. Waits for a refresh that is under way, and starts one when the token has
   * expired; so hold nothing that others wait for.
   *
   * @throws {TokenRefreshError} when the token cannot be had
   */
  async checkOut(): Promise<Token | undefined> {
    // Asked anew after every wait: the caller may have logged out meanwhile.
    for (let turns = 0; ; turns++) {
      const own = await this.ask();
      if (own === undefined) return undefined;
      const token = this.current(own);
      const wait = turns < 2 ? this.waitFor(own, token) : undefined;
      if (wait === undefined) return token;
      await wait;
    }
  }

  /** The token as it is now, without waiting for a refresh; `undefined` for none, `'stale'` where one has to be waited for. */
  async glance(): Promise<Token | 'stale' | undefined> {
    const own = await this.ask();
    if (own === undefined) return undefined;
    const token = this.current(own);
    const expired = token.expiresAt !== undefined && token.expiresAt <= this.ports.clock.now();
    return expired || (this.flight?.of === token.value && this.flight.blocking) ? 'stale' : token;
  }

  /**
   * After a 401: gives a token other than the one that was refused, refreshing if need be; `undefined` where there is no
   * credential any more.
   *
   * @throws {TokenRefreshError}
   */
  async replace(refused: string, unauthorized: Unauthorized): Promise<Token | undefined> {
    for (let refreshes = 0; ; refreshes++) {
      const own = await this.ask();
      if (own === undefined) return undefined;
      const token = this.current(own);
      // A refresh that gives the same value again is believed, once: the next 401 will be presented.
      if (token.value !== refused || refreshes > 0) return token;
      this.refuseWhileCooling(token, true);
      await this.refresh(own, token, 'unauthorized', unauthorized);
    }
  }

  private async ask(): Promise<Token | undefined> {
    const given = await this.options.token({ key: this.key });
    return given === undefined ? undefined : tokenOf(given);
  }

  private current(own: Token): Token {
    if (this.standIn !== undefined && this.standIn.for !== own.value) this.standIn = undefined;
    return this.standIn?.token ?? own;
  }

  /** What a send has to wait for before it may use this token. */
  private waitFor(own: Token, token: Token): Promise<void> | undefined {
    const now = this.ports.clock.now();
    const expired = token.expiresAt !== undefined && token.expiresAt <= now;
    this.refuseWhileCooling(token, expired);
    if (expired) return this.refresh(own, token, 'expiring', NOTHING);
    if (this.flight?.of === token.value) return this.flight.blocking ? this.flight.done : undefined;
    const cooling = this.failed?.of === token.value && now < this.failed.until;
    if (!cooling && token.expiresAt !== undefined && token.expiresAt - this.aheadMs(token) <= now) {
      this.launch(own, token, 'expiring', NOTHING, false).done.catch(() => {});
    }
    return undefined;
  }

  /** Half of a short life is enough, or a token that lives for a minute would be refreshed at every call. */
  private aheadMs({ value, expiresAt = 0 }: Token): number {
    const { standIn, options } = this;
    if (standIn?.token.value !== value) return options.refreshAheadMs;
    return Math.min(options.refreshAheadMs, (expiresAt - standIn.obtainedAt) / 2);
  }

  private refuseWhileCooling(token: Token, needed: boolean): void {
    const { failed, ports } = this;
    if (failed === undefined || failed.of !== token.value || !(needed || failed.refuses)) return;
    if (ports.clock.now() < failed.until) throw failure(failed.cause);
  }

  private refresh(
    own: Token,
    token: Token,
    reason: RefreshContext['reason'],
    unauthorized: Unauthorized,
  ): Promise<void> {
    if (this.flight?.of !== token.value) return this.launch(own, token, reason, unauthorized, true).done;
    this.flight.blocking = true;
    return this.flight.done;
  }

  private launch(
    own: Token,
    token: Token,
    reason: RefreshContext['reason'],
    unauthorized: Unauthorized,
    blocking: boolean,
  ): Flight {
    const flight: Flight = { of: token.value, blocking, done: this.fly(own, token, reason, unauthorized) };
    this.flight = flight;
    return flight;
  }

  private async fly(
    own: Token,
    token: Token,
    reason: RefreshContext['reason'],
    unauthorized: Unauthorized,
  ): Promise<void> {
    const { key, options, ports } = this;
    const { clock } = ports;
    const begun = clock.now();
    ports.refreshing(key, reason);
    try {
      const context = { key, token, reason, http: ports.http, ...unauthorized };
      const stored = await ports.store.refresh(key, this.generation, () =>
        runRefresh(options, context, clock, ports.mayPass),
      );
      this.generation = stored.generation;
      this.failed = undefined;
      // The caller may have logged out meanwhile, or be another user with a refresh of their own by now.
      if ((await this.ask())?.value === own.value) {
        this.standIn = { for: own.value, token: usable(stored, clock.now()), obtainedAt: clock.now() };
      }
      ports.refreshed(key, Math.max(0, clock.now() - begun));
    } catch (cause) {
      const refuses = this.flight?.of === token.value && this.flight.blocking;
      this.failed = { of: token.value, cause, until: clock.now() + COOL_DOWN_MS, refuses };
      ports.refreshFailed(key, cause, Math.max(0, clock.now() - begun));
      throw failure(cause);
    } finally {
      if (this.flight?.of === token.value) this.flight = undefined;
    }
  }
}

/** A token that is expired on arrival comes from a clock that is wrong; refreshing it again would never end. */
function usable(token: StoredToken, now: number): StoredToken {
  return token.expiresAt !== undefined && token.expiresAt <= now ? { ...token, expiresAt: undefined } : token;
}

/** The cause's own message stays with the cause: it may quote the token. */
function failure(cause: unknown): TokenRefreshError {
  const code = codeOf(cause);
  return new TokenRefreshError(`the token could not be refreshed${code === undefined ? '' : ` (${code})`}`, cause);
}
