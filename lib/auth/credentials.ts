import { Credential, type CredentialPorts } from './credential.ts';
import { memoryTokenStore } from './memory-token-store.ts';
import type { ResolvedAuth } from './options.ts';

/** Credentials remembered; a policy's `key` must not be able to fill the memory. */
const MAX_KEYS = 10_000;

/** One credential for each key. */
export class Credentials {
  private readonly options: ResolvedAuth;
  private readonly ports: CredentialPorts;
  private readonly byKey = new Map<string, Credential>();

  constructor(options: ResolvedAuth, ports: Omit<CredentialPorts, 'store'>) {
    this.options = options;
    this.ports = { ...ports, store: options.store ?? memoryTokenStore() };
  }

  of(key: string): Credential {
    const { byKey } = this;
    const credential = byKey.get(key) ?? new Credential(key, this.options, this.ports);
    // At the end again, so that what goes is what nobody has used for the longest time.
    byKey.delete(key);
    byKey.set(key, credential);
    if (byKey.size > MAX_KEYS) this.forgetOldest();
    return credential;
  }

  /** Not one that holds a refreshed token: the caller's own may be used up. */
  private forgetOldest(): void {
    for (const [key, credential] of this.byKey) {
      if (credential.isHeld) continue;
      this.byKey.delete(key);
      return;
    }
  }
}
