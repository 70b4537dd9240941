import axios from 'axios';
import {
  attach,
  failureOf,
  InvalidPolicyError,
  localLimiter,
  mergePolicies,
  type Policy,
  reportOf,
} from 'axios-holdfast';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attached, axiosErrorOf, rejectionOf } from '../support/attached.ts';

/*
 * Bodies and challenges: `spec/integration/failures.spec.ts`, `spec/failure/api-error.spec.ts`, `spec/failure/challenge.spec.ts`.
 * Policies one by one: `spec/policy/validate.spec.ts`. Keys of budgets: `spec/retry/budget.spec.ts`.
 */
let before: readonly PropertyKey[];
beforeEach(() => {
  before = Reflect.ownKeys(Object.prototype);
});
afterEach(() => {
  expect(Reflect.ownKeys(Object.prototype)).toEqual(before);
  expect({}).not.toHaveProperty('polluted');
  expect(Object.getPrototypeOf(Object.prototype)).toBeNull();
});

const POLICIES = [
  '{"__proto__":{"polluted":1,"retry":false}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"retry":{"__proto__":{"polluted":1,"maxRetries":9}}}',
  '{"retry":{"budget":{"__proto__":{"polluted":1}}}}',
  '{"retry":{"constructor":{"prototype":{"polluted":1}}}}',
  '{"statuses":{"__proto__":"retry"}}',
  '{"statuses":{"__proto__":{"polluted":1}}}',
  '{"idempotency":{"__proto__":{"polluted":1,"header":"X"}}}',
  '{"limit":{"__proto__":{"polluted":1,"requests":1}}}',
  '{"limit":{"windows":[{"requests":1,"perMs":1,"__proto__":{"polluted":1}}]}}',
  '{"on":{"__proto__":{"polluted":1}}}',
  '{"auth":{"__proto__":{"polluted":1}}}',
];

describe('a policy that came as JSON', () => {
  it.each(POLICIES)('%s is refused, wherever it is given', (json) => {
    const policy = () => JSON.parse(json) as Policy;
    expect(() => attach(axios.create(), policy())).toThrow(InvalidPolicyError);
    expect(() => mergePolicies({}, policy())).toThrow(InvalidPolicyError);
    expect(() => mergePolicies(policy(), {})).toThrow(InvalidPolicyError);
  });

  it.each(POLICIES)("%s in a call's config, which axios merges, changes nothing", async (json) => {
    const { client, server, holdfast } = await attached((_request, response) => void response.writeHead(503).end(), {
      retry: { budget: false },
    });
    const error = await rejectionOf(client.get('/x', { holdfast: JSON.parse(json) }));
    // Older versions of axios leave such keys out when they merge, newer ones as well; else the policy is refused.
    if (error instanceof InvalidPolicyError) expect(server.seen).toHaveLength(0);
    else expect(server.seen).toHaveLength(4);
    expect(holdfast.policy.retry).toMatchObject({ maxRetries: 3 });
    expect(reportOf(await rejectionOf(client.get('/x')))?.sends).toHaveLength(4);
  });

  it('cannot change the defaults of others', () => {
    const client = axios.create();
    const { policy, detach } = attach(
      client,
      JSON.parse('{"retry":{"budget":{"capacity":1}},"statuses":{"500":"retry"}}'),
    );
    detach();
    for (const part of [policy, policy.retry, policy.statuses, policy.on, policy.classify]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
    expect(attach(client).policy).toMatchObject({ retry: { budget: { capacity: 2_100 } }, statuses: {} });
  });
});

describe('an answer', () => {
  it('reaches no prototype by the names of its headers or the keys of its body', async () => {
    const hostile = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1,"code":"c"}';
    const { client, holdfast } = await attached((_request, response) => {
      const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];
      const headers = names.flatMap((name) => [name, 'polluted', `x-ratelimit-limit-${name}`, '1']);
      response.writeHead(503, [...headers, 'Content-Type', 'application/json', 'RateLimit', '"__proto__";r=1;t=1']);
      response.end(hostile);
    });
    const error = await axiosErrorOf(client.get('/x', { headers: { 'x-y': 'z' } }));
    expect(failureOf(error)).toMatchObject({ kind: 'unavailable', status: 503, sends: 4 });
    expect(() => JSON.stringify([failureOf(error), reportOf(error), holdfast.stats()])).not.toThrow();
  });
});

describe('a prototype that somebody else has polluted', () => {
  /** As a careless merge of some JSON does it. */
  function polluted<T>(name: string, value: unknown, body: () => T): T {
    Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true, enumerable: true });
    try {
      return body();
    } finally {
      Reflect.deleteProperty(Object.prototype, name);
    }
  }

  /** Functions in it, too. */
  const shown = (policy: Policy) =>
    JSON.stringify(attach(axios.create({ baseURL: 'https://a.example' }), policy).policy, (_name, value) =>
      typeof value === 'function' ? String(value) : value,
    );
  const usual = () => shown({ on: {} });
  const attachedWith = (name: string, value: unknown) => polluted(name, value, usual);

  it.each<[string, unknown]>([
    ['retry', false],
    ['retry', { maxRetries: 9 }],
    ['maxRetries', 9],
    ['statuses', { 400: 'retry' }],
    ['deadlineMs', 1],
    ['limit', { requests: 1, perMs: 1 }],
    ['unsafe', 'always'],
    ['whenLonger', 'clamp'],
    ['budget', false],
    ['capacity', 0],
    ['onRetry', () => {}],
    ['onGiveUp', () => {}],
    ['poll', false],
    ['maxMs', 1],
    ['classify', () => ({ kind: 'success' })],
    ['beforeSend', () => false],
    ['sent', () => {}],
  ])('gives no policy its %s (%j)', (name, value) => {
    expect(attachedWith(name, value)).toBe(usual());
  });

  // Destructuring asks the prototype as well.
  it.each<[string, unknown]>([
    ['idempotency', {}],
    ['correlation', {}],
    ['auth', {}],
  ])('gives no policy its %s', (name, value) => {
    expect(attachedWith(name, value)).toBe(usual());
  });

  it('does not make a limiter learn', () => {
    const limiter = (): unknown =>
      attach(axios.create({ baseURL: 'https://a.example' }), { limit: { maxConcurrent: 2 } }).policy.limit;
    expect(polluted('adaptive', true, limiter)).toEqual(limiter());
  });

  // What a policy leaves out is asked for at every call, long after it was read.
  it('does not say who may see the token', async () => {
    const seen: unknown[] = [];
    const client = axios.create({
      baseURL: 'https://a.example',
      adapter: async (config) => {
        seen.push(config.headers.get('Authorization'));
        return { status: 200, statusText: '', headers: {}, config, data: '' };
      },
    });
    attach(client, { auth: { token: () => 's3cret', refresh: async () => 'x' } });
    Object.defineProperty(Object.prototype, 'origins', { value: ['https://evil.example'], configurable: true });
    try {
      await client.get('https://evil.example/x');
    } finally {
      Reflect.deleteProperty(Object.prototype, 'origins');
    }
    expect(seen).toEqual([undefined]);
  });

  // What a policy leaves out is asked for at every call, long after it was read.
  it.each<[string, unknown]>([
    ['500', 'retry'],
    ['5xx', 'retry'],
    ['50x', 'retry'],
    ['finished', () => Promise.reject(new Error('heard'))],
    ['*', () => Promise.reject(new Error('heard'))],
    ['body', () => 'polluted'],
    ['key', () => 'polluted'],
    ['isFailure', () => true],
    ['generate', () => 'polluted'],
    ['maxWaitMs', 0],
    ['final', true],
    ['weight', 'heavy'],
  ])('switches nothing on at a call by its %s', async (name, value) => {
    const { client, server, holdfast } = await attached((_request, response) => void response.writeHead(500).end(), {
      idempotency: {},
      breaker: {},
      limit: { maxConcurrent: 1 },
      retry: { budget: { capacity: 100 } },
    });
    const told: unknown[] = [];
    if (typeof value === 'function') value = (...given: unknown[]) => void told.push(given);
    Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true });
    try {
      const calls = [client.post('/x', 'mine'), client.post('/x', 'mine')];
      for (const call of calls) expect(await axiosErrorOf(call)).toMatchObject({ response: { status: 500 } });
    } finally {
      Reflect.deleteProperty(Object.prototype, name);
    }
    expect(server.seen.map(({ body }) => String(body))).toEqual(['mine', 'mine']);
    expect(told).toEqual([]);
    expect(Object.keys(holdfast.stats().budget)).toEqual([server.url]);
  });

  it.each<[string, unknown]>([
    ['windows', [{ requests: 1, perMs: 3_600_000 }]],
    ['burst', 1_000_000],
    ['requests', 0.001],
  ])('gives no limiter its %s', async (name, value) => {
    const limiter = polluted(name, value, () =>
      localLimiter({ windows: [{ requests: 2, perMs: 3_600_000, burst: 2 }] }),
    );
    const acquire = async () => limiter.acquire({ key: 'k', maxWaitMs: 0 });
    await acquire();
    await acquire();
    expect(await rejectionOf(acquire())).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
    const even = polluted(name, value, () => localLimiter({ requests: 2, perMs: 3_600_000 }));
    await even.acquire({ key: 'k' });
    await rejectionOf((async () => even.acquire({ key: 'k', maxWaitMs: 0 }))());
    await Promise.all([limiter.close(), even.close()]);
  });

  it('lets through no limiter that is none', () => {
    expect(() => polluted('requests', 5, () => localLimiter({}))).not.toThrow(TypeError);
  });
});
