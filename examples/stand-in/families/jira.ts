import type { Asked, Family, Standing } from '../family.ts';

const issueOf = ({ method, url }: Asked) => (method !== 'GET' && /\/issue\/(\w+-\d+)/.exec(url)?.[1]) || false;

const refusal =
  (reason: string) =>
  ({ limit, waitMs, resetAt }: Standing) => ({
    status: 429,
    headers: {
      'retry-after': String(Math.ceil(waitMs / 1_000)),
      'x-ratelimit-limit': String(limit),
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': `${new Date(resetAt).toISOString().slice(0, 19)}Z`,
      'ratelimit-reason': reason,
    },
    body: { errorMessages: ['Rate limit exceeded.'], errors: {} },
  });

/** 100 calls at once to each endpoint, and 10 of them come back each second; an issue takes 20 writes in 2 s, and 100 in 30 s. */
export const jira: Family = {
  quotas: [
    {
      name: 'endpoint',
      kind: 'bucket',
      requests: 100,
      perMs: 10_000,
      key: ({ method, url }) => `${method} ${url.replace(/\/\w+-\d+/, '/*')}`,
      refuse: refusal('jira-burst-based'),
    },
    {
      name: 'issue',
      kind: 'window',
      requests: 20,
      perMs: 2_000,
      key: issueOf,
      refuse: refusal('jira-per-issue-on-write'),
    },
    {
      name: 'issueForLonger',
      kind: 'window',
      requests: 100,
      perMs: 30_000,
      key: issueOf,
      refuse: refusal('jira-per-issue-on-write'),
    },
  ],
  headers: ({ endpoint }): { [name: string]: string } =>
    endpoint === undefined
      ? {}
      : { 'x-ratelimit-limit': String(endpoint.limit), 'x-ratelimit-remaining': String(endpoint.left) },
  serve: ({ method }) => (method === 'PUT' ? { status: 204 } : { status: 200, body: { key: 'ABC-1', fields: {} } }),
  failures: [
    {
      title: 'The points of this hour are used up',
      reply: {
        status: 429,
        headers: { 'retry-after': '1847', 'ratelimit-reason': 'jira-quota-global-based' },
        body: { errorMessages: ['Rate limit exceeded.'], errors: {} },
      },
    },
  ],
  calls: [
    { method: 'get', url: '/rest/api/3/issue/ABC-1' },
    { method: 'put', url: '/rest/api/3/issue/ABC-1', data: { fields: { summary: 'Found' } } },
  ],
};
