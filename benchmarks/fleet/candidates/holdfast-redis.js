import { Cluster, Redis } from 'ioredis';
import { attach } from '../../../dist/index.js';
import { redisLimiter } from '../../../dist/redis.js';
import { fleetOf } from '../fleet-of.js';

export const setup = fleetOf(import.meta.url);

export async function equip(client, { quota, redisPort, clusterPorts, id }) {
  const host = '127.0.0.1';
  const redis = clusterPorts ? new Cluster(clusterPorts.map((port) => ({ host, port }))) : new Redis(redisPort, host);
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
