import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { headerOf } from '../call/header.ts';
import type { Evidence } from '../classify/options.ts';
import type { ToldQuota } from '../limit/quota/reader.ts';
import { definePreset, type PresetOptions } from './define-preset.ts';
import { refilling } from './refilling.ts';

const REST = 'https://shopify.dev/docs/api/admin-rest/usage/rate-limits';
const GRAPHQL = 'https://shopify.dev/docs/api/usage/limits';
const STATUSES = 'https://shopify.dev/docs/api/usage/response-codes';
const SDK =
  'https://github.com/Shopify/shopify-app-js/blob/main/packages/api-clients/admin-api-client/src/constants.ts';

export interface ShopifyOptions extends PresetOptions {
  /**
   * What a query costs at most, in points (`requestedQueryCost`), so that calls leave when there are as many. Default 10 for each; what it
   * really cost is charged, or given back, once it is answered.
   */
  readonly queryCost?: ((config: InternalAxiosRequestConfig) => number) | undefined;
}

/**
 * Shopify's Admin API, REST and GraphQL, whose 200 may mean "too many": then the wait is how long the missing points take to come back.
 * Both buckets are learnt from the answers. Give `account` where one origin serves several shops.
 *
 * @example
 * attach(client, mergePolicies(shopify(), { deadlineMs: 60_000 }));
 */
export const shopify = definePreset<ShopifyOptions>(({ queryCost = () => 10 }) => ({
  name: 'shopify',
  options: ['queryCost'],
  statuses: { 500: 'retry', 503: 'retry' },
  rules: [
    {
      status: 200,
      when: ({ call }) => isGraphQl(call.url),
      code: 'THROTTLED',
      means: 'throttled',
      waitMs: missingPointsMs,
      source: GRAPHQL,
    },
    { status: 430, means: 'fail', why: 'Shopify takes it for an attack: do not go on', source: STATUSES },
  ],
  limits: [
    { adaptive: true, bucket: (config) => !isGraphQl(pathOf(config)) && 'rest', quota: callsLeft, source: REST },
    {
      adaptive: true,
      bucket: (config) => isGraphQl(pathOf(config)) && 'graphql',
      weight: queryCost,
      settle: ({ data }: AxiosResponse) => data?.extensions?.cost?.actualQueryCost ?? undefined,
      quota: pointsLeft,
      source: GRAPHQL,
    },
  ],
  ids: ['x-request-id'],
  source: SDK,
}));

const pathOf = ({ baseURL = '', url = '' }: InternalAxiosRequestConfig): string => `${baseURL}${url}`;
const isGraphQl = (url: string): boolean => /\/graphql(?:\.json)?(?:[?#]|$)/.test(url);

interface Cost {
  readonly requestedQueryCost?: number;
  readonly throttleStatus?: {
    readonly maximumAvailable: number;
    readonly currentlyAvailable: number;
    readonly restoreRate: number;
  };
}

const costIn = (data: unknown): Cost | undefined => (data as { extensions?: { cost?: Cost } } | null)?.extensions?.cost;

/** How long the points that a query lacks take to come back, in ms. */
function missingPointsMs({ data }: Evidence): number | undefined {
  const { requestedQueryCost = 0, throttleStatus } = costIn(data) ?? {};
  if (throttleStatus === undefined) return undefined;
  const { currentlyAvailable, restoreRate } = throttleStatus;
  const missing = Math.max(0, requestedQueryCost - currentlyAvailable);
  return restoreRate > 0 ? Math.ceil((missing / restoreRate) * 1_000) : undefined;
}

function pointsLeft({ data }: AxiosResponse): ToldQuota | undefined {
  const { throttleStatus } = costIn(data) ?? {};
  if (throttleStatus === undefined) return undefined;
  const { maximumAvailable, currentlyAvailable, restoreRate } = throttleStatus;
  const resetMs = ((maximumAvailable - currentlyAvailable) / restoreRate) * 1_000;
  return refilling(maximumAvailable, currentlyAvailable, resetMs);
}

/** Every plan's bucket runs empty in 20 s: 40 calls at 2 a second, 400 at 20. */
const EMPTY_AFTER_MS = 20_000;

/** `32/40`: 32 of 40 are used. */
function callsLeft({ headers }: AxiosResponse): ToldQuota | undefined {
  const [, used, limit] = /^(\d+)\/(\d+)$/.exec(headerOf(headers, 'x-shopify-shop-api-call-limit') ?? '') ?? [];
  if (used === undefined || limit === undefined) return undefined;
  const [taken, most] = [Number(used), Number(limit)];
  return refilling(most, most - taken, (taken / most) * EMPTY_AFTER_MS);
}
