import { inspect } from 'node:util';
import axios from 'axios';
import { attach, InvalidPolicyError, localLimiter, mergePolicies, type Policy, preparePolicy } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { credentials } from '../../lib/auth/credentials.ts';
import { isPrepared, PreparedPolicy } from '../../lib/policy/prepared.ts';
import { resolve } from '../support/policies.ts';

const auth = { token: () => 'token', refresh: async () => 'fresh' };

describe(preparePolicy.name, () => {
  it.each<[string, unknown, string]>([
    ['a wrong option', { retry: { maxRetries: -1 } }, 'retry.maxRetries'],
    ['an unknown one', { retries: 3 }, 'retries'],
    ['null', null, ''],
    ['nothing', undefined, ''],
    ['false', false, ''],
    ['one that is prepared', preparePolicy({}), ''],
  ])('refuses %s when it is made', (_what, policy, path) => {
    const prepare = () => preparePolicy(policy as Policy);
    expect(prepare).toThrow(InvalidPolicyError);
    expect(prepare).toThrow(expect.objectContaining({ problems: [expect.objectContaining({ path })] }));
  });

  it('tells all problems at once', () => {
    expect(() => preparePolicy({ deadlineMs: 0, retry: { maxRetries: -1 } })).toThrow(
      /retry\.maxRetries.*deadlineMs|deadlineMs.*retry\.maxRetries/,
    );
  });

  it('gives something frozen, which keeps a copy of what it was made of', () => {
    const written = { retry: { maxRetries: 1, idempotentMethods: ['post'] }, statuses: { 500: 'retry' as const } };
    const prepared = preparePolicy(written);
    written.retry.maxRetries = 9;
    written.retry.idempotentMethods.push('patch');
    Object.assign(written, { deadlineMs: 1 });
    expect(prepared.policy).toEqual({
      retry: { maxRetries: 1, idempotentMethods: ['post'] },
      statuses: { 500: 'retry' },
    });
    const parts = [prepared, prepared.policy, prepared.policy.retry, prepared.policy.statuses];
    expect(parts.every((part) => Object.isFrozen(part))).toBe(true);
    expect(Object.isFrozen(written.retry)).toBe(false);
  });

  it('leaves limiters, credentials and loggers as they are', () => {
    const limiter = localLimiter({ maxConcurrent: 1 });
    const plain = {
      acquire: () => ({ release: () => {} }),
      pause: () => {},
      close: async () => {},
      stats: () => ({ queued: 0, running: 0 }),
    };
    const shared = credentials(auth);
    const log = { debug: () => {}, info: () => {}, warn: () => {} };
    expect(preparePolicy({ limit: limiter, auth: shared, log }).policy).toEqual({ limit: limiter, auth: shared, log });
    expect(preparePolicy({ limit: limiter }).policy.limit).toBe(limiter);
    expect(preparePolicy({ limit: plain }).policy.limit).toBe(plain);
    expect([limiter, plain, shared, log].some((each) => Object.isFrozen(each))).toBe(false);
  });

  it('keeps the very options of `auth`, by which attachments share a session', () => {
    expect(preparePolicy({ auth }).policy.auth).toBe(auth);
    expect(Object.isFrozen(auth)).toBe(false);
  });

  it('may be printed and turned into JSON, whatever is in it', () => {
    const circular: Record<string, unknown> = { acquire: () => {}, pause: () => {}, close: () => {}, stats: () => {} };
    circular.self = circular;
    const prepared = preparePolicy({ limit: circular as never, deadlineMs: 5 });
    expect(JSON.stringify({ holdfast: prepared })).toBe('{"holdfast":{}}');
    expect(inspect(prepared)).toBe('PreparedPolicy {}');
  });

  it('is known for what it is, also to a second copy of this package', () => {
    expect(isPrepared(new PreparedPolicy({}))).toBe(true);
    expect(preparePolicy({})).toMatchObject({ [Symbol.for('axios-holdfast.prepared-policy')]: true });
    expect(isPrepared({ [Symbol.for('axios-holdfast.prepared-policy')]: true })).toBe(true);
    for (const other of [undefined, null, 'prepared', {}, { policy: {} }]) expect(isPrepared(other)).toBe(false);
  });
});

describe('a prepared policy', () => {
  const policy: Policy = { retry: { maxRetries: 1, onRetry: () => {} }, statuses: { '5xx': 'retry' }, limit: {}, auth };
  const base = resolve({ limit: { maxConcurrent: 3 }, classify: () => undefined });

  it('means what the plain one means: attached, laid over another, and merged', () => {
    expect(resolve(preparePolicy(policy))).toEqual(resolve(policy));
    expect(resolve(preparePolicy(policy), base)).toEqual(resolve(policy, base));
    const origins = ['https://api.example.com'];
    const given = { ...policy, auth: { ...auth, origins } };
    expect(attach(axios.create(), preparePolicy(given)).policy).toEqual(attach(axios.create(), given).policy);
    const other = { retry: { maxRetries: 7, onRetry: () => {} }, deadlineMs: 5 };
    expect(mergePolicies(preparePolicy(policy), other)).toEqual(mergePolicies(policy, other));
    expect(mergePolicies(other, undefined, preparePolicy(policy))).toEqual(mergePolicies(other, policy));
  });

  it('has to be what it was when it was made, also where another copy of the package made it', () => {
    const forged = { [Symbol.for('axios-holdfast.prepared-policy')]: true, policy: { retry: { maxRetries: -1 } } };
    expect(() => resolve(forged as never)).toThrow('retry.maxRetries');
    expect(() => mergePolicies(forged as never)).toThrow('retry.maxRetries');
  });

  it('has no place within a policy', () => {
    expect(() => resolve({ retry: preparePolicy({}) as never })).toThrow('an instance of PreparedPolicy');
  });
});
