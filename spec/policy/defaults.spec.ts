import { readFileSync } from 'node:fs';
import axios from 'axios';
import { attach } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { BACKOFF_DEFAULTS } from '../../lib/time/backoff.ts';
import { DEFAULT_POLICY, DEFAULTS, resolve } from '../support/policies.ts';

const options = ['retry', 'poll', 'idempotency', 'policy']
  .map((room) => readFileSync(new URL(`../../lib/${room}/options.ts`, import.meta.url), 'utf8'))
  .join('\n');

/** The docstring of an option, without its line breaks; where its name alone is not enough, with its interface. */
function docOf(option: string): string {
  const [name, group = ''] = option.split('.').toReversed();
  const from = options.slice(Math.max(0, options.indexOf(`interface ${group} `)));
  const [, doc = ''] = new RegExp(`/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\s+readonly ${name}\\?:`).exec(from) ?? [];
  return doc.replace(/\s+\*?\s*/g, ' ');
}

describe('the defaults', () => {
  it('are these', () => {
    expect(DEFAULT_POLICY).toEqual({
      retry: {
        maxRetries: 3,
        backoff: expect.any(Function),
        retryAfter: { maxMs: 60_000, whenLonger: 'fail', jitterMs: 0 },
        unsafe: 'when-unapplied',
        idempotentMethods: [],
        timeouts: true,
        budget: {
          capacity: 2_100,
          transientCost: 14,
          throttledCost: 5,
          refund: 1,
          refillPerSecond: 14,
          ratio: 0.1,
          windowMs: 60_000,
          minRetriesPerWindow: 5,
          failingMs: 10_000,
        },
        onRetry: [],
        onGiveUp: [],
      },
      statuses: {},
      classify: [],
      poll: { intervalMs: 1_000, maxMs: 600_000 },
      deadlineMs: Number.POSITIVE_INFINITY,
      idempotency: false,
      auth: false,
      correlation: false,
      limit: false,
      breaker: false,
      beforeSend: [],
      ids: [],
      on: {},
      log: false,
    });
    expect(DEFAULTS.idempotency).toEqual({ header: 'Idempotency-Key', methods: ['post', 'patch'], renew: 'never' });
    expect(DEFAULTS.correlation).toEqual({ header: 'X-Correlation-ID' });
    expect(DEFAULTS.breaker).toEqual({ failureRatio: 0.5, minimumThroughput: 20, windowMs: 10_000, openMs: 5_000 });
    expect(DEFAULTS.auth).toEqual({
      apply: expect.any(Function),
      refreshAheadMs: 120_000,
      refreshTimeoutMs: 30_000,
      neverRefreshOn: [],
      retry: { retries: 2, minTimeout: 200 },
    });
    expect(DEFAULTS.limit).toEqual({
      burst: 1,
      maxConcurrent: Number.POSITIVE_INFINITY,
      maxQueue: 10_000,
      maxWaitMs: Number.POSITIVE_INFINITY,
      adaptive: false,
    });
    expect(BACKOFF_DEFAULTS).toMatchObject({ baseMs: 500, throttledBaseMs: 1_000, capMs: 20_000, jitter: 'equal' });
  });

  it('are what an attachment without a policy has', () => {
    expect(attach(axios.create()).policy).toEqual(DEFAULT_POLICY);
    expect(attach(axios.create(), {}).policy).toEqual(DEFAULT_POLICY);
  });

  it('pass their own validation', () => {
    expect(resolve(DEFAULT_POLICY)).toEqual(DEFAULT_POLICY);
  });

  const {
    retryAfter,
    budget,
    backoff: _,
    idempotentMethods: __,
    onRetry: ___,
    onGiveUp: ____,
    ...retry
  } = DEFAULTS.retry;
  const { methods, ...idempotency } = DEFAULTS.idempotency;
  const { deadlineMs, poll } = DEFAULTS;
  it.each([
    ...Object.entries({ ...retry, ...retryAfter, ...budget, ...idempotency, deadlineMs }),
    ['PollOptions.intervalMs', poll.intervalMs],
    ['PollOptions.maxMs', poll.maxMs],
    ['backoff', 'exponentialBackoff()'],
    ['methods', "['post', 'patch']"],
    ['idempotentMethods', '[]'],
  ])('of %s is the one that its docstring names: %s', (option, value) => {
    const text = typeof value === 'number' ? value.toLocaleString('en-US').replace('∞', 'Infinity') : String(value);
    const phrases = [`efault ${text}`, `efault \`${text}\``, `\`'${text}'\`, default`, `\`'${text}'\` (default`];
    expect(phrases.filter((phrase) => docOf(option).includes(phrase))).toHaveLength(1);
  });
});
