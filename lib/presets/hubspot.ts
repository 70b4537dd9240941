import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { addressOf } from '../call/address.ts';
import { headerOf } from '../call/header.ts';
import type { Evidence } from '../classify/options.ts';
import type { ToldQuota } from '../limit/quota/reader.ts';
import { definePreset } from './define-preset.ts';

const USAGE = 'https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines';
const ERRORS = 'https://developers.hubspot.com/docs/api-reference/error-handling';
const SEARCH = 'https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm';
const SDK = 'https://github.com/HubSpot/hubspot-api-nodejs/blob/master/src/services/decorators/RetryDecorator.ts';

/**
 * HubSpot. A 429 says by its policy which limit it was: that of ten seconds and that of a second are waited out, that of a day ends the call.
 * How many calls an app has in ten seconds is read from the headers; searches, 5 a second, are kept apart. Give `account` for each portal.
 *
 * @example
 * attach(client, hubspot({ account: ({ headers }) => String(headers['x-portal'] ?? '') }));
 */
export const hubspot = definePreset({
  name: 'hubspot',
  statuses: { '5xx': 'retry' },
  rules: [
    {
      status: 429,
      when: isOf('DAILY'),
      means: 'exhausted',
      why: 'the calls of the day are used up, until midnight in the account’s time zone',
      source: USAGE,
    },
    { status: 429, when: isOf('TEN_SECONDLY_ROLLING'), means: 'throttled', waitMs: 10_000, source: SDK },
    { status: 429, message: /\bsecondly limit/i, means: 'throttled', waitMs: 1_000, source: SDK },
    { status: 423, means: 'refused', why: 'locked for two seconds', waitMs: 2_000, source: ERRORS },
    { status: 477, means: 'throttled', why: 'the account is being migrated', source: ERRORS },
  ],
  limits: [
    { adaptive: true, bucket: (config) => !isSearch(config) && '', quota: callsLeft, source: USAGE },
    { requests: 5, perMs: 1_000, bucket: (config) => isSearch(config) && 'search', source: SEARCH },
  ],
  ids: ['correlationId', 'requestId'],
  source: [SDK, ERRORS],
});

function isOf(policy: string) {
  return ({ api }: Evidence): boolean =>
    (api?.raw as { readonly policyName?: unknown } | undefined)?.policyName === policy;
}

const isSearch = (config: InternalAxiosRequestConfig): boolean => /\/search\/?$/.test(addressOf(config));

/** The window rolls: at the latest all calls are back when it is over. */
function callsLeft({ headers }: AxiosResponse): ToldQuota | undefined {
  const [limit, remaining, resetMs] = ['max', 'remaining', 'interval-milliseconds'].map((name) =>
    Number(headerOf(headers, `x-hubspot-ratelimit-${name}`) ?? Number.NaN),
  );
  return limit && resetMs && remaining !== undefined && remaining >= 0 ? { limit, remaining, resetMs } : undefined;
}
