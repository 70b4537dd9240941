/** One process of a fleet that shares a limit: calls in a closed loop from `start` to `stop`, and tells what came of it. */
import axios from 'axios';
import { attach, failureOf } from 'axios-holdfast';
import { Redis } from 'ioredis';
import { redisLimiterWith } from '../../lib/limit/redis/redis-limiter.ts';
import { systemClock } from '../../lib/time/clock.ts';

const { API = '', REDIS_PORT = '', LIMIT = '{}', NAME = '', SKEW_MS = '0', WORKERS = '8' } = process.env;
const redis = new Redis({ port: Number(REDIS_PORT), host: '127.0.0.1', retryStrategy: () => 100 });
redis.on('error', () => {});

const skewMs = Number(SKEW_MS);
const clock = { ...systemClock, now: () => systemClock.now() + skewMs };
const client = axios.create({ baseURL: API, headers: { 'X-Client': NAME } });
const limit = redisLimiterWith(clock, { redis, acquireTimeoutMs: 500, ...JSON.parse(LIMIT) });
const holdfast = attach(client, { limit, retry: { maxRetries: 20 } });

let running = false;
const counted = { done: 0, failed: [] as string[], lost: 0, longestMs: 0, lastAt: 0 };
holdfast.on('store-lost', () => {
  counted.lost += 1;
});

async function work(): Promise<void> {
  while (running) {
    const begun = performance.now();
    try {
      await client.get('/');
      counted.done += 1;
      counted.lastAt = Date.now();
    } catch (error) {
      counted.failed.push(failureOf(error)?.summary ?? String(error));
    }
    counted.longestMs = Math.max(counted.longestMs, performance.now() - begun);
  }
}

process.on('message', async (message: 'start' | 'stop' | 'count') => {
  if (message === 'stop') running = false;
  if (message === 'start') {
    running = true;
    await Promise.all(Array.from({ length: Number(WORKERS) }, work));
  }
  const event = message === 'start' ? 'stopped' : message;
  process.send?.({ event, ...counted });
});
process.on('disconnect', () => process.exit());
process.send?.({ event: 'ready' });
