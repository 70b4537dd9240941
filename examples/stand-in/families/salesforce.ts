import type { Family } from '../family.ts';

const DAY_MS = 86_400_000;

/** 40 requests in 24 hours (in place of 100,000, so that one sees it end), and a header that tells how many are used. */
export const salesforce: Family = {
  quotas: [
    {
      name: 'day',
      kind: 'window',
      requests: 40,
      perMs: DAY_MS,
      refuse: () => ({
        status: 403,
        body: [{ message: 'TotalRequests Limit exceeded.', errorCode: 'REQUEST_LIMIT_EXCEEDED' }],
      }),
    },
  ],
  headers: ({ day }): { [name: string]: string } =>
    day === undefined ? {} : { 'sforce-limit-info': `api-usage=${day.limit - day.left}/${day.limit}` },
  serve: ({ method }) =>
    method === 'POST'
      ? { status: 201, body: { id: '001D000000IqhSLIAZ', success: true, errors: [] } }
      : { status: 200, body: { totalSize: 0, done: true, records: [] } },
  failures: [
    {
      title: 'Too many long requests at once: a 403 that passes',
      reply: {
        status: 403,
        body: [
          {
            message: 'ConcurrentRequests (Concurrent API Requests) Limit exceeded.',
            errorCode: 'REQUEST_LIMIT_EXCEEDED',
          },
        ],
      },
    },
  ],
  calls: [
    { method: 'get', url: '/services/data/v65.0/query?q=SELECT+Id+FROM+Account' },
    { method: 'post', url: '/services/data/v65.0/sobjects/Account', data: { Name: 'Acme' } },
  ],
};
