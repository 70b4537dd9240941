import { ByUse } from '../model/by-use.ts';
import { Credential, type CredentialPorts } from './credential.ts';
import { memoryTokenStore } from './memory-token-store.ts';
import type { ResolvedAuth } from './options.ts';

/** One credential for each key. */
export class Credentials {
  readonly #byKey: ByUse<Credential>;

  constructor(options: ResolvedAuth, ports: Omit<CredentialPorts, 'store'>) {
    const all = { ...ports, store: options.store ?? memoryTokenStore() };
    this.#byKey = new ByUse(
      (key) => new Credential(key, options, all),
      // Not one that holds a refreshed token: the caller's own may be used up.
      ({ isHeld }) => isHeld,
    );
  }

  of(key: string): Credential {
    return this.#byKey.of(key);
  }
}
