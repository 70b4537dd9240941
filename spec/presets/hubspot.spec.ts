import { reportOf } from 'axios-holdfast';
import { hubspot } from 'axios-holdfast/presets';
import { describe, expect, it } from 'vitest';
import { hubspot as family } from '../../examples/stand-in/families/hubspot.ts';
import { conversations, talk, traffic } from './conversation.ts';

const USAGE = 'https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines';
const ERRORS = 'https://developers.hubspot.com/docs/api-reference/error-handling';
const SEARCH = 'https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm';
const SDK = 'https://github.com/HubSpot/hubspot-api-nodejs/blob/master/src/services/decorators/RetryDecorator.ts';

const limited = (policyName: string | undefined, name = policyName) => ({
  status: 'error',
  message: `You have reached your ${name?.toLowerCase()} limit.`,
  errorType: 'RATE_LIMIT',
  correlationId: 'c1',
  policyName,
  requestId: 'r1',
});
const error = (category: string) => ({ status: 'error', message: 'No.', correlationId: 'c2', category });
const post = { method: 'post', url: '/crm/v3/objects/contacts', data: {} };

describe('hubspot', () => {
  conversations(family, hubspot, [
    {
      fact: 'the limit of ten seconds is waited out for ten seconds, by all',
      source: SDK,
      call: post,
      answers: [{ status: 429, body: limited('TEN_SECONDLY_ROLLING') }],
      means: 'throttled',
      code: 'RATE_LIMIT',
      waits: [10_000],
      pauses: true,
    },
    ...['SECONDLY', undefined].map((policyName) => ({
      fact: `the limit of a second is waited out for one, ${policyName === undefined ? 'by its message' : 'by its policy'}`,
      source: SDK,
      call: { ...post, url: '/crm/v3/objects/contacts/search' },
      answers: [{ status: 429, body: limited(policyName, 'secondly') }] as const,
      means: 'throttled',
      waits: [1_000],
      pauses: true,
    })),
    {
      fact: 'a time that is named goes before',
      source: 'RFC 6585 §4',
      call: post,
      answers: [{ status: 429, headers: { 'retry-after': '3' }, body: limited('TEN_SECONDLY_ROLLING') }],
      waits: [3_000],
    },
    {
      fact: 'the limit of a day ends the call, and pauses nobody',
      source: USAGE,
      call: post,
      answers: [{ status: 429, body: limited('DAILY') }],
      sends: 1,
      kind: 'throttled',
      code: 'RATE_LIMIT',
      pauses: false,
      ids: { correlationId: 'c1', requestId: 'r1' },
      says: 'for good (the calls of the day are used up',
    },
    {
      fact: 'what is locked is tried again after two seconds, and pauses nobody',
      source: ERRORS,
      call: post,
      answers: [{ status: 423, body: error('LOCKED') }],
      means: 'transient',
      waits: [2_000],
      pauses: false,
    },
    {
      fact: 'an account that is being migrated is waited for, by all',
      source: ERRORS,
      call: post,
      answers: [{ status: 477, headers: { 'retry-after': '20' }, body: error('MIGRATION_IN_PROGRESS') }],
      means: 'throttled',
      waits: [20_000],
      pauses: true,
    },
    {
      fact: 'where that takes hours, the call is told so',
      source: ERRORS,
      call: post,
      answers: [{ status: 477, headers: { 'retry-after': '7200' }, body: error('MIGRATION_IN_PROGRESS') }],
      sends: 1,
      kind: 'throttled',
      says: 'the account is being migrated',
    },
    ...[500, 502, 503, 504, 521, 523, 524].map((status) => ({
      fact: `a ${status} is retried`,
      source: status === 500 ? SDK : ERRORS,
      answers: [{ status, body: error('SERVER_ERROR') }] as const,
      means: 'transient',
      waits: [undefined],
    })),
    {
      fact: 'a wrong request is not, and its id is told',
      source: ERRORS,
      answers: [{ status: 400, body: error('VALIDATION_ERROR') }],
      sends: 1,
      kind: 'rejected',
      code: 'VALIDATION_ERROR',
      ids: { correlationId: 'c2' },
    },
  ]);

  it(`keeps searches apart from other calls (${USAGE})`, async () => {
    const { server, client, holdfast, clock } = await talk(family, hubspot());
    server.script({ status: 429, body: limited('TEN_SECONDLY_ROLLING') });
    await clock.run(client.get('/crm/v3/objects/deals', { holdfast: { retry: false } }).catch(() => {}));
    expect(holdfast.stats().pausedKeys).toBe(1);
    const search = await client.post('/crm/v3/objects/deals/search', {});
    expect(reportOf(search)).toMatchObject({ queuedMs: 0, elapsedMs: 0 });
  });

  it(`sends no more than five searches a second (${SEARCH})`, async () => {
    const call = family.calls[1];
    const { goodput, refused } = await traffic(family, hubspot(), { ms: 20_000, calls: 200, call });
    expect(refused).toBe(0);
    expect(goodput).toBeGreaterThanOrEqual(0.95);
  });

  it('uses the quota, and is refused once at most', async () => {
    const { goodput, refused } = await traffic(family, hubspot(), { ms: 60_000, calls: 900 });
    expect(refused).toBeLessThanOrEqual(1);
    expect(goodput).toBeGreaterThanOrEqual(0.95);
  });
});
