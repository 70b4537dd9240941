/** What is needed of a client as ioredis has it: a `Redis`, a `Cluster`, or a few lines of your own over another client. */
export interface IoredisLike {
  eval(script: string, keyCount: number, ...keysThenArguments: string[]): Promise<unknown>;
  /** Where it is missing, each command carries the whole script. */
  evalsha?(sha: string, keyCount: number, ...keysThenArguments: string[]): Promise<unknown>;
}

interface KeysAndArguments {
  keys: string[];
  arguments: string[];
}

/** What is needed of a client as node-redis (the package `redis`) has it: a client, a cluster, a pool, a sentinel. */
export interface NodeRedisLike {
  eval(script: string, given: KeysAndArguments): Promise<unknown>;
  evalSha(sha: string, given: KeysAndArguments): Promise<unknown>;
}

/**
 * A Redis client. It stays its owner's, and open. Replies are to be handed over as Redis gives them: one that makes numbers or objects of
 * strings is told so.
 */
export type RedisClient = IoredisLike | NodeRedisLike;

export const isRedisClient = (value: unknown): value is RedisClient =>
  typeof (value as Partial<RedisClient> | null | undefined)?.eval === 'function';

/** For whoever gives something else. */
export const A_REDIS_CLIENT = 'a client of ioredis or node-redis, or one with eval() and evalsha() as those of ioredis';

/** How a script is carried out, whatever the client. */
export interface Commands {
  eval(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  readonly evalsha: Commands['eval'] | undefined;
  /** It follows MOVED, and one node may be lost while others answer. */
  readonly isCluster: boolean;
  /** Drops its connection, where it makes another by itself: behind the same name there may be another node by now. */
  readonly reconnect: (() => void) | undefined;
}

export const commandsOf = (client: RedisClient): Commands =>
  isNodeRedis(client) ? commandsOfNodeRedis(client) : commandsOfIoredis(client);

const isNodeRedis = (client: RedisClient): client is NodeRedisLike =>
  typeof (client as Partial<NodeRedisLike>).evalSha === 'function';

/** What an ioredis `Redis` has besides. */
interface Ioredis extends IoredisLike {
  readonly isCluster?: boolean;
  readonly options?: { readonly retryStrategy?: unknown };
  disconnect?(reconnect: boolean): void;
}

function commandsOfIoredis(client: Ioredis): Commands {
  const { isCluster = false } = client;
  const reconnects = !isCluster && typeof client.options?.retryStrategy === 'function';
  return {
    eval: (script, keys, args) => client.eval(script, keys.length, ...keys, ...args),
    evalsha:
      client.evalsha && ((sha, keys, args) => Promise.resolve(client.evalsha?.(sha, keys.length, ...keys, ...args))),
    isCluster,
    // As its own `reconnectOnError` does.
    reconnect: reconnects ? () => client.disconnect?.(true) : undefined,
  };
}

/** What a single client of node-redis has besides. */
interface NodeRedis extends NodeRedisLike {
  readonly socketEpoch?: number;
  /** Of a cluster. */
  readonly masters?: unknown;
  sendCommand?(command: string[]): Promise<unknown>;
  listenerCount?(event: string): number;
}

function commandsOfNodeRedis(client: NodeRedis): Commands {
  return {
    eval: (script, keys, args) => client.eval(script, { keys: [...keys], arguments: [...args] }),
    evalsha: (sha, keys, args) => client.evalSha(sha, { keys: [...keys], arguments: [...args] }),
    isCluster: client.masters !== undefined,
    reconnect: client.socketEpoch === undefined ? undefined : () => quit(client),
  };
}

/**
 * Has the server close the connection, which every user may: the client takes that for a lost one and makes another. It tells of it by an
 * event 'error', which ends the process where nobody listens: then nothing is done.
 */
function quit(client: NodeRedis): void {
  if (client.listenerCount?.('error')) client.sendCommand?.(['QUIT']).catch(() => {});
}
