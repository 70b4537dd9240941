import { AxiosHeaders } from 'axios';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../lib/call/outcome.ts';
import type { Limiter, Policy } from '../../lib/index.ts';
import { Plan } from '../../lib/loop/plan.ts';
import { OneAtATime } from '../support/limiter.ts';
import { resolve } from '../support/policies.ts';
import { sharedBy, underWay } from '../support/under-way.ts';

const planOf = (policy: Policy) => new Plan(sharedBy(), resolve(policy));

describe(Plan.name, () => {
  const STATIONS = ['auth', 'breaker', 'budget', 'correlation', 'idempotency', 'limit'] as const;

  it.each<[string, Policy, readonly (typeof STATIONS)[number][]]>([
    ['nothing said', {}, ['budget']],
    ['no retries', { retry: false }, []],
    ['no budget', { retry: { budget: false } }, []],
    [
      'everything on',
      {
        ...{ breaker: {}, correlation: {}, idempotency: {}, limit: { maxConcurrent: 1 } },
        auth: { token: () => 'a', refresh: async () => 'b' },
      },
      STATIONS,
    ],
  ])('has a station for each policy that is on: with %s', (_, policy, stations) => {
    const plan = planOf(policy);
    expect(STATIONS.filter((name) => plan[name] !== undefined)).toEqual(stations);
  });

  it('knows the header of the key, also where the policy makes none', () => {
    expect(planOf({}).keyHeader).toBe('Idempotency-Key');
    expect(planOf({ idempotency: { header: 'X-Key' } }).keyHeader).toBe('X-Key');
  });

  it('knows that a send may go elsewhere, where there is a beforeSend', () => {
    expect(planOf({}).mayMove).toBe(false);
    expect(planOf({ beforeSend: () => {} }).mayMove).toBe(true);
  });

  it.each<[string, Policy['retry'], number | undefined]>([
    ['says nothing of it', {}, 2_000],
    ['does not retry', false, 2_000],
    ['heeds none', { retryAfter: false }, undefined],
    ['waits less itself', { retryAfter: { maxMs: 500, whenLonger: 'clamp' } }, 2_000],
  ])('has the limiter pause for as long as an answer names, where the policy %s', async (_, retry, pausedMs) => {
    const config = { url: 'https://api.example.com/', headers: new AxiosHeaders() };
    const { call, plan, clock } = underWay(config, { limit: new OneAtATime(), ...(retry !== undefined && { retry }) });
    await plan.limit?.enter(call);
    const response = { status: 503, headers: { 'retry-after': '2' }, data: '', config, statusText: '' };
    const outcome: Outcome = { error: Object.assign(new Error('503'), { response }) };
    const pausedUntil = plan.limit?.arrive(
      call,
      outcome,
      { kind: 'transient', retryAfterMs: 2_000 },
      clock.now(),
      false,
    );
    expect(pausedUntil).toBe(pausedMs && clock.now() + pausedMs);
  });

  it.each<[Policy['retry'], number, boolean]>([
    [{ retryAfter: { maxMs: 500, whenLonger: 'clamp' } }, 500, true],
    [{ retryAfter: false }, 60_000, false],
    [false, 60_000, false],
  ])('has its calls stand behind the pauses of others for so long: %j', async (retry, maxPauseMs, clampsPause) => {
    const asked: unknown[] = [];
    const limit: Limiter = {
      acquire: (request) => {
        asked.push(request);
        return { release: () => {} };
      },
      pause: () => {},
      close: async () => {},
      stats: () => ({ queued: 0, running: 0 }),
    };
    const config = { url: 'https://api.example.com/', headers: new AxiosHeaders() };
    const { call, plan } = underWay(config, { limit, ...(retry !== undefined && { retry }) });
    await plan.limit?.enter(call);
    expect(asked).toEqual([expect.objectContaining({ maxPauseMs, clampsPause })]);
  });
});
