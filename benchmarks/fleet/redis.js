/** A redis-server on a free port of 127.0.0.1, without a disk. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';

export async function startRedis() {
  const port = await freePort();
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', '/tmp'];
  const child = spawn('redis-server', options, { stdio: 'ignore' });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`redis-server ended with code ${code}; see whether it is installed`);
  });
  ended.catch(() => {});
  process.once('exit', () => child.kill('SIGKILL'));
  await Promise.race([answering(port), ended]);
  return {
    port,
    async close() {
      child.kill('SIGKILL');
      await ended.catch(() => {});
    },
  };
}

async function answering(port) {
  const redis = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50, maxRetriesPerRequest: null });
  redis.on('error', () => {});
  try {
    await redis.ping();
  } finally {
    redis.disconnect();
  }
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}
