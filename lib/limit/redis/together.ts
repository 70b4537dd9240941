import type { RedisClient } from '../../redis-client/client.ts';
import { refusalOf, unexpectedReply } from '../../redis-client/refusal.ts';
import { RedisScripts } from '../../redis-client/scripts.ts';
import type { Clock } from '../../time/clock.ts';

/** So many at most are carried out in one go: Redis does nothing else meanwhile, and each takes it some 10 µs. */
const MOST = 64;

interface Asked {
  readonly script: string;
  readonly keys: readonly string[];
  readonly args: readonly string[];
  resolve(reply: readonly string[]): void;
  reject(reason: unknown): void;
}

const byClient = new WeakMap<RedisClient, TogetherScripts>();

/**
 * What is asked of one client in one turn of the event loop goes in one script, whichever limiters and buckets it is for: a send under two
 * limits costs one round trip. On a Cluster that goes for those whose keys have the same hash tag, since others may be on other nodes.
 */
export class TogetherScripts {
  readonly #scripts: RedisScripts;
  /** By where they are kept. */
  readonly #waiting = new Map<string, Asked[]>();

  private constructor(client: RedisClient, clock: Clock) {
    this.#scripts = new RedisScripts(client, clock);
  }

  /** The one of that client, whoever asks. */
  static of(client: RedisClient, clock: Clock): TogetherScripts {
    const known = byClient.get(client) ?? new TogetherScripts(client, clock);
    byClient.set(client, known);
    return known;
  }

  get isCluster(): boolean {
    return this.#scripts.isCluster;
  }

  /** As `RedisScripts.run`. */
  run(script: string, keys: readonly string[], args: readonly string[]): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      const place = this.isCluster ? hashTagOf(String(keys[0])) : '';
      const waiting = this.#waiting.get(place) ?? [];
      if (waiting.push({ script, keys, args, resolve, reject }) > 1) return;
      this.#waiting.set(place, waiting);
      void Promise.resolve().then(() => {
        this.#waiting.delete(place);
        for (let i = 0; i < waiting.length; i += MOST) this.#ask(waiting.slice(i, i + MOST));
      });
    });
  }

  #ask(asked: readonly Asked[]): void {
    const [first, ...others] = asked as [Asked, ...Asked[]];
    if (others.length === 0) {
      this.#scripts.run(first.script, first.keys, first.args).then(first.resolve, first.reject);
      return;
    }
    const scripts = [...new Set(asked.map(({ script }) => script))].sort();
    const args = asked.flatMap(({ script, keys, args: own }) => [
      ...[scripts.indexOf(script) + 1, keys.length, own.length].map(String),
      ...own,
    ]);
    const keys = asked.flatMap(({ keys: own }) => own);
    this.#scripts.run(together(scripts), keys, args).then(
      (replies) => this.#handOut(asked, replies),
      (error) => {
        for (const { reject } of asked) reject(error);
      },
    );
  }

  #handOut(asked: readonly Asked[], replies: readonly string[]): void {
    let at = 0;
    for (const { resolve, reject } of asked) {
      const count = Number(replies[at]);
      const reply = replies.slice(at + 1, at + 1 + Math.abs(count));
      at += 1 + Math.abs(count);
      if (count > 0) resolve(reply);
      else if (count === -1) reject(failed(String(reply[0]), this.isCluster));
      else reject(unexpectedReply(replies));
    }
  }
}

function failed(message: string, isCluster: boolean): Error {
  const error = new Error(message);
  return refusalOf(error, isCluster) ?? error;
}

/** By which a Cluster chooses the node of a key. */
const hashTagOf = (key: string): string => /\{([^}]+)\}/.exec(key)?.[1] ?? key;

const made = new Map<string, string>();

/** One script that carries out several, each with keys and arguments of its own. One that fails costs the others nothing. */
function together(scripts: readonly string[]): string {
  const name = scripts.join('\n');
  const known = made.get(name);
  if (known !== undefined) return known;
  const script = `
  local scripts = { ${scripts.map((each) => `function(KEYS, ARGV) ${each} end`).join(', ')} }
  local replies, key, arg = {}, 1, 1
  while arg <= #ARGV do
    local keys, args = tonumber(ARGV[arg + 1]), tonumber(ARGV[arg + 2])
    local isDone, reply = pcall(scripts[tonumber(ARGV[arg])],
      { unpack(KEYS, key, key + keys - 1) }, { unpack(ARGV, arg + 3, arg + 2 + args) })
    if not isDone then reply = { type(reply) == 'table' and reply.err or tostring(reply) } end
    replies[#replies + 1] = tostring(isDone and #reply or -1)
    for _, text in ipairs(reply) do replies[#replies + 1] = text end
    key, arg = key + keys, arg + 3 + args
  end
  return replies
`;
  made.set(name, script);
  return script;
}
