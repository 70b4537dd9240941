import type { Family } from '../family.ts';

const error = (status: number, code: string, message: string) => ({
  object: 'error',
  status,
  code,
  message,
  request_id: 'b4d7f5a1-0001',
});

/** 30 requests in 10 s (in place of 180 a minute, so that one sees it pass), spent in whatever shape. Nothing tells what is left. */
export const notion: Family = {
  quotas: [
    {
      name: 'connection',
      kind: 'window',
      requests: 30,
      perMs: 10_000,
      refuse: ({ waitMs }) => ({
        status: 429,
        headers: { 'retry-after': String(Math.ceil(waitMs / 1_000)) },
        body: error(429, 'rate_limited', 'You have been rate limited. Please try again in a few minutes.'),
      }),
    },
  ],
  serve: () => ({ status: 200, body: { object: 'page', id: 'be633bf1-dfa0-436d-b259-571129a590e5' } }),
  failures: [
    {
      title: 'Notion is overloaded: a 529',
      reply: {
        status: 529,
        headers: { 'retry-after': '2' },
        body: error(529, 'service_overload', 'Notion is overloaded. Please try again later.'),
      },
    },
  ],
  calls: [
    { method: 'get', url: '/v1/pages/be633bf1-dfa0-436d-b259-571129a590e5' },
    { method: 'post', url: '/v1/pages', data: { parent: { page_id: 'be633bf1' }, properties: {} } },
  ],
};
