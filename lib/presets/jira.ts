import type { InternalAxiosRequestConfig } from 'axios';
import { addressOf, originOf } from '../call/address.ts';
import { definePreset } from './define-preset.ts';

const LIMITS = 'https://developer.atlassian.com/cloud/jira/platform/rate-limiting/';

/**
 * Jira Cloud. Limits are kept for each tenant, and in it for each endpoint and method, as Jira keeps them: they are learnt. An issue takes 20
 * writes in 2 s and 100 in 30 s; whoever is refused for that waits alone. The points of an hour are waited for, if the call has so much time.
 *
 * @example
 * attach(client, mergePolicies(jira(), { retry: { retryAfter: { maxMs: 3_600_000 } } }));
 */
export const jira = definePreset({
  name: 'jira',
  rules: [
    {
      status: 429,
      header: { 'ratelimit-reason': 'jira-per-issue-on-write' },
      means: 'refused',
      why: 'too many writes of this issue',
      waitMs: 2_000,
      source: LIMITS,
    },
    ...['jira-quota-global-based', 'jira-quota-tenant-based'].map((reason) => ({
      status: 429,
      header: { 'ratelimit-reason': reason },
      means: 'throttled' as const,
      why: 'the points of this hour are used up',
      source: LIMITS,
    })),
  ],
  // One host serves many tenants: api.atlassian.com/ex/jira/<cloud id>
  api: (config) => /^(.*?)\/rest\//.exec(addressOf(config))?.[1] ?? originOf(config),
  limits: [
    { adaptive: true, bucket: endpointOf, source: LIMITS },
    // Any 2 s hold as many as rate and burst together.
    {
      requests: 15,
      perMs: 2_000,
      burst: 5,
      windows: [{ requests: 80, perMs: 30_000, burst: 20 }],
      bucket: (config) => !isRead(config) && issueOf(config),
      source: LIMITS,
    },
  ],
  source: LIMITS,
});

const isRead = ({ method = 'get' }: InternalAxiosRequestConfig): boolean => /^(?:get|head|options)$/i.test(method);

const ISSUE = /\/issue\/([A-Za-z]\w*-\d+|\d+)(?=\/|$)/;

const issueOf = (config: InternalAxiosRequestConfig): string | false => ISSUE.exec(addressOf(config))?.[1] ?? false;

/** Numbers, keys of issues (`ABC-12`) and of projects (`ABC`). */
const ID = /\/(?:[^/]*\d[^/]*|[A-Z][A-Z_]+)(?=\/|$)/g;

/** Method and path, whatever the ids in it: `put /rest/api/*\/issue/*` */
function endpointOf(config: InternalAxiosRequestConfig): string {
  const path = addressOf(config).replace(/^.*?(?=\/rest\/|$)/, '');
  return `${config.method ?? 'get'} ${path.replace(ID, '/*')}`;
}
