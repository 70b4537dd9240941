import axios from 'axios';
import {
  attach,
  CircuitOpenError,
  failureOf,
  InvalidPolicyError,
  isHoldfastError,
  LimitError,
  reportOf,
  TokenRefreshError,
} from 'axios-holdfast';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { rejectionOf } from '../support/attached.ts';
import { scripted } from '../support/scripted.ts';

const OURS = [
  [new InvalidPolicyError([]), 'InvalidPolicyError', 'ERR_POLICY_INVALID'],
  [new LimitError('ERR_LIMIT_QUEUE_FULL', 'full'), 'LimitError', 'ERR_LIMIT_QUEUE_FULL'],
  [new LimitError('ERR_LIMIT_WAIT_TOO_LONG', 'too long'), 'LimitError', 'ERR_LIMIT_WAIT_TOO_LONG'],
  [new LimitError('ERR_LIMIT_CLOSED', 'closed'), 'LimitError', 'ERR_LIMIT_CLOSED'],
  [new LimitError('ERR_LIMIT_DEADLINE', 'deadline'), 'LimitError', 'ERR_LIMIT_DEADLINE'],
  [new TokenRefreshError('refused', new Error('invalid_grant')), 'TokenRefreshError', 'ERR_TOKEN_REFRESH'],
  [new CircuitOpenError('open', 1), 'CircuitOpenError', 'ERR_CIRCUIT_OPEN'],
] as const;

describe('the error classes', () => {
  it.each(OURS)('have a name, a stable code and a stack: %s', (error, name, code) => {
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe(name);
    expect(error.code).toBe(code);
    expect(error.stack).toContain(name);
    expect(isHoldfastError(error)).toBe(true);
    expect(axios.isAxiosError(error)).toBe(false);
  });

  it('show neither brand nor name among their own fields', () => {
    expect(Object.keys(new CircuitOpenError('open', 7))).toEqual(['code', 'retryAt']);
    expect(JSON.parse(JSON.stringify(new CircuitOpenError('open', 7)))).toEqual({
      code: 'ERR_CIRCUIT_OPEN',
      retryAt: 7,
    });
  });

  it('keep what they are made of', () => {
    const cause = new Error('invalid_grant');
    const response = { status: 401 } as never;
    expect(new TokenRefreshError('refused', cause, response)).toMatchObject({ cause, response });
    expect(new LimitError('ERR_LIMIT_CLOSED', 'closed', { cause })).toMatchObject({ cause });
    expect(new CircuitOpenError('open', 42).retryAt).toBe(42);
  });

  it('may be renamed, as other errors may', () => {
    const error = new LimitError('ERR_LIMIT_CLOSED', 'closed');
    error.name = 'Mine';
    expect(`${error}`).toBe('Mine: closed');
    Object.defineProperty(error, 'name', { value: 'MineToo' });
    expect(error.name).toBe('MineToo');
  });

  it('carry a brand that other versions of the package know', () => {
    for (const [error] of OURS) expect(Reflect.get(error, Symbol.for('axios-holdfast.error'))).toBe(true);
    expect(isHoldfastError({ [Symbol.for('axios-holdfast.error')]: true })).toBe(true);
    expect(isHoldfastError(Object.assign(() => {}, { [Symbol.for('axios-holdfast.error')]: true }))).toBe(false);
  });

  it('of a policy show a log what is wrong, but not the values: one may be a secret in the wrong place', () => {
    const problem = { path: 'auth.token', bound: 'a function', message: 'auth.token must be a function' };
    const error = new InvalidPolicyError([{ ...problem, value: 'hunter2' }]);
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: 'ERR_POLICY_INVALID',
      message: 'Invalid holdfast policy: auth.token must be a function',
      problems: [problem],
    });
  });

  it('of an open circuit say so, and when to come again', () => {
    expect(new CircuitOpenError('the circuit is open', 7)).toMatchObject({
      code: 'ERR_CIRCUIT_OPEN',
      message: 'the circuit is open',
      retryAt: 7,
    });
  });

  it('of a policy list every problem in the message', () => {
    const problems = ['a', 'b'].map((path) => ({ path, bound: 'x', value: 1, message: `${path} must be x` }));
    const error = new InvalidPolicyError(problems);
    expect(error.problems).toEqual(problems);
    expect(error.message).toBe('Invalid holdfast policy: a must be x; b must be x');
  });
});

describe(isHoldfastError.name, () => {
  const fake = Object.assign(new Error('x'), { code: 'ERR_LIMIT_CLOSED' });
  it.each([undefined, null, 'ERR_LIMIT_CLOSED', 7, {}, new Error('x'), fake, new axios.AxiosError('x')])(
    'is false for %o',
    (thrown) => {
      expect(isHoldfastError(thrown)).toBe(false);
    },
  );

  it('is false, not an error, for what throws when it is looked at', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(isHoldfastError(proxy)).toBe(false);
  });
});

describe('a second copy of the package', () => {
  let copy: typeof import('axios-holdfast');

  beforeEach(async () => {
    vi.resetModules();
    copy = await import('axios-holdfast');
  });

  afterEach(() => vi.resetModules());

  it('is another one', () => {
    expect(copy.attach).not.toBe(attach);
    expect(copy.LimitError).not.toBe(LimitError);
  });

  it("has errors that are instances of our classes, and of no other of ours or of a user's", () => {
    class Mine extends LimitError {}
    const theirs = new copy.LimitError('ERR_LIMIT_CLOSED', 'x');
    expect(theirs).toBeInstanceOf(LimitError);
    expect(theirs).not.toBeInstanceOf(CircuitOpenError);
    expect(theirs).not.toBeInstanceOf(Mine);
    expect(new Mine('ERR_LIMIT_CLOSED', 'x')).toBeInstanceOf(Mine);
    expect(new Mine('ERR_LIMIT_CLOSED', 'x')).toBeInstanceOf(copy.LimitError);
    for (const [error, name] of OURS) expect(error).toBeInstanceOf(copy[name]);
    for (const value of [undefined, null, 'text', {}, new Error('x')]) expect(value).not.toBeInstanceOf(LimitError);
  });

  it('knows our errors by their brand, and we its', () => {
    expect(isHoldfastError(new copy.LimitError('ERR_LIMIT_CLOSED', 'x'))).toBe(true);
    for (const [error] of OURS) expect(copy.isHoldfastError(error)).toBe(true);
  });

  it('explains the errors and reports the calls of ours, and we of its', async () => {
    const error = await scripted([404]).call();
    const response = await scripted([503, 200]).call();
    expect(copy.failureOf(error)).toEqual(failureOf(error));
    expect(copy.failureOf(error)).toMatchObject({ endedBecause: 'not-retryable', sends: 1 });
    expect(copy.reportOf(response)).toEqual(reportOf(response));
    expect(copy.reportOf(response)?.sends).toHaveLength(2);
  });

  it('refuses an instance that we are attached to, and we one of its', () => {
    const [one, other] = [axios.create(), axios.create()];
    attach(one);
    copy.attach(other);
    expect(() => copy.attach(one)).toThrow(/attached to this axios instance already/);
    expect(() => attach(other)).toThrow(/attached to this axios instance already/);
  });

  it("explains a limiter's refusal, whichever copy the limiter came from", async () => {
    const refuse = () => Promise.reject(new copy.LimitError('ERR_LIMIT_QUEUE_FULL', 'the queue is full'));
    const limit = { acquire: refuse, pause: () => {}, close: async () => {}, stats: () => ({ queued: 0, running: 0 }) };
    const { client } = scripted([], { limit });
    expect(failureOf(await rejectionOf(client.get('/')))).toMatchObject({
      kind: 'limited',
      code: 'ERR_LIMIT_QUEUE_FULL',
      endedBecause: 'limited',
      sends: 0,
    });
  });
});
