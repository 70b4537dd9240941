import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { addressOf } from '../call/address.ts';
import { headerOf } from '../call/header.ts';
import type { Evidence } from '../classify/options.ts';
import type { ToldQuota } from '../limit/quota/reader.ts';
import { definePreset } from './define-preset.ts';

const LIMITS = 'https://developer.zendesk.com/api-reference/introduction/rate-limits';
const PRACTICES =
  'https://developer.zendesk.com/documentation/api-basics/best-practices/best-practices-for-avoiding-rate-limiting';
const KEYS = 'https://developer.zendesk.com/api-reference/ticketing/introduction/#idempotency';
const SDK = 'https://github.com/zendesk/zendesk_api_client_rb/blob/main/lib/zendesk_api/middleware/request/retry.rb';

/**
 * Zendesk. What the account may send in a minute is learnt from the headers, that of the Help Center apart. Some endpoints have limits of their
 * own: who meets one waits alone, as does who changes a ticket too often. A new ticket has an idempotency key, so it is repeated as a GET is.
 *
 * @example
 * attach(client, mergePolicies(zendesk(), { deadlineMs: 120_000 }));
 */
export const zendesk = definePreset({
  name: 'zendesk',
  rules: [
    {
      status: 429,
      when: isOfEndpoint,
      means: 'refused',
      why: 'limit of the endpoint',
      waitMs: 10_000,
      source: PRACTICES,
    },
    { status: 429, means: 'throttled', waitMs: 10_000, source: SDK },
  ],
  limits: [
    { adaptive: true, bucket: productOf, quota: callsLeft, source: LIMITS },
    { adaptive: true, bucket: (config) => isListed(config) && 'tickets', quota: ticketsLeft, source: PRACTICES },
    { requests: 10, perMs: 60_000, burst: 'all', bucket: (config) => isExport(config) && 'exports', source: LIMITS },
  ],
  idempotency: { methods: ['post'], when: (config) => TICKETS.test(addressOf(config)) },
  ids: ['x-zendesk-request-id'],
  source: [KEYS, PRACTICES],
});

/** The account has calls left, or the text says that it is about one ticket. */
function isOfEndpoint({ headers, data }: Evidence): boolean {
  const left = Number(headers.get('ratelimit-remaining') ?? headers.get('x-rate-limit-remaining') ?? 0);
  return left > 0 || /ticket updates/.test(String(data));
}

/** Requests to the Help Center count by themselves. */
function productOf(config: InternalAxiosRequestConfig): string {
  return /\/api\/v2\/help_center\//.test(addressOf(config)) ? 'help_center' : '';
}

const TICKETS = /\/api\/v2\/tickets(?:\.json)?$/;

function isListed(config: InternalAxiosRequestConfig): boolean {
  return (config.method ?? 'get') === 'get' && TICKETS.test(addressOf(config));
}

/** A sample has another limit. */
function isExport(config: InternalAxiosRequestConfig): boolean {
  return /\/api\/v2\/incremental\/(?!.*\/sample)/.test(addressOf(config));
}

function callsLeft({ headers }: AxiosResponse): ToldQuota | undefined {
  return quotaOf(['limit', 'remaining', 'reset'].map((name) => headerOf(headers, `ratelimit-${name}`)));
}

/** `total=100; remaining=99; resets=41` */
function ticketsLeft({ headers }: AxiosResponse): ToldQuota | undefined {
  const told = headerOf(headers, 'zendesk-ratelimit-tickets-index') ?? '';
  return quotaOf(['total', 'remaining', 'resets'].map((name) => new RegExp(`\\b${name}=(\\d+)`).exec(told)?.[1]));
}

function quotaOf(told: readonly (string | undefined)[]): ToldQuota | undefined {
  const [limit = Number.NaN, remaining = Number.NaN, seconds = Number.NaN] = told.map(Number);
  return limit >= 0 && remaining >= 0 && seconds >= 0 ? { limit, remaining, resetMs: seconds * 1_000 } : undefined;
}
