import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { Cluster, type Redis } from 'ioredis';
import { closedPort } from './closed-port.ts';
import { type RedisServer, redisClient, redisServer } from './redis-server.ts';

/** One redis-server of a Cluster. */
export interface ClusterNode {
  readonly server: RedisServer;
  /** A client of this node alone. */
  readonly client: Redis;
  readonly id: string;
  readonly port: number;
  readonly busPort: number;
}

/** A real Cluster of three masters with a replica each, on free ports of 127.0.0.1. */
export interface RedisCluster {
  readonly nodes: readonly ClusterNode[];
  /** The master of a key, as the nodes that live know it now. */
  masterOf(key: string): Promise<ClusterNode>;
  /** Moves the slot of a key, with what lies in it, to another master, as `redis-cli --cluster reshard` does; gives that master. */
  moveSlotOf(key: string): Promise<ClusterNode>;
  stop(): Promise<void>;
}

const MASTERS = 3;
const SLOTS = 16_384;
/** After how long without a sign of life a node is taken for gone, in ms: a busy machine must not look like a dead one. */
const NODE_TIMEOUT_MS = 2_000;

export async function redisCluster(): Promise<RedisCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-cluster-'));
  const nodes = await Promise.all(Array.from({ length: 2 * MASTERS }, (_, i) => node(join(folder, `${i}.conf`))));
  const stop = async () => {
    for (const { client, server } of nodes) {
      client.disconnect();
      await server.kill();
    }
    await rm(folder, { recursive: true });
  };
  try {
    await introduce(nodes);
  } catch (error) {
    await stop();
    throw error;
  }

  const masterOf = async (key: string): Promise<ClusterNode> => {
    const { client } = nodes.find((each) => each.client.status === 'ready') as ClusterNode;
    const slot = Number(await client.call('CLUSTER', 'KEYSLOT', key));
    const ranges = (await client.call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][];
    const [, , [, , id]] = ranges.find(([first, last]) => first <= slot && slot <= last) as (typeof ranges)[0];
    return nodes.find((each) => each.id === id) as ClusterNode;
  };
  return {
    nodes,
    masterOf,
    async moveSlotOf(key) {
      const from = await masterOf(key);
      const masters = nodes.slice(0, MASTERS);
      const to = masters.find((each) => each !== from) as ClusterNode;
      const slot = String(await from.client.call('CLUSTER', 'KEYSLOT', key));
      await to.client.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
      await from.client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
      const keys = (await from.client.call('CLUSTER', 'GETKEYSINSLOT', slot, '1000')) as string[];
      for (const each of keys) await from.client.call('MIGRATE', '127.0.0.1', `${to.port}`, each, '0', '5000');
      for (const { client } of [to, from]) await client.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
      return to;
    },
    stop,
  };
}

/** A client of the whole Cluster that goes on trying, and whose lack of a server is nobody's error. */
export function clusterClient({ nodes }: RedisCluster): Cluster {
  const client = new Cluster(
    nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
    { clusterRetryStrategy: () => 100 },
  );
  client.on('error', () => {});
  return client;
}

/** @param file where the server keeps what it knows of the others */
async function node(file: string): Promise<ClusterNode> {
  const busPort = await closedPort();
  const server = await redisServer([
    ...['--cluster-enabled', 'yes', '--cluster-config-file', file, '--cluster-port', `${busPort}`],
    ...['--cluster-node-timeout', `${NODE_TIMEOUT_MS}`, '--repl-diskless-sync-delay', '0'],
  ]);
  const client = redisClient(server.port);
  return { server, client, port: server.port, busPort, id: String(await client.call('CLUSTER', 'MYID')) };
}

/** What `redis-cli --cluster create` does, on ports whose bus is anywhere. */
async function introduce(nodes: readonly ClusterNode[]): Promise<void> {
  const [first, ...others] = nodes as [ClusterNode, ...ClusterNode[]];
  const share = Math.ceil(SLOTS / MASTERS);
  for (const [i, { client }] of nodes.entries()) {
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', `${i + 1}`);
    const [from, to] = [i * share, Math.min((i + 1) * share, SLOTS) - 1];
    if (i < MASTERS) await client.call('CLUSTER', 'ADDSLOTSRANGE', `${from}`, `${to}`);
  }
  for (const { port, busPort } of others) {
    await first.client.call('CLUSTER', 'MEET', '127.0.0.1', `${port}`, `${busPort}`);
  }
  for (const [i, { client }] of nodes.slice(MASTERS).entries()) {
    // It refuses as long as it has not heard of the master.
    await until(() => client.call('CLUSTER', 'REPLICATE', `${nodes[i]?.id}`).then(Boolean, () => false));
  }
  for (const { client } of nodes) {
    await until(async () => String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok'));
    const known = async () => (await client.call('CLUSTER', 'SLOTS')) as unknown[][];
    await until(async () => (await known()).every((range) => range.length === 4));
  }
  for (const { client } of nodes.slice(MASTERS)) {
    await until(async () => (await client.info('replication')).includes('master_link_status:up'));
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await after(50);
}
