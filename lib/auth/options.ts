import type { AxiosHeaders, AxiosInstance, InternalAxiosRequestConfig } from 'axios';
import type { Options as RetryOptions } from 'p-retry';
import { aBoolean, aFunction, type Check, isRecord, kindOf, listOf, must, number, object } from '../check.ts';
import type { ApiError } from '../failure/api-error.ts';
import type { Challenge } from '../failure/challenge.ts';
import { bearer } from './bearer.ts';
import { isCredentials } from './credential-set.ts';

/** An access token. */
export interface Token {
  /** Printable ASCII; anything else is refused before a request leaves, since axios would strip it in silence. */
  readonly value: string;
  /** Instant, ms since the epoch. Without it the token is good until the server says otherwise. */
  readonly expiresAt?: number | undefined;
  /** What your `refresh` gets the next one with, where it is to travel along with the token; see `RefreshContext.token`. Never sent. */
  readonly refreshToken?: string | undefined;
}

/** A token that a refresh gave, as a store keeps it. */
export interface StoredToken extends Token {
  /** Counts the refreshes of a key, from 1. */
  readonly generation: number;
}

/**
 * Where refreshed tokens are kept, and who may refresh: the port that makes one refresh do for a process (the default, in
 * memory) or for a fleet.
 */
export interface TokenStore {
  /** The newest token that a refresh gave for this key, for whoever wants to look: the loop does not. */
  read?(key: string): Promise<StoredToken | undefined>;
  /**
   * Makes the one refresh after `generation`: calls `refresh`, keeps what it gives and gives it back under the next
   * generation; or, where somebody else has refreshed since, gives theirs without calling it, unless it has expired. In memory
   * nobody else can.
   *
   * Calls `refresh` once at most, with the newest token that is kept, where that is newer than `generation`. Rejects with what it rejects
   * with, and never for trouble of the store's own: then the refresh of this process has to do.
   */
  refresh(
    key: string,
    generation: number,
    refresh: (newest?: StoredToken) => Promise<Token>,
    context?: StoreContext,
  ): Promise<StoredToken>;
}

/** What a store is told of the refresh that it makes or waits for. */
export interface StoreContext {
  /** Aborts when nobody waits any longer. A refresh that is under way ends by itself. */
  readonly signal?: AbortSignal | undefined;
  /** To be told why the store could not be reached. */
  readonly lost?: ((error: unknown) => void) | undefined;
}

/** What a refresh is told. */
export interface RefreshContext {
  /** Whose credential; see `AuthOptions.key`. */
  readonly key: string;
  /**
   * The token that is to be replaced: with a shared store the newest that anybody got, with all the fields it was given. Where the policy
   * has no `token`, its value is the empty string.
   */
  readonly token: Token;
  /** What the 401's `WWW-Authenticate` asks for; empty where there was none. */
  readonly challenges: readonly Challenge[];
  /** The 401's body, if it is of a known shape. */
  readonly api: ApiError | undefined;
  readonly reason: 'expiring' | 'unauthorized';
  /** Aborts when `refreshTimeoutMs` is over, or the credentials are closed. */
  readonly signal: AbortSignal;
  /**
   * The same instance for the refresh's own requests: the caller's interceptors run, ours does not, so they carry no token,
   * take no permit and cannot wait for themselves.
   */
  readonly http: AxiosInstance;
}

/**
 * Tokens: writing them, and refreshing them once for everybody.
 *
 * Everybody is all calls of one attachment whose policy has the same `token` function (without one, the same `refresh`); and those of
 * another attachment that was given the very same object, where both have the same origins. `credentials(options)` shares among any.
 * Processes refresh separately unless they share a `store`.
 */
export interface AuthOptions {
  /**
   * The token of now; asked before every send. `undefined`, or the `null` of a storage, sends none and never refreshes (logged out). One that takes longer than
   * `refreshTimeoutMs` ends the call with a `TokenRefreshError`.
   *
   * A refreshed token takes the place of the very value that it was refreshed from, for as long as this goes on returning
   * that value. Any other answer wins at once: a logout, another user, or your own copy of the refreshed token.
   *
   * Left out, nothing is written: the session is in cookies, which the browser or a cookie jar sends. A 401 from one of the `origins` is
   * refreshed all the same, once for everybody.
   */
  readonly token?:
    | ((context: {
        readonly key: string;
      }) => Token | string | null | undefined | Promise<Token | string | null | undefined>)
    | undefined;
  /**
   * Gets a new token. Runs once for all calls that wait for it; see `refreshTimeoutMs` and `retry`. It may give nothing: then `token` is
   * asked again and has to give a new one; where that is left out too, the new cookie is there.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: an async function without a return gives a promise of void
  readonly refresh: (context: RefreshContext) => Promise<Token | string | void>;
  /**
   * Keeps a token that a refresh gave: on disk, in a session. Awaited before the waiting calls go on, within `refreshTimeoutMs`. Not
   * called where `token` gives none by then (a logout), or that of somebody else; nor where another process refreshed. If it fails, the
   * token is used all the same, and one warning of the process says so.
   */
  readonly save?: ((token: Token, context: { readonly key: string }) => void | Promise<void>) | undefined;
  /** Writes the token into a send's headers, at once. Default: `Authorization: Bearer …`, in place of whatever stands there. */
  readonly apply?: ((headers: InstanceType<typeof AxiosHeaders>, token: Token) => void) | undefined;
  /**
   * How long before `expiresAt` a refresh begins in the background, in ms, while calls go on with the old token. At most half
   * of the token's life where that is known. From 0; default 120,000.
   */
  readonly refreshAheadMs?: number | undefined;
  /** Bounds a refresh, its retries included, in ms. Above 0; default 30,000. */
  readonly refreshTimeoutMs?: number | undefined;
  /**
   * Origins that may see the token. Default: the origin of the call's `baseURL`, or of the instance's where the call's is empty.
   *
   * `'any'` shows it to whatever URL a call is made to, so only for an instance whose URLs are all your own. Even then not over plain http
   * except to this machine, nor to another origin that `beforeSend` or a redirect leads to.
   */
  readonly origins?: readonly string[] | 'any' | undefined;
  /** On which 401s a refresh would not help: codes of the body, and the `error` of a challenge. Default none. */
  readonly neverRefreshOn?: readonly string[] | undefined;
  /** Whose credential a call uses: a tenant, a user. Keys do not wait for each other. Default: one for all. */
  readonly key?: ((config: InternalAxiosRequestConfig) => string) | undefined;
  /** Default: this process's memory. `redisTokenStore` makes one refresh do for a fleet. */
  readonly store?: TokenStore | undefined;
  /**
   * How p-retry repeats the refresh itself; only after what the classifier calls transient or throttled, so an
   * `invalid_grant` is not repeated. Default `{ retries: 2, minTimeout: 200 }`.
   */
  readonly retry?: RetryOptions | undefined;
}

/** One credential for several instances: what `credentials()` makes. */
export interface Credentials {
  /** Ends a refresh that is under way and refuses the calls that wait for it, with a `TokenRefreshError`. No other is begun. */
  close(): Promise<void>;
}

/** What `credentials()` is given. */
export interface CredentialsOptions extends AuthOptions {
  /** The instance that `refresh` is given as `http`. Default: that of the call that began the refresh. */
  readonly http?: AxiosInstance | undefined;
}

/** The options with their defaults filled in. */
export type ResolvedAuth = AuthOptions & {
  readonly apply: NonNullable<AuthOptions['apply']>;
  readonly refreshAheadMs: number;
  readonly refreshTimeoutMs: number;
  readonly neverRefreshOn: readonly string[];
  readonly retry: RetryOptions;
};

export const AUTH_DEFAULTS: Omit<ResolvedAuth, 'refresh'> = {
  apply: bearer,
  refreshAheadMs: 120_000,
  refreshTimeoutMs: 30_000,
  neverRefreshOn: [],
  retry: { retries: 2, minTimeout: 200 },
};

const isOrigin = (value: unknown): boolean => {
  try {
    return typeof value === 'string' && new URL(value).origin === value;
  } catch {
    return false;
  }
};

/** A path or a slash at the end is the usual mistake. Of a URL only the origin is shown: it may hold a password. */
function notAnOrigin(value: unknown): string {
  let meant = '';
  try {
    const { origin } = new URL(typeof value === 'string' ? value : '');
    if (origin !== 'null') meant = `: its origin is '${origin}'`;
  } catch {
    // Then it is no URL either.
  }
  return `${kindOf(value)} in it that is none${meant}`;
}

const authOptions = object(
  {
    token: aFunction,
    refresh: aFunction,
    apply: aFunction,
    refreshAheadMs: number(0),
    refreshTimeoutMs: number(0, Number.POSITIVE_INFINITY, { above: true }),
    // A URL may hold a password.
    origins: must(
      "an array of origins such as 'https://api.example.com', or 'any'",
      (value) => value === 'any' || (Array.isArray(value) && value.every(isOrigin)),
      (value) => (Array.isArray(value) ? notAnOrigin(value.find((each) => !isOrigin(each))) : kindOf(value)),
    ),
    save: aFunction,
    neverRefreshOn: listOf('an array of strings', (value) => typeof value === 'string'),
    key: aFunction,
    store: must('a TokenStore', (value) => isRecord(value) && typeof value.refresh === 'function', kindOf),
    // Those of p-retry that make sense here; the signal is ours.
    retry: object({
      retries: number(0),
      factor: number(0),
      minTimeout: number(0),
      maxTimeout: number(0),
      maxRetryTime: number(0),
      randomize: aBoolean,
      unref: aBoolean,
      onFailedAttempt: aFunction,
      shouldRetry: aFunction,
      shouldConsumeRetry: aFunction,
    }),
  },
  { on: 'it needs { token, refresh }' },
);

export const checkAuth: Check = (value, path, problems) => {
  if (isCredentials(value)) return;
  authOptions(value, path, problems);
  if (!isRecord(value) || value.refresh !== undefined) return;
  const at = `${path}.refresh`;
  const bound = 'a function';
  problems.push({ path: at, bound, value: undefined, message: `${at} must be ${bound}, got nothing` });
};
