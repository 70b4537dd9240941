import axios from 'axios';
import {
  attach,
  constantBackoff,
  exponentialBackoff,
  InvalidPolicyError,
  type LimitOptions,
  linearBackoff,
  localLimiter,
  type Policy,
  partnerApi,
} from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { EVENT_NAMES } from '../../lib/call/events.ts';
import { rejectionOf } from '../support/attached.ts';

/** What attach says to a policy, or nothing. */
function refusal(policy: unknown): string {
  try {
    attach(axios.create({ baseURL: 'https://api.example.com' }), policy as Policy);
    return '';
  } catch (error) {
    if (error instanceof InvalidPolicyError) return error.message.replace('Invalid holdfast policy: ', '');
    throw error;
  }
}

const f = () => true;

/** Library, option, a value as its documents have it, and our name for it. */
const OPTIONS: readonly (readonly [library: string, option: string, value: unknown, ours: string])[] = [
  ['axios-retry', 'retries', 3, 'retry.maxRetries'],
  ['axios-retry', 'retryDelay', f, 'retry.backoff'],
  ['axios-retry', 'retryCondition', f, 'classify'],
  ['axios-retry', 'shouldResetTimeout', true, 'deadlineMs'],
  ['axios-retry', 'onMaxRetryTimesExceeded', f, 'retry.onGiveUp'],
  ['axios-retry', 'validateResponse', f, 'classify'],
  ['retry-axios', 'noResponseRetries', 2, 'retry.maxRetries'],
  ['retry-axios', 'httpMethodsToRetry', ['GET'], 'retry.unsafe'],
  ['retry-axios', 'statusCodesToRetry', [[500, 599]], 'statuses'],
  ['retry-axios', 'onRetryAttempt', f, 'retry.onRetry'],
  ['retry-axios', 'shouldRetry', f, 'classify'],
  ['retry-axios', 'backoffType', 'static', 'retry.backoff'],
  ['retry-axios', 'maxRetryAfter', 1, 'retry.retryAfter.maxMs'],
  ['retry-axios', 'maxRetryDelay', 1, 'capMs'],
  ['retry-axios', 'checkRetryAfter', true, 'retry.retryAfter'],
  ['retry-axios', 'retryDelayMultiplier', 2, 'factor'],
  ['got', 'methods', ['GET'], 'retry.unsafe'],
  ['got', 'statusCodes', [500], 'statuses'],
  ['got', 'errorCodes', ['ETIMEDOUT'], 'classify'],
  ['got', 'calculateDelay', f, 'retry.backoff'],
  ['got', 'backoffLimit', 1, 'capMs'],
  ['got', 'noise', 100, 'jitter'],
  ['ky', 'afterStatusCodes', [413], 'retry.retryAfter'],
  ['ky', 'delay', f, 'retry.backoff'],
  ['ky', 'hooks', { beforeRetry: [f] }, 'beforeSend'],
  ['ky', 'jitter', true, 'jitter'],
  ['ky', 'retryOnTimeout', true, 'retry.timeouts'],
  ['p-retry', 'attempts', 3, 'retry.maxRetries'],
  ['p-retry', 'minTimeout', 1_000, 'baseMs'],
  ['p-retry', 'factor', 2, 'factor'],
  ['others', 'maxAttempts', 3, 'retry.maxRetries'],
  ['others', 'maxRetry', 3, 'retry.maxRetries'],
  ['others', 'timeout', 3, 'deadlineMs'],
];

describe.each(OPTIONS)('%s: %s', (_library, option, value, ours) => {
  it('at the top of a policy is told our name for it', () => {
    const said = refusal({ [option]: value });
    expect(said).toMatch(new RegExp(`^${option} is not an option; .*${ours.replaceAll('.', '\\.')}`));
  });

  it('in retry too', () => {
    const said = refusal({ retry: { [option]: value } });
    expect(said).toMatch(new RegExp(`^retry\\.${option} is not an option; .*${ours.replaceAll('.', '\\.')}`));
  });

  it('and on a call', async () => {
    const client = axios.create();
    attach(client);
    const error = await rejectionOf(
      client.get('http://127.0.0.1:9/', { holdfast: { [option]: value } as unknown as Policy }),
    );
    expect(error).toBeInstanceOf(InvalidPolicyError);
    expect(String(error)).toContain(ours);
  });
});

describe('a value of another library in the place of a group', () => {
  it.each<[unknown, string]>([
    [{ retry: 3 }, 'retry must be a plain object, got 3: here it is { maxRetries }'],
    [{ retry: { limit: 3 } }, 'retry.limit is not an option; here it is retry.maxRetries'],
    [
      { limit: 3 },
      'limit must be a plain object, got 3: to bound retries it is retry.maxRetries; to bound sends { maxConcurrent }, or { requests, perMs }',
    ],
    [{ raxConfig: { retry: 3 } }, 'raxConfig is not an option; here it is retry'],
    [{ 'axios-retry': { retries: 3 } }, 'axios-retry is not an option; here it is retry'],
    [{ rateLimit: { maxRequests: 5 } }, 'rateLimit is not an option; here it is limit'],
    [{ circuitBreaker: {} }, 'circuitBreaker is not an option; here it is breaker'],
    [{ retry: { retryAfter: 60 } }, 'retry.retryAfter must be a plain object, got 60: here it is { maxMs }, in ms'],
  ])('%o: %s', (policy, message) => {
    expect(refusal(policy)).toBe(message);
  });
});

describe('the options of a rate limiter, or of another breaker', () => {
  it.each<[library: string, policy: unknown, message: string]>([
    ['axios-rate-limit', { limit: { maxRequests: 5 } }, 'limit.maxRequests is not an option; here it is requests'],
    [
      'axios-rate-limit',
      { limit: { maxRPS: 5 } },
      'limit.maxRPS is not an option; here it is requests, with perMs: 1_000',
    ],
    ['Bottleneck', { limit: { minTime: 5 } }, 'limit.minTime is not an option; here it is perMs, with requests: 1'],
    ['Bottleneck', { limit: { highWater: 5 } }, 'limit.highWater is not an option; here it is maxQueue'],
    ['p-limit', { limit: { concurrency: 5 } }, 'limit.concurrency is not an option; here it is maxConcurrent'],
    ['p-queue', { limit: { interval: 5 } }, 'limit.interval is not an option; here it is perMs, in ms'],
    [
      'express-rate-limit, in a window',
      { limit: { windows: [{ requests: 5, perMs: 5, windowMs: 5 }] } },
      'limit.windows.0.windowMs is not an option; here it is perMs, in ms',
    ],
    [
      'opossum',
      { breaker: { errorThresholdPercentage: 50 } },
      'breaker.errorThresholdPercentage is not an option; here it is breaker.failureRatio, from 0 to 1',
    ],
    ['opossum', { breaker: { resetTimeout: 5 } }, 'breaker.resetTimeout is not an option; here it is breaker.openMs'],
    [
      'cockatiel',
      { breaker: { halfOpenAfter: 5 } },
      'breaker.halfOpenAfter is not an option; here it is breaker.openMs',
    ],
    [
      'Polly',
      { breaker: { samplingDuration: 5 } },
      'breaker.samplingDuration is not an option; here it is breaker.windowMs',
    ],
  ])('%s: %o', (_library, policy, message) => {
    expect(refusal(policy)).toBe(message);
  });

  it('of an engine too', () => {
    expect(() => localLimiter({ concurrency: 5 } as LimitOptions)).toThrow('here it is maxConcurrent');
  });
});

describe('a value in the place of what holds it', () => {
  it.each<[unknown, string]>([
    [{ idempotency: 'X-Key' }, 'idempotency must be a plain object, got a string: here it is { header }'],
    [{ correlation: 'X-Trace' }, 'correlation must be a plain object, got a string: here it is { header }'],
    [
      { classify: { 403: 'throttled' } },
      'classify must be a function or an array of functions, got an object: rules by status stand in statuses',
    ],
    [
      { retry: { idempotentMethods: ['PURGE', 'GET /'] } },
      "retry.idempotentMethods must be an array of method names, got 'GET /' in it",
    ],
  ])('%o: %s', (policy, message) => {
    expect(refusal(policy)).toBe(message);
  });
});

describe('our own options in the wrong place', () => {
  it.each<[unknown, string]>([
    [{ maxRetries: 3 }, 'maxRetries is not an option; here it is retry.maxRetries'],
    [{ backoff: f }, 'backoff is not an option; here it is retry.backoff'],
    [{ onRetry: f }, 'onRetry is not an option; here it is retry.onRetry'],
    [{ intervalMs: 3 }, 'intervalMs is not an option; here it is poll.intervalMs'],
    [{ retry: { poll: {} } }, 'retry.poll is not an option; it is an option of the policy itself, beside retry'],
    [{ maxConcurrent: 3 }, 'maxConcurrent is not an option; here it is limit.maxConcurrent'],
    [{ refresh: f }, 'refresh is not an option; here it is auth.refresh'],
    [
      { replace: true },
      'replace is not an option; it is an option of attach: attach(instance, policy, { replace: true })',
    ],
    [
      { retry: { statuses: { 500: 'retry' } } },
      'retry.statuses is not an option; it is an option of the policy itself, beside retry',
    ],
  ])('%o: %s', (policy, message) => {
    expect(refusal(policy)).toBe(message);
  });
});

describe('statuses that are no plain object', () => {
  it.each<[unknown, string]>([
    [new Map([[500, 'retry']]), 'an instance of Map'],
    [[500, 502], 'an array'],
    [new Set([500]), 'an instance of Set'],
    [Promise.resolve({}), 'a promise: await it?'],
  ])('%o: their rules would be passed over in silence', (statuses, what) => {
    expect(refusal({ statuses })).toBe(`statuses must be an object like { 500: 'retry' }, got ${what}`);
  });
});

describe('true in the place of a group', () => {
  it.each(['breaker', 'idempotency', 'correlation', 'retry'])('%s: true is told what turns it on', (group) => {
    expect(refusal({ [group]: true })).toBe(`${group} must be a plain object, got true: \`{}\` turns it on`);
    expect(refusal({ [group]: {} })).toBe('');
  });

  it('retry.budget: true too', () => {
    expect(refusal({ retry: { budget: true } })).toContain('got true: `{}` turns it on');
  });

  it('auth and limit need more', () => {
    expect(refusal({ auth: true })).toBe('auth must be a plain object, got true: it needs { token, refresh }');
    expect(refusal({ limit: true })).toContain('got true: it needs numbers, { requests, perMs } or { maxConcurrent }');
  });
});

describe('what was not called', () => {
  it.each([
    ['exponentialBackoff', exponentialBackoff],
    ['linearBackoff', linearBackoff],
    ['constantBackoff', constantBackoff],
  ])('backoff: %s', (name, backoff) => {
    expect(refusal({ retry: { backoff } })).toBe(
      `retry.backoff must be a function such as exponentialBackoff(), got the function ${name}: call it, ${name}()`,
    );
  });

  it('limit: localLimiter, and partnerApi for a policy', () => {
    expect(refusal({ limit: localLimiter })).toContain('got the function localLimiter: call it, localLimiter()');
    expect(refusal(partnerApi)).toBe(
      'the policy must be a plain object, got the function partnerApi: call it, partnerApi()',
    );
  });
});

describe('what is no limiter, though it has acquire', () => {
  it('is told what it lacks: permits of a semaphore would never be given back', () => {
    class Semaphore {
      acquire() {
        return Promise.resolve([1, () => {}]);
      }
    }
    expect(refusal({ limit: new Semaphore() })).toBe(
      'limit must be a Limiter, with acquire, pause, close, stats; an instance of Semaphore lacks pause, close, stats',
    );
    const { acquire, pause } = localLimiter({ maxConcurrent: 1 });
    expect(refusal({ limit: { acquire, pause } })).toContain('an object lacks close, stats');
  });
});

describe('what was given instead of a policy', () => {
  it.each<[unknown, string]>([
    [Promise.resolve({}), 'a promise: await it?'],
    [[{}], 'an array'],
    [new (class Settings {})(), 'an instance of Settings'],
    [axios.create(), 'an axios instance'],
    [class Settings {}, 'the class Settings'],
    ['hunter2', 'a string'],
    [null, 'null'],
  ])('%o: %s', (policy, what) => {
    expect(refusal(policy)).toBe(`the policy must be a plain object, got ${what}`);
  });
});

describe('a listener of no event', () => {
  it('is told all events, and the near one', () => {
    expect(refusal({ on: { retry: f } })).toBe(
      `on.retry is not an option; did you mean retry-scheduled? (the events: ${EVENT_NAMES.join(', ')}, *)`,
    );
    expect(refusal({ on: { xyz: f } })).toBe(`on.xyz is not an option (the events: ${EVENT_NAMES.join(', ')}, *)`);
    const holdfast = attach(axios.create());
    expect(() => holdfast.on('response' as 'sent', f)).toThrow('did you mean answered?');
  });
});

it('a bound that nobody chose is no number of sixteen digits', () => {
  const wrong = {
    breaker: { minimumThroughput: 0, windowMs: 1 },
    retry: { retryAfter: { jitterMs: Number.POSITIVE_INFINITY } },
    limit: { requests: 0, perMs: 1 },
  };
  expect(refusal(wrong)).toContain('breaker.minimumThroughput must be an integer of at least 1, got 0');
  expect(refusal(wrong)).toContain('breaker.windowMs must be a number of at least 100 and at most 2³¹−1, got 1');
  expect(refusal(wrong)).toContain('retry.retryAfter.jitterMs must be a number of at least 0 and finite, got Infinity');
  expect(refusal(wrong)).toContain('limit.requests must be a number of at least 0.001 and finite, got 0');
  expect(refusal(wrong)).not.toMatch(/\d{8}/);
});

it('a secret in the place of a function or an object is not shown', () => {
  const wrong = {
    auth: {
      ...{ token: 'hunter2', refresh: 'hunter2', apply: 'hunter2', store: 'hunter2', retry: 'hunter2' },
      origins: 'https://user:hunter2@api.example.com',
    },
    statuses: 'hunter2',
    limit: 'hunter2',
    body: 'hunter2',
    apiKey: 'hunter2',
    timeout: 'hunter2',
    retry: { backoff: 'hunter2', retries: 'hunter2' },
  };
  expect(refusal(wrong)).not.toContain('hunter2');
});
