import axios, { type AxiosInstance, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import { attach, attachWith } from '../lib/attach.ts';
import { InvalidPolicyError } from '../lib/failure/errors.ts';
import { failureOf, reportOf } from '../lib/failure/failure.ts';
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
    const policy: Policy = { retry: { maxRetries: 1, backoff: () => 0, budget: { capacity: 14 } } };
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
