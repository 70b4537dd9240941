import type { InternalAxiosRequestConfig } from 'axios';
import { addressOf } from '../call/address.ts';
import { definePreset } from './define-preset.ts';

const LIMITS = 'https://docs.discord.com/developers/topics/rate-limits';
const SDK = 'https://github.com/discordjs/discord.js/blob/main/packages/rest/src/lib/handlers/Shared.ts';

/**
 * Discord. Each route has a limit of its own for each channel, guild and webhook, which is learnt from the headers; besides, there are 50 calls
 * a second in all. Who meets the limit of a route, or one that others use up (`shared`), waits alone; the global one holds all.
 *
 * @example
 * attach(client, mergePolicies(discord(), { deadlineMs: 60_000 }));
 */
export const discord = definePreset({
  name: 'discord',
  statuses: { '5xx': 'retry' },
  // The route itself is held by what the headers say is left. A pause would hold all other routes, too.
  rules: ['user', 'shared'].map((scope) => ({
    status: 429,
    header: { 'x-ratelimit-scope': scope },
    means: 'refused' as const,
    why: `limit of the route, ${scope}`,
    source: LIMITS,
  })),
  waits: [({ data }) => data?.retry_after],
  limits: [
    // The first answer says how many there are, so that nobody else leaves before it.
    { adaptive: { startConcurrency: 1 }, bucket: routeOf, source: LIMITS },
    { requests: 40, perMs: 1_000, burst: 10, bucket: isGlobal, source: LIMITS },
  ],
  source: SDK,
});

/** Interactions are not bound to the global limit. */
function isGlobal(config: InternalAxiosRequestConfig): string | false {
  return !/\/interactions\//.test(addressOf(config)) && 'global';
}

const TOKEN = /(\/(?:webhooks|interactions)\/\d+\/)([\w-]{20,})/;
const MINOR_ID = /(?<!\/(?:channels|guilds|webhooks))\/\d{15,}/g;

/** Method and path; of the ids in it those stay that have limits of their own: `post /channels/41771983423143937/messages/*`. */
function routeOf(config: InternalAxiosRequestConfig): string {
  const route = addressOf(config)
    .replace(/^.*?\/api(?:\/v\d+)?(?=\/)/, '')
    .replace(TOKEN, (_, before: string, token: string) => before + hashOf(token))
    .replace(MINOR_ID, '/*')
    .replace(/\/reactions\/.*/, '/reactions');
  return `${config.method ?? 'get'} ${route}`;
}

/** Keys are shown in events, and a token is a secret. */
function hashOf(token: string): string {
  let hash = 0;
  for (const letter of token) hash = (hash * 31 + letter.charCodeAt(0)) % 0xffffffff;
  return hash.toString(36);
}
