import type { InternalAxiosRequestConfig } from 'axios';
import { addressOf, originOf } from '../call/address.ts';
import type { Evidence } from '../classify/options.ts';
import { definePreset } from './define-preset.ts';

const CALENDAR = 'https://developers.google.com/workspace/calendar/api/guides/errors';
const DRIVE = 'https://developers.google.com/workspace/drive/api/guides/limits';
const DAILY = 'https://developers.google.com/bid-manager/quotas';
const CLI = 'https://github.com/google-gemini/gemini-cli/blob/main/packages/core/src/utils/googleQuotaErrors.ts';
const SDK = 'https://github.com/googleapis/gaxios/blob/main/src/retry.ts';

const DAY_IS_OVER = 'the quota of the day is used up';

/**
 * Google's APIs: Workspace, Cloud, Gemini. A 403 may mean "too many" there, and the wait stands in the body. Quotas are told by nothing, so
 * limits are learnt: for each API, of Gemini for each model. Give `account` where calls are on behalf of several users or projects.
 *
 * @example
 * attach(client, google({ account: ({ headers }) => String(headers['x-goog-user-project'] ?? '') }));
 */
export const google = definePreset({
  name: 'google',
  statuses: { 408: 'retry', '5xx': 'retry' },
  rules: [
    { status: 403, code: ['rateLimitExceeded', 'userRateLimitExceeded'], means: 'throttled', source: CALENDAR },
    { status: [403, 429], code: 'dailyLimitExceeded', means: 'exhausted', why: DAY_IS_OVER, source: DAILY },
    { status: 429, when: isQuota(/PerDay|Daily/), means: 'exhausted', why: DAY_IS_OVER, source: CLI },
    { status: 429, when: isQuota(/PerMinute/), means: 'throttled', waitMs: 60_000, source: CLI },
  ],
  waits: [retryDelay, ({ api }) => /Please retry in ([\d.]+m?s)/.exec(api?.message ?? '')?.[1]],
  api: apiOf,
  limits: [{ adaptive: true, bucket: modelOf, source: DRIVE }],
  source: SDK,
});

interface Detail {
  readonly '@type'?: string;
  readonly retryDelay?: string;
  readonly violations?: readonly { readonly quotaId?: string }[];
  readonly metadata?: { readonly quota_limit?: string; readonly quotaResetDelay?: string };
}

const detailsIn = ({ api }: Evidence): readonly Detail[] => (api?.details ?? []) as readonly Detail[];

/** `RetryInfo`; `ErrorInfo` may have it besides. */
function retryDelay(evidence: Evidence): string | undefined {
  const details = detailsIn(evidence);
  return (
    details.find((each) => each?.retryDelay)?.retryDelay ??
    details.find((each) => each?.metadata?.quotaResetDelay)?.metadata?.quotaResetDelay
  );
}

/** By the name of the quota: `GenerateRequestsPerDayPerProjectPerModel` of a `QuotaFailure`, or that of an `ErrorInfo`. */
function isQuota(name: RegExp) {
  return (evidence: Evidence): boolean =>
    detailsIn(evidence).some((each) =>
      [each?.metadata?.quota_limit, ...[each?.violations ?? []].flat().map((violation) => violation?.quotaId)].some(
        (quota) => quota !== undefined && name.test(quota),
      ),
    );
}

/** Several APIs share a host: `https://www.googleapis.com/drive`. An upload is one of the API that it is for. */
function apiOf(config: InternalAxiosRequestConfig): string {
  const [, host, name] = /^(\w+:\/\/www\.googleapis\.com)(?:\/upload)?(\/\w+)/.exec(addressOf(config)) ?? [];
  return host === undefined || name === undefined ? originOf(config) : host + name;
}

function modelOf(config: InternalAxiosRequestConfig): string {
  return /\/models\/([^/:]+)/.exec(addressOf(config))?.[1] ?? '';
}
