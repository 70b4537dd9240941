/** A program that uses every entry: it must compile, and what is wrong in it must not. */
import axios from 'axios';
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
import axiosRetry, { isNetworkOrIdempotentRequestError } from 'axios-holdfast/axios-retry';
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
axiosRetry(axios.create(), { retries: 3, retryCondition: isNetworkOrIdempotentRequestError });

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
