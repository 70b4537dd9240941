import axios from 'axios';
import { attach, InvalidPolicyError, mergePolicies, type Policy, type ResolvedPolicy } from 'axios-holdfast';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { credentials } from '../../lib/auth/credentials.ts';
import { OneAtATime } from '../support/limiter.ts';
import { DEFAULT_POLICY, DEFAULTS, resolve } from '../support/policies.ts';

const [a, b, c] = [() => undefined, () => undefined, () => undefined];

/** Every plain object and list within a policy, and the policy. */
function partsOf(value: unknown): readonly object[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(partsOf)];
}

describe(resolve.name, () => {
  it('fills in what a group leaves out', () => {
    expect(resolve({ retry: { maxRetries: 5, budget: { capacity: 9 } } })).toEqual({
      ...DEFAULT_POLICY,
      retry: { ...DEFAULTS.retry, maxRetries: 5, budget: { ...DEFAULTS.retry.budget, capacity: 9 } },
    });
  });

  it('takes an explicit undefined for no opinion, everywhere', () => {
    const silent: Policy = {
      retry: { maxRetries: undefined, backoff: undefined, retryAfter: { maxMs: undefined }, budget: undefined },
      statuses: undefined,
      classify: undefined,
      deadlineMs: undefined,
      idempotency: undefined,
      body: undefined,
      limit: undefined,
      beforeSend: undefined,
      on: { sent: undefined },
    };
    expect(resolve(silent)).toEqual(DEFAULT_POLICY);
  });

  it.each<[string, Policy, Policy, Partial<ResolvedPolicy>]>([
    ['retry: false stays off', { retry: false }, {}, { retry: false }],
    [
      'retry that a base has off starts from the defaults',
      { retry: false },
      { retry: { maxRetries: 1 } },
      { retry: { ...DEFAULTS.retry, maxRetries: 1 } },
    ],
    [
      'retry that a base has on starts from that',
      { retry: { maxRetries: 7 } },
      { retry: { timeouts: false } },
      { retry: { ...DEFAULTS.retry, maxRetries: 7, timeouts: false } },
    ],
    [
      'a budget that a base has off starts from the defaults',
      { retry: { maxRetries: 7, budget: false } },
      { retry: { budget: {} } },
      { retry: { ...DEFAULTS.retry, maxRetries: 7 } },
    ],
    [
      'a budget that a base has off stays off',
      { retry: { budget: false } },
      { retry: { maxRetries: 1 } },
      { retry: { ...DEFAULTS.retry, maxRetries: 1, budget: false } },
    ],
    ['idempotency: {} turns it on with its defaults', {}, { idempotency: {} }, { idempotency: DEFAULTS.idempotency }],
    [
      'idempotency of a base is kept where the call names another option of it',
      { idempotency: { header: 'X-Key' } },
      { idempotency: { renew: 'after-response' } },
      { idempotency: { ...DEFAULTS.idempotency, header: 'X-Key', renew: 'after-response' } },
    ],
    ['idempotency: false turns it off', { idempotency: {} }, { idempotency: false }, { idempotency: false }],
    ['one judge becomes a list', {}, { classify: a }, { classify: [a] }],
    ["a call's judge is asked before the base's", { classify: [a, b] }, { classify: c }, { classify: [c, a, b] }],
    ["a base's beforeSend runs before a call's", { beforeSend: a }, { beforeSend: b }, { beforeSend: [a, b] }],
    ['listeners of both hear the event', { on: { sent: a } }, { on: { sent: [b] } }, { on: { sent: [a, b] } }],
    ['one listener becomes a list', {}, { on: { finished: a } }, { on: { finished: [a] } }],
  ])('%s', (_rule, base, policy, expected) => {
    expect(resolve(policy, resolve(base))).toMatchObject(expected);
  });

  it('fills in what a limit leaves out, and leaves the windows of the caller alone', () => {
    const windows = [{ requests: 10, perMs: 1_000 }];
    const { limit } = resolve({ limit: { windows, adaptive: true, key: undefined } });
    expect(limit).toEqual({
      windows: [{ requests: 10, perMs: 1_000 }],
      burst: 1,
      maxConcurrent: Number.POSITIVE_INFINITY,
      maxQueue: 10_000,
      maxWaitMs: Number.POSITIVE_INFINITY,
      adaptive: { startConcurrency: 8, headers: true },
    });
    expect(Object.isFrozen(limit)).toBe(true);
    expect(Object.isFrozen(windows[0])).toBe(false);
    const own = resolve({ limit: { priority: () => 1 } }, resolve({ limit: { windows, burst: undefined } }));
    expect(own.limit).toMatchObject({ windows, priority: expect.any(Function) });
  });

  it('lays options over credentials with all their defaults, and leaves credentials as they are', () => {
    const auth = credentials({ refresh: async () => {}, refreshAheadMs: 1 });
    const base = resolve({ auth });
    expect(base.auth).toBe(auth);
    expect(resolve({ retry: false }, base).auth).toBe(auth);
    const { auth: own } = resolve({ auth: { refresh: async () => 'fresh' } }, base);
    expect(own).toMatchObject({ refreshAheadMs: 120_000, refreshTimeoutMs: 30_000 });
    expect(own).not.toHaveProperty('token');
  });

  it('freezes the policy all the way down, but not a limiter, which has a state of its own', () => {
    const limit = new OneAtATime();
    const { limit: resolvedLimit, ...rest } = resolve({
      limit,
      classify: [a],
      beforeSend: b,
      on: { sent: c },
      idempotency: { methods: ['post'] },
      statuses: { 500: 'retry' },
    });
    expect(partsOf(rest).filter((part) => !Object.isFrozen(part) && part !== rest)).toEqual([]);
    expect(Object.isFrozen(resolve({}))).toBe(true);
    expect(resolvedLimit).toBe(limit);
    expect(Object.isFrozen(limit)).toBe(false);
  });

  it('freezes nothing of what it was given', () => {
    const given = {
      retry: { retryAfter: { maxMs: 1 }, budget: { capacity: 1 } },
      statuses: { 500: 'retry' as const },
      classify: [a],
      beforeSend: [b],
      idempotency: { methods: ['post'] },
      on: { sent: [c] },
    };
    resolve(given);
    expect(partsOf(given).filter(Object.isFrozen)).toEqual([]);
  });

  it('gives a policy that can be resolved and merged again, and says the same', () => {
    const resolved = resolve({ retry: { maxRetries: 5 }, idempotency: {}, on: { sent: a }, classify: b });
    expect(resolve(mergePolicies(resolved))).toEqual(resolved);
  });

  it('resolves two policies one over the other as it resolves their merger', () => {
    const retries = fc.oneof(
      fc.constant(undefined),
      fc.record({ maxRetries: fc.integer({ min: 0, max: 9 }), timeouts: fc.boolean() }, { requiredKeys: [] }),
    );
    const policy = fc.record(
      { retry: retries, deadlineMs: fc.integer({ min: 1 }), statuses: fc.constant({ 500: 'retry' as const }) },
      { requiredKeys: [] },
    ) as fc.Arbitrary<Policy>;
    fc.assert(
      fc.property(policy, policy, (under, over) => {
        expect(resolve(over, resolve(under))).toEqual(resolve(mergePolicies(under, over)));
      }),
    );
  });

  it('refuses a wrong policy', () => {
    expect(() => resolve({ retry: { maxRetries: 1.5 } })).toThrow(InvalidPolicyError);
  });
});

describe('the policy of an attachment', () => {
  it('can be changed neither through the attachment nor through what was handed in', () => {
    const given = { retry: { maxRetries: 1 } };
    const { policy } = attach(axios.create(), given);
    given.retry.maxRetries = 9;
    expect(policy.retry).toMatchObject({ maxRetries: 1 });
    expect(() => Object.assign(policy.retry, { maxRetries: 9 })).toThrow(TypeError);
    expect(() => Object.assign(policy, { retry: false })).toThrow(TypeError);
  });
});
