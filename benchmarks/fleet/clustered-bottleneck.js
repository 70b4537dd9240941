/** Bottleneck in front of bare axios: each call is a job, and the processes share their count in Redis. */
import Bottleneck from 'bottleneck';
import { Redis } from 'ioredis';

export async function clusteredBottleneck(client, { redisPort, id }, options) {
  const limiter = new Bottleneck({
    id,
    datastore: 'ioredis',
    Redis,
    clientOptions: { host: '127.0.0.1', port: redisPort },
    ...options,
  });
  limiter.on('error', (error) => console.error(error));
  await limiter.ready();
  return {
    call: (signal) => limiter.schedule(() => client.get('/', { signal })),
    async close() {
      limiter.stop({ dropWaitingJobs: true }).catch(() => {});
      await limiter.disconnect(false);
    },
  };
}
