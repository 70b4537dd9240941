import type { InternalAxiosRequestConfig } from 'axios';
import { addressOf } from '../call/address.ts';
import type { Verdict } from '../call/verdict.ts';
import type { Classifier } from '../classify/options.ts';
import type { ApiError } from '../failure/api-error.ts';
import { retryHintMs } from '../failure/retry-hint.ts';
import type { Policy } from '../policy/options.ts';

/** What `partnerApi` is given. All of it may be left out. */
export interface PartnerApiOptions {
  /**
   * `true` follows the older edition of the API's documents: a 502 is not retried, a 503 or 504 only where the answer has a Retry-After.
   * Default `false`.
   */
  readonly strict?: boolean | undefined;
  /**
   * `true` for the REST family: the idempotency key goes into `client-request-id` and the correlation id into `request-id`. By default
   * (`false`) they go into `MS-RequestId` and `MS-CorrelationId`.
   */
  readonly rest?: boolean | undefined;
  /**
   * The partner tenant that a call is made for, or a function that says it of a call: the API throttles each tenant by itself. It becomes a
   * part of the keys of budget and limit, which events show, so never give a secret. Default: all calls are of one tenant.
   */
  readonly tenant?: string | ((config: InternalAxiosRequestConfig) => string) | undefined;
}

/** The wait for a subscription that is not ready yet, in ms, where the answer names none. */
const NOT_READY_MS = 5_000;

const permanent = (reason: string): Verdict => ({ kind: 'permanent', reason });
const transient = (reason: string): Verdict => ({ kind: 'transient', reason });

/** What a status together with a code in the body means, where that differs from the status alone. */
const BODY_CODES: { readonly [statusAndCode: string]: Verdict } = {
  '401 900421': permanent('multi-factor authentication required'),
  '403 900308': permanent('privileges missing'),
  '403 900309': permanent('conditional access'),
  '403 900329': permanent('wrong kind of token'),
  '409 800064': transient('being processed by another request'),
  '409 900104': transient('being processed by another request'),
  '409 800082': { ...transient('subscription not ready'), retryAfterMs: NOT_READY_MS },
  '409 800060': permanent('order already in progress'),
  '409 900278': permanent('pending for 24 hours'),
  '400 2055': permanent('precondition failed: the ETag is no longer valid'),
  '412 800036': permanent('precondition failed'),
  '417 800036': permanent('precondition failed'),
  '500 800003': transient('service error'),
  '500 900135': transient('service error'),
  '500 900192': transient('service error'),
};

/**
 * A policy for the APIs of the Partner API family, by their documents:
 * - some codes in a body decide what a status means: a 409 with 800064 is retried, another 409 is not;
 * - a request id on every call makes a repeat idempotent; a correlation id is the same on all sends of a call;
 * - budget and limit are kept for each API, partner tenant and customer tenant. The limits are not published, so they are learnt.
 *
 * It has no `auth`: lay your own policy over it. A 401 with the code 900421 (multi-factor authentication is required) never refreshes,
 * whatever `auth` says.
 *
 * @example
 * attach(client, mergePolicies(partnerApi({ tenant: 'contoso' }), { auth: { token, refresh }, deadlineMs: 60_000 }));
 */
export function partnerApi({ strict, rest, tenant }: PartnerApiOptions = {}): Policy {
  const key = (config: InternalAxiosRequestConfig) => bucketOf(config, tenant);
  return {
    // In `statuses` and not by a judge: a judge would go before the `statuses` of a policy that is laid over this one.
    statuses: strict ? { 502: 'fail' } : undefined,
    classify: strict ? [byBodyCode, byOlderEdition, byGateway] : [byBodyCode, byGateway],
    // By the documents: the same id until a response comes, a new one after each.
    idempotency: {
      header: rest ? 'client-request-id' : 'MS-RequestId',
      methods: ['get', 'head', 'options', 'post', 'put', 'patch', 'delete'],
      renew: 'after-response',
    },
    correlation: { header: rest ? 'request-id' : 'MS-CorrelationId' },
    retry: { budget: { key } },
    // The limits are not published and change, so they have to be learnt.
    limit: { adaptive: true, key },
  };
}

const byBodyCode: Classifier = ({ status, api, retryAfterMs }) => {
  // From the outer error to the innermost one: the last code that stands in the table counts.
  let known: Verdict | undefined;
  for (let at: ApiError | undefined = api; at !== undefined; at = at.inner) {
    const verdict = BODY_CODES[`${status} ${at.code}`];
    // But what must not be repeated is not repeated, whatever an inner error says.
    if (verdict?.kind === 'permanent') return verdict;
    known = verdict ?? known;
  }
  return known && retryAfterMs !== undefined ? { ...known, retryAfterMs } : known;
};

/** The gateway before the API names the wait in a sentence of the body, and sometimes nowhere else. */
const byGateway: Classifier = ({ status, api, retryAfterMs }) => {
  if (status !== 429 || retryAfterMs !== undefined) return undefined;
  const hint = api && retryHintMs(api);
  return hint === undefined ? undefined : { kind: 'throttled', retryAfterMs: hint };
};

const byOlderEdition: Classifier = ({ status, retryAfterMs }) => {
  const unnamed = (status === 503 || status === 504) && retryAfterMs === undefined;
  return unnamed ? permanent('the answer does not say when to come back') : undefined;
};

/** Origin and first segment of the path, which tells one API of a host from another: `https://api.example.com/v1`. */
const API = /^(?:[a-z][a-z\d+.-]*:\/\/[^/]*)?(?:\/[^/]+)?/i;
const CUSTOMER = /\/(customers\/[^/]+)/i;

/** The API throttles by API and partner tenant; below `/customers/<id>`, by that customer tenant too. */
function bucketOf(config: InternalAxiosRequestConfig, tenant: PartnerApiOptions['tenant']): string {
  const address = addressOf(config);
  const partner = typeof tenant === 'function' ? tenant(config) : tenant;
  return [API.exec(address)?.[0], partner, CUSTOMER.exec(address)?.[1]].filter(Boolean).join(' ');
}
