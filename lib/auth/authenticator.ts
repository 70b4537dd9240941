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

type Headers = InternalAxiosRequestConfig['headers'];

/** What it needs of its attachment. */
export interface AuthenticatorPorts {
  readonly beginner: Beginner;
  /** The instance's own `baseURL`, as it is now. */
  baseUrl(): string | undefined;
}

/** One `auth` policy: who may see the token, and how it is written into headers. */
export class Authenticator {
  readonly options: ResolvedAuth;
  /** For a refresh that one of its calls begins. */
  readonly beginner: Beginner;
  readonly #credentials: CredentialSet;
  readonly #baseUrl: AuthenticatorPorts['baseUrl'];

  constructor(options: ResolvedAuth, credentials: CredentialSet, { beginner, baseUrl }: AuthenticatorPorts) {
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
   * @param asked the call's own config, whose `baseURL` counts: one that `beforeSend` has written gives no right to the token
   */
  maySee(config: InternalAxiosRequestConfig, asked: InternalAxiosRequestConfig): boolean {
    return this.withheldFrom(config, asked) === undefined;
  }

  /** Why it may not, in words; `undefined` where it may. */
  withheldFrom(config: InternalAxiosRequestConfig, asked: InternalAxiosRequestConfig): string | undefined {
    const origin = originOf(config);
    if (origin === '') return 'its URL has no origin';
    const { origins } = this.options;
    if (origins === 'any') {
      if (!isPrivate(origin)) return `${origin} is plain HTTP, which auth.origins 'any' leaves out`;
      return origin === originOf(asked) ? undefined : `beforeSend turned it to ${origin}`;
    }
    const home = origins === undefined ? this.#home(asked) : '';
    if (origin === home || origins?.includes(origin)) return undefined;
    return `${origin} is not among auth.origins${home && `, which are that of the baseURL, ${home}`}`;
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
   * Writes the token, and takes it off where a redirect leads to another origin. Most versions of axios' http adapter keep even
   * `Authorization` on the way to a subdomain, which may be anybody's.
   *
   * @returns the function that takes it off whatever headers the send has by then
   */
  write(config: InternalAxiosRequestConfig, token: Token): (headers: Headers) => void {
    const { headers } = config;
    const written = this.isStandard ? writeBearer(headers, token) : this.#apply(headers, token);
    const { beforeRedirect } = config;
    config.beforeRedirect = (options, ...details) => {
      // Nor is what stood in its place before meant for that origin.
      if (isElsewhere(options.href, config)) takeOff(options.headers, written, false);
      beforeRedirect?.(options, ...details);
    };
    return (now) => takeOff(now, written, true);
  }

  /** Whatever `auth.apply` writes, which may be any header. */
  #apply(headers: Headers, token: Token): readonly Written[] {
    const before: Readonly<Record<string, unknown>> = { ...headers };
    requireNoPromise(this.options.apply(headers as never, token));
    return Object.entries<unknown>(headers).flatMap(([name, value]) =>
      value === before[name] ? [] : [{ name, value, before: before[name] }],
    );
  }
}

/** A header that is written later would never be sent. */
function requireNoPromise(given: unknown): void {
  if (typeof (given as { then?: unknown } | null | undefined)?.then !== 'function') return;
  Promise.resolve(given).catch(() => {});
  throw new TypeError('auth.apply must write the headers at once; it gave a promise');
}

/** Whether nobody on the way can read along: TLS, or this machine. */
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

/** A header that was written for a token, and what stood there before. */
interface Written {
  readonly name: string;
  readonly value: unknown;
  readonly before: unknown;
}

/** Nearly every policy's way: it is known which header it writes. */
function writeBearer(headers: Headers, token: Token): readonly Written[] {
  const name = spellingIn(headers, 'Authorization');
  const before: unknown = headers[name];
  bearer(headers as never, token);
  return [{ name, value: headers[name], before }];
}

/** Takes out what was written, or puts back what stood there before. A header that holds something else by now is left alone. */
function takeOff(headers: Headers, written: readonly Written[], restores: boolean): void {
  for (const { name, value, before } of written) {
    for (const other of Object.keys(headers)) {
      if (other.toLowerCase() !== name.toLowerCase() || !String(headers[other]).includes(String(value))) continue;
      // Also on a plain object, which `beforeSend` may have put in the place of axios' own.
      if (!restores || before === undefined) delete headers[other];
      else headers[other] = before as string;
    }
  }
}
