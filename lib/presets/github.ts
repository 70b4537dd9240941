import type { InternalAxiosRequestConfig } from 'axios';
import type { Evidence } from '../classify/options.ts';
import { definePreset } from './define-preset.ts';

const LIMITS = 'https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api';
const PRACTICES = 'https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api';
const THROTTLING = 'https://github.com/octokit/plugin-throttling.js/blob/main/src/index.ts';
const RETRY = 'https://github.com/octokit/plugin-retry.js/blob/main/src/index.ts';

const pathOf = ({ baseURL = '', url = '' }: InternalAxiosRequestConfig): string => `${baseURL}${url}`;
const isGraphQl = (url: string): boolean => /\/graphql(?:[?#]|$)/.test(url);
const isRead = ({ method = 'get' }: InternalAxiosRequestConfig): boolean => /^(?:get|head|options)$/i.test(method);

const MUTATION = /"query"\s*:\s*"\s*mutation\b/;

/** Search has a quota of its own. */
const resourceOf = (config: InternalAxiosRequestConfig): string =>
  /\/search\//.test(pathOf(config)) ? 'search' : 'core';

/** Without a time of its own a secondary limit asks for a minute, and longer each time that it comes again. */
const growing = ({ retryAfterMs, call }: Evidence): number => retryAfterMs ?? 60_000 * 2 ** call.retries;

/** The reset is a whole second. */
const afterReset = ({ retryAfterMs = 60_000 }: Evidence): number => retryAfterMs + 1_000;

/**
 * GitHub, REST and GraphQL, whose 403 may mean "too many". Primary limits are learnt from the headers, for `core`, `search` and `graphql` each;
 * of the secondary ones the published are kept: 100 calls at once, 900 points a minute (GraphQL 2,000), a second between two writes.
 *
 * @example
 * attach(client, github({ account: ({ headers }) => String(headers['x-installation'] ?? '') }));
 */
export const github = definePreset({
  name: 'github',
  statuses: { '5xx': 'retry' },
  rules: [
    {
      status: [403, 429],
      message: /secondary rate|abuse detection/i,
      means: 'throttled',
      why: 'secondary rate limit',
      waitMs: growing,
      source: THROTTLING,
    },
    { status: [403, 429], header: { 'retry-after': true }, means: 'throttled', source: PRACTICES },
    {
      status: [403, 429],
      header: { 'x-ratelimit-remaining': '0' },
      means: 'throttled',
      why: 'primary rate limit',
      waitMs: afterReset,
      source: THROTTLING,
    },
    { status: 429, means: 'throttled', waitMs: growing, source: PRACTICES },
    {
      status: 200,
      when: ({ call }) => isGraphQl(call.url),
      code: 'RATE_LIMITED',
      means: 'throttled',
      why: 'primary rate limit',
      source: THROTTLING,
    },
  ],
  limits: [
    // Any minute holds as many as rate and burst together: 900, and for GraphQL 2,000. A hundred at once for all of them.
    {
      adaptive: true,
      maxConcurrent: 30,
      requests: 800,
      perMs: 60_000,
      burst: 100,
      weight: (config) => (isRead(config) ? 1 : 5),
      bucket: (config) => !isGraphQl(pathOf(config)) && resourceOf(config),
      source: LIMITS,
    },
    {
      adaptive: true,
      maxConcurrent: 30,
      requests: 1_900,
      perMs: 60_000,
      burst: 100,
      weight: ({ data }) => (MUTATION.test(String(data)) ? 5 : 1),
      bucket: (config) => isGraphQl(pathOf(config)) && 'graphql',
      source: LIMITS,
    },
    {
      requests: 1,
      perMs: 1_000,
      bucket: (config) => !isRead(config) && !isGraphQl(pathOf(config)) && 'writes',
      source: PRACTICES,
    },
  ],
  ids: ['x-github-request-id'],
  source: RETRY,
});
