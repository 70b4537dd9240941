import { TokenRefreshError } from '../failure/errors.ts';
import type { Clock } from '../wait/clock.ts';
import { within } from '../wait/within.ts';
import type { RefreshContext, ResolvedAuth, StoredToken, Token, TokenStore } from './options.ts';
import { publicCodeOf } from './public-code.ts';
import { runRefresh } from './refresh.ts';
import { refreshThroughStore } from './refresh-through-store.ts';
import { tokenOf } from './token.ts';

/**
 * How long after a failed refresh no other is tried, in ms: what Azure's clients wait. And after one that gave a token which the server
 * refused as well: another would hardly fare better, and every call would refresh anew.
 */
export const COOL_DOWN_MS = 3_000;

/** How long a flight waits for `token()`, in ms. */
const ASK_MS = 1_000;

/** What a refresh is told of the answer that asked for it. */
export type Unauthorized = Pick<RefreshContext, 'challenges' | 'api'>;

const NOTHING: Unauthorized = Object.freeze({ challenges: [], api: undefined });

/** What a credential needs from outside. */
export interface CredentialPorts {
  readonly clock: Clock;
  readonly store: TokenStore;
  readonly http: RefreshContext['http'];
  /** It refreshes: it must not be forgotten now, nor stay so where it was. */
  keep(credential: Credential): void;
  /** Whether an error of the refresh is worth another try. */
  mayPass(error: unknown): boolean;
  refreshing(key: string, reason: RefreshContext['reason']): void;
  refreshed(key: string, durationMs: number): void;
  refreshFailed(key: string, error: unknown, durationMs: number): void;
  /** The shared store could not be reached; this process refreshes on its own. */
  storeLost?(key: string, error: unknown): void;
}

interface Flight {
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
  /** The tokens that the refresh was given. */
  readonly secrets: readonly string[];
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
  /** By the value that is being replaced: a user who changes to and fro must not refresh one token twice. */
  private readonly flights = new Map<string, Flight>();
  private failed: Failed | undefined;
  /** The refreshed token that was refused as well, and until when a 401 is no reason to replace it. */
  private refusedAnew: { readonly value: string; readonly until: number } | undefined;

  /** What the error of the last failed refresh may quote. */
  get secrets(): readonly string[] {
    return this.failed?.secrets ?? [];
  }

  /** Whether forgetting it would lose a token that a refresh gave, or a refresh under way. */
  get isHeld(): boolean {
    return this.standIn !== undefined || this.flights.size > 0;
  }

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
    const wait = this.flights.get(token.value)?.blocking || this.cooling(token)?.refuses;
    return expired || wait ? 'stale' : token;
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

  /**
   * A send that was replayed with this token was refused, too. Only what a refresh gave counts, and only that very value: a call that is
   * refused for reasons of its own keeps nobody from being sent, and for 3 s from refreshing this one token on a 401.
   */
  refused(value: string): void {
    if (this.standIn?.token.value !== value) return;
    this.refusedAnew = { value, until: this.ports.clock.now() + COOL_DOWN_MS };
  }

  /** Whether a 401 is no reason to replace this token: a refresh gave it, and the server refused it a moment ago. */
  isRefusedAnew(value: string): boolean {
    return this.refusedAnew?.value === value && this.isCooling(this.refusedAnew.until);
  }

  private async ask(): Promise<Token | undefined> {
    // Where there is nothing, storages say null.
    const given = (await this.options.token({ key: this.key })) ?? undefined;
    if (given === undefined) this.standIn = undefined;
    return given === undefined ? undefined : tokenOf(given);
  }

  /** For a flight, which must come to an end also where `token()` does not; `otherwise` where that fails or takes too long. */
  private askInTime(otherwise: Token | undefined): Promise<Token | undefined> {
    let stopTimer = () => {};
    const late = new Promise<Token | undefined>((resolve) => {
      stopTimer = this.ports.clock.after(ASK_MS, () => resolve(otherwise));
    });
    return Promise.race([this.ask().catch(() => otherwise), late]).finally(stopTimer);
  }

  private current(own: Token): Token {
    const { standIn } = this;
    if (standIn?.for === own.value) return standIn.token;
    // The caller's own copy of the refreshed token: when we got it still tells how to read its expiry.
    if (standIn?.token.value === own.value) return usable(own, standIn.obtainedAt);
    this.standIn = undefined;
    return own;
  }

  /** What a send has to wait for before it may use this token. */
  private waitFor(own: Token, token: Token): Promise<void> | undefined {
    const now = this.ports.clock.now();
    const expired = token.expiresAt !== undefined && token.expiresAt <= now;
    this.refuseWhileCooling(token, expired);
    if (expired) return this.refresh(own, token, 'expiring', NOTHING);
    const flight = this.flights.get(token.value);
    if (flight !== undefined) return flight.blocking ? flight.done : undefined;
    if (!this.cooling(token) && token.expiresAt !== undefined && token.expiresAt - this.aheadMs(token) <= now) {
      this.launch(own, token, 'expiring', NOTHING).done.catch(() => {});
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
    const failed = this.cooling(token);
    if (failed !== undefined && (needed || failed.refuses)) throw failure(failed.cause);
  }

  /** The failed refresh after which no other is tried yet. */
  private cooling({ value }: Token): Failed | undefined {
    return this.failed?.of === value && this.isCooling(this.failed.until) ? this.failed : undefined;
  }

  private isCooling(until: number): boolean {
    const left = until - this.ports.clock.now();
    // A clock that was set back must not prolong it.
    return left > 0 && left <= COOL_DOWN_MS;
  }

  private refresh(
    own: Token,
    token: Token,
    reason: RefreshContext['reason'],
    unauthorized: Unauthorized,
  ): Promise<void> {
    const flight = this.flights.get(token.value) ?? this.launch(own, token, reason, unauthorized);
    flight.blocking = true;
    return flight.done;
  }

  private launch(own: Token, token: Token, reason: RefreshContext['reason'], unauthorized: Unauthorized): Flight {
    // A turn later, so that the flight is known before it can be over: a store may throw at once.
    const done = Promise.resolve().then(() => this.fly(own, token, reason, unauthorized));
    const flight: Flight = { blocking: false, done };
    this.flights.set(token.value, flight);
    this.ports.keep(this);
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
    const used = [own, token];
    ports.refreshing(key, reason);
    try {
      const context = { key, token, reason, http: ports.http, ...unauthorized };
      const { refreshTimeoutMs } = options;
      // Unless there has been another since, it ends the cool-down.
      const late = (given: Token) => {
        if (this.failed?.of !== token.value) return;
        this.failed = undefined;
        this.standIn = { for: own.value, token: { ...given, generation: this.generation }, obtainedAt: clock.now() };
      };
      const lost = (error: unknown) => ports.storeLost?.(key, error);
      const flight = { key, generation: this.generation, lost };
      const stored = await refreshThroughStore(ports.store, clock, refreshTimeoutMs, flight, (newest, leftMs) =>
        within(this, async () => {
          const run = (from: Token) => {
            used.push(from);
            return runRefresh(
              { ...options, refreshTimeoutMs: leftMs },
              { ...context, token: from },
              clock,
              ports.mayPass,
              late,
            );
          };
          if (newest === undefined || newest.value === own.value) return run(newest ?? token);
          // The fleet's grant may be dead, and the caller have signed in anew.
          return run(newest).catch((error) => (ports.mayPass(error) ? Promise.reject(error) : run(own)));
        }),
      );
      tokenOf(stored); // a shared store holds what others have put there
      this.generation = stored.generation;
      if (this.failed?.of === token.value) this.failed = undefined;
      // The caller may have logged out meanwhile, or be another user with a refresh of their own by now.
      const now = await this.askInTime(own);
      if (now?.value === own.value || now?.value === stored.value) {
        this.standIn = { for: own.value, token: usable(stored, clock.now()), obtainedAt: clock.now() };
      }
      ports.refreshed(key, Math.max(0, clock.now() - begun));
    } catch (cause) {
      const refuses = this.flights.get(token.value)?.blocking === true;
      const secrets = used.flatMap(({ value, refreshToken }) =>
        refreshToken === undefined ? value : [value, refreshToken],
      );
      this.failed = { of: token.value, cause, until: clock.now() + COOL_DOWN_MS, refuses, secrets };
      ports.refreshFailed(key, cause, Math.max(0, clock.now() - begun));
      // Who has another token by now has no need of this one. A logout is no such thing: the waiting calls must not go out bare.
      const now = await this.askInTime(undefined);
      if (now === undefined || now.value === own.value) throw failure(cause);
    } finally {
      this.flights.delete(token.value);
    }
  }
}

/** A token that is expired on arrival comes from a clock that is wrong; refreshing it again would never end. */
function usable<T extends Token>(token: T, now: number): T {
  return token.expiresAt !== undefined && token.expiresAt <= now ? { ...token, expiresAt: undefined } : token;
}

/** The cause's own message stays with the cause: it may quote the token. */
function failure(cause: unknown): TokenRefreshError {
  const code = publicCodeOf(cause);
  return new TokenRefreshError(`the token could not be refreshed${code === undefined ? '' : ` (${code})`}`, cause);
}
