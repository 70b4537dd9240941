import { KeyedCache } from '../call/keyed-cache.ts';
import { TokenRefreshError } from '../failure/errors.ts';
import type { Clock } from '../time/clock.ts';
import { Authenticator } from './authenticator.ts';
import { CredentialSet, isCredentials } from './credential-set.ts';
import { Life } from './life.ts';
import type { ResolvedAuth } from './options.ts';
import type { Beginner } from './refresh.ts';

/** What the credentials of an attachment need of it. */
export interface AuthenticatorsPorts {
  readonly clock: Clock;
  readonly beginner: Beginner;
  /** The instance's own `baseURL`, as it is now. */
  baseUrl(): string | undefined;
}

/** Credentials that several attachments may have. */
interface Shared {
  readonly credentials: CredentialSet;
  attachments: number;
}

/** By the very object that a policy's `auth` was written as, and then by who may see the token. */
const shared = new WeakMap<object, KeyedCache<Shared>>();

/**
 * The credentials of one attachment. Calls whose policy has the same `token` function (where there is none, the same `refresh`) share
 * them, and whoever comes first brings the `refresh`; who may see the token, and how it is written, is each policy's own matter.
 *
 * Attachments that were given the very same object share too, where the same origins may see the token.
 */
export class Authenticators {
  readonly #ports: AuthenticatorsPorts;
  readonly #byOptions = new WeakMap<ResolvedAuth | CredentialSet, Authenticator>();
  readonly #bySource = new WeakMap<object, CredentialSet>();
  /** Of the credentials that are its own. */
  readonly #life = new Life();
  #leave = () => {};

  constructor(ports: AuthenticatorsPorts) {
    this.#ports = ports;
  }

  of(auth: ResolvedAuth | CredentialSet): Authenticator {
    let authenticator = this.#byOptions.get(auth);
    if (authenticator === undefined) {
      authenticator = new Authenticator(
        isCredentials(auth) ? auth.options : auth,
        this.#credentialsOf(auth),
        this.#ports,
      );
      this.#byOptions.set(auth, authenticator);
    }
    return authenticator;
  }

  /**
   * Joins the attachments whose policy has the same object as its `auth`.
   *
   * @param written that object
   * @param origins who may see the token, as one text
   */
  join(auth: ResolvedAuth, written: object, origins: string): void {
    const { clock } = this.#ports;
    const make = (): Shared => ({ credentials: new CredentialSet(auth, { clock }), attachments: 0 });
    const byOrigins = shared.get(written) ?? new KeyedCache(make);
    shared.set(written, byOrigins);
    let joined = byOrigins.of(origins);
    // Closed with its last attachment, or it goes by another clock.
    if (joined.credentials.isClosed || joined.credentials.clock !== clock) joined = byOrigins.keep(origins, make());
    joined.attachments += 1;
    this.#bySource.set(sourceOf(auth), joined.credentials);
    this.#leave = () => {
      joined.attachments -= 1;
      if (joined.attachments === 0) void joined.credentials.close();
    };
  }

  /** Ends the refreshes that nobody else waits for. Credentials that were handed in may belong to others too. */
  close(): void {
    this.#leave();
    this.#leave = () => {};
    this.#life.end(new TokenRefreshError('the attachment was closed', undefined));
  }

  #credentialsOf(auth: ResolvedAuth | CredentialSet): CredentialSet {
    if (isCredentials(auth)) return auth;
    const source = sourceOf(auth);
    let credentials = this.#bySource.get(source);
    if (credentials === undefined) {
      credentials = new CredentialSet(auth, { clock: this.#ports.clock, life: this.#life });
      this.#bySource.set(source, credentials);
    }
    return credentials;
  }
}

/** What tells one session from another. */
const sourceOf = ({ token, refresh }: ResolvedAuth): object => token ?? refresh;
