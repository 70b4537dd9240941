import type { Family } from '../family.ts';

const error = (code: string, message: string) => ({ error: { code, message } });
const refuse = ({ waitMs }: { waitMs: number }) => ({
  status: 429,
  headers: { 'retry-after': String(Math.ceil(waitMs / 1_000)) },
  body: error('SubscriptionRequestsThrottled', 'The request is being throttled.'),
});

/** Reads: a bucket of 250 that gets 25 a second. Writes: one of 200 that gets 10 a second. */
export const azureManagement: Family = {
  quotas: [
    {
      name: 'reads',
      kind: 'bucket',
      requests: 250,
      perMs: 10_000,
      key: ({ method }) => method === 'GET' && '',
      refuse,
    },
    {
      name: 'writes',
      kind: 'bucket',
      requests: 200,
      perMs: 20_000,
      key: ({ method }) => method !== 'GET' && '',
      refuse,
    },
  ],
  headers: (standings) =>
    Object.fromEntries(
      Object.entries(standings).map(([name, { left }]) => [
        `x-ms-ratelimit-remaining-subscription-${name}`,
        String(left),
      ]),
    ),
  serve: ({ method }) => ({
    status: method === 'PUT' ? 201 : 200,
    headers: { 'x-ms-request-id': 'a1', 'x-ms-correlation-request-id': 'c1' },
    body: { id: '/subscriptions/s1/resourceGroups/g1' },
  }),
  failures: [
    {
      title: 'A 429 that is a lock, and pauses nobody',
      reply: {
        status: 429,
        body: error('RetryableErrorDueToAnotherOperation', 'Another operation is in progress on this resource.'),
      },
    },
  ],
  calls: [
    { method: 'get', url: '/subscriptions/s1/resourceGroups?api-version=2021-04-01' },
    { method: 'put', url: '/subscriptions/s1/resourceGroups/g1?api-version=2021-04-01', data: { location: 'westus' } },
  ],
};
