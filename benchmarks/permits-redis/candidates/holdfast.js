import { Redis } from 'ioredis';
import { redisLimiter } from '../../../dist/redis.js';
import { permitsOf } from '../permits-of.js';

export const setup = permitsOf(import.meta.url);

export function open({ redisPort, id }) {
  const redis = new Redis(redisPort, '127.0.0.1');
  // Without Redis it would go on by itself, at another price: so whatever is lost is a failure here.
  const limiter = redisLimiter({
    redis,
    requests: 1e9,
    perMs: 1_000,
    burst: 1_000_000,
    prefix: id,
    onStoreLoss: 'closed',
  });
  return {
    async permit() {
      const acquired = limiter.acquire({ key: 'https://api.example' });
      const permit = acquired instanceof Promise ? await acquired : acquired;
      permit.release();
    },
    async close() {
      await limiter.close();
      redis.disconnect();
    },
  };
}
