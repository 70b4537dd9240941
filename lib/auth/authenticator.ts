import type { InternalAxiosRequestConfig } from 'axios';
import { originOf } from '../call/address.ts';
import { spellingIn } from '../call/header.ts';
import { isReentrant } from '../call/reentrancy.ts';
import { requireKey } from '../check.ts';
import { bearer } from './bearer.ts';
import type { Credential } from './credential.ts';
import type { CredentialSet } from './credential-set.ts';
import type { ResolvedAuth, Token } from './options.ts';
import type { Beginner } from './refresh.ts';

const NOTHING: Readonly<Record<string, unknown>> = Object.freeze({});

type Headers = InternalAxiosRequestConfig['headers'];

/** What an authenticator needs of its attachment. */
interface Ports {
  readonly beginner: Beginner;
  /** The instance's own `baseURL`, as it is now. */
  baseUrl(): string | undefined;
}

/** One `auth` policy: who may see the token, and how it is written into headers. */
export class Authenticator {
  readonly options: ResolvedAuth;
  /** What its calls bring to a refresh. */
  readonly beginner: Beginner;
  readonly #credentials: CredentialSet;
  readonly #baseUrl: Ports['baseUrl'];

  constructor(options: ResolvedAuth, credentials: CredentialSet, { beginner, baseUrl }: Ports) {
    this.options = options;
    this.beginner = beginner;
    this.#credentials = credentials;
    this.#baseUrl = baseUrl;
  }

  /**
   * Whose token a call carries; `undefined` where it is to carry none.
   *
   * @throws {TypeError} where `auth.key` gives what is no string
   */
  credentialOf(config: InternalAxiosRequestConfig): Credential | undefined {
    if (!this.maySee(config, config)) return undefined;
    const { key } = this.options;
    const credential = this.#credentials.of(key === undefined ? '' : requireKey(key(config) ?? '', 'auth.key'));
    return isReentrant(credential) ? undefined : credential;
  }

  /**
   * Whether the token may be shown to where a send goes.
   *
   * @param asked the call's own config: what `beforeSend` makes of the `baseURL` gives nobody a right to the token
   */
  maySee(config: InternalAxiosRequestConfig, asked: InternalAxiosRequestConfig): boolean {
    const origin = originOf(config);
    // Without an origin there is no telling where it goes.
    if (origin === '') return false;
    const { origins } = this.options;
    if (origins === 'any') return isPrivate(origin) && origin === originOf(asked);
    return origins === undefined ? origin === this.#home(asked) : origins.includes(origin);
  }

  /** Why a send carried no token for where it went; `undefined` where that is not the reason. */
  withheldFrom(config: InternalAxiosRequestConfig, asked: InternalAxiosRequestConfig): string | undefined {
    if (this.maySee(config, asked)) return undefined;
    const origin = originOf(config);
    const { origins } = this.options;
    if (origin === '') return 'its URL has no origin';
    if (origins === 'any') {
      return isPrivate(origin)
        ? `beforeSend turned it to ${origin}`
        : `${origin} is plain HTTP, which auth.origins 'any' leaves out`;
    }
    const home = origins === undefined ? this.#home(asked) : undefined;
    return `${origin} is not among auth.origins${home ? `, which are that of the baseURL, ${home}` : ''}`;
  }

  /** A generated client gives absolute URLs, and an empty `baseURL`. */
  #home({ baseURL }: InternalAxiosRequestConfig): string {
    return originOf({ baseURL: baseURL || this.#baseUrl() || '' });
  }

  /** Whether there is a token to be written; else the session is in cookies. */
  get writes(): boolean {
    return this.options.token !== undefined;
  }

  /** Whether the token goes where everybody expects it. */
  get isStandard(): boolean {
    return this.options.apply === bearer;
  }

  /**
   * Writes the token, and sees to it that it follows no redirect to another origin: a subdomain may be anybody's, and there axios' http
   * adapter keeps even `Authorization` in most of its versions.
   *
   * @returns the function that takes it off whatever headers the send has by then
   */
  write(config: InternalAxiosRequestConfig, token: Token): (headers: Headers) => void {
    const { headers } = config;
    const touched = () => (this.isStandard ? authorizationIn(headers) : { ...headers });
    const before = touched();
    requireNoPromise(this.options.apply(headers as never, token));
    const written = Object.entries(touched()).filter(([name, value]) => value !== before[name]);
    const { beforeRedirect } = config;
    config.beforeRedirect = (options, ...details) => {
      // And what stood in its place is no business of that origin either.
      if (isElsewhere(options.href, config)) takeOff(options.headers, written, NOTHING);
      beforeRedirect?.(options, ...details);
    };
    return (now) => takeOff(now, written, before);
  }
}

function authorizationIn(headers: Headers): Readonly<Record<string, unknown>> {
  const name = spellingIn(headers, 'Authorization');
  return { [name]: headers[name] };
}

/** A header that is written later would never be sent. */
function requireNoPromise(given: unknown): void {
  if (typeof (given as { then?: unknown } | null | undefined)?.then !== 'function') return;
  Promise.resolve(given).catch(() => {});
  throw new TypeError('auth.apply must write the headers at once; it gave a promise');
}

/** Whether nobody on the way can read along. */
function isPrivate(origin: string): boolean {
  if (origin.startsWith('https:')) return true;
  const { hostname } = new URL(origin);
  return /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

/** Whether a redirect leads to another origin than the send went to. */
function isElsewhere(href: unknown, sent: InternalAxiosRequestConfig): boolean {
  try {
    return new URL(String(href)).origin !== originOf(sent);
  } catch {
    return true;
  }
}

/** Puts back what stood in the place of what was written; what is something else by now is left alone. */
function takeOff(
  headers: Headers,
  written: readonly (readonly [name: string, value: unknown])[],
  before: Readonly<Record<string, unknown>>,
): void {
  for (const [name, value] of written) {
    for (const other of Object.keys(headers)) {
      if (other.toLowerCase() !== name.toLowerCase() || !String(headers[other]).includes(String(value))) continue;
      // Also on a plain object, which `beforeSend` may have put in the place of axios' own.
      if (before[name] === undefined) delete headers[other];
      else headers[other] = before[name] as string;
    }
  }
}
