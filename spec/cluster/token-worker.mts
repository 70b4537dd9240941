/** One process of a fleet: makes calls when it is told to, and tells what came of them. */
import axios from 'axios';
import { attach } from 'axios-holdfast';
import { redisTokenStore } from 'axios-holdfast/redis';
import { Redis } from 'ioredis';

const { API = '', REDIS_PORT = '', LOCK_MS = '', ON_STORE_LOSS = 'local' } = process.env;
const redis = new Redis({ port: Number(REDIS_PORT), host: '127.0.0.1', retryStrategy: () => 100 });
redis.on('error', () => {});

const client = axios.create({ baseURL: API });
const holdfast = attach(client, {
  auth: {
    token: () => ({ value: 'expired', refreshToken: 'R0' }),
    refresh: async ({ http, token, signal }) => {
      const { data } = await http.post('/token', token.refreshToken, { signal });
      return { value: data.access, refreshToken: data.refresh, expiresAt: Date.now() + 60_000 };
    },
    store: redisTokenStore({
      redis,
      key: 'fleet',
      lockMs: Number(LOCK_MS),
      onStoreLoss: ON_STORE_LOSS === 'closed' ? 'closed' : 'local',
    }),
  },
});
let lost = 0;
holdfast.on('store-lost', () => {
  lost += 1;
});

process.on('message', async (calls: number) => {
  const begun = Date.now();
  const all = await Promise.allSettled(Array.from({ length: calls }, () => client.get('/v1/customers')));
  const failed = all.flatMap((call) => (call.status === 'rejected' ? [`${call.reason} ${call.reason?.cause}`] : []));
  const { refreshes, replays } = holdfast.stats();
  process.send?.({ event: 'done', failed, refreshes, replays, lost, tookMs: Date.now() - begun });
});
process.on('disconnect', () => process.exit());
process.send?.({ event: 'ready' });
