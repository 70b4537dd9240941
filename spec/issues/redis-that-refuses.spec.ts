import { readFileSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';
import axios from 'axios';
import { attach, failureOf, type Limiter } from 'axios-holdfast';
import {
  type IoredisLike,
  type RedisClient,
  type RedisLimiterOptions,
  redisLimiter,
  redisTokenStore,
} from 'axios-holdfast/redis';
import { Redis } from 'ioredis';
import * as nodeRedis5 from 'redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { attached, rejectionOf, status } from '../support/attached.ts';
import { json, loopback } from '../support/loopback.ts';
import { noRedis, type RedisServer, redisClient, redisServer } from '../support/redis-server.ts';

/**
 * A Redis that answers and refuses is not down, and does not come back by itself: where every process took that for an outage, each
 * would use the whole quota, or the one refresh token, for ever.
 */

const page = readFileSync(new URL('../../docs/fleets.md', import.meta.url), 'utf8');

/** The next major version, by another name; see the specs of single clients. */
const nodeRedis6: typeof nodeRedis5 = await import('redis-6' as string);

/** How Redis says that a right is missing: to whoever calls, and within a script (up to 7.0, and since). */
const REFUSED = /NOPERM|can't run this command|ACL failure/;

/** The rights that docs/fleets.md lists, without the name of the user and the password. */
function rightsOf(user: string): readonly string[] {
  const [, rights = ''] = new RegExp(`^ACL SETUSER ${user} on >password (.+)$`, 'm').exec(page) ?? [];
  return rights.split(' ');
}

let server: RedisServer;
let admin: Redis;
beforeAll(async () => {
  if (noRedis !== undefined) return;
  server = await redisServer();
  admin = redisClient(server.port);
});
afterAll(async () => {
  admin?.disconnect();
  await server?.kill();
});
beforeEach(async () => void (await admin?.flushall()));

const LOGIN = { username: 'app', password: 'password' };

/** A client of a user with these rights and no others; by default of ioredis. */
async function user(...rights: readonly string[]): Promise<Redis> {
  await admin.call('ACL', 'SETUSER', 'app', 'reset', 'on', '>password', ...rights);
  await admin.call('ACL', 'LOG', 'RESET');
  // It would ask for INFO, and go on with a warning.
  const redis = new Redis({ port: server.port, host: '127.0.0.1', ...LOGIN, enableReadyCheck: false });
  redis.on('error', () => {});
  onTestFinished(() => redis.disconnect());
  return redis;
}

async function ofNodeRedis({ createClient }: typeof nodeRedis5, ...rights: readonly string[]) {
  await user(...rights);
  const client = createClient({ socket: { port: server.port, host: '127.0.0.1' }, ...LOGIN });
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.destroy());
  return client;
}

const CLIENTS: readonly [string, (...rights: readonly string[]) => Promise<RedisClient>][] = [
  ['ioredis', user],
  ['node-redis 5', (...rights) => ofNodeRedis(nodeRedis5, ...rights)],
  ['node-redis 6', (...rights) => ofNodeRedis(nodeRedis6, ...rights)],
];

/** What the server has refused to anybody. */
const refusedByAcl = async () => (await admin.call('ACL', 'LOG')) as unknown[];

function make(redis: RedisLimiterOptions['redis'], options: Omit<RedisLimiterOptions, 'redis'> = {}): Limiter {
  const limiter = redisLimiter({ redis, requests: 100, perMs: 1_000, acquireTimeoutMs: 30_000, ...options });
  onTestFinished(() => limiter.close());
  return limiter;
}
const take = async (limiter: Limiter, key = 'k') => (await limiter.acquire({ key })).release();
const refusalOf = (limiter: Limiter, key = 'k') => rejectionOf(take(limiter, key));

describe.skipIf(noRedis !== undefined)('a user with the rights that docs/fleets.md lists', () => {
  it.each(CLIENTS)('can share a limit with the client of %s', async (_name, connected) => {
    const limiter = make(await connected(...rightsOf('limits')), { onStoreLoss: 'closed' });
    for (let i = 0; i < 3; i++) await take(limiter);
    expect(await refusedByAcl()).toEqual([]);
  });

  it.each([false, true])('can share a limit, whatever happens to it; adaptive: %s', async (adaptive) => {
    const limiter = make(await user(...rightsOf('limits')), { adaptive, onStoreLoss: 'closed' });
    for (let i = 0; i < 3; i++) await take(limiter);
    (await limiter.acquire({ key: 'k' })).drop?.();
    const refused = await limiter.acquire({ key: 'k' });
    refused.answered?.({ throttled: true, untilAt: Date.now() + 50 });
    refused.release();
    const probe = await limiter.acquire({ key: 'k' });
    probe.answered?.({ throttled: false });
    probe.release();
    await take(limiter);
    expect(await refusedByAcl()).toEqual([]);
  });

  it('can share a token, whatever happens to it', async () => {
    const redis = await user(...rightsOf('tokens'));
    const store = redisTokenStore({ redis, key: 'orders:contoso', lockMs: 1_000, onStoreLoss: 'closed' });
    const slow = async () => {
      await after(400); // longer than until the lock is prolonged
      return { value: 'one', expiresAt: Date.now() + 60_000 };
    };
    expect(await store.refresh('a', 0, slow)).toMatchObject({ value: 'one', generation: 1 });
    await rejectionOf(store.refresh('a', 1, () => Promise.reject(new Error('invalid_grant'))));
    expect(await store.read('a')).toMatchObject({ value: 'one' });
    expect(await refusedByAcl()).toEqual([]);
  });

  const needed = (name: string) => rightsOf(name).filter((right) => right.startsWith('+'));

  it.each(needed('limits'))('needs each of them for a limit: %s', async (right) => {
    const limiter = make(await user(...rightsOf('limits'), right.replace('+', '-')));
    // One of the first, which go in full, or one of those that go by a digest.
    await vi.waitFor(async () => {
      expect(await refusalOf(limiter)).toMatchObject({
        code: 'ERR_LIMIT_WAIT_TOO_LONG',
        message: expect.stringMatching(REFUSED),
      });
    });
  });

  it('has no right to SCRIPT, and to nobody else’s keys', () => {
    for (const name of ['limits', 'tokens']) {
      expect(rightsOf(name).join(' ')).not.toMatch(/script|all|@|~\*/);
    }
  });
});

describe.skipIf(noRedis !== undefined)('a limiter whose Redis refuses', () => {
  it.each(['local', 'open', 'closed'] as const)(
    'sends nothing, says why, and goes on when it is allowed to; onStoreLoss: %s',
    async (onStoreLoss) => {
      const redis = await user('~*', '+@all', '-evalsha', '-eval');
      const lost = vi.fn();
      const { client, server: api } = await attached(status(200), {
        limit: make(redis, { onStoreLoss }),
        on: { 'store-lost': lost },
      });
      for (let i = 0; i < 20; i++) {
        const failure = failureOf(await rejectionOf(client.get('/')));
        expect(failure).toMatchObject({ kind: 'limited', endedBecause: 'limited' });
        expect(failure?.summary).toMatch(/Redis refuses what the limiter asks, so nothing is sent: NOPERM/);
      }
      expect(api.seen).toHaveLength(0);
      expect(lost).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'NOPERM' }));
      await admin.call('ACL', 'SETUSER', 'app', '+eval', '+evalsha');
      await vi.waitFor(async () => expect((await client.get('/')).status).toBe(200), { interval: 50 });
    },
  );

  it.each<[string, () => Promise<IoredisLike>, RegExp]>([
    ['the keys', () => user('~other:*', '+@all'), /NOPERM/],
    ['a command within the script', () => user('~*', '+@all', '-zadd'), REFUSED],
    ['whoever gives no password', () => locked(), /NOAUTH/],
    ['whoever gives a wrong password', () => locked('wrong'), /WRONGPASS/],
    ['scripts', () => without('EVAL', 'EVALSHA'), /unknown command/],
  ])('treats them alike: a Redis that refuses %s', async (_what, refusing, words) => {
    const limiter = make(await refusing());
    const lost = vi.fn();
    limiter.onStoreLost?.(lost);
    for (let i = 0; i < 5; i++) {
      expect(await refusalOf(limiter)).toMatchObject({
        code: 'ERR_LIMIT_WAIT_TOO_LONG',
        message: expect.stringMatching(words),
      });
    }
    expect(lost).toHaveBeenCalledTimes(1);
  });

  it('refuses one bucket alone where something that is not ours lies under its keys', async () => {
    await admin.set('holdfast:limit:{string}:slots', 'x');
    await admin.set('holdfast:limit:{members}:members', 'x');
    await admin.hset('holdfast:limit:{fields}:slots', '0:1000', 'not a number', 'until', 'nor this');
    const limiter = make(admin);
    expect(await refusalOf(limiter, 'string')).toMatchObject({ message: expect.stringContaining('WRONGTYPE') });
    expect(await refusalOf(limiter, 'members')).toMatchObject({ message: expect.stringContaining('WRONGTYPE') });
    expect(await refusalOf(limiter, 'fields')).toMatchObject({ message: expect.stringContaining('user_script') });
    await take(limiter, 'good');
  });

  it('tells of the refusal that comes after an outage, and of no other', async () => {
    const own = await redisServer(['--requirepass', 'secret']);
    onTestFinished(() => own.kill());
    const redis = new Redis({ port: own.port, host: '127.0.0.1', retryStrategy: () => 50 });
    redis.on('error', () => {});
    onTestFinished(() => redis.disconnect());
    await own.kill();
    const limiter = make(redis, { acquireTimeoutMs: 100 });
    const lost = vi.fn();
    limiter.onStoreLost?.(lost);
    await take(limiter);
    await own.start();
    await vi.waitFor(
      async () => expect(await refusalOf(limiter)).toMatchObject({ message: expect.stringContaining('NOAUTH') }),
      {
        interval: 50,
      },
    );
    await vi.waitFor(async () => expect(await refusalOf(limiter)).toBeInstanceOf(Error), { interval: 50 });
    expect(lost).toHaveBeenCalledTimes(2);
  });

  it('goes on alone where it only cannot be served now', async () => {
    const passing: IoredisLike = {
      eval: () => Promise.reject(new Error('LOADING Redis is loading the dataset in memory')),
    };
    const limiter = make(passing);
    const lost = vi.fn();
    const holdfast = attach(axios.create(), { limit: limiter, on: { 'store-lost': lost } });
    for (let i = 0; i < 5; i++) await take(limiter);
    expect(lost.mock.calls).toEqual([[{ key: expect.any(String), code: 'LOADING' }]]);
    await holdfast.close();
  });
});

/** A client over another that makes values of strings, as those over HTTP do. */
const parsing: IoredisLike = {
  eval: async (script, count, ...rest) => parsed(await admin.eval(script, count, ...rest)),
};
const parsed = (reply: unknown) =>
  (reply as string[]).map((text) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return text;
    }
  });

describe.skipIf(noRedis !== undefined)('a client that parses replies', () => {
  it.each([false, true])('is told so by a limiter, which sends nothing; adaptive: %s', async (adaptive) => {
    const limiter = make(parsing, { adaptive });
    for (let i = 0; i < 3; i++) {
      expect(await refusalOf(limiter)).toMatchObject({ message: expect.stringMatching(/must not parse them/) });
    }
  });

  it('is told so by a token store, which refreshes nothing, and shows no token', async () => {
    await redisTokenStore({ redis: admin, key: 'app' }).refresh('a', 0, async () => ({
      value: 't0ken',
      refreshToken: 'r1',
    }));
    const refresh = vi.fn(async () => ({ value: 'two' }));
    const store = redisTokenStore({ redis: parsing, key: 'app' });
    const error = (await rejectionOf(store.refresh('a', 0, refresh))) as Error;
    expect(error.message).toMatch(/so nothing is refreshed: Redis gave an unexpected reply.*must not parse them/);
    expect(error.message).not.toContain('t0ken');
    expect(refresh).not.toHaveBeenCalled();
  });
});

describe.skipIf(noRedis !== undefined)('a token store whose Redis refuses', () => {
  it.each(['local', 'closed'] as const)(
    'refreshes in no process, and says why; onStoreLoss: %s',
    async (onStoreLoss) => {
      const redis = await user('~*', '+@all', '-eval', '-evalsha');
      const api = await loopback((_request, response) => json(response, 401));
      onTestFinished(() => api.close());
      const refresh = vi.fn(async () => 'A1');
      const lost = vi.fn();
      const client = axios.create({ baseURL: api.url });
      attach(client, {
        auth: { token: () => 'A0', refresh, store: redisTokenStore({ redis, key: 'app', onStoreLoss }) },
        on: { 'store-lost': lost },
      });
      const error = await rejectionOf(client.get('/'));
      expect(error).toMatchObject({
        code: 'ERR_TOKEN_REFRESH',
        cause: {
          message: expect.stringMatching(/^Redis refuses what the token store asks, so nothing is refreshed: NOPERM/),
        },
        response: { status: 401 },
      });
      expect(refresh).not.toHaveBeenCalled();
      expect(lost).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'NOPERM' }));
    },
  );
});

async function locked(password?: string): Promise<Redis> {
  const own = await redisServer(['--requirepass', 'secret']);
  const redis = new Redis({
    port: own.port,
    host: '127.0.0.1',
    retryStrategy: () => 50,
    ...(password && { password }),
  });
  redis.on('error', () => {});
  onTestFinished(async () => {
    redis.disconnect();
    await own.kill();
  });
  return redis;
}

async function without(...commands: readonly string[]): Promise<Redis> {
  const own = await redisServer(commands.flatMap((command) => ['--rename-command', command, '']));
  const redis = redisClient(own.port);
  onTestFinished(async () => {
    redis.disconnect();
    await own.kill();
  });
  return redis;
}
