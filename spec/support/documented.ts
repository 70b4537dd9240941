import { startPartnerApi } from '../../examples/partner-api/server.ts';
import { json, loopback } from './loopback.ts';
import type { World } from './pages.ts';
import { noRedis, redisServer } from './redis-server.ts';

/** The servers that the pages of the documentation speak of: the API, a shop with sessions in cookies, and Redis. */
export async function documentedWorld(): Promise<World> {
  // Node keeps no cookies, so here the session is the server's.
  let isRenewed = false;
  const shop = await loopback(({ url }, response) => {
    if (url === '/session/refresh') isRenewed = true;
    json(response, isRenewed ? 200 : 401);
  });
  const server = await startPartnerApi({ rotateRefreshTokens: true });
  const redis = noRedis === undefined ? await redisServer() : undefined;
  return {
    replaced: [
      ['https://api.example.com', server.url],
      ['https://shop.example.com', shop.url],
      ['redis://redis.example.com:6379', `redis://127.0.0.1:${redis?.port}`],
      ['from the sign-in', server.consent().refresh_token],
      ['from the login page', server.consent().refresh_token],
    ],
    close: () => Promise.all([server.close(), shop.close(), redis?.kill()]),
  };
}

/** Why a block cannot run on this machine, if it can't. */
export const needsRedis = (code: string): string | undefined => (code.includes('redis://') ? noRedis : undefined);
