import type { Family, Standing } from '../family.ts';

const refuse = ({ waitMs }: Standing) => ({
  status: 429,
  headers: { 'retry-after': String(Math.ceil(waitMs / 1_000)), 'content-type': 'text/plain' },
  body: 'Number of allowed API requests per minute exceeded',
});

/** 200 requests a minute in all; of a list of tickets 100. */
export const zendesk: Family = {
  quotas: [
    { name: 'account', kind: 'window', requests: 200, perMs: 60_000, refuse },
    {
      name: 'tickets',
      kind: 'window',
      requests: 100,
      perMs: 60_000,
      key: ({ method, url }) => method === 'GET' && /\/tickets(?:\.json)?(?:\?|$)/.test(url) && '',
      refuse,
    },
  ],
  headers: ({ account, tickets }): { [name: string]: string } =>
    account === undefined
      ? {}
      : {
          'x-rate-limit': String(account.limit),
          'x-rate-limit-remaining': String(account.left),
          'ratelimit-limit': String(account.limit),
          'ratelimit-remaining': String(account.left),
          'ratelimit-reset': String(Math.ceil(account.resetMs / 1_000)),
          ...(tickets && {
            'zendesk-ratelimit-tickets-index': `total=${tickets.limit}; remaining=${tickets.left}; resets=${Math.ceil(tickets.resetMs / 1_000)}`,
          }),
        },
  serve: ({ method }) =>
    method === 'POST' ? { status: 201, body: { ticket: { id: 35436 } } } : { status: 200, body: { tickets: [] } },
  failures: [
    {
      title: 'A ticket that is changed too often: who meets it waits alone',
      reply: {
        status: 429,
        headers: { 'retry-after': '2', 'content-type': 'text/plain' },
        body: 'Rate limit for ticket updates exceeded, please wait before updating this ticket again',
      },
    },
  ],
  calls: [
    { method: 'get', url: '/api/v2/users.json' },
    { method: 'get', url: '/api/v2/tickets.json' },
    { method: 'post', url: '/api/v2/tickets.json', data: { ticket: { subject: 'Printer offline' } } },
  ],
};
