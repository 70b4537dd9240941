import type { InternalAxiosRequestConfig } from 'axios';
import { originOf } from '../model/address.ts';
import { isWithin } from '../wait/within.ts';
import { bearer } from './bearer.ts';
import type { Credential } from './credential.ts';
import type { Credentials } from './credentials.ts';
import type { ResolvedAuth, Token } from './options.ts';

type Headers = InternalAxiosRequestConfig['headers'];

/** One `auth` policy: who may see the token, and how it is written into headers. */
export class Authenticator {
  readonly options: ResolvedAuth;
  private readonly credentials: Credentials;

  constructor(options: ResolvedAuth, credentials: Credentials) {
    this.options = options;
    this.credentials = credentials;
  }

  /** Whose token a call carries; `undefined` where it is to carry none. */
  credentialOf(config: InternalAxiosRequestConfig): Credential | undefined {
    if (!this.maySee(config, config)) return undefined;
    const credential = this.credentials.of(this.options.key?.(config) ?? '');
    return isWithin(credential) ? undefined : credential;
  }

  /**
   * Whether the token may be shown to where a send goes.
   *
   * @param asked the call's own config: what `beforeSend` makes of the `baseURL` gives nobody a right to the token
   */
  maySee(config: InternalAxiosRequestConfig, asked: InternalAxiosRequestConfig): boolean {
    const origin = originOf(config);
    const { origins } = this.options;
    if (origins !== undefined) return origins.includes(origin);
    // Without an origin there is no telling where it goes.
    return origin !== '' && origin === originOf({ baseURL: asked.baseURL ?? '' });
  }

  /** Whether the token goes where every client knows that it must not follow a redirect to another host. */
  get isStandard(): boolean {
    return this.options.apply === bearer;
  }

  /** Writes the token; gives the function that takes it off whatever headers the send has by then. */
  write(config: InternalAxiosRequestConfig, token: Token): (headers: Headers) => void {
    const { headers } = config;
    const before: Readonly<Record<string, unknown>> = { ...headers };
    this.options.apply(headers as never, token);
    const written = Object.entries<unknown>({ ...headers }).filter(([name, value]) => value !== before[name]);
    if (!this.isStandard) {
      // axios' http adapter takes these off when a redirect leads elsewhere; only Authorization it knows by itself.
      config.sensitiveHeaders = [...(config.sensitiveHeaders ?? []), ...written.map(([name]) => name)];
    }
    return (now) => takeOff(now, written, before);
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
