import { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { permitsOf } from '../permits-of.js';

export const setup = permitsOf(import.meta.url);

/** It counts only: there is nothing to give back. */
export function open({ redisPort, id }) {
  const redis = new Redis(redisPort, '127.0.0.1');
  const limiter = new RateLimiterRedis({ storeClient: redis, keyPrefix: id, points: 1e9, duration: 1 });
  return {
    permit: () => limiter.consume('https://api.example'),
    close: () => redis.disconnect(),
  };
}
