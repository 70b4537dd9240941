/**
 * OAuth 2.0 with refresh-token rotation, and with client credentials, against a real authorization server that detects the
 * reuse of a refresh token. `npx tsx examples/oauth2.ts` runs it.
 */
import { setTimeout as after } from 'node:timers/promises';
import { OAuth2Client, type OAuth2Token } from '@badgateway/oauth2-client';
import axios from 'axios';
import { attach, type Token } from 'axios-holdfast';
import { CLIENT, startOAuth2Server } from './oauth2-server.ts';

const LIFE_SECONDS = 5;
const server = await startOAuth2Server(LIFE_SECONDS);
const oauth2 = new OAuth2Client({
  server: server.issuer,
  discoveryEndpoint: '/.well-known/openid-configuration',
  ...CLIENT,
});

const asToken = ({ accessToken, expiresAt, refreshToken }: OAuth2Token): Token => ({
  value: accessToken,
  expiresAt: expiresAt ?? undefined,
  refreshToken: refreshToken ?? undefined,
});
const fifty = <T>(call: () => Promise<T>) => Promise.all(Array.from({ length: 50 }, call));

// A user who has signed in: the token that is replaced brings the refresh token along.
const { refreshToken } = await server.signIn('ada');
const user = axios.create({ baseURL: server.api });
const asUser = attach(user, {
  auth: {
    token: () => ({ value: 'none-yet', refreshToken }),
    refresh: async ({ token }) =>
      asToken(
        await oauth2.refreshToken({
          accessToken: token.value,
          expiresAt: null,
          refreshToken: token.refreshToken ?? null,
        }),
      ),
  },
});

// A service on its own behalf. It does not say when its tokens expire, so it learns that from a 401.
const service = axios.create({ baseURL: server.api });
const asService = attach(service, {
  auth: {
    token: () => 'none-yet',
    refresh: async () => (await oauth2.clientCredentials()).accessToken,
  },
});

for (const round of [1, 2, 3]) {
  if (round > 1) await after((LIFE_SECONDS + 1) * 1_000); // the tokens expire
  await Promise.all([fifty(() => user.get('/orders')), fifty(() => service.get('/catalogue'))]);
  const [byUser, byService] = [asUser.stats().refreshes, asService.stats().refreshes];
  console.log(
    `Round ${round}: 100 calls, all answered; ${byUser} + ${byService} refreshes and ${server.unauthorized} 401s so far.`,
  );
}

const { refresh_token, client_credentials } = server.granted;
console.log(
  `The server granted ${refresh_token} + ${client_credentials} tokens; ${server.revoked} users were logged out.`,
);
await Promise.all([asUser.close(), asService.close(), server.close()]);
const asManyAs = (refreshes: number, granted = 0) => refreshes >= 3 && refreshes === granted;
const once =
  asManyAs(asUser.stats().refreshes, refresh_token) && asManyAs(asService.stats().refreshes, client_credentials);
process.exitCode = once && server.revoked === 0 ? 0 : 1;
