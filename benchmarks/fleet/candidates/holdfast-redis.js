import { Redis } from 'ioredis';
import { attach } from '../../../dist/index.js';
import { redisLimiter } from '../../../dist/redis.js';
import { fleetOf } from '../fleet-of.js';

export const setup = fleetOf(import.meta.url);

export async function equip(client, { quota, redisPort, id }) {
  const redis = new Redis(redisPort, '127.0.0.1');
  await redis.ping();
  const limit = redisLimiter({ redis, ...quota, prefix: id });
  const holdfast = attach(client, { limit });
  return {
    async close() {
      holdfast.detach();
      await limit.close();
      redis.disconnect();
    },
  };
}
