import type { AxiosInstance } from 'axios';
import { KeyedCache } from '../call/keyed-cache.ts';
import { TokenRefreshError } from '../failure/errors.ts';
import type { Clock } from '../time/clock.ts';
import { Credential } from './credential.ts';
import { Life } from './life.ts';
import type { Credentials, ResolvedAuth } from './options.ts';
import { memoryTokenStore } from './stores/memory.ts';

/** Marks each; registered, so that a second copy of this package knows it too. */
const CREDENTIALS = Symbol.for('axios-holdfast.credentials');

/** What credentials need from outside. */
export interface CredentialSetPorts {
  readonly clock: Clock;
  /** The `http` of each refresh; that of the call that began it, where there is none. */
  readonly http?: AxiosInstance | undefined;
  /** Theirs, where they end together with others. */
  readonly life?: Life | undefined;
}

/** One credential for each key. */
export class CredentialSet implements Credentials {
  readonly [CREDENTIALS] = true;
  readonly options: ResolvedAuth;
  readonly clock: Clock;
  readonly #life: Life;
  readonly #byKey: KeyedCache<Credential>;

  constructor(options: ResolvedAuth, { clock, http, life = new Life() }: CredentialSetPorts) {
    const { store = memoryTokenStore() } = options;
    this.options = options;
    this.clock = clock;
    this.#life = life;
    this.#byKey = new KeyedCache(
      (key) => {
        const keep = (credential: Credential) => this.#byKey.keep(key, credential);
        return new Credential(key, options, { clock, store, life, http, keep });
      },
      // Forgets none that has a refreshed token: the one that it was refreshed from may be used up.
      ({ isHeld }) => isHeld,
    );
  }

  get isClosed(): boolean {
    return this.#life.over !== undefined;
  }

  of(key: string): Credential {
    return this.#byKey.of(key);
  }

  async close(): Promise<void> {
    this.#life.end(new TokenRefreshError('the credentials are closed', undefined));
  }
}

/** Whether it was made by `credentials()`, and is not the options of a session. */
export const isCredentials = (auth: unknown): auth is CredentialSet =>
  typeof auth === 'object' && auth !== null && CREDENTIALS in auth;
