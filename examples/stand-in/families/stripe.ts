import type { Family } from '../family.ts';

const refuse = () => ({
  status: 429,
  headers: { 'request-id': 'req_2' },
  body: { error: { type: 'invalid_request_error', code: 'rate_limit', message: 'Request rate limit exceeded.' } },
});

/** 25 requests a second to each endpoint, 100 in all. */
export const stripe: Family = {
  quotas: [
    { name: 'all', kind: 'window', requests: 100, perMs: 1_000, refuse },
    {
      name: 'endpoint',
      kind: 'window',
      requests: 25,
      perMs: 1_000,
      key: ({ method, url }) => `${method} ${url.replace(/\/[a-z]+_\w{8,}/, '/*')}`,
      refuse,
    },
  ],
  serve: () => ({
    status: 200,
    headers: { 'request-id': 'req_1' },
    body: { id: 'pi_3MtwBwLkdIwHu7ix', object: 'payment_intent' },
  }),
  failures: [
    {
      title: 'A declined card: the server says that a repeat would end the same way',
      reply: {
        status: 402,
        headers: { 'stripe-should-retry': 'false', 'request-id': 'req_3' },
        body: { error: { type: 'card_error', code: 'card_declined', message: 'Your card was declined.' } },
      },
    },
  ],
  calls: [
    { method: 'get', url: '/v1/payment_intents/pi_3MtwBwLkdIwHu7ix' },
    { method: 'post', url: '/v1/payment_intents', data: { amount: 2_000, currency: 'eur' } },
  ],
};
