import type { InternalAxiosRequestConfig } from 'axios';
import { addressOf } from '../call/address.ts';
import { definePreset } from './define-preset.ts';

const THROTTLING = 'https://learn.microsoft.com/graph/throttling';
const LIMITS = 'https://learn.microsoft.com/graph/throttling-limits';
const ERRORS = 'https://learn.microsoft.com/graph/errors';
const SDK = 'https://github.com/microsoftgraph/msgraph-sdk-javascript/blob/dev/src/middleware';

/**
 * Microsoft Graph. Refused calls count as well, so nobody leaves while `Retry-After` runs. A mailbox takes 10,000 calls in 10 minutes, 4 at
 * once; of the other services the limits are learnt, each for itself. Give `account` where a process serves several tenants.
 *
 * @example
 * attach(client, microsoftGraph({ account: ({ headers }) => String(headers['x-tenant'] ?? '') }));
 */
export const microsoftGraph = definePreset({
  name: 'microsoftGraph',
  rules: [
    { code: ['activityLimitReached', 'throttledRequest'], means: 'throttled', source: ERRORS },
    { status: 509, means: 'throttled', why: 'too much bandwidth', source: ERRORS },
    { status: 402, means: 'exhausted', why: 'the API has to be paid for', source: ERRORS },
    { status: 507, means: 'fail', why: 'the storage is full', source: ERRORS },
    { code: 'quotaLimitReached', means: 'fail', why: 'the storage is full', source: ERRORS },
  ],
  limits: [
    // Any 10 minutes hold as many as rate and burst together.
    {
      maxConcurrent: 4,
      requests: 9_000,
      perMs: 600_000,
      burst: 1_000,
      bucket: (config) => mailboxOf(config) ?? false,
      source: LIMITS,
    },
    { adaptive: true, bucket: (config) => mailboxOf(config) === undefined && serviceOf(config), source: THROTTLING },
  ],
  correlation: 'client-request-id',
  ids: ['request-id', 'client-request-id'],
  source: [`${SDK}/RetryHandler.ts`, `${SDK}/TelemetryHandler.ts`, ERRORS],
});

const ROOT = /^.*?\/(?:v1\.0|beta)(?=\/)/i;
const MAILBOX =
  /^\/(me|(?:users|groups)(?:\/[^/]+|\([^)]*\)))\/(?:messages|mail|sendMail|outlook|calendar|events|contact|conversations|threads)/i;

/** Whose mailbox or calendar it is: each has limits of its own. */
const mailboxOf = (config: InternalAxiosRequestConfig): string | undefined => MAILBOX.exec(pathOf(config))?.[1];

/** OneDrive and SharePoint are one service, whatever the way to it; the others go by the first part of the path. */
function serviceOf(config: InternalAxiosRequestConfig): string {
  const path = pathOf(config);
  return /\/(?:drives?|sites|shares)\b/.test(path) ? 'files' : (/[^/(]+/.exec(path)?.[0] ?? '');
}

const pathOf = (config: InternalAxiosRequestConfig): string => addressOf(config).replace(ROOT, '');
