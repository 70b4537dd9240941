import { KeyedCache } from '../call/keyed-cache.ts';
import { TokenRefreshError } from '../failure/errors.ts';
import type { Clock } from '../time/clock.ts';
import { Authenticator, type AuthenticatorPorts } from './authenticator.ts';
import { CredentialSet, isCredentials } from './credential-set.ts';
import { Life } from './life.ts';
import type { ResolvedAuth } from './options.ts';
import { AuthStation } from './station.ts';

/** What the credentials of an attachment need of it. */
export interface AuthenticatorsPorts extends AuthenticatorPorts {
  readonly clock: Clock;
  /** How each call that waits for the limiter or for a token is refused when the attachment is closed. */
  readonly queue: Set<() => void>;
}

/** Credentials of several attachments, closed with the last of them. */
interface Shared {
  readonly credentials: CredentialSet;
  attachments: number;
}

/** By the very object that a policy's `auth` was written as, and then by who may see the token. */
const shared = new WeakMap<object, KeyedCache<Shared>>();

/**
 * Which calls of an attachment share a session: those whose policies have the same `token` function, or without one the same `refresh`.
 * The `refresh` of whoever came first runs for all of them. Who may see the token, and how it is written, is each policy's own matter.
 *
 * Attachments share where they were given the very same object and have the same origins.
 */
export class Authenticators {
  readonly #ports: AuthenticatorsPorts;
  readonly #byOptions = new WeakMap<ResolvedAuth | CredentialSet, Authenticator>();
  readonly #bySource = new WeakMap<object, CredentialSet>();
  /** Of the credentials that it shares with no other attachment. */
  readonly #life = new Life();
  #leave = () => {};

  constructor(ports: AuthenticatorsPorts) {
    this.#ports = ports;
  }

  station(auth: ResolvedAuth | CredentialSet): AuthStation {
    return new AuthStation(this.#ports, this.of(auth));
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
   * Shares with the attachments that were given the same object, and have the same origins.
   *
   * @param auth the options that were made of it
   * @param written the object, as it was given
   * @param origins as one text
   */
  join(auth: ResolvedAuth, written: object, origins: string): void {
    const { clock } = this.#ports;
    const make = (): Shared => ({ credentials: new CredentialSet(auth, { clock }), attachments: 0 });
    const byOrigins = shared.get(written) ?? new KeyedCache(make);
    shared.set(written, byOrigins);
    let joined = byOrigins.of(origins);
    // Closed with the last of them; or a test has given this one a clock of its own.
    if (joined.credentials.isClosed || joined.credentials.clock !== clock) joined = byOrigins.keep(origins, make());
    joined.attachments += 1;
    this.#bySource.set(sourceOf(auth), joined.credentials);
    const leaveOthers = this.#leave;
    this.#leave = () => {
      leaveOthers();
      joined.attachments -= 1;
      if (joined.attachments === 0) void joined.credentials.close();
    };
  }

  /**
   * The attachment has another `auth`. A session that is the same goes on; another begins anew, and the calls that have the old one end
   * with that.
   *
   * @param written what it was made of, where nothing else was
   */
  update(before: false | ResolvedAuth | CredentialSet, auth: ResolvedAuth, written: object, origins: string): void {
    const isSame =
      before !== false && !isCredentials(before) && ofSession(before).every((each, i) => each === ofSession(auth)[i]);
    if (!isSame) this.join(auth, written, origins);
  }

  /** Ends what this attachment alone has begun. Credentials that were handed in may belong to others, too. */
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

/** What a session is made of. Who may see its token, and how that is written, is not. */
const ofSession = ({ token, refresh, save, store, refreshAheadMs, refreshTimeoutMs, retry }: ResolvedAuth) => [
  token,
  refresh,
  save,
  store,
  refreshAheadMs,
  refreshTimeoutMs,
  JSON.stringify(retry),
];

/** What tells one session from another. */
const sourceOf = ({ token, refresh }: ResolvedAuth): object => token ?? refresh;
