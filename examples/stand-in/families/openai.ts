import type { Asked, Family, Standing } from '../family.ts';

const tokensIn = ({ body }: Asked) => Math.ceil(body.length / 4);

const refusal = (what: string) => (standing: Standing) => ({
  status: 429,
  headers: {
    'retry-after-ms': String(Math.ceil(standing.waitMs)),
    'retry-after': String(Math.ceil(standing.waitMs / 1_000)),
  },
  body: {
    error: {
      message: `Rate limit reached for gpt-5 on ${what} per min. Please try again in ${standing.waitMs / 1_000}s.`,
      type: what,
      param: null,
      code: 'rate_limit_exceeded',
    },
  },
});

/** 300 requests and 60,000 tokens a minute, each of which comes back evenly. */
export const openai: Family = {
  quotas: [
    { name: 'requests', kind: 'bucket', requests: 300, perMs: 60_000, refuse: refusal('requests') },
    {
      name: 'tokens',
      kind: 'bucket',
      requests: 60_000,
      perMs: 60_000,
      cost: tokensIn,
      refuse: refusal('tokens'),
    },
  ],
  headers: (standings) =>
    Object.fromEntries(
      Object.entries(standings).flatMap(([name, { limit, left, resetMs }]) => [
        [`x-ratelimit-limit-${name}`, String(limit)],
        [`x-ratelimit-remaining-${name}`, String(left)],
        [`x-ratelimit-reset-${name}`, `${Math.ceil(resetMs)}ms`],
      ]),
    ),
  serve: (asked) => ({
    status: 200,
    headers: { 'x-request-id': 'req_1' },
    body: { choices: [{ message: { role: 'assistant', content: 'Yes.' } }], usage: { total_tokens: tokensIn(asked) } },
  }),
  failures: [
    {
      title: 'The money is spent: a 429 that no wait helps against',
      reply: {
        status: 429,
        headers: { 'retry-after': '1' },
        body: {
          error: {
            message: 'You exceeded your current quota.',
            type: 'insufficient_quota',
            code: 'insufficient_quota',
          },
        },
      },
    },
  ],
  calls: [
    {
      method: 'post',
      url: '/v1/chat/completions',
      data: { model: 'gpt-5', messages: [{ role: 'user', content: 'Is it so?' }] },
    },
  ],
};
