import Bottleneck from 'bottleneck';
import { Redis } from 'ioredis';
import { permitsOf } from '../permits-of.js';

export const setup = permitsOf(import.meta.url);

export async function open({ redisPort, id }) {
  const limiter = new Bottleneck({
    id,
    datastore: 'ioredis',
    Redis,
    clientOptions: { host: '127.0.0.1', port: redisPort },
    reservoir: 1e9,
    reservoirRefreshAmount: 1e9,
    reservoirRefreshInterval: 1_000,
  });
  limiter.on('error', (error) => console.error(error));
  await limiter.ready();
  return {
    permit: () => limiter.schedule(nothing),
    close: () => limiter.disconnect(false),
  };
}

async function nothing() {}
