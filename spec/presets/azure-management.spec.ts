import { reportOf } from 'axios-holdfast';
import { azureManagement } from 'axios-holdfast/presets';
import { describe, expect, it } from 'vitest';
import { azureManagement as family } from '../../examples/stand-in/families/azure-management.ts';
import { conversations, talk, traffic } from './conversation.ts';

const LIMITS = 'https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling';
const SDK = 'https://github.com/Azure/azure-sdk-for-js/blob/main/sdk/core';
const RETRY = `${SDK}/ts-http-runtime/src/retryStrategies/exponentialRetryStrategy.ts`;

const error = (code: string) => ({ error: { code, message: 'No.' } });
const get = { url: '/subscriptions/s1/resourceGroups' };
const put = { method: 'put', url: '/subscriptions/s1/resourceGroups/g1', data: {} };

describe('azureManagement', () => {
  conversations(family, azureManagement, [
    {
      fact: 'a 429 is waited out by Retry-After, by all',
      source: LIMITS,
      call: { ...put, method: 'post' },
      answers: [{ status: 429, headers: { 'retry-after': '17' }, body: error('SubscriptionRequestsThrottled') }],
      means: 'throttled',
      code: 'SubscriptionRequestsThrottled',
      waits: [17_000],
      pauses: true,
    },
    {
      fact: 'a 429 that is a lock is tried again, and pauses nobody',
      source: LIMITS,
      call: { ...put, method: 'post' },
      answers: [{ status: 429, headers: { 'retry-after': '3' }, body: error('RetryableErrorDueToAnotherOperation') }],
      means: 'transient',
      code: 'RetryableErrorDueToAnotherOperation',
      waits: [3_000],
      pauses: false,
    },
    ...[408, 500, 502, 503, 504].map((status) => ({
      fact: `a ${status} is retried`,
      source: RETRY,
      call: get,
      answers: [{ status, body: error('InternalServerError') }] as const,
      means: 'transient',
      waits: [undefined],
    })),
    ...[400, 404, 409, 501, 505].map((status) => ({
      fact: `a ${status} is not`,
      source: RETRY,
      call: get,
      answers: [{ status, body: error('Conflict') }] as const,
      sends: 1,
      kind: status < 500 ? ('rejected' as const) : ('unavailable' as const),
    })),
    {
      fact: 'the ids of a request are told',
      source: LIMITS,
      call: get,
      answers: [
        {
          status: 404,
          headers: { 'x-ms-request-id': 'r1', 'x-ms-correlation-request-id': 'c1' },
          body: error('ResourceGroupNotFound'),
        },
      ],
      sends: 1,
      kind: 'rejected',
      code: 'ResourceGroupNotFound',
      ids: { 'x-ms-request-id': 'r1', 'x-ms-correlation-request-id': 'c1' },
    },
  ]);

  it(`sends one x-ms-client-request-id on all sends of a call (${SDK}/core-rest-pipeline/src/policies/setClientRequestIdPolicy.ts)`, async () => {
    const { server, client, clock } = await talk(family, azureManagement());
    server.script({ status: 503 });
    await clock.run(client.request(get));
    const ids = server.seen.map(({ headers }) => headers['x-ms-client-request-id']);
    expect(ids[0]).toMatch(/^[\da-f-]{36}$/);
    expect(ids[1]).toBe(ids[0]);
  });

  it.each([
    ['reads and writes', put],
    ['another subscription', { url: '/subscriptions/s2/resourceGroups' }],
    ['the tenant', { url: '/tenants' }],
  ])(`has buckets apart: %s (${LIMITS})`, async (_, free) => {
    const { server, client, holdfast, clock } = await talk(family, azureManagement());
    server.script({ status: 429, headers: { 'retry-after': '9' } });
    await clock.run(client.request({ ...get, holdfast: { retry: false } }).catch(() => {}));
    expect(holdfast.stats().pausedKeys).toBe(1);
    expect(reportOf(await client.request(free))).toMatchObject({ queuedMs: 0, elapsedMs: 0 });
  });

  it('leaves what others have used of the bucket', async () => {
    const { server, client, clock } = await talk(family, azureManagement());
    server.script({ status: 200, headers: { 'x-ms-ratelimit-remaining-subscription-reads': '3' } });
    await client.request(get);
    const beganAt = clock.now();
    await clock.run(Promise.all(Array.from({ length: 150 }, () => client.request(get))));
    expect(clock.now() - beganAt).toBeGreaterThanOrEqual(4_000);
  });

  it.each(family.calls.map((call) => [call.method, call] as const))('uses the bucket: %s', async (_, call) => {
    const { goodput, refused } = await traffic(family, azureManagement(), { ms: 60_000, calls: 2_000, call });
    expect(refused).toBeLessThanOrEqual(1);
    expect(goodput).toBeGreaterThanOrEqual(0.9);
  });
});
