import { warn } from '../observe/warn.ts';
import { type Clock, randomId } from '../time/clock.ts';
import { withTimeout } from '../time/with-timeout.ts';
import { SESSION } from './caller-token.ts';
import type { Life } from './life.ts';
import type { RefreshContext, ResolvedAuth, StoredToken, Token, TokenStore } from './options.ts';
import { inBrackets, publicCodeOf } from './public-code.ts';
import { runRefresh } from './run-refresh.ts';
import { tokenOf } from './token.ts';

/** What a refresh is told of the answer that asked for it. */
export type Unauthorized = Pick<RefreshContext, 'challenges' | 'api'>;

/** What a refresh needs of the attachment whose call began it. */
export interface Beginner {
  readonly http: RefreshContext['http'];
  /** Whether an error of the refresh is worth another try. */
  isRetryable(error: unknown): boolean;
  refreshing(key: string, reason: RefreshContext['reason']): void;
  refreshed(key: string, durationMs: number): void;
  refreshFailed(key: string, error: unknown, durationMs: number): void;
  /** The shared store could not be reached: this process refreshes on its own. */
  storeLost?(key: string, error: unknown): void;
}

/** What is to be replaced, why, and for whom. */
export interface Need {
  /** What the caller's `token` gave, or the session. */
  readonly own: Token;
  /** What an earlier refresh put in its place; else the same. */
  readonly token: Token;
  readonly reason: RefreshContext['reason'];
  readonly unauthorized: Unauthorized;
  readonly beginner: Beginner;
}

/** What a refresh needs of its credential. */
export interface RefreshPorts {
  readonly key: string;
  readonly options: ResolvedAuth;
  readonly clock: Clock;
  readonly store: TokenStore;
  readonly life: Life;
  /** The `http` of each refresh; that of the call that began it, where there is none. */
  readonly http?: RefreshContext['http'] | undefined;
  /** What the caller's `token` gives now. */
  ask(): Token | undefined | Promise<Token | undefined>;
  /** Is told what the caller's `refresh` gives when its time is up: `undefined` where the new token is `token`'s to give. */
  late(token: Token | undefined): void;
}

/** What stands for a cookie that a refresh has set: nobody sees it here. */
const newSession = (): Token => ({ value: randomId() });

/** Whose `save` has failed: that is warned of once. */
const warned = new WeakSet<ResolvedAuth>();

/** One refresh: the caller's function, called by the store that may share it with others, and a bound on all of it. */
export class Refresh {
  readonly need: Need;
  /** Whether calls wait for it; one that runs ahead of time delays nobody. */
  isAwaited = false;
  /** When it is over, and what it gave is in its place. */
  done: Promise<void> = Promise.resolve();
  /** What the caller's `refresh` gave, where this process has called it and it gave a token. */
  given: Token | undefined;
  readonly #ports: RefreshPorts;
  /** The tokens that it has seen. */
  readonly #seen: Token[];
  readonly #aborter = new AbortController();
  /** The new token, which the store may still be about to keep. */
  #obtained: Token | undefined;

  constructor(need: Need, ports: RefreshPorts) {
    this.need = need;
    this.#ports = ports;
    this.#seen = [need.own, need.token];
  }

  /** What an error of the caller's `refresh` may quote. */
  get secrets(): readonly string[] {
    return this.#seen.flatMap(({ value, refreshToken }) =>
      refreshToken === undefined ? value : [value, refreshToken],
    );
  }

  /**
   * Has the store make it, or share somebody else's. A store that hangs does not lose a token that `refresh` gave.
   *
   * @param generation of the token that this process knows
   * @throws what `refresh` throws, a DOMException named TimeoutError after `refreshTimeoutMs`, a TokenRefreshError when the credentials
   *   are closed
   */
  async run(generation: number): Promise<StoredToken> {
    const { clock, key, life, options, store } = this.#ports;
    const { signal } = this.#aborter;
    const ms = options.refreshTimeoutMs;
    const refresh = async (newest?: StoredToken) => {
      // Not by `throwIfAborted`, which pages of jsdom do not have.
      if (signal.aborted) throw signal.reason;
      this.given = await this.#refresh(newest);
      this.#obtained = this.given ?? (await this.#obtainedElsewhere());
      return this.#obtained;
    };
    const lost = (error: unknown) => this.need.beginner.storeLost?.(key, error);
    const stored = store.refresh(key, generation, refresh, { signal, lost, token: this.need.token });
    const result = await withTimeout(stored, { ms, clock, cancellation: life });
    if (result.kind === 'done') {
      tokenOf(result.value, 'the token store'); // it holds what others have put there
      return result.value;
    }
    this.#aborter.abort(
      life.over ?? new DOMException(`the refresh took longer than ${Math.round(ms)} ms`, 'TimeoutError'),
    );
    if (this.#obtained === undefined) throw signal.reason;
    return { ...this.#obtained, generation };
  }

  /** Has the caller keep it. A failure is warned of, and no more: the token is used all the same. */
  async save(token: Token, withinMs: number): Promise<void> {
    const { clock, key, life, options } = this.#ports;
    let code: string | undefined;
    try {
      const saving = Promise.resolve(options.save?.(token, Object.freeze({ key })));
      const { kind } = await withTimeout(saving, { ms: withinMs, clock, cancellation: life });
      if (kind === 'done') return;
    } catch (error) {
      code = publicCodeOf(error);
    }
    if (warned.has(options)) return;
    warned.add(options);
    const what = `auth.save failed${inBrackets(code)}`;
    warn('HOLDFAST_SAVE', `${what}: the refreshed token is used, and is lost when this process ends`);
  }

  /** What the caller's `refresh` gives for the newest token that there is. */
  async #refresh(newest: StoredToken | undefined): Promise<Token | undefined> {
    const { beginner, own, token } = this.need;
    if (newest === undefined || newest.value === own.value) return this.#refreshFrom(newest ?? token);
    try {
      return await this.#refreshFrom(newest);
    } catch (error) {
      // The fleet's grant may be dead, and the caller have signed in anew.
      if (this.#aborter.signal.aborted || beginner.isRetryable(error)) throw error;
      return this.#refreshFrom(own);
    }
  }

  #refreshFrom(from: Token): Promise<Token | undefined> {
    const { http, key, late, options } = this.#ports;
    const { beginner, reason, unauthorized } = this.need;
    this.#seen.push(from);
    const context: RefreshContext = {
      key,
      token: options.token === undefined ? SESSION : from,
      reason,
      http: http ?? beginner.http,
      signal: this.#aborter.signal,
      ...unauthorized,
    };
    return runRefresh(options, context, beginner.isRetryable, (given) => {
      this.given = given;
      late(given ?? (options.token === undefined ? newSession() : undefined));
    });
  }

  /** Where `refresh` gave nothing: the new token is `token`'s to give, or it is a cookie. A forgotten `return` is no refresh. */
  async #obtainedElsewhere(): Promise<Token> {
    const { ask, options } = this.#ports;
    if (options.token === undefined) return newSession();
    const { value, expiresAt } = this.need.own;
    const now = await ask();
    if (now !== undefined && (now.value !== value || now.expiresAt !== expiresAt)) return now;
    throw new Error(`refresh gave no token, and auth.token gives ${now === undefined ? 'none' : 'the old one'}`);
  }
}
