import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import axios from 'axios';
import { InvalidPolicyError, type Policy, preparePolicy } from 'axios-holdfast';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { FULL } from '../../lib/full.ts';
import { Policies } from '../../lib/policy/policies.ts';
import { OneAtATime } from '../support/limiter.ts';
import { resolve } from '../support/policies.ts';

const attached = resolve({ retry: { maxRetries: 7 }, limit: { maxConcurrent: 3 }, classify: () => undefined });

/** As axios hands on what a call has as its `holdfast`. */
function cloned<T>(policy: T): T {
  let seen: unknown;
  const client = axios.create({
    adapter: (config) => Promise.resolve({ data: '', status: 200, statusText: '', headers: {}, config }),
  });
  client.interceptors.request.use(
    (config) => {
      seen = config.holdfast;
      return config;
    },
    null,
    { synchronous: true },
  );
  void client.get('/', { holdfast: policy as Policy });
  return seen as T;
}

const [f, g, h] = [() => undefined, () => undefined, () => undefined];
const [one, other] = [new OneAtATime(), new OneAtATime()];

const [k, l] = [() => 'k', () => 'l'];

/** Many that are alike, and many that are nearly so. */
const nearly: readonly Policy[] = [
  {},
  { retry: {} },
  { retry: false },
  { poll: false },
  { retry: undefined, poll: false },
  { poll: false, deadlineMs: 1 },
  ...[0, -0, 1, 2, Number.POSITIVE_INFINITY].map((maxRetries): Policy => ({ retry: { maxRetries } })),
  { deadlineMs: 1 },
  { deadlineMs: 2 },
  { deadlineMs: 1, retry: { maxRetries: 1 } },
  ...[[], ['post'], ['patch'], ['post', 'patch'], ['patch', 'post']].map(
    (idempotentMethods): Policy => ({ retry: { idempotentMethods } }),
  ),
  ...[f, g, [f], [f, g], [g, f], [f, h]].map((classify): Policy => ({ classify })),
  { beforeSend: f },
  { statuses: { 500: 'retry' } },
  { statuses: { 502: 'retry' } },
  { statuses: { 500: 'fail' } },
  { statuses: { 500: 'retry', 502: 'retry' } },
  { statuses: { '5xx': 'retry' } },
  { retry: { budget: { key: k } } },
  { retry: { budget: { key: l } } },
  { retry: { budget: false } },
  { limit: { key: k } },
  { limit: { key: l } },
  { limit: { key: k, maxWaitMs: 1 } },
  { breaker: { key: k } },
  { limit: one },
  { limit: other },
  { limit: false },
  { on: { sent: f } },
  { on: { sent: g } },
  { on: { answered: f } },
  { on: { sent: f, answered: f } },
];
const policies = fc.constantFrom(...nearly);

describe(Policies.name, () => {
  it('gives the attached one to a call that says nothing', () => {
    expect(new Policies(FULL, attached).of(undefined)).toBe(attached);
  });

  it('gives each call what its own policy means, whatever was asked for before', () => {
    fc.assert(
      fc.property(fc.array(policies, { minLength: 2, maxLength: 30 }), (asked) => {
        const subject = new Policies(FULL, attached);
        for (const policy of asked) expect(subject.of(cloned(policy))).toStrictEqual(resolve(policy, attached));
      }),
      { numRuns: 200 },
    );
  });

  it.each<[string, Policy]>([
    ['numbers', { retry: { maxRetries: 1, retryAfter: { maxMs: 5 } }, deadlineMs: 10 }],
    ['nothing in it', {}],
    ['functions', { classify: f, beforeSend: [f, g], on: { sent: f } }],
    ['an explicit undefined', { deadlineMs: undefined, retry: false }],
    ['a limiter, an instance of a class', { limit: one }],
    ['the three levels of groups that there are', { retry: { budget: { key: () => 'k' } } }],
  ])('does the work once for alike policies with %s', (_what, policy) => {
    const subject = new Policies(FULL, attached);
    const first = subject.of(cloned(policy));
    expect(subject.of(cloned(policy))).toBe(first);
    expect(first).toEqual(resolve(policy, attached));
  });

  it('and again for options in another order, which means the same', () => {
    const subject = new Policies(FULL, attached);
    const first = subject.of({ deadlineMs: 5, retry: false });
    expect(subject.of({ retry: false, deadlineMs: 5 })).toEqual(first);
  });

  it('remembers eight plain ones, those that were asked for last', () => {
    const subject = new Policies(FULL, attached);
    const of = (deadlineMs: number) => subject.of({ deadlineMs });
    const [first, second] = [of(1), of(2)];
    for (const deadlineMs of [3, 4, 5, 6, 7, 8]) of(deadlineMs);
    expect(of(1)).toBe(first);
    of(9);
    expect(of(1)).toBe(first);
    expect(of(2)).not.toBe(second);
  });

  it('remembers none with a state of its own, which would only push out another', () => {
    const subject = new Policies(FULL, attached);
    const first = subject.of({ deadlineMs: 1 });
    for (let call = 0; call < 8; call++) subject.of({ log: { debug: f, info: f, warn: f } });
    expect(subject.of({ deadlineMs: 1 })).toBe(first);
  });

  it('holds nothing that only a call of the past has brought, as the body that its function closes over', async () => {
    setFlagsFromString('--expose-gc');
    const sweep: () => void = runInNewContext('gc');
    const subject = new Policies(FULL, attached);
    const broughtBy = () => {
      const bytes = new Uint8Array(1_000);
      subject.of({ body: () => bytes });
      return new WeakRef(bytes);
    };
    const bytes = broughtBy();
    await vi.waitFor(() => {
      sweep();
      expect(bytes.deref() === undefined).toBe(true);
    });
    expect(subject.of({ deadlineMs: 5 })).toEqual(resolve({ deadlineMs: 5 }, attached));
  });

  it('sees a change of the very object, which an interceptor may hand on', () => {
    const subject = new Policies(FULL, attached);
    const idempotentMethods = ['post'];
    const policy = {
      retry: { maxRetries: 1, idempotentMethods },
      statuses: { 500: 'retry' } as Record<string, 'retry' | 'fail'>,
    };
    const retries = () => subject.of(policy).retry as { maxRetries: number; idempotentMethods: readonly string[] };
    expect(retries().maxRetries).toBe(1);
    policy.retry.maxRetries = 2;
    expect(retries().maxRetries).toBe(2);
    idempotentMethods.push('patch');
    expect(retries().idempotentMethods).toEqual(['post', 'patch']);
    policy.statuses['500'] = 'fail';
    expect(subject.of(policy).statuses).toEqual({ 500: 'fail' });
  });

  it('sees one in a list of objects, too', () => {
    const window = { requests: 5, perMs: 1_000 };
    const subject = new Policies(FULL, resolve({ limit: { windows: [{ ...window }] } }));
    const policy = { limit: { windows: [window] } };
    expect(subject.of(policy).limit).toMatchObject({ windows: [{ requests: 5 }] });
    window.requests = 6;
    expect(() => subject.of(policy)).toThrow('limit.windows');
  });

  it('is not misled by a getter that never says the same', () => {
    const subject = new Policies(FULL, attached);
    let asked = 0;
    subject.of({
      get retry() {
        asked += 1;
        return { maxRetries: asked };
      },
    });
    expect(asked).toBeGreaterThan(0);
    for (const maxRetries of [1, 2, 3, 4, 5])
      expect(subject.of({ retry: { maxRetries } }).retry).toMatchObject({ maxRetries });
  });

  it('takes the plain objects of each call for what they are: a limiter or a logger has a state of its own', () => {
    const subject = new Policies(FULL, attached);
    const log = { debug: f, info: f, warn: f };
    const limit = {
      acquire: () => ({ release: f }),
      pause: f,
      close: async () => {},
      stats: () => ({ queued: 0, running: 0 }),
    };
    for (const policy of [{ log }, { limit }]) {
      for (let call = 0; call < 2; call++) {
        const [name, given] = Object.entries(cloned(policy))[0] as [keyof Policy, object];
        expect(subject.of({ [name]: given })[name]).toBe(given);
      }
    }
  });

  it('refuses a wrong policy each time, and what stands between', () => {
    const subject = new Policies(FULL, attached);
    for (let call = 0; call < 3; call++) {
      expect(() => subject.of({ retry: { maxRetries: -1 } })).toThrow(InvalidPolicyError);
      expect(() => subject.of({ limit: { maxConcurrent: 1 } })).toThrow('limit.maxConcurrent');
      expect(() => subject.of(null as never)).toThrow('the policy must be a plain object');
      expect(() => subject.of([] as never)).toThrow('the policy must be a plain object');
      expect(subject.of({ retry: { maxRetries: 1 } }).retry).toMatchObject({ maxRetries: 1 });
    }
    const circular: Record<string, unknown> = {};
    circular.retry = circular;
    expect(() => subject.of(circular)).toThrow('retry.retry');
  });

  it('knows a prepared one by itself, however many there are', () => {
    const subject = new Policies(FULL, attached);
    const prepared = Array.from({ length: 20 }, (_, i) => preparePolicy({ deadlineMs: i + 1 }));
    const first = prepared.map((each) => subject.of(each));
    expect(prepared.map((each) => subject.of(each)).every((each, i) => each === first[i])).toBe(true);
    expect(first[4]).toEqual(resolve({ deadlineMs: 5 }, attached));
    expect(new Policies(FULL, resolve({ retry: false })).of(prepared[0]).retry).toBe(false);
  });

  it('refuses a prepared one that no call may bring, each time', () => {
    const subject = new Policies(FULL, attached);
    const prepared = preparePolicy({ limit: { maxConcurrent: 1 } });
    for (let call = 0; call < 2; call++) expect(() => subject.of(prepared)).toThrow('limit.maxConcurrent');
    expect(new Policies(FULL, resolve(prepared)).of(prepared).limit).toMatchObject({ maxConcurrent: 1 });
  });
});
