import { trackReentrancy } from '../call/reentrancy.ts';
import { TokenRefreshError } from '../failure/errors.ts';
import { warn } from '../observe/warn.ts';
import { type Clock, randomId } from '../time/clock.ts';
import { aborted } from './aborted.ts';
import type { Life } from './life.ts';
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

/** How long a flight waits for `token()` at the least, in ms. */
const ASK_MS = 1_000;

/** What a refresh is told of the answer that asked for it. */
export type Unauthorized = Pick<RefreshContext, 'challenges' | 'api'>;

const NOTHING: Unauthorized = Object.freeze({ challenges: [], api: undefined });

/**
 * Where the policy has no `token`, a session stands for one: its value is never written. It changes with each refresh, so that all that
 * is said of tokens holds for cookies too: a send that left with the session before the last refresh is replayed without another.
 */
const SESSION: Token = Object.freeze({ value: '' });

/** What a credential needs from outside. */
export interface CredentialPorts {
  readonly clock: Clock;
  readonly store: TokenStore;
  readonly life: Life;
  /** The `http` of each refresh; that of the call that began it, where there is none. */
  readonly http?: RefreshContext['http'] | undefined;
  /** It refreshes: it must not be forgotten now, nor stay so where it was. */
  keep(credential: Credential): void;
}

/** What the call that begins a refresh brings, for its attachment. */
export interface Beginner {
  readonly http: RefreshContext['http'];
  /** Whether an error of the refresh is worth another try. */
  mayPass(error: unknown): boolean;
  refreshing(key: string, reason: RefreshContext['reason']): void;
  refreshed(key: string, durationMs: number): void;
  refreshFailed(key: string, error: unknown, durationMs: number): void;
  /** The shared store could not be reached; this process refreshes on its own. */
  storeLost?(key: string, error: unknown): void;
}

/** A refresh that is to be: what is replaced, why, and for whom. */
interface Need {
  /** The token that the caller gave, or the session. */
  readonly own: Token;
  /** The one in its place, if a refresh gave it. */
  readonly token: Token;
  readonly reason: RefreshContext['reason'];
  readonly unauthorized: Unauthorized;
  readonly beginner: Beginner;
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
  private hasWarned = false;

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
   * The token for a send, at once where it is at hand; `undefined` for none. Waits for a refresh that is under way, and starts one when
   * the token has expired; so hold nothing that others wait for.
   *
   * @throws {TokenRefreshError} when the token cannot be had
   */
  checkOut(beginner: Beginner): Token | undefined | Promise<Token | undefined> {
    return this.checkOutOf(this.ask(), beginner, 0);
  }

  /** The token as it is now, without waiting for a refresh; `undefined` for none, `'stale'` where one has to be waited for. */
  glance(): Token | 'stale' | undefined | Promise<Token | 'stale' | undefined> {
    const asked = this.ask();
    return asked instanceof Promise ? asked.then((own) => this.glanceAt(own)) : this.glanceAt(asked);
  }

  /**
   * After a 401: sees to it that there is a token other than the one that was refused, refreshing if need be. Does nothing where there
   * is no credential any more.
   *
   * A refresh that gives the same value again is believed, once: the next 401 will be presented.
   *
   * @throws {TokenRefreshError}
   */
  async replace(refused: string, unauthorized: Unauthorized, beginner: Beginner): Promise<void> {
    const asked = this.ask();
    // Where the token is at hand, whoever comes in the same turn waits for this refresh.
    const own = asked instanceof Promise ? await asked : asked;
    if (own === undefined) return;
    const token = this.current(own);
    if (token.value !== refused) return;
    this.refuseWhileCooling(token, true);
    await this.refresh({ own, token, reason: 'unauthorized', unauthorized, beginner });
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

  private checkOutOf(
    asked: Token | undefined | Promise<Token | undefined>,
    beginner: Beginner,
    turns: number,
  ): Token | undefined | Promise<Token | undefined> {
    if (asked instanceof Promise) return asked.then((own) => this.checkOutOf(own, beginner, turns));
    if (asked === undefined) return undefined;
    const token = this.current(asked);
    const wait = turns < 2 ? this.waitFor(asked, token, beginner) : undefined;
    // Asked anew after every wait: the caller may have logged out meanwhile.
    return wait === undefined ? token : wait.then(() => this.checkOutOf(this.ask(), beginner, turns + 1));
  }

  private glanceAt(own: Token | undefined): Token | 'stale' | undefined {
    if (own === undefined) return undefined;
    const token = this.current(own);
    const expired = token.expiresAt !== undefined && token.expiresAt <= this.ports.clock.wall();
    const wait = this.flights.get(token.value)?.blocking || this.cooling(token)?.refuses;
    return expired || wait ? 'stale' : token;
  }

  /** What the caller's `token()` gives; `undefined` for none. */
  private ask(withinMs = this.options.refreshTimeoutMs): Token | undefined | Promise<Token | undefined> {
    const { token } = this.options;
    if (token === undefined) return SESSION;
    const given = token({ key: this.key });
    return isPromise(given) ? this.inTime(given, withinMs).then((late) => this.told(late)) : this.told(given);
  }

  private told(given: Token | string | null | undefined): Token | undefined {
    // Where there is nothing, storages say null.
    if (given !== undefined && given !== null) return tokenOf(given, 'auth.token');
    this.standIn = undefined;
    return undefined;
  }

  private inTime<T>(pending: PromiseLike<T>, withinMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (error: unknown) => {
        tidy();
        reject(error);
      };
      const late = () =>
        end(new TokenRefreshError(`auth.token did not answer within ${Math.round(withinMs)} ms`, undefined));
      const stopTimer = this.ports.clock.after(withinMs, late);
      const tidy = () => {
        stopTimer();
        this.ports.life.leave(end);
      };
      this.ports.life.enter(end);
      pending.then((value) => {
        tidy();
        resolve(value);
      }, end);
    });
  }

  /** For a flight, which must come to an end also where `token()` does not; `otherwise` where that fails or takes too long. */
  private async askInTime(otherwise: Token | undefined, withinMs = ASK_MS): Promise<Token | undefined> {
    try {
      return await this.ask(withinMs);
    } catch {
      return otherwise;
    }
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
  private waitFor(own: Token, token: Token, beginner: Beginner): Promise<void> | undefined {
    const leftMs = token.expiresAt === undefined ? Number.POSITIVE_INFINITY : token.expiresAt - this.ports.clock.wall();
    this.refuseWhileCooling(token, leftMs <= 0);
    const need = (): Need => ({ own, token, reason: 'expiring', unauthorized: NOTHING, beginner });
    if (leftMs <= 0) return this.refresh(need());
    const flight = this.flights.get(token.value);
    if (flight !== undefined) return flight.blocking ? flight.done : undefined;
    if (token.expiresAt !== undefined && leftMs <= this.aheadMs(token) && !this.cooling(token)) {
      this.launch(need()).done.catch(() => {});
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
    if (failed !== undefined && (needed || failed.refuses)) throw this.failure(failed.cause);
  }

  /** The failed refresh after which no other is tried yet. */
  private cooling({ value }: Token): Failed | undefined {
    return this.failed?.of === value && this.isCooling(this.failed.until) ? this.failed : undefined;
  }

  private isCooling(until: number): boolean {
    return until > this.ports.clock.now();
  }

  private refresh(need: Need): Promise<void> {
    const flight = this.flights.get(need.token.value) ?? this.launch(need);
    flight.blocking = true;
    return flight.done;
  }

  private launch(need: Need): Flight {
    const { over } = this.ports.life;
    if (over !== undefined) return { blocking: false, done: Promise.reject(over) };
    // A turn later, so that the flight is known before it can be over: a store may throw at once.
    const done = Promise.resolve().then(() => this.fly(need));
    const flight: Flight = { blocking: false, done };
    this.flights.set(need.token.value, flight);
    this.ports.keep(this);
    return flight;
  }

  private async fly(need: Need): Promise<void> {
    const { own, token, beginner } = need;
    const { key, options, ports } = this;
    const { clock } = ports;
    const begun = clock.now();
    const lastedMs = () => clock.now() - begun;
    const used = [own, token];
    const aborter = new AbortController();
    const end = (error: unknown) => aborter.abort(error);
    // One bound for all of it: the store, the refresh with its retries, `save`.
    const stopTimer = clock.after(options.refreshTimeoutMs, () => {
      end(new DOMException(`the refresh took longer than ${Math.round(options.refreshTimeoutMs)} ms`, 'TimeoutError'));
    });
    ports.life.enter(end);
    beginner.refreshing(key, need.reason);
    try {
      let given: Token | undefined;
      const lost = (error: unknown) => beginner.storeLost?.(key, error);
      const refreshing = { key, generation: this.generation, signal: aborter.signal, lost };
      const stored = await refreshThroughStore(ports.store, refreshing, (newest) =>
        trackReentrancy(this, async () => {
          given = await this.obtain(need, newest, aborter.signal, used);
          return given ?? this.obtainedElsewhere(own);
        }),
      );
      tokenOf(stored, 'the token store'); // a shared store holds what others have put there
      this.generation = stored.generation;
      if (this.failed?.of === token.value) this.failed = undefined;
      // What is saved after a logout would bring the session back, so there it is worth waiting for the answer.
      const leftMs = options.save === undefined ? 0 : options.refreshTimeoutMs - lastedMs();
      await this.take(own, stored, given, aborter.signal, Math.max(ASK_MS, leftMs));
      beginner.refreshed(key, lastedMs());
    } catch (cause) {
      const refuses = this.flights.get(token.value)?.blocking === true;
      const secrets = used.flatMap(({ value, refreshToken }) =>
        refreshToken === undefined ? value : [value, refreshToken],
      );
      this.failed = { of: token.value, cause, until: clock.now() + COOL_DOWN_MS, refuses, secrets };
      beginner.refreshFailed(key, cause, lastedMs());
      if (ports.life.over !== undefined) throw ports.life.over;
      // Who has another token by now has no need of this one. A logout is no such thing: the waiting calls must not go out bare.
      const now = await this.askInTime(undefined);
      if (now === undefined || now.value === own.value) throw this.failure(cause);
    } finally {
      stopTimer();
      ports.life.leave(end);
      this.flights.delete(token.value);
    }
  }

  /** Has the caller's refresh run; `undefined` where it gives nothing. */
  private obtain(
    { own, token, reason, unauthorized, beginner }: Need,
    newest: StoredToken | undefined,
    signal: AbortSignal,
    used: Token[],
  ): Promise<Token | undefined> {
    const { key, options, ports } = this;
    const http = ports.http ?? beginner.http;
    const late = (given: Token | undefined) => void this.late(own, token, given);
    const run = (from: Token) => {
      used.push(from);
      const replaced = options.token === undefined ? SESSION : from;
      const context: RefreshContext = { key, token: replaced, reason, http, signal, ...unauthorized };
      return runRefresh(options, context, beginner.mayPass, late);
    };
    if (newest === undefined || newest.value === own.value) return run(newest ?? token);
    // The fleet's grant may be dead, and the caller have signed in anew.
    return run(newest).catch((error) => (signal.aborted || beginner.mayPass(error) ? Promise.reject(error) : run(own)));
  }

  /** Where the refresh gave nothing: the new token is the caller's to give, or it is a cookie. A forgotten `return` is no refresh. */
  private async obtainedElsewhere({ value, expiresAt }: Token): Promise<Token> {
    if (this.options.token === undefined) return { value: randomId() };
    const now = await this.ask();
    if (now !== undefined && (now.value !== value || now.expiresAt !== expiresAt)) return now;
    throw new Error(`refresh gave no token, and auth.token gives ${now === undefined ? 'none' : 'the old one'}`);
  }

  /**
   * What comes after the time was up is used, unless there has been another refresh since: the refresh token that it cost is used up. It
   * ends the cool-down.
   */
  private async late(own: Token, { value }: Token, given: Token | undefined): Promise<void> {
    if (this.failed?.of !== value) return;
    this.failed = undefined;
    if (given === undefined && this.options.token !== undefined) return;
    const stored = { ...(given ?? { value: randomId() }), generation: this.generation };
    await this.take(own, stored, given, new AbortController().signal);
  }

  /** Puts a refreshed token in its place, and has it saved where this process has got it: unless nobody wants it any more. */
  private async take(
    own: Token,
    stored: StoredToken,
    given: Token | undefined,
    signal: AbortSignal,
    withinMs = ASK_MS,
  ): Promise<void> {
    // The caller may have logged out meanwhile, or be another user with a refresh of their own by now.
    const now = await this.askInTime(own, withinMs);
    if (now?.value !== own.value && now?.value !== stored.value) return;
    const obtainedAt = this.ports.clock.wall();
    this.standIn = { for: own.value, token: usable(stored, obtainedAt), obtainedAt };
    const { save } = this.options;
    if (save === undefined || given?.value !== stored.value) return;
    try {
      await Promise.race([save(given, Object.freeze({ key: this.key })), aborted(signal)]);
    } catch (error) {
      if (!this.hasWarned) {
        this.hasWarned = true;
        const code = publicCodeOf(error);
        const why = code === undefined ? '' : ` (${code})`;
        warn(
          'HOLDFAST_SAVE',
          `auth.save failed${why}: the refreshed token is used, and is lost when this process ends`,
        );
      }
    }
  }

  /** The cause's own message stays with the cause: it may quote the token. */
  private failure(cause: unknown): TokenRefreshError {
    const code = publicCodeOf(cause);
    return new TokenRefreshError(`the token could not be refreshed${code === undefined ? '' : ` (${code})`}`, cause);
  }
}

const isPromise = <T extends object | string | null | undefined>(given: T | PromiseLike<T>): given is PromiseLike<T> =>
  typeof (given as Partial<PromiseLike<T>> | null | undefined)?.then === 'function';

/** A token that is expired on arrival comes from a clock that is wrong; refreshing it again would never end. */
function usable<T extends Token>(token: T, now: number): T {
  return token.expiresAt !== undefined && token.expiresAt <= now ? { ...token, expiresAt: undefined } : token;
}
