type Callback = (error: { message?: unknown } | null | undefined, replies: unknown) => void;

interface ScriptedConnection {
  __scriptArgs__?: (name: string, id: string, args: unknown, callback: Callback) => unknown;
  readonly limiters?: { readonly [channel: string]: { queued(): number } | undefined };
}

const LOST = 'SETTINGS_KEY_NOT_FOUND';
const UNKNOWN = 'UNKNOWN_CLIENT';
const repaired = new WeakSet<object>();

/**
 * Bottleneck knows two errors of its scripts by their whole text, and makes its keys anew then. Since version 7 Redis writes
 * `ERR ` in front, so after a flush every job would fail for ever. Here such a text is cut down to what Bottleneck knows, in the
 * one function through which a connection's answers come.
 */
export function understandRedis7(bottleneck: object): void {
  const { connection } = bottleneck as { connection?: ScriptedConnection | null };
  const scriptArgs = connection?.__scriptArgs__;
  if (!connection || typeof scriptArgs !== 'function' || repaired.has(connection)) return;
  repaired.add(connection);
  connection.__scriptArgs__ = (name, id, args, callback) =>
    scriptArgs.call(connection, name, id, args, (error, replies) => {
      const known = /^(?:ERR )?(SETTINGS_KEY_NOT_FOUND|UNKNOWN_CLIENT|OVERWEIGHT:[^ ]+)/.exec(String(error?.message));
      if (error && known) {
        const [, text] = known;
        // The heartbeat would leave the keys lost, since an idle limiter needs none; but nothing else wakes those who wait.
        const isWaitedFor = name === 'heartbeat' && Number(connection.limiters?.[`b_${id}`]?.queued()) > 0;
        error.message = text === LOST && isWaitedFor ? UNKNOWN : text;
      }
      callback(error, replies);
    });
}
