/** A program that uses every entry: it must compile, and what is wrong in it must not. */
import axios, { type AxiosError } from 'axios';
import {
  attach,
  credentials,
  type Failure,
  failureOf,
  localLimiter,
  mergePolicies,
  type Policy,
  reportOf,
} from 'axios-holdfast';
import * as retryNames from 'axios-holdfast/axios-retry';
import axiosRetry, {
  type IAxiosRetryConfig,
  type IAxiosRetryConfigExtended,
  type IAxiosRetryReturn,
  isNetworkOrIdempotentRequestError,
} from 'axios-holdfast/axios-retry';
import { bottleneckLimiter } from 'axios-holdfast/bottleneck';
import { instrument } from 'axios-holdfast/otel';
import { type RedisClient, redisLimiter, redisTokenStore } from 'axios-holdfast/redis';
import { attachForTest, manualClock, type Scripted, scripted, withoutWaits } from 'axios-holdfast/testing';
import { webTokenStore } from 'axios-holdfast/web';
import Bottleneck from 'bottleneck';

declare const redis: RedisClient;

const policy: Policy = {
  deadlineMs: undefined,
  retry: { maxRetries: 2, backoff: ({ retry, random }) => retry * random() },
  limit: [localLimiter({ requests: 5, perMs: 1_000 }), redisLimiter({ redis, requests: 50, perMs: 1_000 })],
  auth: credentials({
    token: () => 't',
    refresh: async ({ http }) => (await http.post<{ token: string }>('/token')).data.token,
    apply: (headers, { value }) => void headers.set('X-Token', value).delete('Cookie'),
    store: redisTokenStore({ redis, key: 'k' }),
  }),
};
export const client = axios.create({ holdfast: policy });
export const holdfast = attach(client, mergePolicies(policy, { limit: bottleneckLimiter(new Bottleneck()) }));
export const stop: () => void = instrument(holdfast);
export const off: () => void = holdfast.on('finished', ({ report }) => report.elapsedMs.toFixed());
export const failure: Failure | undefined = failureOf(1);
export const sends: number | undefined = reportOf(1)?.sends.length;
export const store = webTokenStore({ key: 'k' });

// As programs have it that come from axios-retry.
declare module 'axios' {
  interface AxiosRequestConfig {
    'axios-retry'?: IAxiosRetryConfigExtended;
  }
}
axiosRetry(axios);
axiosRetry(axios.create(), { retries: 3, retryCondition: isNetworkOrIdempotentRequestError });
retryNames.default(axios.create(), { ...retryNames.DEFAULT_OPTIONS, retryDelay: axiosRetry.linearDelay() });
const retryOptions: IAxiosRetryConfig = {
  retryCondition: async (error: AxiosError) => axiosRetry.isNetworkError(error) || error.response?.status === 409,
  retryDelay: (...about) => axiosRetry.exponentialDelay(...about, 500),
  onRetry: async (count, error, { headers, 'axios-retry': state }) => {
    if (headers) headers['X-Retry'] = count;
    if (state) state.retries = Number(state.retryCount) + Number(error.config?.['axios-retry']?.lastRequestTime);
  },
  validateResponse: ({ status, data }) => status < 300 && data.ok,
};
export const ids: IAxiosRetryReturn = axiosRetry(axios.create({ 'axios-retry': { retries: 1 } }), retryOptions);
axios.interceptors.request.eject(ids.requestInterceptorId);
axios.get('/x', { [retryNames.namespace]: { retries: 0, validateResponse: null } });

const api: Scripted = scripted({
  '/orders/*': ({ headers }) => (headers.a ? 200 : { status: 503, delayMs: 5 }),
  'GET /': [200],
});
export const test = attachForTest(axios.create({ adapter: api }), withoutWaits(policy), { clock: manualClock() });

client.get('/x', { holdfast: { retry: { maxRetries: 0 } } });
// @ts-expect-error there is no such option
client.get('/x', { holdfast: { retry: { maxRetry: 2 } } });
// @ts-expect-error there is no such option
attach(client, { retry: { maxRetry: 2 } });
// @ts-expect-error there is no such header's method
attach(client, { auth: { token: () => 't', refresh: () => 't', apply: (headers) => headers.sett('X', '1') } });
// @ts-expect-error a route has a slash
scripted({ orders: 200 });
