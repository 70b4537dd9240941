/** A real OAuth 2.0 authorization server (oidc-provider) and an API that its tokens open, both on 127.0.0.1. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

export const CLIENT = { clientId: 'shop', clientSecret: 'a secret that is long enough' } as const;
const SCOPE = 'openid offline_access';

export interface OAuth2Server {
  readonly issuer: string;
  readonly api: string;
  /** Token requests that were granted, by grant type. */
  readonly granted: { readonly [grantType: string]: number };
  /** 401s that the API gave. */
  readonly unauthorized: number;
  /** Grants revoked because a refresh token was used twice: each is a user who has been logged out. */
  readonly revoked: number;
  /** Signs a user in: what an authorization-code login leaves behind, without the browser. */
  signIn(accountId: string): Promise<{ refreshToken: string }>;
  close(): Promise<void>;
}

/** @param accessTokenSeconds how long access tokens live */
export async function startOAuth2Server(accessTokenSeconds: number): Promise<OAuth2Server> {
  const counters = { granted: {} as { [grantType: string]: number }, unauthorized: 0, revoked: 0 };
  const authorization = await listen();
  const provider = new Provider(authorization.url, {
    clients: [
      {
        client_id: CLIENT.clientId,
        client_secret: CLIENT.clientSecret,
        grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
        redirect_uris: ['https://shop.example/callback'],
      },
    ],
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    findAccount: (_context: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
    // Each refresh consumes its refresh token; whoever brings a consumed one loses the whole grant.
    rotateRefreshToken: true,
    ttl: {
      AccessToken: accessTokenSeconds,
      ClientCredentials: accessTokenSeconds,
      IdToken: 60,
      RefreshToken: 3600,
      Grant: 3600,
    },
  });
  provider.on('grant.success', ({ oidc }) => {
    const grantType = String(oidc.params?.grant_type);
    counters.granted[grantType] = (counters.granted[grantType] ?? 0) + 1;
  });
  provider.on('grant.revoked', () => {
    counters.revoked += 1;
  });
  authorization.server.on('request', provider.callback());

  const api = await listen();
  api.server.on('request', async (request, response) => {
    const value = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    // Both models give nothing for a token that has expired, or whose grant is revoked.
    const token = (await provider.AccessToken.find(value)) ?? (await provider.ClientCredentials.find(value));
    const answer = { 'content-type': 'application/json' };
    if (token?.isValid) {
      response.writeHead(200, answer).end(JSON.stringify({ client: token.clientId }));
    } else {
      counters.unauthorized += 1;
      response.writeHead(401, { ...answer, 'www-authenticate': 'Bearer error="invalid_token"' }).end('{}');
    }
  });

  return Object.defineProperties({} as OAuth2Server, {
    issuer: { value: authorization.url },
    api: { value: api.url },
    granted: { get: () => counters.granted },
    unauthorized: { get: () => counters.unauthorized },
    revoked: { get: () => counters.revoked },
    signIn: {
      value: async (accountId: string) => {
        const client = await provider.Client.find(CLIENT.clientId);
        if (client === undefined) throw new Error('there is no such client');
        const grant = new provider.Grant({ accountId, clientId: CLIENT.clientId });
        grant.addOIDCScope(SCOPE);
        const grantId = await grant.save();
        const gty = 'authorization_code';
        const refreshToken = await new provider.RefreshToken({ accountId, client, grantId, gty, scope: SCOPE }).save();
        return { refreshToken };
      },
    },
    close: { value: () => Promise.all([authorization.close(), api.close()]) },
  });
}

async function listen() {
  const server = http.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}
