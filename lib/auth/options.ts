import type { AxiosHeaders, AxiosInstance, InternalAxiosRequestConfig } from 'axios';
import type { Options as RetryOptions } from 'p-retry';
import { aBoolean, aFunction, isRecord, kindOf, listOf, missing, must, number } from '../check.ts';
import type { ApiError } from '../failure/api-error.ts';
import type { Challenge } from '../failure/challenge.ts';
import { Group } from '../group.ts';
import { bearer } from './bearer.ts';
import { type CredentialSet, isCredentials } from './credential-set.ts';

/** An access token. */
export interface Token {
  /** Printable ASCII, without blanks around it. Anything else is a `TypeError` before the request leaves: axios would strip it in silence. */
  readonly value: string;
  /** When it expires, in ms since the epoch. Left out: it is good until the server answers 401. */
  readonly expiresAt?: number | undefined;
  /** What your `refresh` gets the next token with, where that changes with each refresh. Kept beside the token, and never sent. */
  readonly refreshToken?: string | undefined;
}

/** A token as a store keeps it. */
export interface StoredToken extends Token {
  /** How many refreshes there have been for its key, this one included: from 1. */
  readonly generation: number;
}

/**
 * Decides who refreshes, and keeps what a refresh gave: in one process (the default), for a fleet (`redisTokenStore`), or for the tabs of a
 * browser (`webTokenStore`).
 *
 * @example
 * // A process that refreshes alone, and keeps nothing: `auth` remembers the token.
 * const store: TokenStore = {
 *   refresh: async (_key, generation, refresh) => ({ ...(await refresh()), generation: generation + 1 }),
 * };
 */
export interface TokenStore {
  /** The newest token that a refresh gave for this key, for whoever wants to look: `auth` itself does not ask. */
  read?(key: string): Promise<StoredToken | undefined>;
  /**
   * Gives a token that is newer than `generation`. Where somebody else has refreshed since, and their token has not expired, gives
   * theirs. Else calls `refresh`, keeps what it gives, and gives that with the next generation.
   *
   * Calls `refresh` once at most, and tells it the newest token that is kept, where that is newer than `generation`. Rejects as
   * `refresh` does. Trouble of the store's own is no reason to reject: then it calls `refresh` and keeps nothing. (But a store may be told to
   * reject then, or where that trouble does not pass: see `redisTokenStore`.)
   *
   * @param key see `AuthOptions.key`
   * @param generation of the token that this process knows; 0 for none
   */
  refresh(
    key: string,
    generation: number,
    refresh: (newest?: StoredToken) => Promise<Token>,
    context?: StoreContext,
  ): Promise<StoredToken>;
  /** Is told when `token` gives none any more for this key, and gave one before: a logout. Forgets the token of that session. */
  forget?(key: string): void;
}

/** What a store is told beside the refresh. */
export interface StoreContext {
  /** Aborts when nobody waits any longer: stop looking for somebody else's token. `refresh` then rejects by itself. */
  readonly signal?: AbortSignal | undefined;
  /** Call it with the error when the store cannot be reached, or refuses: the event `store-lost` tells of it. */
  readonly lost?: ((error: unknown) => void) | undefined;
  /** The token that is to be replaced. */
  readonly token?: Token | undefined;
}

/** What a refresh is told. */
export interface RefreshContext {
  /** Whose token it is; see `AuthOptions.key`. */
  readonly key: string;
  /**
   * The token to replace, with all its fields. With a shared store it is the newest that anybody got. Where the policy has no `token`,
   * its value is the empty string.
   */
  readonly token: Token;
  /** What the 401's `WWW-Authenticate` says (RFC 9110 §11.6.1); empty where there was none. */
  readonly challenges: readonly Challenge[];
  /** The 401's body, where it is of a known shape. */
  readonly api: ApiError | undefined;
  /** `expiring`: by its `expiresAt`, before the server has refused it; then there are no `challenges` and no `api`. */
  readonly reason: 'expiring' | 'unauthorized';
  /** Aborts when `refreshTimeoutMs` is over, or the credentials are closed. */
  readonly signal: AbortSignal;
  /**
   * The same instance for the refresh's own requests. Your interceptors run, but these requests carry no token and take no permit, so
   * they cannot wait for the refresh that they are part of.
   */
  readonly http: AxiosInstance;
}

/**
 * Writes a token on each send, and refreshes it once for everybody.
 *
 * Who shares a token:
 * - all calls of one attachment whose policy has the same `token` function (without one, the same `refresh`);
 * - several attachments that were given the same `credentials(options)`, or the very same object and have the same origins;
 * - processes and tabs that have the same `store`.
 *
 * @example
 * attach(client, {
 *   auth: {
 *     token: () => session.accessToken,
 *     refresh: async ({ http, signal }) => {
 *       const { data } = await http.post('/oauth/token', { refresh_token: session.refreshToken }, { signal });
 *       session.refreshToken = data.refresh_token;
 *       return { value: data.access_token, expiresAt: Date.now() + data.expires_in * 1_000 };
 *     },
 *   },
 * });
 *
 * @example
 * // The session is an httpOnly cookie: there is no token to write, and the refresh gives none.
 * attach(client, { auth: { refresh: async ({ http }) => void (await http.post('/session/refresh')) } });
 */
export interface AuthOptions {
  /**
   * Gives the present token; asked before every send. `undefined` or `null` is a logout: the call goes without a token, and nothing is
   * refreshed. If it takes longer than `refreshTimeoutMs`, the call ends with a `TokenRefreshError`.
   *
   * You need not keep what `refresh` gives. If this gives `old` and the refresh gave `new`, sends carry `new` for as long as this goes
   * on giving `old`. Any other answer wins at once: your own copy of `new`, another user, a logout.
   *
   * Left out: the session is in cookies, and nothing is written. A 401 from one of the `origins` is refreshed all the same.
   */
  readonly token?:
    | ((context: {
        readonly key: string;
      }) => Token | string | null | undefined | Promise<Token | string | null | undefined>)
    | undefined;
  /**
   * Gets a new token, once for all calls that wait for it.
   *
   * It may give nothing: then `token` is asked again, and has to give another one than before. (Without `token`, its answer has set the new
   * cookie.) If it rejects, the calls that wait end with a `TokenRefreshError`, and for 3 s no other refresh is tried. See `retry` and
   * `refreshTimeoutMs`.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: an async function without a return gives a promise of void
  readonly refresh: (context: RefreshContext) => Promise<Token | string | void>;
  /**
   * Keeps a token that `refresh` gave, on disk or in a session. The waiting calls go on when it is done, or `refreshTimeoutMs` is over.
   *
   * It is not called if `token` meanwhile gives none (a logout) or another user's, or if another process refreshed. If it fails, the token
   * is used all the same, and one process warning (`HOLDFAST_SAVE`) says so.
   */
  readonly save?: ((token: Token, context: { readonly key: string }) => void | Promise<void>) | undefined;
  /**
   * Writes the token into a send's headers, at once: a promise is a `TypeError`. Default: `Authorization: Bearer …` (RFC 6750 §2.1), in
   * place of whatever stands there.
   */
  readonly apply?: ((headers: InstanceType<typeof AxiosHeaders>, token: Token) => void) | undefined;
  /**
   * How long before `expiresAt` a refresh begins in the background, in ms; calls go on with the old token meanwhile. From 0; default
   * 120,000, but at most half of the life of a token that a refresh gave: one of 60 s is refreshed after 30 s.
   */
  readonly refreshAheadMs?: number | undefined;
  /** Bounds a refresh with its retries, the store's part and `save`; and each time `token` is asked. In ms; above 0, default 30,000. */
  readonly refreshTimeoutMs?: number | undefined;
  /**
   * Who may see the token, as `https://api.example.com`. Default: the origin of the call's `baseURL`, or of the instance's where the
   * call's is empty.
   *
   * `'any'` shows it to every URL that a call is made to, so only for an instance whose URLs are all your own. Even then not over plain
   * HTTP (except to this machine), nor to another origin that `beforeSend` or a redirect leads to.
   */
  readonly origins?: readonly string[] | 'any' | undefined;
  /** Which 401s no refresh would cure, by a code in the body or the `error` of a challenge: `['account_locked']`. Default: none. */
  readonly neverRefreshOn?: readonly string[] | undefined;
  /**
   * Whose token a call carries: the name of a tenant or a user. `token` and `refresh` are given it, and each key is refreshed by itself.
   * Must give a string at once, else the call ends with a `TypeError`. Default: one token for all.
   *
   * @example
   * key: ({ headers }) => String(headers.get('X-Tenant')),
   */
  readonly key?: ((config: InternalAxiosRequestConfig) => string) | undefined;
  /** Makes one refresh do for several processes (`redisTokenStore`) or tabs (`webTokenStore`). Default: each refreshes by itself. */
  readonly store?: TokenStore | undefined;
  /**
   * How `refresh` is repeated, in the options of p-retry. Default `{ retries: 2, minTimeout: 200 }`. It is repeated after what a call would
   * be retried for (503, 429, a lost connection), and not after `invalid_grant`.
   */
  readonly retry?: RetryOptions | undefined;
}

/** One session for several instances; made by `credentials()`, and given to each as `auth`. */
export interface Credentials {
  /** Ends a refresh that is under way, and begins no other. Calls that need one end with a `TokenRefreshError`. */
  close(): Promise<void>;
}

/** What `credentials()` is given. */
export interface CredentialsOptions extends AuthOptions {
  /** The instance that `refresh` is given as its `http`. Default: that of the call that began the refresh. */
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

/** Of what is a URL with one: `'null'` stands for none. */
function originIn(url: unknown): string | undefined {
  try {
    const { origin } = new URL(String(url));
    return origin === 'null' ? undefined : origin;
  } catch {
    return undefined;
  }
}

const isOrigin = (value: unknown): boolean => typeof value === 'string' && originIn(value) === value;

/** A path or a slash at the end is the usual mistake. Of a URL only the origin is shown: it may hold a password. */
function notAnOrigin(value: unknown): string {
  const origin = originIn(value);
  return `${kindOf(value)} in it that is none${origin === undefined ? '' : `: its origin is '${origin}'`}`;
}

/** Those of p-retry that make sense here; the signal is ours. */
const REFRESH_RETRY = new Group<Omit<RetryOptions, 'signal'>, Pick<Required<RetryOptions>, 'retries' | 'minTimeout'>>({
  starts: 'always-on',
  fields: {
    retries: [number(0), 2],
    factor: number(0),
    minTimeout: [number(0), 200],
    maxTimeout: number(0),
    maxRetryTime: number(0),
    randomize: aBoolean,
    unref: aBoolean,
    onFailedAttempt: aFunction,
    shouldRetry: aFunction,
    shouldConsumeRetry: aFunction,
  },
});

export const AUTH = new Group<
  AuthOptions,
  Omit<ResolvedAuth, 'refresh'>,
  ResolvedAuth | CredentialSet,
  AuthOptions | Credentials
>({
  fields: {
    token: aFunction,
    refresh: aFunction,
    apply: [aFunction, bearer],
    refreshAheadMs: [number(0), 120_000],
    refreshTimeoutMs: [number(0, Number.POSITIVE_INFINITY, { above: true }), 30_000],
    // A URL may hold a password.
    origins: must(
      "an array of origins such as 'https://api.example.com', or 'any'",
      (value) => value === 'any' || (Array.isArray(value) && value.every(isOrigin)),
      (value) => (Array.isArray(value) ? notAnOrigin(value.find((each) => !isOrigin(each))) : kindOf(value)),
    ),
    save: aFunction,
    neverRefreshOn: [listOf('an array of strings', (value) => typeof value === 'string'), []],
    key: aFunction,
    store: must('a TokenStore', (value) => isRecord(value) && typeof value.refresh === 'function', kindOf),
    retry: REFRESH_RETRY,
  },
  advice: { on: 'it needs { token, refresh }' },
  value: { is: isCredentials },
  also: ({ refresh }, path, problems) => {
    if (refresh === undefined) problems.push(missing(`${path}.refresh`, 'a function'));
  },
});
