import { A_REDIS_CLIENT, isRedisClient, type RedisClient } from '../../redis-client/client.ts';
import { RedisRefusal, unexpectedReply } from '../../redis-client/refusal.ts';
import { RedisScripts } from '../../redis-client/scripts.ts';
import { randomId, systemClock, systemRandom } from '../../time/clock.ts';
import { sleep } from '../../time/sleep.ts';
import { answerOf } from '../../time/with-timeout.ts';
import type { StoredToken, Token, TokenStore } from '../options.ts';
import { tokenOf } from '../token.ts';

export interface RedisTokenStoreOptions {
  /** Your own client, which stays open: of ioredis 5 or 6, or of node-redis 5 or 6, for one node or for a Cluster. */
  readonly redis: RedisClient;
  /**
   * Names the session in Redis, together with `auth.key`. Whoever has the same two names shares a token, so one of the two must
   * differ from user to user, or tenant to tenant. Not empty, without braces.
   */
  readonly key: string;
  /**
   * How long the others wait for a process that died while it refreshed, in whole ms. A living one prolongs its lock, so this may be
   * shorter than a refresh takes. Keep it below `auth.refreshTimeoutMs`, or those who wait give up before they can take over. From 1,000;
   * default 10,000.
   */
  readonly lockMs?: number | undefined;
  /**
   * What happens while Redis cannot be reached: `'local'` (default) has the process refresh on its own; `'closed'` refuses the refresh,
   * with a `TokenRefreshError`: take that where a refresh token can be used once, and its second use ends the session of all.
   *
   * A Redis that answers and refuses (a right is missing, something else lies under the key, replies are not as it gives them) has not
   * been lost: whatever this says, nothing is refreshed.
   */
  readonly onStoreLoss?: 'local' | 'closed' | undefined;
}

/** How long Redis may take for one command, in ms, before this process goes on alone. */
const ANSWER_MS = 1_000;
/** How often somebody else's refresh is looked at, in ms: after this time, or up to twice this. */
const LOOK_MS = 20;

// Scripts, so that looking and acting are one step. Expiry goes by the clock of Redis: those of the processes differ. An answer may be
// lost and the script be sent again, so each gives the same answer when it finds its own work done.

const RECORD = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local function record()
    local found = redis.call('HMGET', KEYS[1], 'generation', 'token', 'expiresAt')
    local left = found[3] and string.format('%.0f', found[3] - now) or ''
    return found[1] or '0', found[2] or '', left
  end
`;

/** Gives a newer token that has not expired; else the lock, or `wait` where somebody has it. */
const TAKE = `${RECORD}
  local owner, known, lockMs = ARGV[1], tonumber(ARGV[2]), ARGV[3]
  local generation, token, left = record()
  if tonumber(generation) > known and (left == '' or tonumber(left) > 0) then
    return { 'newer', generation, token, left }
  end
  if redis.call('GET', KEYS[2]) == owner or redis.call('SET', KEYS[2], owner, 'NX', 'PX', lockMs) then
    return { 'yours', generation, token, left }
  end
  return { 'wait', '0', '', '' }
`;

/**
 * Keeps a token, gives the lock back, and tells which token is kept then. A process that stalled until its lock ran out keeps nothing
 * where there is a newer token, or where somebody else has the lock by now.
 */
const SAVE = `${RECORD}
  local owner, generation, token, livesMs = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
  local holder = redis.call('GET', KEYS[2])
  local current = redis.call('HGET', KEYS[1], 'generation') or '0'
  if (not holder or holder == owner) and tonumber(generation) > tonumber(current) then
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[1], 'generation', generation, 'token', token)
    if livesMs ~= '' then redis.call('HSET', KEYS[1], 'expiresAt', string.format('%.0f', now + livesMs)) end
  end
  if holder == owner then redis.call('DEL', KEYS[2]) end
  return { 'kept', record() }
`;

const READ = `${RECORD} return { 'kept', record() }`;
const PROLONG = `if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('PEXPIRE', KEYS[2], ARGV[2]) end return {}`;
const RELEASE = `if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end return {}`;

interface Reply {
  readonly kind: string;
  readonly stored: StoredToken | undefined;
}

/**
 * Makes one refresh do for a fleet: the processes that share a Redis and a `key` share the refreshed token.
 *
 * The first that needs another token takes a lock and refreshes; the others look for its token every 20 to 40 ms. (To publish it would
 * take a second connection in each process, and they would have to look all the same: a message can be lost.)
 *
 * A token is kept as plain JSON, with all its fields, and stays there: protect that Redis as you protect the tokens. Give tokens an
 * `expiresAt`, or a process that starts tomorrow tries today's.
 *
 * Where refresh tokens rotate, return the next one as the token's `refreshToken`, and take it from the `token` that `refresh` is told:
 * that is the newest of the fleet, also in a process that has just started.
 *
 * Where Redis gives an error, or no answer within 1 s, the process refreshes on its own, or not at all (`onStoreLoss`), and the event
 * `store-lost` tells of it.
 *
 * @throws {TypeError} when an option is wrong
 *
 * @example
 * const store = redisTokenStore({ redis: new Redis('redis://redis.example.com:6379'), key: 'contoso' });
 * attach(client, {
 *   auth: {
 *     token: () => first, // { value, expiresAt, refreshToken } of the sign-in
 *     refresh: ({ token, http }) => renew(http, token.refreshToken),
 *     store,
 *   },
 * });
 */
export function redisTokenStore(options: RedisTokenStoreOptions): TokenStore & Required<Pick<TokenStore, 'read'>> {
  const { redis, key: name, lockMs = 10_000, onStoreLoss = 'local' } = options;
  if (!isRedisClient(redis)) throw new TypeError(`redis must be ${A_REDIS_CLIENT}`);
  if (typeof name !== 'string' || name === '' || /[{}]/.test(name)) {
    throw new TypeError('key must be a non-empty string without braces');
  }
  if (!(lockMs >= 1_000 && Number.isSafeInteger(lockMs))) {
    throw new TypeError('lockMs must be a whole number of at least 1,000');
  }
  if (!['local', 'closed'].includes(onStoreLoss)) throw new TypeError("onStoreLoss must be 'local' or 'closed'");
  const scripts = new RedisScripts(redis, systemClock);

  /** In braces, so that a cluster keeps both keys on one node. */
  const run = (script: string, key: string, ...args: string[]): Promise<readonly string[]> => {
    const place = `{${name}:${encodeURIComponent(key)}}`;
    return scripts.run(script, [`${place}:token`, `${place}:lock`], args);
  };

  /** Asks for the lock. One that is granted when we wait no longer is given back. */
  const take = async (key: string, owner: string, generation: number): Promise<Reply> => {
    const taken = run(TAKE, key, owner, String(generation), String(lockMs)).then(replyOf);
    try {
      return await answered(taken);
    } catch (error) {
      taken.then(({ kind }) => (kind === 'yours' ? run(RELEASE, key, owner) : undefined)).catch(() => {});
      throw error;
    }
  };

  const prolongUntil = (done: Promise<unknown>, key: string, owner: string): void => {
    let stop = () => {};
    const beat = () => {
      stop = systemClock.after(lockMs / 3, () => {
        run(PROLONG, key, owner, String(lockMs)).catch(() => {});
        beat();
      });
    };
    beat();
    const end = () => stop();
    done.then(end, end);
  };

  /** The token is good whether it can be kept or not, so nothing here may look like a failed refresh. */
  const keep = async (
    key: string,
    owner: string,
    token: Token,
    generation: number,
    lost: (error: unknown) => void,
  ): Promise<StoredToken> => {
    const { expiresAt, ...rest } = token;
    const save = async () => {
      const livesMs = expiresAt === undefined ? 0 : Math.round(expiresAt - systemClock.wall());
      const lives = livesMs > 0 ? String(livesMs) : '';
      return replyOf(await answered(run(SAVE, key, owner, String(generation), JSON.stringify(rest), lives)));
    };
    try {
      const { stored } = await save();
      // Somebody else has the lock by now: what they will keep has to count as newer than this.
      if (stored === undefined || stored.generation < generation) return { ...token, generation: generation - 1 };
      return stored.value === token.value ? { ...token, generation } : stored;
    } catch (error) {
      lost(error);
      void keepTrying(save, lockMs, onStoreLoss === 'closed');
      return { ...token, generation };
    }
  };

  return {
    read: async (key) => replyOf(await answered(run(READ, key))).stored,

    async refresh(key, generation, refresh, { signal, lost = () => {} } = {}) {
      const owner = randomId();
      let reply: Reply;
      try {
        for (;;) {
          reply = await take(key, owner, generation);
          if (reply.kind !== 'wait' || signal?.aborted) break;
          await sleep(LOOK_MS * (1 + systemRandom()), systemClock);
        }
      } catch (error) {
        lost(error);
        if (onStoreLoss === 'closed' || error instanceof RedisRefusal) throw refused(error);
        return { ...(await refresh()), generation };
      }
      const { kind, stored } = reply;
      if (kind === 'wait') throw signal?.reason;
      if (kind === 'newer' && stored !== undefined) return stored;
      const known = stored?.generation ?? 0;
      const refreshing = refresh(known > generation ? stored : undefined);
      prolongUntil(refreshing, key, owner);
      let token: Token;
      try {
        token = await refreshing;
      } catch (error) {
        await answered(run(RELEASE, key, owner)).catch(() => {});
        throw error;
      }
      return keep(key, owner, token, Math.max(known, generation) + 1, lost);
    },
  };
}

/**
 * @throws {RedisRefusal} when the reply is of another form
 * @throws {TypeError} when something else has been kept under our key
 */
function replyOf(reply: readonly string[]): Reply {
  const [kind, generation, token, left, ...more] = reply;
  const isWhole = kind !== undefined && token !== undefined && left !== undefined && more.length === 0;
  if (!isWhole || !/^\d+$/.test(generation ?? '') || !/^(?:-?\d+)?$/.test(left)) throw unexpectedReply(reply);
  if (token === '') return { kind, stored: undefined };
  const stored = { ...tokenOf(JSON.parse(token), 'the token store'), generation: Number(generation) };
  return { kind, stored: left === '' ? stored : { ...stored, expiresAt: systemClock.wall() + Number(left) } };
}

function refused(error: unknown): Error {
  const why = error instanceof Error ? error.message : String(error);
  const what =
    error instanceof RedisRefusal
      ? 'Redis refuses what the token store asks, so nothing is refreshed'
      : "onStoreLoss of the token store is 'closed', and Redis is lost";
  return new Error(`${what}: ${why}`, { cause: error });
}

/** Rejects when Redis takes too long: a client that has no connection keeps commands back, for minutes if need be. */
const answered = <T>(answer: Promise<T>): Promise<T> =>
  answerOf('Redis', answer, { ms: ANSWER_MS, clock: systemClock });

/**
 * The others wait while the lock lasts. If the token is kept by then, they need not refresh with a refresh token that is used up. `forEver`:
 * nor do they afterwards, as long as Redis is lost; then it does not keep the process alive any longer.
 */
async function keepTrying(save: () => Promise<unknown>, lockMs: number, forEver: boolean): Promise<void> {
  const until = systemClock.now() + lockMs;
  const { after, meanwhile = after } = systemClock;
  for (;;) {
    const isLocked = systemClock.now() < until;
    if (!isLocked && !forEver) return;
    const ms = LOOK_MS * 10 * (1 + systemRandom());
    await new Promise<void>((resolve) => void (isLocked ? after : meanwhile)(ms, resolve));
    try {
      await save();
      return;
    } catch {
      // `lost` has been told already.
    }
  }
}
