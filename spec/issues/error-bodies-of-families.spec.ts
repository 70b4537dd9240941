import { failureOf, readApiError } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { attached, axiosErrorOf, status } from '../support/attached.ts';

/** As the vendors' documents show them. */
describe('the error in a body is read, whoever sent it', () => {
  it.each<[name: string, body: unknown, code: string, message: string]>([
    [
      'OpenAI',
      { error: { message: 'Rate limit', type: 'tokens', param: null, code: 'rate_limit_exceeded' } },
      'rate_limit_exceeded',
      'Rate limit',
    ],
    [
      'OpenAI, without a code',
      { error: { message: 'm', type: 'invalid_request_error', code: null } },
      'invalid_request_error',
      'm',
    ],
    [
      'Anthropic',
      { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' }, request_id: 'req_1' },
      'overloaded_error',
      'Overloaded',
    ],
    ['Stripe, without a code', { error: { type: 'api_error', message: 'm' } }, 'api_error', 'm'],
    ['Stripe', { error: { type: 'card_error', code: 'card_declined', message: 'm' } }, 'card_declined', 'm'],
    [
      'GitHub',
      { message: 'Not Found', documentation_url: 'https://docs.github.com/rest', status: '404' },
      '404',
      'Not Found',
    ],
    [
      'GitHub GraphQL',
      { data: null, errors: [{ type: 'RATE_LIMITED', message: 'API rate limit exceeded' }] },
      'RATE_LIMITED',
      'API rate limit exceeded',
    ],
    [
      'Shopify GraphQL',
      { errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }] },
      'THROTTLED',
      'Throttled',
    ],
    ['Shopify REST', { errors: 'Exceeded 2 calls per second' }, '', 'Exceeded 2 calls per second'],
    ['Shopify REST, by field', { errors: { title: ["can't be blank"] } }, '', "title: can't be blank"],
    ['Slack', { ok: false, error: 'ratelimited' }, 'ratelimited', ''],
    ['OAuth', { error: 'invalid_grant', error_description: 'expired' }, 'invalid_grant', 'expired'],
    ['OAuth, without a description', { error: 'invalid_client' }, 'invalid_client', ''],
    [
      'HubSpot, of a 429',
      { status: 'error', message: 'm', errorType: 'RATE_LIMIT', correlationId: 'c', policyName: 'DAILY' },
      'RATE_LIMIT',
      'm',
    ],
    [
      'HubSpot',
      { status: 'error', message: 'm', correlationId: 'c', category: 'OBJECT_NOT_FOUND' },
      'OBJECT_NOT_FOUND',
      'm',
    ],
    ['Notion', { object: 'error', status: 429, code: 'rate_limited', message: 'm' }, 'rate_limited', 'm'],
    ['Jira', { errorMessages: ['Issue does not exist.'], errors: {} }, '', 'Issue does not exist.'],
    ['Jira, by field', { errorMessages: [], errors: { summary: 'is required' } }, '', 'summary: is required'],
    ['Zendesk', { error: 'RecordNotFound', description: 'Not found' }, 'RecordNotFound', 'Not found'],
    ['Zendesk, nested', { error: { title: 'Forbidden', message: 'No access' } }, '', 'No access'],
    [
      'Discord, of a 429',
      { message: 'You are being rate limited.', retry_after: 64.57, global: false },
      '',
      'You are being rate limited.',
    ],
    ['Discord', { code: 50035, message: 'Invalid Form Body', errors: {} }, '50035', 'Invalid Form Body'],
    [
      'Twilio',
      { code: 20429, message: 'Too Many Requests', more_info: 'https://www.twilio.com/docs/errors/20429', status: 429 },
      '20429',
      'Too Many Requests',
    ],
    ['Salesforce', [{ message: 'm', errorCode: 'REQUEST_LIMIT_EXCEEDED' }], 'REQUEST_LIMIT_EXCEEDED', 'm'],
    [
      'Google, with a reason',
      { error: { code: 403, message: 'm', errors: [{ domain: 'usageLimits', reason: 'rateLimitExceeded' }] } },
      'rateLimitExceeded',
      'm',
    ],
    [
      'Google, with a status',
      { error: { code: 429, message: 'm', status: 'RESOURCE_EXHAUSTED' } },
      'RESOURCE_EXHAUSTED',
      'm',
    ],
    [
      'Google, in a stream that is a list',
      [{ error: { code: 429, message: 'm', status: 'RESOURCE_EXHAUSTED' } }],
      'RESOURCE_EXHAUSTED',
      'm',
    ],
    [
      'AWS',
      { __type: 'com.amazonaws.dynamodb.v20120810#ThrottlingException', message: 'm' },
      'ThrottlingException',
      'm',
    ],
    ['AWS, with a capital', { __type: 'AccessDeniedException', Message: 'm' }, 'AccessDeniedException', 'm'],
  ])('%s', (_name, body, code, message) => {
    const text = JSON.stringify(body);
    expect(readApiError(text, 'application/json')).toMatchObject({ code, message });
    expect(readApiError(text, 'application/json')).toEqual(readApiError(body));
  });

  it('tells the reason behind a status of Google, where there is one', () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'RATE_LIMIT_EXCEEDED' }];
    const error = readApiError({ error: { code: 429, message: 'm', status: 'RESOURCE_EXHAUSTED', details } });
    expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED', inner: { code: 'RATE_LIMIT_EXCEEDED' }, details });
  });

  it.each([
    [{ message: 'Welcome' }],
    [{ code: 'c', message: 'm' }],
    [{ errors: [] }],
    [{ errors: {} }],
    [{ errors: [{ count: 3 }] }],
    [[{ message: 'm' }]],
    [[{ id: 7 }, { error: { code: 'c', message: 'm' } }]],
    [{ ok: true, error: 'x' }],
    [{ error: 'Something went wrong' }],
  ])('finds none in %j', (body) => {
    expect(readApiError(body)).toBeUndefined();
  });

  it('is told in one line, without a gap where a part is missing', async () => {
    const summaryOf = async (body: unknown) => {
      const { client } = await attached(status(404, {}, body));
      return failureOf(await axiosErrorOf(client.get('/')))?.summary.split('; ')[1];
    };
    expect(await summaryOf({ error: { message: 'No.' } })).toBe('the server says "No."');
    expect(await summaryOf({ ok: false, error: 'not_found' })).toBe('the server says not_found');
    expect(await summaryOf({ error: { code: 'C', message: 'No.' } })).toBe('the server says C: "No."');
  });
});

describe('the problem types of the RateLimit draft', () => {
  const TYPES = 'https://iana.org/assignments/http-problem-types#';
  const problem = (type: string) => ({ type: TYPES + type, title: 'No.' });
  const headers = { 'content-type': 'application/problem+json' };

  it.each(['quota-exceeded', 'temporary-reduced-capacity', 'abnormal-usage-detected'])('%s is told', async (type) => {
    const { client } = await attached(status(400, headers, problem(type)));
    const summary = failureOf(await axiosErrorOf(client.get('/')))?.summary;
    expect(summary).toContain(`the server says ${TYPES}${type}: "No."`);
  });

  it('but no fragment that may hold more than words', async () => {
    const { client } = await attached(status(400, headers, problem('access_token=t0k3n')));
    expect(failureOf(await axiosErrorOf(client.get('/')))?.summary).not.toContain('t0k3n');
  });

  it('a temporary-reduced-capacity was not applied, so a POST is repeated, and another 503 is not', async () => {
    const reduced = await attached(status(503, headers, problem('temporary-reduced-capacity')));
    await axiosErrorOf(reduced.client.post('/', {}));
    expect(reduced.server.seen).toHaveLength(4);
    const other = await attached(status(503, headers, problem('something-else')));
    await axiosErrorOf(other.client.post('/', {}));
    expect(other.server.seen).toHaveLength(1);
  });
});

describe('ids and errors that only a policy knows', () => {
  const answer = status(404, { 'x-acme-request-id': 'a1', 'ms-cv': 'cv.1', 'x-request-id': 'r1' }, { Err: { No: 7 } });
  const readError = (body: { Err?: { No: number } }) => (body.Err ? { code: String(body.Err.No) } : undefined);

  it('are in the failure: every id by its name, and the first request id as the request’s', async () => {
    const { client } = await attached(answer, { ids: ['MS-CV', 'x-acme-request-id'] });
    const failure = failureOf(await axiosErrorOf(client.get('/')));
    expect(failure?.ids).toEqual({ 'MS-CV': 'cv.1', 'x-acme-request-id': 'a1', 'x-request-id': 'r1' });
    expect(failure?.requestId).toBe('a1');
    expect(failure?.summary).toContain('(x-acme-request-id a1)');
  });

  it('are read for judges and for the failure', async () => {
    const codes: unknown[] = [];
    const { client } = await attached(answer, { readError, classify: ({ api }) => void codes.push(api?.code) });
    expect(failureOf(await axiosErrorOf(client.get('/')))?.api).toMatchObject({ shape: 'own', code: '7', message: '' });
    expect(codes).toEqual(['7']);
  });

  it('a reader that throws says nothing', async () => {
    const { client } = await attached(answer, {
      readError: () => {
        throw new Error('mine');
      },
    });
    expect(failureOf(await axiosErrorOf(client.get('/')))).toMatchObject({ status: 404, api: undefined });
  });
});

it('an answer that is throttled for good ends the call, and says so', async () => {
  const { client, server, holdfast } = await attached(status(429, { 'retry-after': '0' }), {
    limit: { adaptive: true },
    classify: ({ status }) =>
      status === 429 ? { kind: 'throttled', final: true, reason: 'nobody has paid' } : undefined,
  });
  const failure = failureOf(await axiosErrorOf(client.get('/')));
  expect(server.seen).toHaveLength(1);
  expect(holdfast.stats().pausedKeys).toBe(0);
  expect(failure).toMatchObject({ kind: 'throttled', endedBecause: 'not-retryable' });
  expect(failure?.summary).toContain('429 throttled for good (nobody has paid), not retryable');
});
