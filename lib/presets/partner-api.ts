import type { InternalAxiosRequestConfig } from 'axios';
import { addressOf } from '../call/address.ts';
import type { Verdict } from '../call/verdict.ts';
import type { Classifier } from '../classify/options.ts';
import type { ApiError } from '../failure/api-error.ts';
import { retryHintMs } from '../failure/retry-hint.ts';
import type { Policy } from '../policy/options.ts';

export interface PartnerApiOptions {
  /**
   * `true` follows the older edition of the documents, which stated what may be retried: 502 is not, 503 and 504 only where the
   * answer says when (Retry-After). Default `false`.
   */
  readonly strict?: boolean | undefined;
  /** `true` for the REST family, which names the two ids `client-request-id` and `request-id`. Default `false`. */
  readonly rest?: boolean | undefined;
  /**
   * The partner tenant that a call is made for, since throttling is per tenant; it becomes part of the key of budget and limit,
   * so never give a secret. Default: one for all.
   */
  readonly tenant?: string | ((config: InternalAxiosRequestConfig) => string) | undefined;
}

/** How long a subscription that is not ready yet is left alone, in ms, where the answer names no time. */
const NOT_READY_MS = 5_000;

const permanent = (reason: string): Verdict => ({ kind: 'permanent', reason });
const transient = (reason: string): Verdict => ({ kind: 'transient', reason });

/** Body codes that say more than the status they come with. */
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
 * The policy for the Partner API family, by its documents: body codes that override a status, ids that make a repeat
 * idempotent, and a budget and a learnt limit per API, partner tenant and customer tenant. Lay your own over it:
 * `mergePolicies(partnerApi(), mine)`.
 *
 * A 401 with code 900421 never refreshes, whatever `auth` says: it is judged to be permanent, so that the preset need not know
 * where your tokens come from.
 */
export function partnerApi({ strict, rest, tenant }: PartnerApiOptions = {}): Policy {
  const key = (config: InternalAxiosRequestConfig) => bucketOf(config, tenant);
  return {
    // As a status where a status says it all, since a judge would go before the statuses of whoever lays theirs over it.
    statuses: strict ? { 502: 'fail' } : undefined,
    classify: strict ? [byBodyCode, byOlderEdition, byGateway] : [byBodyCode, byGateway],
    // The documents: the same id while no response has come, a new one after any.
    idempotency: {
      header: rest ? 'client-request-id' : 'MS-RequestId',
      methods: ['get', 'head', 'options', 'post', 'put', 'patch', 'delete'],
      renew: 'after-response',
    },
    correlation: { header: rest ? 'request-id' : 'MS-CorrelationId' },
    retry: { budget: { key } },
    // Limits are unpublished and change, so they have to be learnt.
    limit: { adaptive: true, key },
  };
}

const byBodyCode: Classifier = ({ status, api, retryAfterMs }) => {
  // From the outside in, the most detailed code that is known here counts.
  let known: Verdict | undefined;
  for (let at: ApiError | undefined = api; at !== undefined; at = at.inner) {
    const verdict = BODY_CODES[`${status} ${at.code}`];
    // What must never be repeated must not, whatever else is said beside it.
    if (verdict?.kind === 'permanent') return verdict;
    known = verdict ?? known;
  }
  return known && retryAfterMs !== undefined ? { ...known, retryAfterMs } : known;
};

/** The gateway that stands before the API says how long to wait in a sentence, sometimes there alone. */
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

/** Throttling is per API and partner tenant, and within a customer's resources per customer tenant as well. */
function bucketOf(config: InternalAxiosRequestConfig, tenant: PartnerApiOptions['tenant']): string {
  const address = addressOf(config);
  const partner = typeof tenant === 'function' ? tenant(config) : tenant;
  return [API.exec(address)?.[0], partner, CUSTOMER.exec(address)?.[1]].filter(Boolean).join(' ');
}
