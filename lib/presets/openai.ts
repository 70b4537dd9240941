import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { headerOf } from '../call/header.ts';
import type { Evidence } from '../classify/options.ts';
import type { ToldQuota } from '../limit/quota/reader.ts';
import { parseReset } from '../limit/quota/reset.ts';
import { definePreset, type PresetLimit, type PresetOptions } from './define-preset.ts';
import { refilling } from './refilling.ts';
import { serverSays } from './server-says.ts';

const SDK = 'https://github.com/openai/openai-node/blob/main/src/client.ts';
const AZURE = 'https://github.com/openai/openai-node/blob/main/src/azure.ts';
const ERRORS = 'https://platform.openai.com/docs/guides/error-codes';
const LIMITS = 'https://platform.openai.com/docs/guides/rate-limits';

const SPENT = [
  'insufficient_quota',
  'credit_balance_exhausted',
  'organization_usage_limit_exceeded',
  'organization_spend_limit_exceeded',
  'project_spend_limit_exceeded',
];

export interface OpenAiOptions extends PresetOptions {
  /**
   * Tokens that a model may use in a minute, if you know it: then calls wait for their tokens, and do not find out by a 429. A call counts
   * by the length of what it asks and the most that it may be answered, and by its `usage` once it is. An integer from 1. Default: the
   * headers alone say what is left.
   */
  readonly tokensPerMinute?: number | undefined;
}

/**
 * OpenAI, and Azure's OpenAI. Retried as in the vendor's SDK: 408, 409, 429 and 5xx, unless `x-should-retry` says otherwise. A 429 that says
 * that the money is spent ends at once. Limits are learnt from the headers, for each model by itself, on Azure for each deployment.
 *
 * @example
 * attach(client, mergePolicies(openai(), { deadlineMs: 120_000 }));
 */
export const openai = definePreset<OpenAiOptions>(({ tokensPerMinute }) => ({
  name: 'openai',
  options: ['tokensPerMinute'],
  statuses: { 408: 'retry', 409: 'retry', '5xx': 'retry' },
  rules: [
    { code: SPENT, means: 'exhausted', why: 'the money is spent', source: ERRORS },
    { status: 429, when: isOfTypeSpent, means: 'exhausted', why: 'the money is spent', source: ERRORS },
    ...serverSays('x-should-retry', SDK),
    { status: 503, code: 'slow_down', means: 'throttled', source: ERRORS },
  ],
  limits: [
    { adaptive: true, bucket: modelOf, quota: requestsLeft, source: `${LIMITS} ${AZURE}` },
    ...(tokensPerMinute === undefined ? [] : [tokens(tokensPerMinute)]),
  ],
  ids: ['x-request-id'],
  source: SDK,
}));

/** The type says it of codes that are new, too. */
function isOfTypeSpent({ api }: Evidence): boolean {
  return (api?.raw as { type?: unknown } | undefined)?.type === 'insufficient_quota';
}

const DEPLOYMENT = /\/deployments\/([^/?]+)/;
const MODEL = /"model"\s*:\s*"([^"]+)"/;
const MOST = /"max_(?:completion_|output_)?tokens"\s*:\s*(\d+)/;

const textOf = ({ data }: InternalAxiosRequestConfig): string => (typeof data === 'string' ? data : '');

function modelOf(config: InternalAxiosRequestConfig): string {
  const deployment = DEPLOYMENT.exec(`${config.baseURL ?? ''}${config.url ?? ''}`)?.[1];
  return deployment ?? MODEL.exec(textOf(config))?.[1] ?? '';
}

/** Requests come back one by one, as the reset shows: of 60 a minute it is 1 s after the first. Of tokens the headers are read as they are. */
function requestsLeft({ headers }: AxiosResponse): ToldQuota | undefined {
  const [limit, left] = ['limit', 'remaining'].map((name) => Number(headerOf(headers, `x-ratelimit-${name}-requests`)));
  const resetMs = parseReset(headerOf(headers, 'x-ratelimit-reset-requests'), 0);
  const hasTokens = headerOf(headers, 'x-ratelimit-remaining-tokens') !== '0';
  if (!limit || limit < 0 || left === undefined || !resetMs || !hasTokens) return undefined;
  return refilling(limit, left, resetMs);
}

/** About four characters are a token, and what may be answered counts beforehand. */
function tokens(perMinute: number): PresetLimit {
  // Any minute holds as many as its rate and its burst together.
  const burst = Math.max(1, Math.floor(perMinute / 10));
  return {
    requests: Math.max(1, perMinute - burst),
    perMs: 60_000,
    burst,
    bucket: modelOf,
    weight: (config) => {
      const text = textOf(config);
      return Math.min(burst, Math.max(1, Math.ceil(text.length / 4)) + Number(MOST.exec(text)?.[1] ?? 0));
    },
    settle: ({ data }: AxiosResponse) => data?.usage?.total_tokens,
    source: LIMITS,
  };
}
