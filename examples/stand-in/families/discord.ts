import type { Family, Standing } from '../family.ts';

const refusal =
  (global: boolean) =>
  ({ waitMs }: Standing) => ({
    status: 429,
    headers: {
      'retry-after': String(Math.ceil(waitMs / 1_000)),
      'x-ratelimit-scope': global ? 'global' : 'user',
      ...(global && { 'x-ratelimit-global': 'true' }),
    },
    body: { message: 'You are being rate limited.', retry_after: waitMs / 1_000, global },
  });

/** Five messages in 5 s to a channel, and 50 calls a second in all. */
export const discord: Family = {
  quotas: [
    {
      name: 'route',
      kind: 'window',
      requests: 5,
      perMs: 5_000,
      key: ({ method, url }) => `${method} ${/\/channels\/\d+/.exec(url)?.[0] ?? ''}`,
      refuse: refusal(false),
    },
    { name: 'global', kind: 'window', requests: 50, perMs: 1_000, refuse: refusal(true) },
  ],
  headers: ({ route }): { [name: string]: string } =>
    route === undefined
      ? {}
      : {
          'x-ratelimit-limit': String(route.limit),
          'x-ratelimit-remaining': String(route.left),
          'x-ratelimit-reset': (route.resetAt / 1_000).toFixed(3),
          'x-ratelimit-reset-after': (route.resetMs / 1_000).toFixed(3),
          'x-ratelimit-bucket': 'abcd1234',
        },
  serve: () => ({ status: 200, body: { id: '334385199974967042', content: 'Hello' } }),
  failures: [
    {
      title: 'A limit that others have used up: who meets it waits alone',
      reply: {
        status: 429,
        headers: { 'retry-after': '2', 'x-ratelimit-scope': 'shared' },
        body: { message: 'The resource is being rate limited.', retry_after: 1.336, global: false, code: 20028 },
      },
    },
  ],
  calls: [{ method: 'post', url: '/api/v10/channels/41771983423143937/messages', data: { content: 'Hello' } }],
};
