import { setTimeout as after } from 'node:timers/promises';
import { json, type Loopback, loopback } from './loopback.ts';

/** A token endpoint whose refresh tokens can be used once: who uses one again logs everybody out. And an API behind it. */
export interface RotatingTokens extends Loopback {
  /** Requests to the token endpoint, those under way included. */
  readonly refreshes: number;
  readonly loggedOut: boolean;
  /** How long the token endpoint takes, in ms. */
  delayMs: number;
  /** Whether a refresh token may be used again. */
  reusable: boolean;
  /** Makes all access tokens expire. */
  expire(): void;
}

export async function rotatingTokens(): Promise<RotatingTokens> {
  let generation = 0;
  let refreshes = 0;
  let loggedOut = false;
  let expired = true;
  const accessTokens = new Set<string>();
  const server = await loopback(async ({ url, headers, body }, response) => {
    if (url !== '/token') {
      const good = !loggedOut && accessTokens.has(headers.authorization ?? '');
      json(response, good ? 200 : 401, {}, good ? {} : { 'www-authenticate': 'Bearer error="invalid_token"' });
      return;
    }
    refreshes += 1;
    await after(control.delayMs);
    const used = String(body);
    // A client that died while it asked has not got the next one: a careful server does not count that as use.
    if (response.destroyed) return;
    if (!control.reusable && used !== `R${generation}`) loggedOut = true;
    if (loggedOut) return json(response, 400, { error: 'invalid_grant' });
    generation += 1;
    if (expired) accessTokens.clear();
    expired = false;
    accessTokens.add(`Bearer A${generation}`);
    json(response, 200, { access: `A${generation}`, refresh: `R${generation}` });
  });
  const control = Object.defineProperties(
    Object.assign({}, { delayMs: 200, reusable: false, url: server.url, close: server.close, seen: server.seen }),
    {
      refreshes: { get: () => refreshes },
      loggedOut: { get: () => loggedOut },
      sockets: { get: () => server.sockets },
      connections: { get: () => server.connections },
      expire: {
        value: () => {
          expired = true;
          accessTokens.clear();
        },
      },
    },
  ) as unknown as RotatingTokens;
  return control;
}
