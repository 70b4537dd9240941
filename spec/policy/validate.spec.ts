import axios from 'axios';
import { attach, InvalidPolicyError, isHoldfastError, mergePolicies, type Policy } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { EVENT_NAMES } from '../../lib/call/events.ts';
import type { PolicyProblem } from '../../lib/failure/errors.ts';
import { FULL } from '../../lib/full.ts';
import { POLICY_OPTIONS } from '../../lib/policy/options.ts';
import { validate } from '../../lib/policy/validate.ts';

function problemsOf(policy: unknown): readonly PolicyProblem[] {
  try {
    validate(FULL, policy);
  } catch (error) {
    if (error instanceof InvalidPolicyError) return error.problems;
    throw error;
  }
  return [];
}

const pathsOf = (policy: unknown) => problemsOf(policy).map(({ path }) => path);

const STATUS = "a status from 100 to 999, or a range such as '5xx' or '52x'";

const LOG = "false, 'retries', 'all' or a logger with debug(), info() and warn()";

const limiter = { acquire: () => {}, pause: () => {}, close: () => {}, stats: () => {} };

describe(validate.name, () => {
  it('takes an empty policy, and one in which every option is undefined', () => {
    const silent = {
      retry: undefined,
      statuses: undefined,
      classify: undefined,
      deadlineMs: undefined,
      idempotency: undefined,
      body: undefined,
      limit: undefined,
      beforeSend: undefined,
      on: undefined,
    };
    expect(problemsOf({})).toEqual([]);
    expect(problemsOf(silent)).toEqual([]);
  });

  it('takes a policy in which every option of every group is given', () => {
    const policy: Policy = {
      retry: {
        maxRetries: Number.POSITIVE_INFINITY,
        idempotentMethods: ['PURGE'],
        backoff: () => 0,
        retryAfter: { maxMs: Number.POSITIVE_INFINITY, whenLonger: 'clamp', jitterMs: 0 },
        unsafe: 'always',
        timeouts: false,
        budget: {
          capacity: 0,
          transientCost: 0,
          throttledCost: 0,
          refund: 0,
          ratio: 1,
          windowMs: 1_000,
          minRetriesPerWindow: 0,
          key: () => 'k',
        },
      },
      statuses: { 100: 'retry', 500: 'fail', 999: 'refresh', '4xx': 'fail', '52x': 'retry' },
      classify: [() => undefined],
      deadlineMs: Number.MIN_VALUE,
      idempotency: { header: 'X-Key', methods: ['post'], generate: () => 'k', renew: 'after-response' },
      body: () => 'body',
      limit: limiter as never,
      beforeSend: () => {},
      on: Object.fromEntries(EVENT_NAMES.map((name) => [name, [() => {}]])),
    };
    expect(problemsOf(policy)).toEqual([]);
    expect(problemsOf({ retry: { budget: false } })).toEqual([]);
    expect(problemsOf({ retry: false, idempotency: false, limit: false })).toEqual([]);
  });

  it('takes names of headers for the ids of an answer', () => {
    expect(problemsOf({ ids: ['x-request-id', 'trace'] })).toEqual([]);
  });

  it('knows each option by the name by which a policy is told from something else', () => {
    expect([...POLICY_OPTIONS].sort()).toEqual(Object.keys(FULL.policy.fields).sort());
  });

  it.each([false, 'retries', 'all', { debug: () => {}, info: () => {}, warn: () => {} }, console])(
    'takes %o for the log',
    (log) => {
      expect(problemsOf({ log })).toEqual([]);
    },
  );

  // Path, an offending value, and the bound that the message must name.
  it.each<[string, unknown, string]>([
    ['retry', true, 'a plain object'],
    ['retry', null, 'a plain object'],
    ['retry.maxRetries', -1, 'an integer of at least 0, or Infinity'],
    ['retry.maxRetries', 1.5, 'an integer of at least 0, or Infinity'],
    ['retry.maxRetries', Number.NEGATIVE_INFINITY, 'an integer of at least 0, or Infinity'],
    ['retry.maxRetries', Number.NaN, 'an integer of at least 0, or Infinity'],
    ['retry.idempotentMethods', ['PURGE', 'GET /'], 'an array of method names'],
    ['retry.idempotentMethods', 'PURGE', 'an array of method names'],
    ['retry.budget.refillPerSecond', -1, 'a number of at least 0 and finite'],
    ['retry.budget.refillPerSecond', Number.POSITIVE_INFINITY, 'a number of at least 0 and finite'],
    ['retry.budget.failingMs', -1, 'a number of at least 0'],
    ['retry.budget.failingMs', Number.NaN, 'a number of at least 0'],
    ['retry.maxRetries', '3', 'an integer of at least 0, or Infinity'],
    ['retry.backoff', 100, 'a function'],
    ['retry.retryAfter', 60, 'a plain object'],
    ['retry.retryAfter.maxMs', -1, 'a number of at least 0'],
    ['retry.retryAfter.maxMs', Number.NaN, 'a number of at least 0'],
    ['retry.retryAfter.whenLonger', 'ignore', "'fail' or 'clamp'"],
    ['retry.retryAfter.jitterMs', -1, 'a number of at least 0'],
    ['retry.retryAfter.jitterMs', Number.POSITIVE_INFINITY, 'a number of at least 0'],
    ['retry.unsafe', true, "'when-unapplied' or 'always' or 'never'"],
    ['retry.timeouts', 1, 'true or false'],
    ['retry.budget', true, 'a plain object'],
    ['retry.budget.capacity', -1, 'a number of at least 0'],
    ['retry.budget.transientCost', '14', 'a number of at least 0'],
    ['retry.budget.throttledCost', Number.NaN, 'a number of at least 0'],
    ['retry.budget.refund', -0.1, 'a number of at least 0'],
    ['retry.budget.ratio', 1.1, 'a number of at least 0 and at most 1'],
    ['retry.budget.windowMs', 999, 'a number of at least 1000'],
    ['retry.budget.minRetriesPerWindow', -1, 'a number of at least 0'],
    ['retry.budget.key', 'origin', 'a function'],
    ['statuses', ['retry'], "an object like { 500: 'retry' }"],
    ['statuses.500', true, "'retry' or 'fail' or 'refresh'"],
    ['statuses.99', 'retry', STATUS],
    ['statuses.1000', 'retry', STATUS],
    ['statuses.5XX', 'retry', STATUS],
    ['statuses.0xx', 'retry', STATUS],
    ['statuses.xxx', 'retry', STATUS],
    ['statuses.5x2', 'retry', STATUS],
    ['statuses.5*', 'retry', STATUS],
    ['statuses.5e2', 'retry', STATUS],
    ['statuses.0500', 'retry', STATUS],
    ['classify', {}, 'a function or an array of functions'],
    ['classify', [() => undefined, 'no'], 'a function or an array of functions'],
    ['deadlineMs', 0, 'a number above 0'],
    ['deadlineMs', -1, 'a number above 0'],
    ['deadlineMs', '30s', 'a number above 0'],
    ['idempotency', true, 'a plain object'],
    ['idempotency.header', 'Idempotency Key', 'a header name'],
    ['idempotency.header', 'Key\r\nX: y', 'a header name'],
    ['idempotency.header', '', 'a header name'],
    ['idempotency.methods', 'post', 'an array of method names'],
    ['idempotency.methods', ['post', 7], 'an array of method names'],
    ['idempotency.when', true, 'a function'],
    ['idempotency.generate', 'uuid', 'a function'],
    ['idempotency.renew', 'always', "'never' or 'after-response'"],
    ['correlation', 7, 'a plain object'],
    ['correlation.header', 'X Trace', 'a header name'],
    ['correlation.generate', 'uuid', 'a function'],
    ['breaker.failureRatio', 0, 'a number above 0 and at most 1'],
    ['breaker.failureRatio', 1.1, 'a number above 0 and at most 1'],
    ['breaker.minimumThroughput', 1.5, 'an integer of at least 1'],
    ['breaker.windowMs', 99, 'a number of at least 100 and at most 2³¹−1'],
    ['breaker.openMs', 0, 'a number above 0 and at most 2³¹−1'],
    ['breaker.key', 'origin', 'a function'],
    ['breaker.isFailure', true, 'a function'],
    ['poll.intervalMs', -1, 'a number'],
    ['poll.maxMs', -1, 'a number'],
    ['poll', true, 'a plain object'],
    ['body', 'text', 'a function'],
    ['limit', true, 'a plain object'],
    ['limit.maxConcurrent', 0, 'an integer of at least 1, or Infinity'],
    ['beforeSend', null, 'a function or an array of functions'],
    ['on', () => {}, 'a plain object'],
    ['on', false, 'a plain object'],
    ['ids', 'x-request-id', 'an array of names of headers'],
    ['ids', [7], 'an array of names of headers'],
    ['ids', ['x-request-id', ''], 'an array of names of headers'],
    ['log', true, LOG],
    ['log', null, LOG],
    ['log', 'verbose', LOG],
    ['log', { debug: () => {}, info: () => {} }, LOG],
    ['log', { debug: () => {}, info: () => {}, warn: 'yes' }, LOG],
    ['on.sent', 'log', 'a function or an array of functions'],
    ['on.sent', [null], 'a function or an array of functions'],
  ])('refuses %s: %o', (path, value, bound) => {
    const policy = path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
    const [problem, ...others] = problemsOf(policy);
    expect(others).toEqual([]);
    expect(problem?.path).toBe(path);
    expect(problem?.bound).toContain(bound);
    expect(problem?.message).toContain(path);
    expect(problem?.message).toContain(bound);
    if (!path.startsWith('statuses.')) expect(problem?.value).toBe(value);
  });

  it.each([
    ['retrys', 'retry'],
    ['status', 'statuses'],
    ['deadline', 'deadlineMs'],
    ['idempotent', 'idempotency'],
    ['limits', 'limit'],
    ['BeforeSend', 'beforeSend'],
  ])('asks of %s whether %s was meant', (name, near) => {
    const [problem] = problemsOf({ [name]: 1 });
    expect(problem).toMatchObject({ path: name, value: 1, bound: expect.stringContaining(near) });
    expect(problem?.message).toBe(`${name} is not an option; did you mean ${near}?`);
  });

  it.each([
    [{ retry: { retries: 3 } }, 'retry.retries is not an option; here it is retry.maxRetries'],
    [{ retry: { retryAfter: { maxMS: 1 } } }, 'retry.retryAfter.maxMS is not an option; did you mean maxMs?'],
    [{ retry: { budget: { ratios: 1 } } }, 'retry.budget.ratios is not an option; did you mean ratio?'],
    [{ idempotency: { headers: 'x' } }, 'idempotency.headers is not an option; did you mean header?'],
    [
      { on: { finish: () => {} } },
      `on.finish is not an option; did you mean finished? (the events: ${EVENT_NAMES.join(', ')}, *)`,
    ],
  ])('does so inside of groups: %o', (policy, message) => {
    expect(problemsOf(policy).map((problem) => problem.message)).toEqual([message]);
  });

  it('reports everything at once, in the order in which it was written', () => {
    const policy = {
      retry: { maxRetries: -1, backof: () => 0, retryAfter: { maxMs: 'long' }, budget: { ratio: 2 } },
      statuses: { 500: 'maybe', 7000: 'retry' },
      deadlineMs: 0,
      colour: 'red',
    };
    expect(pathsOf(policy)).toEqual([
      'retry.maxRetries',
      'retry.backof',
      'retry.retryAfter.maxMs',
      'retry.budget.ratio',
      'statuses.500',
      'statuses.7000',
      'deadlineMs',
      'colour',
    ]);
  });

  it.each([undefined, null, 'strict', 3, [], () => {}, new Map()])('refuses %o for a whole policy', (policy) => {
    expect(problemsOf(policy)).toEqual([
      expect.objectContaining({
        path: '',
        bound: 'a plain object',
        message: expect.stringMatching(/^the policy must be/),
      }),
    ]);
  });

  it('reads no policy out of the prototype of Object', () => {
    expect(pathsOf(JSON.parse('{"__proto__":{"retry":false},"retry":{"__proto__":{"maxRetries":9}}}'))).toEqual([
      '__proto__',
      'retry.__proto__',
    ]);
    expect({}).not.toHaveProperty('maxRetries');
  });
});

describe('an invalid policy', () => {
  const wrong = { retry: { maxRetries: 'three' }, limits: {} } as unknown as Policy;

  it('is refused by attach with one error that names every problem, and nothing is attached', () => {
    const client = axios.create();
    let thrown: unknown;
    try {
      attach(client, wrong);
    } catch (error) {
      thrown = error;
    }
    expect(isHoldfastError(thrown)).toBe(true);
    expect(thrown).toBeInstanceOf(InvalidPolicyError);
    expect(thrown).toMatchObject({
      name: 'InvalidPolicyError',
      code: 'ERR_POLICY_INVALID',
      message:
        "Invalid holdfast policy: retry.maxRetries must be an integer of at least 0, or Infinity, got 'three'; limits is not an option; did you mean limit?",
      problems: [
        { path: 'retry.maxRetries', value: 'three' },
        { path: 'limits', value: {} },
      ],
    });
    expect(() => attach(client)).not.toThrow();
  });

  it('is refused by mergePolicies, in whichever place it stands', () => {
    expect(() => mergePolicies(wrong, {})).toThrow(InvalidPolicyError);
    expect(() => mergePolicies({}, wrong)).toThrow(InvalidPolicyError);
  });

  it.each<[string, unknown]>([
    ['an API key in an option that does not exist', { apiKey: 'sk-hunter2' }],
    ['the parts of an object in the wrong place', { limit: { headers: { Authorization: 'Bearer sk-hunter2' } } }],
    ['a list', { classify: ['sk-hunter2'] }],
    ['a nested option that does not exist', { retry: { password: 'sk-hunter2' } }],
  ])('does not show %s', (_name, policy) => {
    const messages = problemsOf(policy).map(({ message, bound }) => message + bound);
    expect(messages).toHaveLength(1);
    expect(messages.join()).not.toContain('hunter2');
  });
});
