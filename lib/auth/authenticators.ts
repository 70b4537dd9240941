import { Authenticator } from './authenticator.ts';
import { Credentials, type CredentialsPorts } from './credentials.ts';
import type { ResolvedAuth } from './options.ts';

/**
 * The credentials of one attachment. Calls whose policy has the same `token` function share them, and whoever comes first
 * brings the `refresh`; who may see the token, and how it is written, is each policy's own matter.
 */
export class Authenticators {
  private readonly ports: CredentialsPorts;
  private readonly byOptions = new WeakMap<ResolvedAuth, Authenticator>();
  private readonly byToken = new WeakMap<ResolvedAuth['token'], Credentials>();

  constructor(ports: CredentialsPorts) {
    this.ports = ports;
  }

  of(options: ResolvedAuth): Authenticator {
    let authenticator = this.byOptions.get(options);
    if (authenticator === undefined) {
      const credentials = this.byToken.get(options.token) ?? new Credentials(options, this.ports);
      this.byToken.set(options.token, credentials);
      authenticator = new Authenticator(options, credentials);
      this.byOptions.set(options, authenticator);
    }
    return authenticator;
  }
}
