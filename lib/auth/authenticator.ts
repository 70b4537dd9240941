import type { InternalAxiosRequestConfig } from 'axios';
import { originOf } from '../model/address.ts';
import { Credential, type CredentialPorts } from './credential.ts';
import { isInsideRefresh } from './inside-refresh.ts';
import { memoryTokenStore } from './memory-token-store.ts';
import type { ResolvedAuth, Token } from './options.ts';

type Headers = InternalAxiosRequestConfig['headers'];

/** Credentials remembered; a policy's `key` must not be able to fill the memory. */
const MAX_KEYS = 10_000;

/** The credentials of one `auth` policy, and the writing of tokens into headers. */
export class Authenticator {
  readonly options: ResolvedAuth;
  private readonly ports: CredentialPorts;
  private readonly credentials = new Map<string, Credential>();

  constructor(options: ResolvedAuth, ports: Omit<CredentialPorts, 'store'>) {
    this.options = options;
    this.ports = { ...ports, store: options.store ?? memoryTokenStore() };
  }

  /** Whose token a call carries; `undefined` where it is to carry none. */
  credentialOf(config: InternalAxiosRequestConfig): Credential | undefined {
    if (!this.maySee(config) || isInsideRefresh()) return undefined;
    const key = this.options.key?.(config) ?? '';
    let credential = this.credentials.get(key);
    if (credential === undefined) {
      const [oldest] = this.credentials.keys();
      if (this.credentials.size >= MAX_KEYS && oldest !== undefined) this.credentials.delete(oldest);
      credential = new Credential(key, this.options, this.ports);
      this.credentials.set(key, credential);
    }
    return credential;
  }

  /** Whether the token may be shown to where this config goes. */
  maySee(config: InternalAxiosRequestConfig): boolean {
    const origin = originOf(config);
    const { origins } = this.options;
    if (origins !== undefined) return origins.includes(origin);
    return origin === originOf({ baseURL: config.baseURL ?? '' });
  }

  /** Writes the token; gives the function that takes it off again. */
  write(headers: Headers, token: Token): () => void {
    const before = { ...headers };
    this.options.apply(headers as never, token);
    const written = Object.keys(headers).filter((name) => headers[name] !== before[name]);
    return () => {
      for (const name of written) {
        if (before[name] === undefined) headers.delete(name);
        else headers.set(name, before[name] as string, true);
      }
    };
  }
}
