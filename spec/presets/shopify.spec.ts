import { shopify } from 'axios-holdfast/presets';
import { describe, expect, it } from 'vitest';
import { shopify as family } from '../../examples/stand-in/families/shopify.ts';
import { conversations, traffic } from './conversation.ts';

const REST = 'https://shopify.dev/docs/api/admin-rest/usage/rate-limits';
const GRAPHQL = 'https://shopify.dev/docs/api/usage/limits';
const STATUSES = 'https://shopify.dev/docs/api/usage/response-codes';
const SDK =
  'https://github.com/Shopify/shopify-app-js/blob/main/packages/api-clients/admin-api-client/src/constants.ts';

const query = { method: 'post', url: '/admin/api/2026-10/graphql.json', data: { query: '{ shop { name } }' } };
const throttled = (currentlyAvailable: number) => ({
  errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }],
  extensions: {
    cost: {
      requestedQueryCost: 70,
      actualQueryCost: null,
      throttleStatus: { maximumAvailable: 1_000, currentlyAvailable, restoreRate: 50 },
    },
  },
});

describe('shopify', () => {
  conversations(family, shopify, [
    {
      fact: 'REST names its wait with a decimal',
      source: REST,
      call: { url: '/admin/api/2026-10/products.json' },
      answers: [{ status: 429, headers: { 'retry-after': '2.0' }, body: { errors: 'Exceeded 2 calls per second' } }],
      means: 'throttled',
      waits: [2_000],
      pauses: true,
    },
    {
      fact: 'GraphQL throttles with a 200: the wait is how long the missing points take to come back',
      source: GRAPHQL,
      call: query,
      answers: [{ status: 200, body: throttled(20) }],
      means: 'throttled',
      code: 'THROTTLED',
      waits: [1_000],
      pauses: true,
    },
    {
      fact: 'an error of GraphQL that is no limit is the caller’s to read',
      source: STATUSES,
      call: query,
      answers: [{ status: 200, body: { errors: [{ message: 'No.', extensions: { code: 'ACCESS_DENIED' } }] } }],
      sends: 1,
      means: 'success',
      code: 'ACCESS_DENIED',
    },
    {
      fact: 'a security rejection ends the call, and says what it is',
      source: STATUSES,
      answers: [{ status: 430, headers: { 'x-request-id': 'r-1' }, body: { errors: 'Rejected' } }],
      sends: 1,
      kind: 'rejected',
      says: 'Shopify takes it for an attack',
      ids: { 'x-request-id': 'r-1' },
    },
    ...[500, 503].map((status) => ({
      fact: `a ${status} is retried`,
      source: SDK,
      answers: [{ status, body: { errors: 'Internal Server Error' } }] as const,
      means: 'transient',
    })),
    {
      fact: 'a field that is wrong is told by its name',
      source: STATUSES,
      call: { method: 'post', url: '/admin/api/2026-10/products.json', data: {} },
      answers: [{ status: 422, body: { errors: { title: ["can't be blank"] } } }],
      sends: 1,
      kind: 'rejected',
      says: '"title: can\'t be blank"',
    },
  ]);

  it.each([
    ['REST', family.calls[0]],
    ['GraphQL', family.calls[1]],
  ])('uses the quota of %s, and is refused once at most', async (_name, call) => {
    const { goodput, refused } = await traffic(family, shopify(), { ms: 100_000, calls: 2_000, call });
    expect(refused).toBeLessThanOrEqual(1);
    expect(goodput).toBeGreaterThanOrEqual(0.95);
  });
});
