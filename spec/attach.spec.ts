import axios, { type AxiosInstance, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import { credentials } from '../lib/auth/credentials.ts';
import { InvalidPolicyError } from '../lib/failure/errors.ts';
import { failureOf, reportOf } from '../lib/failure/failure.ts';
import { attach, attachWith } from '../lib/full.ts';
import type { Policy } from '../lib/policy/options.ts';
import { constantBackoff } from '../lib/time/backoff.ts';
import { rejectionOf } from './support/attached.ts';
import { OneAtATime } from './support/limiter.ts';
import { ManualClock, settle } from './support/manual-clock.ts';

const FAST: Policy = { retry: { backoff: () => 0 } };

/** An instance that answers from memory with these statuses in turn, and the configs that it sent. */
function answering(...statuses: readonly number[]): { client: AxiosInstance; sent: InternalAxiosRequestConfig[] } {
  const sent: InternalAxiosRequestConfig[] = [];
  const client = axios.create({
    baseURL: 'https://api.example.com',
    validateStatus: () => true,
    adapter: async (config): Promise<AxiosResponse> => {
      const status = statuses[sent.push(config) - 1] ?? statuses.at(-1) ?? 200;
      return { status, statusText: '', headers: {}, data: 'x', config };
    },
  });
  return { client, sent };
}

/** How many request interceptors an instance has. */
function interceptorsOf(client: AxiosInstance): number {
  let count = 0;
  const manager = client.interceptors.request as unknown as { forEach(each: () => void): void };
  manager.forEach(() => {
    count += 1;
  });
  return count;
}

describe(attach.name, () => {
  it('retries the calls of the instance, and of no other', async () => {
    const attached = answering(503, 200);
    const other = answering(503, 200);
    attach(attached.client, FAST);
    expect((await attached.client.get('/')).status).toBe(200);
    expect((await other.client.get('/')).status).toBe(503);
  });

  it('is refused where something is attached already, and leaves that one alone', async () => {
    const { client, sent } = answering(503);
    const first = attach(client, { retry: { maxRetries: 2, backoff: () => 0 } });
    expect(() => attach(client, FAST)).toThrow(
      /^holdfast is attached to this axios instance already \(at .*attach\.spec\.ts:\d+\); detach\(\) the other attachment first, or take/,
    );
    await client.get('/');
    expect(sent).toHaveLength(3);
    expect(first.stats().calls).toBe(1);
  });

  it('is not carried over to an instance that is derived from an attached one', async () => {
    const { client, sent } = answering(503);
    attach(client, FAST);
    const derived = client.create();
    await derived.get('/');
    expect(sent).toHaveLength(1);

    attach(derived, { retry: { maxRetries: 1, backoff: () => 0 } });
    await derived.get('/');
    expect(sent).toHaveLength(3);
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['an object', {}],
    ['an object', { interceptors: { request: {} } }],
  ])('refuses %s, which is no axios instance', (what, instance) => {
    expect(() => attach(instance as never)).toThrow(
      new TypeError(`attach needs an axios instance: axios itself, or what axios.create() gives; got ${what}`),
    );
  });

  it('attaches nothing when the policy is wrong', async () => {
    const { client, sent } = answering(503, 200);
    expect(() => attach(client, { retry: { maxRetries: -1 } })).toThrow(InvalidPolicyError);
    expect(interceptorsOf(client)).toBe(0);
    attach(client, FAST);
    await client.get('/');
    expect(sent).toHaveLength(2);
  });

  it('leaves nothing behind on an instance that is frozen', () => {
    const client = Object.freeze(axios.create());
    expect(() => attach(client)).toThrow(TypeError);
    expect(interceptorsOf(client)).toBe(0);
  });

  it('adds one request interceptor and no response interceptor, and changes no default', () => {
    const { client } = answering();
    const { adapter } = client.defaults;
    const names = Object.keys(client);
    attach(client);
    expect(interceptorsOf(client)).toBe(1);
    expect(client.defaults.adapter).toBe(adapter);
    expect(Object.keys(client)).toEqual(names);
  });

  it('gives the resolved policy, frozen all the way down', () => {
    const { policy } = attach(answering().client, { retry: { maxRetries: 5 } });
    expect(policy).toMatchObject({ retry: { maxRetries: 5, retryAfter: { maxMs: 60_000 } } });
    expect(Object.isFrozen(policy) && Object.isFrozen(policy.retry)).toBe(true);
    expect(policy.retry && Object.isFrozen(policy.retry.retryAfter)).toBe(true);
  });

  it('has the policy of the attachment whose place it takes, as that was changed, where it is given none', () => {
    const { client } = answering(503);
    attach(client, { retry: { maxRetries: 5 } }).update({ deadlineMs: 1_000 });
    const ports = { clock: new ManualClock(), random: () => 1 };
    const { policy } = attachWith(ports, client, undefined, { replace: true });
    expect(policy).toMatchObject({ deadlineMs: 1_000, retry: { maxRetries: 5 } });
    expect(attachWith(ports, answering().client, undefined).policy).toMatchObject({ retry: { maxRetries: 3 } });
  });

  it('is none any more after a `clear()`, whatever has been registered since; nor does its end take that away', async () => {
    const { client, sent } = answering(503);
    const first = attach(client, FAST);
    client.interceptors.request.clear();
    client.interceptors.request.use((config) => {
      config.headers.set('X-Mine', '1');
      return config;
    });
    first.detach();
    await client.get('/');
    expect(sent.map(({ headers }) => headers.get('X-Mine'))).toEqual(['1']);
    attach(client, FAST);
    await client.get('/');
    expect(sent).toHaveLength(5);
  });

  it('is not in the way any more after a `clear()`, also where it was not detached', () => {
    const { client } = answering();
    attach(client);
    client.interceptors.request.clear();
    client.interceptors.request.use((config) => config);
    expect(() => attach(client)).not.toThrow();
  });

  it('is found, and ends, also where an instance does not show its interceptors', async () => {
    const { client, sent } = answering(503);
    const { request } = client.interceptors;
    const use: typeof request.use = (...given) => request.use(...given);
    const hiding = { interceptors: { request: { use, eject: (id: number) => request.eject(id) } } };
    const { detach } = attach(hiding, FAST);
    expect(() => attach(hiding)).toThrow('attached to this axios instance already');
    await client.get('/');
    expect(sent).toHaveLength(4);
    detach();
    await client.get('/');
    expect(sent).toHaveLength(5);
  });

  it('is found beside interceptors that have been ejected', () => {
    const { client } = answering();
    const id = client.interceptors.request.use((config) => config);
    attach(client);
    client.interceptors.request.eject(id);
    expect(() => attach(client)).toThrow('attached to this axios instance already');
  });

  it('is not moved by changes that are made to the policy object afterwards', async () => {
    const { client, sent } = answering(503);
    const retry = { maxRetries: 1, backoff: () => 0 };
    attach(client, { retry });
    retry.maxRetries = 9;
    await client.get('/');
    expect(sent).toHaveLength(2);
  });
});

describe('detach', () => {
  it('restores the instance: new calls pass through untouched', async () => {
    const { client, sent } = answering(503);
    const symbols = Object.getOwnPropertySymbols(client);
    const attachment = attach(client, FAST);
    attachment.detach();
    const response = await client.get('/');
    expect(sent).toHaveLength(1);
    expect(reportOf(response)).toBeUndefined();
    expect(attachment.stats().calls).toBe(0);
    expect(interceptorsOf(client)).toBe(0);
    expect(Object.getOwnPropertySymbols(client)).toEqual(symbols);
  });

  it('lets calls under way finish under their policy', async () => {
    const clock = new ManualClock();
    const { client, sent } = answering(503, 503, 200);
    const attachment = attachWith({ clock, random: () => 1 }, client, { retry: { backoff: constantBackoff(1_000) } });
    const call = client.get('/');
    await settle();
    expect(attachment.stats().waiting).toBe(1);
    attachment.detach();
    expect((await clock.run(call)).status).toBe(200);
    expect(sent).toHaveLength(3);
    expect(attachment.stats()).toMatchObject({ calls: 1, sends: 3, retries: 2, waiting: 0, inFlight: 0 });
    expect(clock.pending).toBe(0);
  });

  it('makes room for another attachment, which a second detach of the first does not disturb', async () => {
    const { client, sent } = answering(503);
    const first = attach(client, FAST);
    first.detach();
    const second = attach(client, { retry: { maxRetries: 1, backoff: () => 0 } });
    first.detach();
    await first.close();
    await client.get('/');
    expect(sent).toHaveLength(2);
    expect(second.stats().calls).toBe(1);
    expect(() => attach(client)).toThrow('attached to this axios instance already');
  });

  it("leaves the caller's interceptors in place", async () => {
    const { client, sent } = answering(200);
    client.interceptors.request.use((config) => {
      config.headers.set('X-Before', '1');
      return config;
    });
    const attachment = attach(client);
    client.interceptors.request.use((config) => {
      config.headers.set('X-After', '1');
      return config;
    });
    attachment.detach();
    await client.get('/');
    expect(sent[0]?.headers.toJSON()).toMatchObject({ 'X-Before': '1', 'X-After': '1' });
  });

  it('close detaches, and leaves a Limiter open that was handed in', async () => {
    let closed = 0;
    class Watched extends OneAtATime {
      override async close(): Promise<void> {
        closed += 1;
      }
    }
    const { client, sent } = answering(503);
    await attach(client, { ...FAST, limit: new Watched() }).close();
    await client.get('/');
    expect(sent).toHaveLength(1);
    expect(closed).toBe(0);
  });
});

describe('close', () => {
  /** An instance whose every send is answered when the clock has moved on by a second. */
  const slow = (policy: Policy) => {
    const clock = new ManualClock();
    const client = axios.create({
      baseURL: 'https://api.example.com',
      adapter: (config) =>
        new Promise((resolve) => {
          clock.after(1_000, () => resolve({ status: 200, statusText: '', headers: {}, data: '', config }));
        }),
    });
    const attachment = attachWith({ clock, random: () => 1 }, client, policy);
    const outcomes: string[] = [];
    const call = () =>
      client.get('/').then(
        ({ status }) => outcomes.push(String(status)),
        ({ code }) => outcomes.push(code),
      );
    return { attachment, call, clock, outcomes };
  };

  it('refuses who is queued, at once, and lets end what is under way', async () => {
    const { attachment, call, clock, outcomes } = slow({ limit: { maxConcurrent: 1 } });
    for (let i = 0; i < 3; i++) void call();
    await settle();
    expect(attachment.pending().map(({ phase }) => phase)).toEqual(['sending', 'limit', 'limit']);
    await attachment.close();
    await settle();
    expect(outcomes).toEqual(['ERR_LIMIT_CLOSED', 'ERR_LIMIT_CLOSED']);
    await clock.advance(1_000);
    expect(outcomes.at(-1)).toBe('200');
    expect(attachment.pending()).toEqual([]);
  });

  it('may let them all end first, for so long as it is given', async () => {
    const { attachment, call, clock, outcomes } = slow({ limit: { maxConcurrent: 1 } });
    for (let i = 0; i < 3; i++) void call();
    let isClosed = false;
    const closed = attachment.close({ drain: true, timeoutMs: 2_500 }).then(() => {
      isClosed = true;
    });
    await clock.advance(2_499);
    expect([outcomes, isClosed]).toEqual([['200', '200'], false]);
    await clock.advance(1);
    await closed;
    expect(isClosed).toBe(true);
    await clock.advance(1_000);
    expect(outcomes).toEqual(['200', '200', '200']);
  });

  it('may wait as long as the calls take', async () => {
    const { attachment, call, clock, outcomes } = slow({ limit: { maxConcurrent: 1 } });
    for (let i = 0; i < 3; i++) void call();
    await clock.run(attachment.close({ drain: true }));
    expect(outcomes).toEqual(['200', '200', '200']);
  });

  it.each<[object | null, string]>([
    [{ drained: true }, 'close: options.drained is not an option; did you mean drain?'],
    [
      { drain: 1, timeoutMs: -1 },
      'close: options.drain must be true or false, got 1; options.timeoutMs must be a number of at least 0, got -1',
    ],
    [null, 'close: options must be a plain object, got null'],
  ])('with %o is refused, and closes nothing', async (options, message) => {
    const { client, sent } = answering(503, 200);
    const attachment = attach(client, FAST);
    await expect(attachment.close(options as never)).rejects.toThrow(new TypeError(message));
    await client.get('/');
    expect(sent).toHaveLength(2);
  });

  it('refuses who waits for a Limiter that was handed in, which stays open', async () => {
    const limit = new OneAtATime();
    const { attachment, call, clock, outcomes } = slow({ limit });
    for (let i = 0; i < 2; i++) void call();
    await settle();
    await attachment.close();
    await settle();
    expect(outcomes).toEqual(['ERR_LIMIT_CLOSED']);
    await clock.advance(1_000);
    expect([outcomes.at(-1), limit.stats()]).toEqual(['200', { queued: 0, running: 0 }]);
  });

  it('refuses who waits for a token', async () => {
    const { client } = answering(200);
    const token = () => new Promise<string>(() => {});
    const attachment = attach(client, { auth: { token, refresh: async () => 'fresh' } });
    const refused = rejectionOf(client.get('/'));
    await settle();
    await attachment.close();
    expect(await refused).toMatchObject({ code: 'ERR_TOKEN_REFRESH' });
  });
});

describe('an attachment', () => {
  it('tells of refreshes, which belong to no one call, and counts those that gave a token', async () => {
    const clock = new ManualClock();
    const { client } = answering(401, 200, 401);
    const heard: unknown[] = [];
    let refreshes = 0;
    let token = 'old';
    const attachment = attachWith({ clock, random: () => 1 }, client, {
      auth: {
        token: () => token,
        refresh: async () => {
          await new Promise<void>((resolve) => void clock.after(50.4, resolve));
          refreshes += 1;
          if (refreshes > 1) throw Object.assign(new Error('no'), { code: 'invalid_grant' });
          return 'fresh';
        },
        retry: { retries: 0 },
      },
      on: { '*': ({ name, ...about }) => void ('call' in about || heard.push([name, about])) },
    });
    await clock.run(client.get('/'));
    expect(heard).toEqual([
      ['refreshing', { key: '', reason: 'unauthorized' }],
      ['refreshed', { key: '', durationMs: 50 }],
    ]);
    expect(attachment.stats()).toMatchObject({ refreshes: 1, replays: 1 });
    token = 'another';
    await clock.run(client.get('/').catch(() => {}));
    expect(heard.slice(2)).toEqual([
      ['refreshing', { key: '', reason: 'unauthorized' }],
      ['refresh-failed', { key: '', code: 'invalid_grant', durationMs: 50 }],
    ]);
    expect(attachment.stats().refreshes).toBe(1);
  });

  it('goes on with its retry budget where an update leaves the numbers or turns it off, and begins anew where they change', async () => {
    const { client } = answering(503);
    const attachment = attach(client, { retry: { backoff: () => 0, budget: { capacity: 1_000, refillPerSecond: 0 } } });
    const balance = () => attachment.stats().budget['https://api.example.com'];
    await client.get('/');
    const spent = balance();
    expect(spent).toBeLessThan(1_000);
    for (const same of [{ deadlineMs: 9_000 }, { retry: { maxRetries: 1 } }]) {
      attachment.update(same);
      expect(balance()).toBe(spent);
    }
    attachment.update({ retry: { budget: { capacity: 500 } } });
    expect(balance()).toBeUndefined();
    await client.get('/');
    const left = balance();
    expect(left).toBeLessThan(500);
    for (const off of [{ retry: { budget: false } }, { retry: false }] as const) {
      attachment.update(off);
      expect(balance()).toBe(left);
    }
    attachment.update({ retry: { budget: { capacity: 500, refillPerSecond: 0 } } });
    expect(balance()).toBeUndefined();
  });

  it('has nothing paused, open or spent where nothing of it is on', () => {
    const { stats } = attach(answering().client, { retry: false });
    expect(stats()).toMatchObject({ pausedKeys: 0, open: [], budget: {} });
  });

  it('shows how many buckets are paused, and whose circuits are open', async () => {
    const { client } = answering(503);
    const attachment = attach(client, {
      ...{ limit: { maxConcurrent: 9 }, breaker: { minimumThroughput: 1 }, retry: false },
      classify: () => ({ kind: 'throttled', retryAfterMs: 60_000 }),
    });
    expect(attachment.stats()).toMatchObject({ pausedKeys: 0, open: [], budget: {} });
    await client.get('/');
    expect(attachment.stats()).toMatchObject({ pausedKeys: 1, open: ['https://api.example.com'] });
    await attachment.close();
  });

  it('takes one listener at a time, by the name of its event', () => {
    const { on } = attach(answering().client);
    for (const listener of [undefined, null, [() => {}], 'log'])
      expect(() => on('sent', listener as never)).toThrow('on.sent must be a function');
    expect(() => on('sended' as 'sent', () => {})).toThrow('on.sended is not an option; did you mean sent?');
  });

  it('has to know who may see the token: by the baseURL of the instance, or by origins', () => {
    const auth = { token: () => 'a', refresh: async () => 'b' };
    const message = /auth\.origins must be given where the instance has no baseURL: .*; it says who may see the token/;
    for (const given of [auth, credentials(auth)]) {
      expect(() => attach(axios.create(), { auth: given })).toThrow(message);
      expect(() => attach(axios.create(), { auth: given })).toThrow(InvalidPolicyError);
      expect(() => attach(axios.create({ baseURL: 'https://api.example.com' }), { auth: given })).not.toThrow();
    }
    expect(() => attach(axios.create(), { auth: { ...auth, origins: 'any' } })).not.toThrow();
    expect(() => attach(axios.create(), { auth: { ...auth, origins: [] } })).not.toThrow();
  });

  it('has what a call turns on go by the defaults, where it is off itself', async () => {
    const { client, sent } = answering(503);
    // The budget refills with time.
    const clock = new ManualClock();
    const attachment = attachWith({ clock, random: () => 0.5 }, client, { retry: false, breaker: false });
    const holdfast = { retry: { backoff: () => 0 }, breaker: {} };
    await clock.run(client.get('/', { holdfast }));
    expect(sent).toHaveLength(4);
    expect(attachment.stats().budget).toEqual({ 'https://api.example.com': 2_100 - 3 * 14 });
    for (let i = 0; i < 4; i++) await clock.run(client.get('/', { holdfast }));
    expect(sent).toHaveLength(20);
    expect(attachment.stats().open).toEqual(['https://api.example.com']);
  });

  it.each<[unknown, string]>([
    [{ retry: {} }, 'attach: options.retry is not an option; the policy is the second argument'],
    [{ replace: 'yes' }, "attach: options.replace must be true or false, got 'yes'"],
    [null, 'attach: options must be a plain object, got null'],
  ])('is not made with the options %o', (options, message) => {
    const { client } = answering();
    expect(() => attach(client, {}, options as never)).toThrow(new TypeError(message));
    expect(interceptorsOf(client)).toBe(0);
  });
});

describe('two instances', () => {
  it('share neither counters nor listeners', async () => {
    const a = answering(503, 200);
    const b = answering(200);
    const attachedToA = attach(a.client, FAST);
    const attachedToB = attach(b.client, FAST);
    const heard: string[] = [];
    attachedToA.on('finished', () => heard.push('a'));
    attachedToB.on('finished', () => heard.push('b'));
    await a.client.get('/');
    await a.client.get('/');
    await b.client.get('/');
    expect(attachedToA.stats()).toMatchObject({ calls: 2, sends: 3, retries: 1 });
    expect(attachedToB.stats()).toMatchObject({ calls: 1, sends: 1, retries: 0 });
    expect(heard).toEqual(['a', 'a', 'b']);
  });

  it('share no retry budget, not even when they are given the same policy object', async () => {
    const budget = { capacity: 14, refillPerSecond: 0 };
    const policy: Policy = { retry: { maxRetries: 1, backoff: () => 0, budget } };
    const a = answering(503);
    const b = answering(503);
    const attachedToA = attach(a.client, policy);
    const attachedToB = attach(b.client, policy);
    await a.client.get('/');
    expect(failureOf(await a.client.get('/'))?.endedBecause).toBe('budget-empty');
    expect(attachedToA.stats().budget).toEqual({ 'https://api.example.com': 0 });
    expect(attachedToB.stats().budget).toEqual({});

    expect(failureOf(await b.client.get('/'))?.endedBecause).toBe('retries-exhausted');
    expect(b.sent).toHaveLength(2);
  });

  it('share a Limiter that both are given', async () => {
    const limit = new OneAtATime();
    const running: string[] = [];
    const instance = (name: string) =>
      axios.create({
        adapter: async (config): Promise<AxiosResponse> => {
          running.push(`${name} ${limit.stats().running}`);
          await settle();
          return { status: 200, statusText: '', headers: {}, data: '', config };
        },
      });
    const a = instance('a');
    const b = instance('b');
    attach(a, { limit });
    attach(b, { limit });
    await Promise.all([a.get('/'), b.get('/'), a.get('/')]);
    expect(running).toEqual(['a 1', 'b 1', 'a 1']);
    expect(limit.given).toBe(3);
  });
});

describe('the Limiter', () => {
  it('gets its permit back whatever an adapter gives', async () => {
    const limit = new OneAtATime();
    const given: (() => unknown)[] = [
      () => undefined,
      () => null,
      () => 'text',
      () => Promise.reject('text'),
      () => Promise.reject(undefined),
      () => Promise.reject({ config: {}, response: 'text' }),
      () => {
        throw new Error('at once');
      },
    ];
    let n = 0;
    const client = axios.create({ adapter: (() => given[n++]?.()) as never });
    const attachment = attach(client, { ...FAST, limit });
    for (const _ of given) await rejectionOf(client.get('/'));
    expect(limit.given).toBe(given.length);
    expect(limit.stats()).toEqual({ queued: 0, running: 0 });
    expect(attachment.stats()).toMatchObject({ calls: given.length, sends: given.length, inFlight: 0, queued: 0 });
  });
});
