/** Four worker processes, one quota, one Redis: together they keep 100 requests in any second. It needs redis-server. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import axios from 'axios';
import { attach } from 'axios-holdfast';
import { redisLimiter } from 'axios-holdfast/redis';
import { Redis } from 'ioredis';
import { startPartnerApi } from './partner-api/server.ts';
import { startRedis } from './redis.ts';

const { REDIS_PORT, API_URL } = process.env;
if (REDIS_PORT !== undefined && API_URL !== undefined) await work(Number(REDIS_PORT), API_URL);
else await lead();

/** What each worker does. The lines on the limit are all that a fleet needs. */
async function work(port: number, url: string): Promise<void> {
  const redis = new Redis({ host: '127.0.0.1', port });
  const limit = redisLimiter({ redis, requests: 100, perMs: 1_000 });
  const client = axios.create({ baseURL: url, timeout: 10_000 });
  attach(client, { limit, on: { 'store-lost': ({ code }) => console.error('Redis is lost', code) } });

  await Promise.all(Array.from({ length: 50 }, () => client.get('/v1/customers')));
  await limit.close();
  redis.disconnect();
  process.disconnect();
}

async function lead(): Promise<void> {
  const redis = await startRedis();
  const server = await startPartnerApi({ quota: { requests: 100, perMs: 1_000 } });
  const env = { ...process.env, REDIS_PORT: String(redis.port), API_URL: server.url };
  const beganAt = performance.now();
  const workers = Array.from({ length: 4 }, () => fork(fileURLToPath(import.meta.url), { env }));
  const codes = await Promise.all(workers.map(async (worker) => (await once(worker, 'exit'))[0]));

  const seconds = (performance.now() - beganAt) / 1_000;
  const { requests, byStatus } = server.counters;
  console.log(
    `4 workers made ${requests} requests in ${seconds.toFixed(1)} s, ${byStatus['429'] ?? 0} of them refused`,
  );
  process.exitCode = codes.every((code) => code === 0) ? 0 : 1;
  await Promise.all([server.close(), redis.close()]);
}
