import { stripe } from 'axios-holdfast/presets';
import { describe, expect, it } from 'vitest';
import { stripe as family } from '../../examples/stand-in/families/stripe.ts';
import { conversations, talk, traffic } from './conversation.ts';

const SDK = 'https://github.com/stripe/stripe-node/blob/master/src/RequestSender.ts';
const SDK_ERRORS = 'https://github.com/stripe/stripe-node/blob/master/src/Error.ts';
const LIMITS = 'https://docs.stripe.com/rate-limits';
const KEYS = 'https://docs.stripe.com/api/idempotent_requests';

const error = (code: string | undefined, type = 'invalid_request_error') => ({ error: { type, code, message: 'No.' } });
const post = { method: 'post', url: '/v1/refunds', data: { charge: 'ch_1' } };

describe('stripe', () => {
  conversations(family, stripe, [
    {
      fact: 'too many requests are a 429, without a time',
      source: LIMITS,
      call: post,
      answers: [{ status: 429, body: error('rate_limit') }],
      means: 'throttled',
      code: 'rate_limit',
      waits: [undefined],
    },
    {
      fact: 'or a 400 with that code',
      source: SDK_ERRORS,
      call: post,
      answers: [{ status: 400, body: error('rate_limit') }],
      means: 'throttled',
      code: 'rate_limit',
    },
    {
      fact: 'an object that is locked is tried again, and pauses nobody',
      source: LIMITS,
      call: post,
      answers: [{ status: 429, body: error('lock_timeout') }],
      means: 'transient',
      code: 'lock_timeout',
      waits: [undefined],
      pauses: false,
    },
    ...[409, 500, 502, 503, 504].map((status) => ({
      fact: `a POST that is answered ${status} is repeated, since it has a key`,
      source: SDK,
      call: post,
      answers: [{ status, body: error(undefined, 'api_error') }] as const,
      means: 'transient',
      code: 'api_error',
    })),
    {
      fact: 'nothing is repeated where the server says not to',
      source: SDK,
      call: post,
      answers: [{ status: 500, headers: { 'stripe-should-retry': 'false' }, body: error(undefined, 'api_error') }],
      sends: 1,
      kind: 'unavailable',
      says: 'the server says not to retry: stripe-should-retry',
    },
    {
      fact: 'and where it says to, anything is',
      source: SDK,
      call: post,
      answers: [{ status: 400, headers: { 'stripe-should-retry': 'true' }, body: error('parameter_missing') }],
      means: 'transient',
    },
    {
      fact: 'a declined card is told, with the id of the request',
      source: 'https://docs.stripe.com/api/request_ids',
      call: post,
      answers: [{ status: 402, headers: { 'request-id': 'req_7' }, body: error('card_declined', 'card_error') }],
      sends: 1,
      kind: 'rejected',
      code: 'card_declined',
      ids: { 'request-id': 'req_7' },
    },
  ]);

  it(`sends one key with every send of a POST, and none with a GET (${KEYS})`, async () => {
    const { server, client, clock } = await talk(family, stripe());
    server.script({ status: 503 });
    await clock.run(client.post('/v1/refunds', {}));
    await clock.run(client.get('/v1/refunds'));
    const keys = server.seen.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toEqual([expect.any(String), keys[0], undefined]);
  });

  it(`counts all calls of an endpoint as one, whatever the id (${LIMITS})`, () => {
    const [, { key } = {}] = stripe().limit as readonly { key?(config: object): string }[];
    const keyOf = (url: string) => key?.({ baseURL: 'https://api.stripe.com', url, method: 'get' });
    expect(keyOf('/v1/payment_intents/pi_3MtwBwLkdIwHu7ix')).toBe(keyOf('/v1/payment_intents/pi_1GszdL2eZvKYlo2C'));
    expect(keyOf('/v1/payment_intents/pi_3MtwBwLkdIwHu7ix')).toBe('https://api.stripe.com get 1/payment_intents/*');
    expect(keyOf('/v1/payment_intents')).toBe('https://api.stripe.com get 1/payment_intents');
    expect(keyOf('/v1/payment_intents/search')).toBe('https://api.stripe.com get 1/payment_intents/search');
  });

  it('uses the quota, and is not refused', async () => {
    const { goodput, refused } = await traffic(family, stripe(), { ms: 10_000, calls: 400 });
    expect(refused).toBe(0);
    expect(goodput).toBeGreaterThanOrEqual(0.95);
  });
});
