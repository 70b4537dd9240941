import { ByUse } from '../model/by-use.ts';
import { Credential, type CredentialPorts } from './credential.ts';
import { memoryTokenStore } from './memory-token-store.ts';
import type { ResolvedAuth } from './options.ts';

/** What all of them need from outside. */
export type CredentialsPorts = Omit<CredentialPorts, 'store' | 'keep'>;

/** One credential for each key. */
export class Credentials {
  readonly #byKey: ByUse<Credential>;

  constructor(options: ResolvedAuth, ports: CredentialsPorts) {
    const store = options.store ?? memoryTokenStore();
    this.#byKey = new ByUse(
      (key) =>
        new Credential(key, options, { ...ports, store, keep: (credential) => this.#byKey.keep(key, credential) }),
      // Not one that holds a refreshed token: the caller's own may be used up.
      ({ isHeld }) => isHeld,
    );
  }

  of(key: string): Credential {
    return this.#byKey.of(key);
  }
}
