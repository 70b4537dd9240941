import type { Asked, Family, Standing } from '../family.ts';

const isGraphQl = ({ url }: Asked) => url.includes('/graphql');
/** What a query costs here. */
const COST = 10;

const costOf = ({ limit, left }: Standing, actual: number | null) => ({
  cost: {
    requestedQueryCost: COST,
    actualQueryCost: actual,
    throttleStatus: { maximumAvailable: limit, currentlyAvailable: left, restoreRate: 100 },
  },
});

/** REST: a bucket of 40 that leaks 2 a second. GraphQL: 2,000 points, of which 100 a second come back. */
export const shopify: Family = {
  quotas: [
    {
      name: 'rest',
      kind: 'bucket',
      requests: 40,
      perMs: 20_000,
      key: (asked) => !isGraphQl(asked) && '',
      refuse: ({ waitMs }) => ({
        status: 429,
        headers: { 'retry-after': (Math.ceil(waitMs / 100) / 10).toFixed(1) },
        body: {
          errors: 'Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service.',
        },
      }),
    },
    {
      name: 'graphql',
      kind: 'bucket',
      requests: 2_000,
      perMs: 20_000,
      key: (asked) => isGraphQl(asked) && '',
      cost: () => COST,
      refuse: (standing) => ({
        status: 200,
        body: {
          errors: [
            {
              message: 'Throttled',
              extensions: { code: 'THROTTLED', documentation: 'https://shopify.dev/api/usage/limits' },
            },
          ],
          extensions: costOf(standing, null),
        },
      }),
    },
  ],
  headers: ({ rest }): { [name: string]: string } =>
    rest === undefined ? {} : { 'x-shopify-shop-api-call-limit': `${rest.limit - rest.left}/${rest.limit}` },
  serve: (asked, { graphql }) =>
    isGraphQl(asked) && graphql !== undefined
      ? { status: 200, body: { data: { shop: { name: 'Acme' } }, extensions: costOf(graphql, COST) } }
      : { status: 200, headers: { 'x-request-id': 'r-1' }, body: { products: [] } },
  failures: [{ title: 'A 430: Shopify takes it for an attack', reply: { status: 430, body: { errors: 'Rejected' } } }],
  calls: [
    { method: 'get', url: '/admin/api/2026-10/products.json' },
    { method: 'post', url: '/admin/api/2026-10/graphql.json', data: { query: '{ shop { name } }' } },
  ],
};
