/** oidc-provider comes without types; this is what the example uses of it. */
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http';

  interface Artifact {
    readonly isValid: boolean;
    readonly clientId: string;
  }
  interface Grant {
    addOIDCScope(scope: string): void;
    save(): Promise<string>;
  }
  interface Context {
    readonly oidc: { readonly params?: { readonly grant_type?: unknown } };
  }

  export class Provider {
    constructor(issuer: string, configuration: object);
    callback(): RequestListener;
    on(event: 'grant.success' | 'grant.revoked', listener: (context: Context) => void): void;
    readonly AccessToken: { find(value: string): Promise<Artifact | undefined> };
    readonly ClientCredentials: { find(value: string): Promise<Artifact | undefined> };
    readonly Client: { find(clientId: string): Promise<object | undefined> };
    readonly Grant: new (fields: {
      accountId: string;
      clientId: string;
    }) => Grant;
    readonly RefreshToken: new (
      fields: object,
    ) => { save(): Promise<string> };
  }
}
