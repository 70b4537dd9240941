import { failureOf, mergePolicies } from 'axios-holdfast';
import { salesforce } from 'axios-holdfast/presets';
import { describe, expect, it } from 'vitest';
import { salesforce as family } from '../../examples/stand-in/families/salesforce.ts';
import { conversations, talk } from './conversation.ts';

const LIMITS =
  'https://developer.salesforce.com/docs/platform/salesforce-app-limits-cheatsheet/guide/salesforce-app-limits-platform-api.html';
const STATUSES = 'https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm';
const TOTAL = 'https://github.com/SalesforceLabs/OrgCheck/issues/181';
const CONCURRENT = 'https://gist.github.com/ndabAP/2ae90f3b871403d822ec2de0bcffb5b0';
const LOCKS = 'https://salesforce.stackexchange.com/questions/225411/process-multiple-inbound-requests-in-parallel';

const error = (errorCode: string, message = 'No.') => [{ message, errorCode }];
const LIMIT = 'REQUEST_LIMIT_EXCEEDED';
const post = { method: 'post', url: '/services/data/v65.0/sobjects/Account', data: { Name: 'Acme' } };

describe('salesforce', () => {
  conversations(family, salesforce, [
    {
      fact: 'too many long requests at once are a 403, without a time',
      source: CONCURRENT,
      call: post,
      answers: [{ status: 403, body: error(LIMIT, 'ConcurrentRequests (Concurrent API Requests) Limit exceeded.') }],
      means: 'throttled',
      code: LIMIT,
      waits: [undefined],
    },
    {
      fact: 'so is a limit that it does not name',
      source: STATUSES,
      answers: [{ status: 403, body: error(LIMIT) }],
      means: 'throttled',
      waits: [undefined],
    },
    {
      fact: 'the requests of 24 hours have the same code: that ends the call, and pauses nobody',
      source: TOTAL,
      answers: [{ status: 403, body: error(LIMIT, 'TotalRequests Limit exceeded.') }],
      sends: 1,
      kind: 'throttled',
      code: LIMIT,
      pauses: false,
      says: '403 throttled for good (the requests of 24 hours are used up), not retryable',
    },
    {
      fact: 'any other 403 is for good',
      source: STATUSES,
      answers: [{ status: 403, body: error('INSUFFICIENT_ACCESS') }],
      sends: 1,
      kind: 'rejected',
      code: 'INSUFFICIENT_ACCESS',
    },
    {
      fact: 'a record that is locked is tried again, whatever the method, and pauses nobody',
      source: LOCKS,
      call: post,
      answers: [{ status: 400, body: error('UNABLE_TO_LOCK_ROW', 'unable to obtain exclusive access to this record') }],
      means: 'transient',
      code: 'UNABLE_TO_LOCK_ROW',
      waits: [undefined],
      pauses: false,
    },
    {
      fact: 'an expired session ends the call where nothing can refresh it',
      source: STATUSES,
      answers: [{ status: 401, body: error('INVALID_SESSION_ID', 'Session expired or invalid') }],
      sends: 1,
      kind: 'unauthorized',
      code: 'INVALID_SESSION_ID',
    },
    {
      fact: 'a 503 is retried',
      source: STATUSES,
      answers: [{ status: 503, body: error('SERVER_UNAVAILABLE') }],
      means: 'transient',
      code: 'SERVER_UNAVAILABLE',
    },
  ]);

  it(`gets another session for one that has expired (${STATUSES})`, async () => {
    let session = 'old';
    const auth = { token: () => session, refresh: async () => (session = 'new') };
    const { server, client, clock } = await talk(family, mergePolicies(salesforce(), { auth }));
    server.script({ status: 401, body: error('INVALID_SESSION_ID', 'Session expired or invalid') });
    await clock.run(client.request(post));
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
  });

  it(`has 25 requests under way at most (${LIMITS})`, () => {
    expect(salesforce().limit).toMatchObject({ maxConcurrent: 25 });
  });

  it('sends each call once, when the day is over', async () => {
    const { server, client, clock } = await talk(family, salesforce());
    const calls = Array.from({ length: 50 }, () => client.get('/services/data/v65.0/limits'));
    const ended = await clock.run(Promise.allSettled(calls));
    const failures = ended.flatMap((each) => (each.status === 'rejected' ? [failureOf(each.reason)?.kind] : []));
    expect(failures).toEqual(Array.from({ length: 10 }, () => 'throttled'));
    expect(server.counters).toEqual({ served: 40, refused: 10 });
  });
});
