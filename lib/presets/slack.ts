import type { InternalAxiosRequestConfig } from 'axios';
import { addressOf } from '../call/address.ts';
import type { Evidence } from '../classify/options.ts';
import { definePreset } from './define-preset.ts';

const LIMITS = 'https://docs.slack.dev/apis/web-api/rate-limits';
const METHODS = 'https://docs.slack.dev/reference/methods/chat.postMessage';
const SDK = 'https://github.com/slackapi/node-slack-sdk/blob/main/packages/web-api/src/WebClient.ts';

/**
 * Slack's Web API, whose 200 may say `ok: false`. Limits are learnt for each method by itself, and a channel gets a message a second. Give
 * `account` where a process serves several workspaces: each has limits of its own. What is no matter of retrying, such as
 * `channel_not_found`, stays the caller's to read.
 *
 * @example
 * attach(client, slack({ account: ({ headers }) => String(headers['x-team'] ?? '') }));
 */
export const slack = definePreset({
  name: 'slack',
  statuses: { '5xx': 'retry' },
  rules: [
    { status: 200, when: isError, code: ['ratelimited', 'rate_limited'], means: 'throttled', source: METHODS },
    {
      status: 200,
      when: isError,
      code: ['internal_error', 'fatal_error', 'service_unavailable'],
      means: 'retry',
      source: METHODS,
    },
    { status: 200, when: isError, code: 'token_expired', means: 'refresh', source: METHODS },
  ],
  limits: [
    { adaptive: true, bucket: methodOf, source: LIMITS },
    { requests: 1, perMs: 1_000, bucket: channelOf, source: LIMITS },
  ],
  source: SDK,
});

/** Only a body that may be one is parsed. */
function isError({ response }: Evidence): boolean {
  return /"ok"\s*:\s*false/.test(String(response?.data));
}

/** `chat.postMessage` */
function methodOf(config: InternalAxiosRequestConfig): string {
  return /\/api\/([\w.]+)/.exec(addressOf(config))?.[1] ?? '';
}

const CHANNEL = /(?:"channel"\s*:\s*"|(?:^|&)channel=)([^"&]+)/;

function channelOf(config: InternalAxiosRequestConfig): string | false {
  return methodOf(config) === 'chat.postMessage' && (CHANNEL.exec(String(config.data))?.[1] ?? '');
}
