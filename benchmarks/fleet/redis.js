/** A redis-server on a free port of 127.0.0.1, without a disk; and a Cluster of some. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { Redis } from 'ioredis';

export async function startRedis(more = []) {
  const port = await freePort();
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', '/tmp'];
  const child = spawn('redis-server', [...options, ...more], { stdio: 'ignore' });
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

const SLOTS = 16_384;

/** So many masters with an equal part of the slots each, and no replicas. */
export async function startCluster(masters) {
  const folder = await mkdtemp(join(tmpdir(), 'redis-cluster-'));
  const nodes = await Promise.all(
    Array.from({ length: masters }, async (_, i) => {
      const busPort = await freePort();
      const files = ['--cluster-enabled', 'yes', '--cluster-config-file', join(folder, `${i}.conf`)];
      const redis = await startRedis([...files, '--cluster-port', `${busPort}`]);
      return { ...redis, busPort, client: new Redis(redis.port, '127.0.0.1') };
    }),
  );
  const [first, ...others] = nodes;
  const from = (i) => Math.round((i * SLOTS) / masters);
  for (const [i, { client }] of nodes.entries()) {
    await client.cluster('SET-CONFIG-EPOCH', i + 1);
    await client.call('CLUSTER', 'ADDSLOTSRANGE', from(i), from(i + 1) - 1);
  }
  for (const { port, busPort } of others) await first.client.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort);
  for (const { client } of nodes) {
    while (!(await client.cluster('INFO')).includes('cluster_state:ok')) await after(50);
    client.disconnect();
  }
  return {
    ports: nodes.map(({ port }) => port),
    async close() {
      for (const node of nodes) await node.close();
      await rm(folder, { recursive: true });
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
