import type { Asked, Family } from '../family.ts';

const tokensIn = ({ body }: Asked) => Math.ceil(body.length / 4);

const error = (type: string, message: string, more: object = {}) => ({
  type: 'error',
  error: { type, message, ...more },
  request_id: 'req_011C',
});

const refusal =
  (what: string) =>
  ({ waitMs }: { waitMs: number }) => ({
    status: 429,
    headers: { 'retry-after': String(Math.ceil(waitMs / 1_000)) },
    body: error('rate_limit_error', `This request would exceed your organization's rate limit of ${what} per minute.`),
  });

/** 300 requests and 60,000 input tokens a minute, each of which comes back evenly. */
export const anthropic: Family = {
  quotas: [
    { name: 'requests', kind: 'bucket', requests: 300, perMs: 60_000, refuse: refusal('requests') },
    {
      name: 'input-tokens',
      kind: 'bucket',
      requests: 60_000,
      perMs: 60_000,
      cost: tokensIn,
      refuse: refusal('input tokens'),
    },
  ],
  headers: (standings) =>
    Object.fromEntries(
      Object.entries(standings).flatMap(([name, { limit, left, resetAt }]) => [
        [`anthropic-ratelimit-${name}-limit`, String(limit)],
        [
          `anthropic-ratelimit-${name}-remaining`,
          String(name === 'requests' ? left : Math.round(left / 1_000) * 1_000),
        ],
        [`anthropic-ratelimit-${name}-reset`, `${new Date(resetAt).toISOString().slice(0, 19)}Z`],
      ]),
    ),
  serve: (asked) => ({
    status: 200,
    headers: { 'request-id': 'req_011C' },
    body: {
      type: 'message',
      content: [{ type: 'text', text: 'Yes.' }],
      usage: { input_tokens: tokensIn(asked), output_tokens: 3 },
    },
  }),
  failures: [
    {
      title: 'The money of this month is spent: a 429 that no wait helps against',
      reply: {
        status: 429,
        body: error('rate_limit_error', 'You have reached your API usage limits.', {
          details: { error_code: 'enforced_spend_limit_reached' },
        }),
      },
    },
  ],
  calls: [
    {
      method: 'post',
      url: '/v1/messages',
      data: { model: 'claude-sonnet-5', max_tokens: 100, messages: [{ role: 'user', content: 'Is it so?' }] },
    },
  ],
};
