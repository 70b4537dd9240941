/** Checked by `tsc --noEmit` alone: what must compile does, and what must not stands under `@ts-expect-error`. */
import axios, { type AxiosRequestConfig, type InternalAxiosRequestConfig } from 'axios';
import {
  attach,
  type BudgetOptions,
  type Credentials,
  credentials,
  type EventName,
  type Failure,
  failureOf,
  type IdempotencyOptions,
  mergePolicies,
  type Policy,
  type PollOptions,
  type PreparedPolicy,
  preparePolicy,
  type Report,
  type RetryAfterOptions,
  type RetryOptions,
  reportOf,
  type TokenStore,
} from 'axios-holdfast';

/** The options that can not be given as `undefined`, which `exactOptionalPropertyTypes` tells from leaving them out. */
type Deaf<T> = { [K in keyof T]-?: { [P in K]: undefined } extends Pick<T, K> ? never : K }[keyof T];
type Listens = NonNullable<Policy['on']>;

const everyOptionTakesUndefined: [
  Deaf<Policy>,
  Deaf<RetryOptions>,
  Deaf<RetryAfterOptions>,
  Deaf<BudgetOptions>,
  Deaf<IdempotencyOptions>,
  Deaf<PollOptions>,
  Deaf<Listens>,
] extends [never, never, never, never, never, never, never]
  ? true
  : false = true;
void everyOptionTakesUndefined;

// The test above can fail.
const deafIsFound: Deaf<{ readonly a?: number; readonly b?: number | undefined }> = 'a';
void deafIsFound;

const client = axios.create({ holdfast: { retry: false } });

attach(client);
attach(axios, {});
attach(client, undefined);
attach(client, { retry: { maxRetries: undefined, budget: undefined }, statuses: { 500: undefined }, on: undefined });
attach(client, {
  retry: {
    backoff: ({ retry, verdict, previousMs, random }) => retry + previousMs * random() + (verdict.retryAfterMs ?? 0),
  },
  statuses: { 500: 'retry', 409: 'fail', 403: 'refresh' },
  classify: ({ outcome, call, api }) =>
    outcome.response?.status === 200 && api?.code === 'throttled' && call.sends < 3 ? { kind: 'throttled' } : undefined,
  beforeSend: [({ config, send }) => void config.headers.set('X-Send', String(send)), async () => {}],
  on: {
    'retry-scheduled': ({ delayMs, retry }) => delayMs + retry,
    finished: [({ report }) => void report.sends, ({ endedBecause }) => void endedBecause],
  },
});
attach(client, { statuses: { 202: 'pending', '20x': 'pending' }, poll: false });
attach(client, { poll: { intervalMs: 500, maxMs: Number.POSITIVE_INFINITY }, classify: () => ({ kind: 'pending' }) });
attach(client, {
  beforeSend: [({ send }) => (send > 3 ? false : undefined), async ({ last }) => (last?.error ? false : undefined)],
  retry: {
    onRetry: async ({ config, retry, delayMs, send }) => void config.headers.set('X-Retry', retry + delayMs + send),
    onGiveUp: [
      ({ endedBecause, response, verdict }) => void [endedBecause, response?.status, verdict?.kind],
      async () => {},
    ],
  },
});
// @ts-expect-error true does not stop it
attach(client, { beforeSend: () => true });
// A judge as one writes it at first.
attach(client, { classify: ({ status }) => (status === 403 ? { kind: 'throttled' } : undefined) });
attach(client, {
  classify: ({ status, error, response, headers, data, api, call, outcome, retryAfterMs }) => {
    if (status === 409 || error?.code === 'ECONNRESET' || error?.response?.status === 502)
      return { kind: 'transient', reason: error?.message };
    if (axios.isAxiosError(error) && error.config?.url === '/') return { kind: 'permanent' };
    if (data?.code === 'BUSY' || data.errors[0].code === 'BUSY') return { kind: 'throttled', retryAfterMs: 1_000 };
    if (headers.get('x-should-retry') === 'true' || headers['x-should-retry'] === 'true') return { kind: 'transient' };
    if (response?.headers['x-a'] || response?.data.n) return { kind: 'permanent', reject: true, final: true };
    if (api?.code === 'none' && call.sends > 0 && outcome.response) return { kind: 'success', accept: true };
    return retryAfterMs !== undefined && retryAfterMs > 0 ? { kind: 'transient', unapplied: true } : undefined;
  },
});
attach(client, { classify: async ({ status }) => ((await status) === 403 ? { kind: 'throttled' } : undefined) });
attach(client, { classify: [async () => undefined, () => undefined, () => Promise.resolve({ kind: 'transient' })] });
attach(client, { statuses: { '5xx': 'retry', '52x': 'fail', 610: 'retry', 999: 'refresh' } });
// @ts-expect-error no such range
attach(client, { statuses: { '5XX': 'retry' } });
// @ts-expect-error no such range
attach(client, { statuses: { '0xx': 'retry' } });
// @ts-expect-error a promise of no verdict
attach(client, { classify: async () => true });

const frozen = Object.freeze({ retry: Object.freeze({ maxRetries: 3 }), classify: Object.freeze([() => undefined]) });
attach(client, frozen);
attach(client, mergePolicies({ retry: false }, frozen, {}));
attach(client, attach(axios.create()).policy);

// @ts-expect-error unknown
attach(client, { retires: {} });
// @ts-expect-error unknown, within a group
attach(client, { retry: { retries: 3 } });
// @ts-expect-error unknown, two groups deep
attach(client, { retry: { budget: { size: 3 } } });
// @ts-expect-error true is no policy of a group
attach(client, { retry: true });
// @ts-expect-error a rule that does not exist
attach(client, { statuses: { 500: 'maybe' } });
// @ts-expect-error a status is a number
attach(client, { statuses: { teapot: 'retry' } });
// @ts-expect-error not one of the words
attach(client, { retry: { unsafe: 'sometimes' } });
// @ts-expect-error no such event
attach(client, { on: { finish: () => {} } });
// @ts-expect-error a judge gives a verdict or nothing
attach(client, { classify: () => 'retry' });
// @ts-expect-error no such verdict
attach(client, { classify: () => ({ kind: 'retry' }) });
// @ts-expect-error a key is text
attach(client, { retry: { budget: { key: () => 7 } } });
// @ts-expect-error null is an opinion, and a wrong one
attach(client, { retry: null });
// @ts-expect-error no axios instance
attach({}, {});

// A call's own policy, on every kind of request.
const perCall: AxiosRequestConfig = { holdfast: { retry: { maxRetries: 5 }, deadlineMs: undefined } };
void client.get('/', perCall);
void client.get('/', { holdfast: false });
void client.get('/', { holdfast: undefined });
void client.post('/', {}, { holdfast: { idempotency: {} } });
void client.request({ url: '/', holdfast: { statuses: { 500: 'retry' } } });
client.defaults.holdfast = { retry: { maxRetries: 1 } };
client.interceptors.request.use((config: InternalAxiosRequestConfig) => {
  config.holdfast = false;
  return config;
});
// @ts-expect-error true is no policy
void client.get('/', { holdfast: true });
// @ts-expect-error unknown
void client.get('/', { holdfast: { retires: {} } });
// @ts-expect-error unknown, within a group
void client.post('/', {}, { holdfast: { retry: { retries: 3 } } });
// @ts-expect-error unknown, in the defaults
axios.create({ holdfast: { retry: { retries: 3 } } });

// What comes out can be read but not written.
const attachment = attach(client);
const off: () => void = attachment.on('answered', ({ status, code }) => void [status, code]);
off();
// @ts-expect-error no such event
attachment.on('answer', () => {});
// @ts-expect-error of another event
attachment.on('sent', ({ delayMs }) => delayMs);
// @ts-expect-error frozen
attachment.policy.deadlineMs = 1;
// @ts-expect-error frozen
attachment.policy.retry = false;
// @ts-expect-error frozen, within
if (attachment.policy.retry) attachment.policy.retry.maxRetries = 9;
// @ts-expect-error a snapshot
attachment.stats().calls = 1;
const name: EventName = 'budget-empty';
void name;

const session: Credentials = credentials({ refresh: async () => {}, save: async (token) => void token.value });
attach(axios.create(), { auth: session });
attach(axios.create(), { auth: { refresh: async () => 'token', origins: 'any' } });
const storage = new Map<string, string>();
const getItem = (name: string): string | null => storage.get(name) ?? null;
attach(axios.create(), { auth: { token: () => getItem('token'), refresh: async () => 'token' } });
attach(axios.create(), { auth: { token: async () => getItem('token'), refresh: async () => 'token' } });
const keepsNothing: TokenStore = {
  refresh: async (_key, generation, refresh) => ({ ...(await refresh()), generation }),
};
attach(axios.create(), { auth: { token: () => undefined, refresh: async ({ token }) => token, store: keepsNothing } });
// @ts-expect-error nothing else is said of all origins
attach(axios.create(), { auth: { refresh: async () => {}, origins: 'all' } });
// @ts-expect-error without it there is nothing to be had
credentials({ token: () => 'token' });

const prepared: PreparedPolicy = preparePolicy({ deadlineMs: 500, on: { sent: ({ call }) => void call.id } });
attach(axios.create({ holdfast: prepared }), prepared);
void axios.get('/', { holdfast: prepared });
const merged: Policy = mergePolicies(prepared, { retry: false }, undefined, prepared);
void merged;
// @ts-expect-error no such option
void axios.get('/', { holdfast: { deadline: 500 } });
// @ts-expect-error no such option
void axios.get('/', { holdfast: { retry: { maxRetrys: 1 } } });
// @ts-expect-error prepared already
preparePolicy(prepared);
// @ts-expect-error frozen
prepared.policy = {};

const failure: Failure | undefined = failureOf(new Error('x') as unknown);
const report: Report | undefined = reportOf(undefined);
// @ts-expect-error it may be no failure of a call
void failure.summary;
// @ts-expect-error it may be no call
void report.sends;
if (failure !== undefined) {
  const kinds: { readonly [K in Failure['kind']]: true } = {
    throttled: true,
    unavailable: true,
    pending: true,
    unauthorized: true,
    rejected: true,
    network: true,
    timeout: true,
    local: true,
    cancelled: true,
    limited: true,
    'circuit-open': true,
    'refresh-failed': true,
  };
  const ends: { readonly [R in Failure['endedBecause']]: true } = {
    'not-retryable': true,
    'retries-exhausted': true,
    'budget-empty': true,
    deadline: true,
    'wait-too-long': true,
    'unsafe-method': true,
    'body-not-replayable': true,
    'refresh-failed': true,
    'still-unauthorized': true,
    cancelled: true,
    limited: true,
    'circuit-open': true,
    disabled: true,
    'still-pending': true,
    stopped: true,
  };
  void [kinds[failure.kind], ends[failure.endedBecause]];
  // @ts-expect-error frozen
  failure.summary = 'fine';
}

// As storages give it: where there is nothing they say null.
attach(axios.create(), {
  auth: { token: () => localStorage.getItem('token'), refresh: async () => 'new', origins: 'any' },
});
