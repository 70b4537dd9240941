import { Authenticator } from './authenticator.ts';
import type { CredentialPorts } from './credential.ts';
import type { ResolvedAuth } from './options.ts';

/** The credentials of one attachment: calls whose policy has the same `token` function share them. */
export class Authenticators {
  private readonly ports: Omit<CredentialPorts, 'store'>;
  private readonly byToken = new WeakMap<ResolvedAuth['token'], Authenticator>();

  constructor(ports: Omit<CredentialPorts, 'store'>) {
    this.ports = ports;
  }

  of(options: ResolvedAuth): Authenticator {
    let authenticator = this.byToken.get(options.token);
    if (authenticator === undefined) {
      authenticator = new Authenticator(options, this.ports);
      this.byToken.set(options.token, authenticator);
    }
    return authenticator;
  }
}
