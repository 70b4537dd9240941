import { setTimeout as after } from 'node:timers/promises';
import axios from 'axios';
import { attach, type Token, type TokenStore } from 'axios-holdfast';
import { type IoredisLike, redisTokenStore } from 'axios-holdfast/redis';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { memoryTokenStore } from '../../../lib/auth/stores/memory.ts';
import { rejectionOf } from '../../support/attached.ts';
import { json, loopback } from '../../support/loopback.ts';
import { noRedis, type RedisServer, redisClient, redisServer } from '../../support/redis-server.ts';
import { unhandledDuring } from '../../support/unhandled.ts';

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  if (noRedis !== undefined) return;
  server = await redisServer();
  redis = redisClient(server.port);
});
afterAll(async () => {
  redis?.disconnect();
  await server?.kill();
});
beforeEach(async () => void (await redis?.flushall()));

const gives = (value: string, more: Partial<Token> = {}) => vi.fn(async () => ({ value, ...more }));
const never = vi.fn(async (): Promise<Token> => {
  throw new Error('nobody should have refreshed');
});

const STORES: readonly [string, () => TokenStore, boolean][] = [
  ['memoryTokenStore', memoryTokenStore, false],
  ['redisTokenStore', () => redisTokenStore({ redis, key: 'app' }), noRedis !== undefined],
];

describe.each(STORES)('the contract of a token store: %s', (_name, make, skipped) => {
  it.skipIf(skipped)('gives what a refresh gives under the next generation, with all its fields', async () => {
    const store = make();
    const expiresAt = Date.now() + 60_000;
    const stored = await store.refresh('a', 0, gives('one', { expiresAt, refreshToken: 'r1' }));
    expect(stored).toEqual({ value: 'one', expiresAt, refreshToken: 'r1', generation: 1 });
    expect(await store.refresh('a', 1, gives('two'))).toEqual({ value: 'two', generation: 2 });
  });

  it.skipIf(skipped)('does not hand out the token of another key', async () => {
    const store = make();
    await store.refresh('a', 0, gives('one'));
    expect(await store.refresh('b', 0, gives('other'))).toMatchObject({ value: 'other', generation: 1 });
  });

  it.skipIf(skipped)('rejects with the error of the refresh, is not lost by it, and can be tried again', async () => {
    const store = make();
    const lost = vi.fn();
    const error = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const refused = store.refresh('a', 0, () => Promise.reject(error), { lost });
    expect(await rejectionOf(refused)).toBe(error);
    expect(lost).not.toHaveBeenCalled();
    expect(await store.refresh('a', 0, gives('one'), { lost })).toMatchObject({ value: 'one', generation: 1 });
  });
});

describe.skipIf(noRedis !== undefined)(redisTokenStore, () => {
  const store = (lockMs = 1_000, client: IoredisLike = redis) => redisTokenStore({ redis: client, key: 'app', lockMs });
  const LOCK = '{app:a}:lock';
  const TOKEN = '{app:a}:token';
  /** A refresh that ends when the test says so. */
  const held = () => {
    let give: (token: Token) => void = () => {};
    let fail: (error: Error) => void = () => {};
    const token = new Promise<Token>((resolve, reject) => {
      give = resolve;
      fail = reject;
    });
    const refresh = vi.fn(() => token);
    return { refresh, give, fail, begun: () => vi.waitFor(() => expect(refresh).toHaveBeenCalled()) };
  };

  it('gives what somebody else has refreshed since, without a refresh', async () => {
    const fleet = store();
    await fleet.refresh('a', 0, gives('one'));
    expect(await fleet.refresh('a', 0, never)).toEqual({ value: 'one', generation: 1 });
  });

  it('refreshes from the newest token, when that has expired meanwhile', async () => {
    const fleet = store();
    await fleet.refresh('a', 0, gives('one', { expiresAt: Date.now() + 1_000, refreshToken: 'r1' }));
    await after(1_100);
    const refresh = gives('two');
    expect(await fleet.refresh('a', 0, refresh)).toEqual({ value: 'two', generation: 2 });
    expect(refresh).toHaveBeenCalledWith(expect.objectContaining({ value: 'one', refreshToken: 'r1', generation: 1 }));
  });

  it('makes one refresh for all who ask at a time, and all have its token', async () => {
    const { refresh, give, begun } = held();
    const all = Array.from({ length: 20 }, () => store().refresh('a', 0, refresh));
    await begun();
    await after(100);
    give({ value: 'one' });
    expect(new Set((await Promise.all(all)).map(({ value }) => value))).toEqual(new Set(['one']));
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it('does not keep one key waiting for another', async () => {
    const { refresh, give, begun } = held();
    const slow = store().refresh('a', 0, refresh);
    await begun();
    expect(await store().refresh('b', 0, gives('b'))).toMatchObject({ value: 'b' });
    give({ value: 'a' });
    expect(await slow).toMatchObject({ value: 'a' });
  });

  it('lets the next one try when a refresh has failed, and at once', async () => {
    const { refresh, fail, begun } = held();
    const first = store(60_000).refresh('a', 0, refresh);
    await begun();
    const second = store(60_000).refresh('a', 0, gives('one'));
    fail(new Error('invalid_grant'));
    expect(await rejectionOf(first)).toEqual(new Error('invalid_grant'));
    expect(await second).toMatchObject({ value: 'one', generation: 1 });
  });

  it('prolongs the lock of a refresh that takes longer', async () => {
    const { refresh, give, begun } = held();
    const slow = store(2_000).refresh('a', 0, refresh);
    await begun();
    const other = store(2_000).refresh('a', 0, never);
    await after(3_000);
    give({ value: 'one' });
    expect(await Promise.all([slow, other])).toMatchObject([{ value: 'one' }, { value: 'one' }]);
    expect(await redis.exists(LOCK)).toBe(0);
  });

  it('takes over the lock of one who is gone, when it has run out', async () => {
    await redis.set(LOCK, 'somebody who crashed', 'PX', 300);
    expect(await store().refresh('a', 0, gives('one'))).toMatchObject({ value: 'one', generation: 1 });
  });

  it('does not let one who stalled overwrite what came after him, and gives him the newer', async () => {
    const { refresh, give, begun } = held();
    const stalled = store(60_000).refresh('a', 0, refresh);
    await begun();
    await redis.del(LOCK); // has run out
    await store().refresh('a', 0, gives('newer'));
    give({ value: 'older' });
    expect(await stalled).toEqual({ value: 'newer', generation: 1 });
    expect(await store().read('a')).toEqual({ value: 'newer', generation: 1 });
  });

  it('does not let one who stalled keep or release while somebody else has the lock', async () => {
    const { refresh, give, begun } = held();
    const stalled = store(60_000).refresh('a', 0, refresh);
    await begun();
    await redis.set(LOCK, 'somebody else', 'PX', 60_000);
    give({ value: 'older' });
    // The old generation, so that what the other will keep counts as newer.
    expect(await stalled).toEqual({ value: 'older', generation: 0 });
    expect(await store().read('a')).toBeUndefined();
    expect(await redis.get(LOCK)).toBe('somebody else');
  });

  it('keeps the token of one whose lock ran out, if nobody took over', async () => {
    const { refresh, give, begun } = held();
    const stalled = store(60_000).refresh('a', 0, refresh);
    await begun();
    await redis.del(LOCK);
    give({ value: 'one' });
    expect(await stalled).toEqual({ value: 'one', generation: 1 });
    expect(await store().read('a')).toEqual({ value: 'one', generation: 1 });
  });

  it('finds its own lock when the answer was lost and the command sent again', async () => {
    const twice: IoredisLike = {
      eval: async (...args) => {
        await redis.eval(...args);
        return redis.eval(...args);
      },
    };
    const refresh = gives('one');
    expect(await store(1_000, twice).refresh('a', 0, refresh)).toEqual({ value: 'one', generation: 1 });
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it('stops waiting when nobody waits for it any longer', async () => {
    await redis.set(LOCK, 'somebody', 'PX', 60_000);
    const aborter = new AbortController();
    const waiting = store().refresh('a', 0, never, { signal: aborter.signal });
    await after(100);
    aborter.abort(new Error('enough'));
    expect(await rejectionOf(waiting)).toEqual(new Error('enough'));
  });

  it('keeps both keys of a credential in one slot of a cluster, whatever the tenant is called', async () => {
    for (const key of ['', 'tenant', 'a}b{c', '}{']) {
      const { refresh, give, begun } = held();
      await store().refresh(key, 0, gives('one'));
      const second = store().refresh(key, 1, refresh);
      await begun();
      const tags = (await redis.keys('*')).map((name) => /^\{([^{}]+)\}:(?:token|lock)$/.exec(name)?.[1]);
      expect(tags).toEqual([`app:${encodeURIComponent(key)}`, `app:${encodeURIComponent(key)}`]);
      give({ value: 'two' });
      await second;
      await redis.flushall();
    }
  });

  it('believes an owner whose clock is wrong about the time that is left, not about the instant', async () => {
    await store().refresh('a', 0, gives('one', { expiresAt: Date.now() - 60_000 }));
    expect(await store().read('a')).toEqual({ value: 'one', generation: 1 });
  });

  it('refreshes on its own when Redis answers with an error that passes, and says so', async () => {
    const loading: IoredisLike = {
      eval: () => Promise.reject(new Error('LOADING Redis is loading the dataset in memory')),
    };
    const lost = vi.fn();
    expect(await store(1_000, loading).refresh('a', 4, gives('own'), { lost })).toEqual({
      value: 'own',
      generation: 4,
    });
    expect(lost).toHaveBeenCalledTimes(1);
  });

  it('refreshes nothing when something else lies under its key, and says so', async () => {
    await redis.set(TOKEN, 'something else');
    const lost = vi.fn();
    expect(await rejectionOf(store().refresh('a', 4, never, { lost }))).toMatchObject({
      message: expect.stringMatching(
        /^Redis refuses what the token store asks, so nothing is refreshed: WRONGTYPE [^,]+$/,
      ),
    });
    expect(lost).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'WRONGTYPE' }));
  });

  it('refreshes on its own when what is kept cannot be read or sent', async () => {
    for (const kept of ['{not json', '{"value":"a\\r\\nb"}', '{}']) {
      await redis.hset(TOKEN, { generation: '7', token: kept });
      const lost = vi.fn();
      expect(await store().refresh('a', 4, gives('own'), { lost })).toMatchObject({ value: 'own' });
      expect(lost).toHaveBeenCalledTimes(1);
      await redis.flushall();
    }
  });

  it('refreshes once when Redis fails after the refresh, gives its token, and keeps it as soon as it can', async () => {
    let down = false;
    const flaky: IoredisLike = {
      eval: async (...args) => {
        if (down) throw Object.assign(new Error('Connection is closed.'), { code: 'ECONNRESET' });
        return redis.eval(...args);
      },
    };
    const lost = vi.fn();
    const refresh = vi.fn(async () => {
      down = true;
      return { value: 'one', refreshToken: 'r1' };
    });
    const unhandled = await unhandledDuring(async () => {
      expect(await store(5_000, flaky).refresh('a', 0, refresh, { lost })).toMatchObject({ value: 'one' });
    });
    expect(unhandled).toEqual([]);
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(lost).toHaveBeenCalledTimes(1);
    const other = store().refresh('a', 0, never);
    await after(300);
    down = false;
    expect(await other).toMatchObject({ value: 'one', refreshToken: 'r1', generation: 1 });
  });

  it("goes on trying to keep its token for as long as Redis is lost, where it is 'closed' then", async () => {
    let down = false;
    const flaky: IoredisLike = {
      eval: (...args) => (down ? Promise.reject(new Error('Connection is closed.')) : redis.eval(...args)),
    };
    const strict = redisTokenStore({ redis: flaky, key: 'app', lockMs: 1_000, onStoreLoss: 'closed' });
    await strict.refresh('a', 0, async () => {
      down = true;
      return { value: 'one', refreshToken: 'r1' };
    });
    // Nobody else may refresh, nor has anybody the lock.
    expect(await rejectionOf(strict.refresh('a', 1, never))).toMatchObject({
      cause: new Error('Connection is closed.'),
    });
    await after(1_500);
    down = false;
    await vi.waitFor(async () => expect(await store().read('a')).toMatchObject({ value: 'one', refreshToken: 'r1' }));
  });

  it('gives back a lock that comes too late', async () => {
    const slow: IoredisLike = { eval: async (...args) => after(1_300).then(() => redis.eval(...args)) };
    const lost = vi.fn();
    expect(await store(60_000, slow).refresh('a', 0, gives('own'), { lost })).toMatchObject({ value: 'own' });
    expect(lost).toHaveBeenCalledWith(expect.objectContaining({ code: 'ETIMEDOUT' }));
    await vi.waitFor(async () => expect(await redis.exists(LOCK)).toBe(1), { interval: 10 });
    await vi.waitFor(async () => expect(await redis.exists(LOCK)).toBe(0));
  });

  it('refuses options that cannot work', () => {
    expect(() => redisTokenStore({ redis: {} as IoredisLike, key: 'app' })).toThrow('eval()');
    const openAll = { redis, key: 'app', onStoreLoss: 'open' as 'closed' };
    expect(() => redisTokenStore(openAll)).toThrow("onStoreLoss must be 'local' or 'closed'");
    for (const key of ['', '{app}']) expect(() => redisTokenStore({ redis, key })).toThrow('without braces');
    for (const lockMs of [0, 999, 1_000.5, Number.NaN, Infinity]) expect(() => store(lockMs)).toThrow('at least 1,000');
  });

  it('serves an attachment: two of them, one refresh, and the next with the refresh token of the first', async () => {
    let valid = 'A1';
    const api = await loopback(({ headers }, response) =>
      json(response, headers.authorization === `Bearer ${valid}` ? 200 : 401),
    );
    onTestFinished(() => api.close());
    const asked: unknown[] = [];
    const client = () => {
      const instance = axios.create({ baseURL: api.url });
      const refresh = async ({ token }: { token: Token }) => {
        asked.push(token.refreshToken);
        return { value: valid, refreshToken: `for ${valid}` };
      };
      attach(instance, {
        auth: { token: () => ({ value: 'A0', refreshToken: 'for A0' }), refresh, store: store() },
      });
      return instance;
    };
    const [one, two] = [client(), client()];
    await Promise.all([one.get('/'), two.get('/')]);
    valid = 'A2';
    await two.get('/');
    await one.get('/');
    expect(asked).toEqual(['for A0', 'for A1']);
  });

  it('is heard by the attachment when it is lost; the calls succeed', async () => {
    const api = await loopback(({ headers }, response) =>
      json(response, headers.authorization === 'Bearer A1' ? 200 : 401),
    );
    onTestFinished(() => api.close());
    const instance = axios.create({ baseURL: api.url });
    const gone: IoredisLike = {
      eval: () => Promise.reject(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' })),
    };
    const heard: unknown[] = [];
    attach(instance, {
      auth: { token: () => 'A0', refresh: async () => 'A1', store: store(1_000, gone) },
      on: { 'store-lost': (event) => heard.push(event) },
    });
    const answers = await Promise.all(Array.from({ length: 20 }, () => instance.get('/')));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(heard).toEqual([{ key: '', code: 'ECONNREFUSED' }]);
  });

  it('ends with refreshTimeoutMs when somebody else never ends', async () => {
    await redis.set('{app:}:lock', 'somebody', 'PX', 60_000);
    const api = await loopback((_request, response) => json(response, 401));
    onTestFinished(() => api.close());
    const instance = axios.create({ baseURL: api.url });
    attach(instance, { auth: { token: () => 'A0', refresh: never, refreshTimeoutMs: 300, store: store() } });
    expect(await rejectionOf(instance.get('/'))).toMatchObject({
      code: 'ERR_TOKEN_REFRESH',
      cause: { name: 'TimeoutError' },
      response: { status: 401 },
    });
  });
});

describe('a process that was busy while Redis answered', () => {
  it.skipIf(noRedis !== undefined)(
    'reads the answer that waits for it, and is not taken for one without Redis',
    async () => {
      const lost = vi.fn();
      const store = redisTokenStore({ redis, key: 'app' });
      const refreshed = store.refresh('busy', 0, gives('one'), { lost });
      // Longer than Redis may take: the timer is due before the socket is read.
      const until = Date.now() + 1_100;
      while (Date.now() < until);
      expect(await refreshed).toEqual({ value: 'one', generation: 1 });
      expect(lost).not.toHaveBeenCalled();
    },
  );
});
