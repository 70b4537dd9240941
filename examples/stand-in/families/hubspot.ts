import type { Asked, Family } from '../family.ts';

const isSearch = ({ url }: Asked) => /\/search(?:[?]|$)/.test(url);

const refusal = (policyName: string) => () => ({
  status: 429,
  body: {
    status: 'error',
    message: `You have reached your ${policyName.toLowerCase()} limit.`,
    errorType: 'RATE_LIMIT',
    correlationId: 'c033cdaa',
    policyName,
    requestId: '3d3e35b7',
  },
});

/** 100 calls in ten seconds, and five searches a second. */
export const hubspot: Family = {
  quotas: [
    {
      name: 'calls',
      kind: 'window',
      requests: 100,
      perMs: 10_000,
      key: (asked) => !isSearch(asked) && '',
      refuse: refusal('TEN_SECONDLY_ROLLING'),
    },
    {
      name: 'searches',
      kind: 'window',
      requests: 5,
      perMs: 1_000,
      key: (asked) => isSearch(asked) && '',
      refuse: refusal('SECONDLY'),
    },
  ],
  headers: ({ calls }): { [name: string]: string } =>
    calls === undefined
      ? {}
      : {
          'x-hubspot-ratelimit-max': String(calls.limit),
          'x-hubspot-ratelimit-remaining': String(calls.left),
          'x-hubspot-ratelimit-interval-milliseconds': '10000',
        },
  serve: () => ({ status: 200, body: { id: '1', properties: {} } }),
  failures: [{ title: 'The calls of the day are used up', reply: refusal('DAILY')() }],
  calls: [
    { method: 'get', url: '/crm/v3/objects/contacts/1' },
    { method: 'post', url: '/crm/v3/objects/contacts/search', data: { filterGroups: [] } },
  ],
};
