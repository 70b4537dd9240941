import type { Family } from '../family.ts';

const DOCS = 'https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api';
const isWrite = (method: string) => !/^(?:GET|HEAD|OPTIONS)$/.test(method);

/** A primary limit of 60 each 10 s (in place of 5,000 an hour, so that one sees it pass), 900 points a minute, a write a second. */
export const github: Family = {
  quotas: [
    {
      name: 'core',
      kind: 'window',
      requests: 60,
      perMs: 10_000,
      refuse: () => ({
        status: 403,
        body: { message: 'API rate limit exceeded for user ID 1.', documentation_url: DOCS, status: '403' },
      }),
    },
    {
      name: 'points',
      kind: 'window',
      requests: 900,
      perMs: 60_000,
      cost: ({ method }) => (isWrite(method) ? 5 : 1),
      refuse: ({ waitMs }) => secondary(waitMs),
    },
    {
      name: 'writes',
      kind: 'bucket',
      requests: 3,
      perMs: 3_000,
      key: ({ method }) => isWrite(method) && '',
      refuse: () => secondary(60_000),
    },
  ],
  headers: ({ core }) =>
    core === undefined
      ? {}
      : {
          'x-ratelimit-limit': String(core.limit),
          'x-ratelimit-remaining': String(core.left),
          'x-ratelimit-used': String(core.limit - core.left),
          'x-ratelimit-reset': String(Math.ceil(core.resetAt / 1_000)),
          'x-ratelimit-resource': 'core',
        },
  serve: ({ method }) => ({
    status: method === 'POST' ? 201 : 200,
    headers: { 'x-github-request-id': 'E1F2:1' },
    body: { number: 1 },
  }),
  failures: [
    {
      title: 'A 403 that is no limit',
      reply: {
        status: 403,
        headers: { 'x-github-request-id': 'E1F2:2' },
        body: { message: 'Resource not accessible by integration', documentation_url: DOCS, status: '403' },
      },
    },
  ],
  calls: [
    { method: 'get', url: '/repos/octocat/hello-world/issues' },
    { method: 'post', url: '/repos/octocat/hello-world/issues', data: { title: 'Found' } },
  ],
};

const secondary = (waitMs: number) => ({
  status: 403,
  headers: { 'retry-after': String(Math.ceil(waitMs / 1_000)) },
  body: { message: 'You have exceeded a secondary rate limit.', documentation_url: DOCS, status: '403' },
});
