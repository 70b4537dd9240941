import type { InternalAxiosRequestConfig } from 'axios';
import { addressOf } from '../call/address.ts';
import { definePreset, type PresetOptions } from './define-preset.ts';
import { serverSays } from './server-says.ts';

const SDK = 'https://github.com/stripe/stripe-node/blob/master/src/RequestSender.ts';
const SDK_ERRORS = 'https://github.com/stripe/stripe-node/blob/master/src/Error.ts';
const LIMITS = 'https://docs.stripe.com/rate-limits';
const KEYS = 'https://docs.stripe.com/api/idempotent_requests';

/** An id has a prefix and letters of both cases, or digits: `pi_3MtwBw`. */
const ID = /\/(?:[a-z]+_(?:test_|live_)?[A-Za-z\d]{8,}|[^/]*\d[^/]*)(?=\/|$)/g;
const VERSION = /^.*?\/v(?=\d+\/)/;

/** Method and path, whatever the ids in it: `get 1/payment_intents/*`. */
const endpointOf = (config: InternalAxiosRequestConfig): string =>
  `${config.method ?? 'get'} ${addressOf(config).replace(VERSION, '').replace(ID, '/*')}`;

export interface StripeOptions extends PresetOptions {
  /** `true` for a sandbox, which takes 25 requests a second in all and not 100. Default `false`. */
  readonly sandbox?: boolean | undefined;
}

/**
 * Stripe. Every POST has an idempotency key, so it is repeated as a GET is: on 409, 5xx and lost connections, unless `Stripe-Should-Retry`
 * says otherwise. An object that another request has locked is tried again without a pause for the other calls.
 *
 * @example
 * attach(client, stripe({ sandbox: true }));
 */
export const stripe = definePreset<StripeOptions>(({ sandbox }) => ({
  name: 'stripe',
  options: ['sandbox'],
  statuses: { 409: 'retry', '5xx': 'retry' },
  rules: [
    ...serverSays('stripe-should-retry', SDK),
    { status: 429, code: 'lock_timeout', means: 'refused', why: 'the object is locked', source: LIMITS },
    { status: 400, code: 'rate_limit', means: 'throttled', source: SDK_ERRORS },
  ],
  limits: [
    { requests: sandbox ? 25 : 100, perMs: 1_000, source: LIMITS },
    { requests: 25, perMs: 1_000, bucket: endpointOf, source: LIMITS },
  ],
  idempotency: { header: 'Idempotency-Key', methods: ['post'] },
  ids: ['request-id'],
  source: [SDK, KEYS],
}));
