import type { InternalAxiosRequestConfig } from 'axios';
import { addressOf } from '../call/address.ts';
import type { Evidence } from '../classify/options.ts';
import { retryHintMs } from '../failure/retry-hint.ts';
import { definePreset, type PresetOptions, type PresetRule } from './define-preset.ts';

/** What `partnerApi` is given. All of it may be left out. */
export interface PartnerApiOptions extends PresetOptions {
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
  readonly tenant?: PresetOptions['account'];
}

/** The wait for what is not ready yet, in ms, where the answer names none. */
const NOT_READY_MS = 5_000;

const CODES = 'https://learn.microsoft.com/partner-center/developer/error-codes';
const THROTTLING = 'https://learn.microsoft.com/partner-center/developer/api-throttling-guidance';
const HEADERS = 'https://learn.microsoft.com/partner-center/developer/headers';

/** Status and codes, what becomes of them, the words for it, and the wait. */
type Row = readonly [status: number, codes: string, means: PresetRule['means'], why: string, waitMs?: number];

const ROWS: readonly Row[] = [
  [401, '900421', 'fail', 'multi-factor authentication required'],
  [401, '900420', 'fail', 'the audience of the token is retired'],
  [403, '900308', 'fail', 'privileges missing'],
  [403, '900309', 'fail', 'conditional access'],
  [403, '900329', 'fail', 'wrong kind of token'],
  [403, '900130 900226', 'retry', 'not ready yet', NOT_READY_MS],
  [403, '800073 800074', 'fail', 'the account is under review, which takes days'],
  [403, '900416', 'fail', 'locked, for days'],
  [404, '400019', 'fail', 'read the availability again'],
  [404, '20000', 'fail', 'an order may be invisible for 15 minutes'],
  [400, '2055', 'fail', 'precondition failed: the ETag is no longer valid'],
  [400, '900216', 'retry', 'being processed by another request'],
  [400, '900261 800082', 'retry', 'not ready yet', NOT_READY_MS],
  [409, '800064 900104', 'retry', 'being processed by another request'],
  [409, '800082', 'retry', 'subscription not ready', NOT_READY_MS],
  [409, '800060', 'fail', 'order already in progress'],
  [409, '900278', 'fail', 'pending for 24 hours'],
  [409, '800014 900101 900109 900112 900113 900114 27009', 'fail', 'a conflict that stays'],
  [412, '800036', 'fail', 'precondition failed'],
  [417, '800036', 'fail', 'precondition failed'],
  [500, '800003 900135 900192', 'retry', 'service error'],
  [500, '800005 900103 800094 800031 800083 800084 800087', 'fail', 'a service error that stays'],
];

const ruleOf = ([status, codes, means, why, waitMs]: Row): PresetRule => ({
  status,
  code: codes.split(' '),
  means,
  why,
  waitMs,
  source: CODES,
});

/** A success whose body is an error. Only one that may be it is parsed. */
const UNAVAILABLE: PresetRule = {
  status: 200,
  when: ({ response }) => typeof response?.data === 'string' && response.data.includes('400072'),
  code: '400072',
  means: 'fail',
  why: 'the item is not available',
  source: CODES,
};

/** Asynchronous operations: a 202 with a Location, and what is not ready, as Azure utilization. */
const NOT_YET: PresetRule = { status: 204, header: { 'retry-after': true }, means: 'pending', source: THROTTLING };

const OLDER_EDITION: PresetRule = {
  status: [503, 504],
  when: ({ retryAfterMs }) => retryAfterMs === undefined,
  means: 'fail',
  why: 'the answer does not say when to come back',
  source: CODES,
};

const RULES = [...ROWS.map(ruleOf), UNAVAILABLE, NOT_YET];

/**
 * A policy for the APIs of the Partner API family, by their documents:
 * - some codes in a body decide what a status means: a 409 with 800064 is retried, another 409 is not;
 * - a 202 with a Location is polled, and a 204 with Retry-After is asked again;
 * - a request id on every call makes a repeat idempotent; a correlation id is the same on all sends of a call;
 * - budgets are kept for each API, partner tenant and customer tenant; limits besides for each group of operations, reads and writes apart.
 *   The limits are not published, so they are learnt.
 *
 * It has no `auth`: lay your own policy over it. A 401 with the code 900421 (multi-factor authentication is required) or 900420 (the audience
 * is retired) never refreshes, whatever `auth` says.
 *
 * @example
 * attach(client, mergePolicies(partnerApi({ tenant: 'contoso' }), { auth: { token, refresh }, deadlineMs: 60_000 }));
 */
export const partnerApi = definePreset<PartnerApiOptions>(({ strict, rest, tenant }) => ({
  name: 'partnerApi',
  options: ['strict', 'rest', 'tenant'],
  // In `statuses` and not by a rule: a rule would go before the `statuses` of a policy that is laid over this one.
  statuses: { 202: 'pending', ...(strict && { 502: 'fail' }) },
  rules: strict ? [...RULES, OLDER_EDITION] : RULES,
  // The gateway before the API names the wait in a sentence of the body, and sometimes nowhere else.
  waits: [secondsInSentence],
  // By the documents: the same id until a response comes, a new one after each.
  idempotency: {
    header: rest ? 'client-request-id' : 'MS-RequestId',
    methods: ['get', 'head', 'options', 'post', 'put', 'patch', 'delete'],
    renew: 'after-response',
  },
  correlation: rest ? 'request-id' : 'MS-CorrelationId',
  ids: ['MS-CV', 'MS-ServerId'],
  account: tenant,
  api: (config) => API.exec(addressOf(config))?.[0] ?? '',
  budget: (config) => CUSTOMER.exec(addressOf(config))?.[1] ?? '',
  // The limits are not published and change, so they have to be learnt.
  limits: [{ adaptive: true, bucket: operationOf, source: THROTTLING }],
  source: [CODES, HEADERS],
}));

function secondsInSentence({ api }: Evidence): number | undefined {
  const ms = api && retryHintMs(api);
  return ms === undefined ? undefined : ms / 1_000;
}

/** Origin and first segment of the path, which tells one API of a host from another: `https://api.example.com/v1`. */
const API = /^(?:[a-z][a-z\d+.-]*:\/\/[^/]*)?(?:\/[^/]+)?/i;
const CUSTOMER = /\/(customers\/[^/]+)/i;
/** What comes after the customer, or after the API. */
const GROUP = /(?:\/customers\/[^/]+|^(?:[a-z][a-z\d+.-]*:\/\/[^/]*)?\/[^/]+)\/([^/]+)/i;

/** The customer, the group of operations, and whether it only reads: writes are throttled sooner. */
function operationOf(config: InternalAxiosRequestConfig): string {
  const address = addressOf(config);
  const kind = /^(?:get|head|options)$/i.test(config.method ?? 'get') ? 'read' : 'write';
  return [CUSTOMER.exec(address)?.[1], GROUP.exec(address)?.[1], kind].filter(Boolean).join(' ');
}
