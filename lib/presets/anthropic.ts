import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { headerOf } from '../call/header.ts';
import type { Evidence } from '../classify/options.ts';
import type { ToldQuota } from '../limit/quota/reader.ts';
import { definePreset } from './define-preset.ts';
import { refilling } from './refilling.ts';
import { serverSays } from './server-says.ts';

const SDK = 'https://github.com/anthropics/anthropic-sdk-typescript/blob/main/src/client.ts';
const ERRORS = 'https://platform.claude.com/docs/en/api/errors';
const LIMITS = 'https://platform.claude.com/docs/en/api/rate-limits';
const COUNTING = 'https://docs.anthropic.com/en/docs/build-with-claude/token-counting';
const OVERLOADED = 'https://learn.microsoft.com/microsoft-cloud/dev/dev-proxy/concepts/anthropic-529-overloaded-error';

/**
 * Anthropic's Claude API. Retried as in the vendor's SDK: 408, 409, 429 and 5xx, unless `x-should-retry` says otherwise; a 529 (overloaded) was
 * turned down and pauses all. A spend limit that is reached ends at once. Limits are learnt from the headers, for each model by itself.
 *
 * @example
 * attach(client, mergePolicies(anthropic(), { deadlineMs: 120_000 }));
 */
export const anthropic = definePreset({
  name: 'anthropic',
  statuses: { 408: 'retry', 409: 'retry', '5xx': 'retry' },
  rules: [
    { status: 429, when: isCapped, means: 'exhausted', why: 'the money of this month is spent', source: OVERLOADED },
    { status: 402, means: 'exhausted', why: 'the payment does not work', source: ERRORS },
    { status: 529, means: 'throttled', why: 'overloaded', source: OVERLOADED },
    ...serverSays('x-should-retry', SDK),
  ],
  limits: [{ adaptive: true, bucket: modelOf, quota: requestsLeft, source: `${LIMITS} ${COUNTING}` }],
  ids: ['request-id'],
  source: [SDK, ERRORS],
});

/** The type is that of any other limit. */
function isCapped({ api }: Evidence): boolean {
  const [detail] = (api?.details ?? []) as readonly { readonly error_code?: unknown }[];
  return detail?.error_code === 'enforced_spend_limit_reached';
}

const APART = /\/(count_tokens|batches)\b/;
const MODEL = /"model"\s*:\s*"([^"]+)"/;

/** Batches have a limit for all models together, and counting tokens has limits of its own. */
function modelOf({ baseURL = '', url = '', data }: InternalAxiosRequestConfig): string {
  const [, apart = ''] = APART.exec(`${baseURL}${url}`) ?? [];
  const [, model = ''] = (apart !== 'batches' && MODEL.exec(String(data))) || [];
  return [apart, model].filter(Boolean).join(' ');
}

/** So many a minute, which come back one by one. Of tokens the headers are read as they are. */
function requestsLeft({ headers }: AxiosResponse): ToldQuota | undefined {
  const told = (name: string) => headerOf(headers, `anthropic-ratelimit-${name}`);
  const [limit, left] = [told('requests-limit'), told('requests-remaining')].map(Number);
  const lacksTokens = ['', 'input-', 'output-'].some((kind) => told(`${kind}tokens-remaining`) === '0');
  if (!limit || left === undefined || lacksTokens) return undefined;
  return refilling(limit, left, (1 - left / limit) * 60_000);
}
