import axios, { AxiosError, type AxiosResponse } from 'axios';
import {
  CircuitOpenError,
  type Failure,
  failureOf,
  InvalidPolicyError,
  LimitError,
  type Policy,
  reportOf,
  TokenRefreshError,
} from 'axios-holdfast';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loopback } from '../support/loopback.ts';
import { type Line, networkError, type Scripted, scripted } from '../support/scripted.ts';

const failed = async (
  script: readonly Line[] | (() => Line),
  policy?: Policy,
  config?: Parameters<Scripted['call']>[0],
) => failureOf(await scripted(script, policy).call(config));

const refuse = (code: LimitError['code']): Policy['limit'] => ({
  acquire: () => Promise.reject(new LimitError(code, 'no')),
  pause: () => {},
  close: async () => {},
  stats: () => ({ queued: 0, running: 0 }),
});

const LONG = { status: 503, headers: { 'retry-after': '3600' } };

describe('the kind of a failure', () => {
  it.each<[Failure['kind'], Line]>([
    ['throttled', 429],
    ['unavailable', 500],
    ['unavailable', 501],
    ['unavailable', 502],
    ['unavailable', 503],
    ['unavailable', 504],
    ['unavailable', 599],
    ['unauthorized', 401],
    ['rejected', 304],
    ['rejected', 400],
    ['rejected', 403],
    ['rejected', 404],
    ['rejected', 409],
    ['rejected', 412],
    ['rejected', 418],
    ['network', networkError('ECONNREFUSED')],
    ['network', networkError('ECONNRESET')],
    ['network', networkError('ENOTFOUND')],
    ['network', networkError('ERR_NETWORK')],
    ['timeout', networkError('ECONNABORTED')],
    ['timeout', networkError('ETIMEDOUT')],
    ['cancelled', new axios.CanceledError()],
    ['limited', new LimitError('ERR_LIMIT_CLOSED', 'closed')],
    ['circuit-open', new CircuitOpenError('open', 7)],
    ['refresh-failed', new TokenRefreshError('refused', undefined)],
    ['local', new Error('of an adapter of your own')],
  ])('is %s after %o', async (kind, line) => {
    expect(await failed([line], { retry: false })).toMatchObject({ kind });
  });

  it("follows the policy's judgement of a status", async () => {
    expect(await failed([409], { statuses: { 409: 'retry' }, retry: false })).toMatchObject({ kind: 'unavailable' });
    expect(await failed([403], { statuses: { 403: 'refresh' } })).toMatchObject({ kind: 'unauthorized' });
    expect(await failed([403], { classify: () => ({ kind: 'throttled' }), retry: false })).toMatchObject({
      kind: 'throttled',
    });
  });

  it('is cancelled where the policy says that the call was', async () => {
    expect(await failed([503], { classify: () => ({ kind: 'cancelled' }) })).toMatchObject({
      kind: 'cancelled',
      status: 503,
    });
  });

  it('is told by the status where no policy has judged it, or judged it otherwise', async () => {
    expect(await failed([401], {}, { url: '/', holdfast: false })).toMatchObject({ kind: 'unauthorized' });
    expect(await failed([401], { statuses: { 401: 'fail' } })).toMatchObject({ kind: 'unauthorized' });
    expect(await failed([429], { statuses: { 429: 'fail' } })).toMatchObject({ kind: 'throttled' });
  });

  it.each([150, 300])('is rejected for a %i, with which nothing began well', async (status) => {
    const bare = Object.assign(new AxiosError('x'), { response: { status } });
    expect(failureOf(bare)).toMatchObject({ kind: 'rejected', status });
  });

  it('is what the policy makes of a 200 that axios resolved', async () => {
    const judgedBy = (kind: 'permanent' | 'transient') => failed([200], { classify: () => ({ kind }), retry: false });
    expect(await judgedBy('permanent')).toMatchObject({ kind: 'rejected', status: 200 });
    expect(await judgedBy('transient')).toMatchObject({ kind: 'unavailable', status: 200 });
  });

  it.each<[string, object]>([
    ['an object without headers', { status: 503 }],
    ['an object without a status', { headers: {} }],
    ['an object whose status is none', { status: '503', headers: {} }],
    ['an error that has both', Object.assign(new Error('x'), { status: 503, headers: {} })],
  ])('takes %s, with which an adapter rejects, for an error and not for an answer', async (_what, thrown) => {
    const { client } = scripted(
      [],
      { retry: false },
      { adapter: () => Promise.reject(Object.assign(thrown, { code: 'ECONNRESET' })) },
    );
    const error = await client.get('/').catch((reason: unknown) => reason);
    expect(failureOf(error)).toMatchObject({ kind: 'network', code: 'ECONNRESET', sends: 1 });
    expect(failureOf(error)?.status).toBeUndefined();
  });

  it('is network where a 2xx broke off', async () => {
    const torn = networkError('ECONNRESET');
    torn.response = { status: 200, statusText: '', headers: {}, config: torn.config } as AxiosResponse;
    expect(await failed([torn], { retry: false })).toMatchObject({ kind: 'network', status: 200, code: 'ECONNRESET' });
  });
});

describe('the reason for which a call ended', () => {
  const stream = { url: '/', method: 'put', data: { pipe: () => {} }, transformRequest: [(data: unknown) => data] };
  it.each<[Failure['endedBecause'], readonly Line[], Policy, Parameters<Scripted['call']>[0]?]>([
    ['not-retryable', [404], {}],
    ['not-retryable', [401], {}],
    ['retries-exhausted', [503, 503], { retry: { maxRetries: 1 } }],
    ['budget-empty', [503], { retry: { budget: { capacity: 0 } } }],
    ['deadline', [503], { deadlineMs: 1 }],
    ['deadline', [], { limit: refuse('ERR_LIMIT_DEADLINE') }],
    ['wait-too-long', [LONG], {}],
    ['unsafe-method', [502], {}, { url: '/', method: 'post' }],
    ['body-not-replayable', [503], {}, stream],
    ['cancelled', [new axios.CanceledError()], {}],
    ['limited', [], { limit: refuse('ERR_LIMIT_QUEUE_FULL') }],
    ['disabled', [503], { retry: false }],
    ['disabled', [503], {}, { url: '/', holdfast: false }],
  ])('is %s', async (endedBecause, script, policy, config) => {
    const subject = scripted(script, policy);
    const ended = await subject.call(config);
    expect(failureOf(ended)?.endedBecause).toBe(endedBecause);
    if (config?.holdfast !== false) expect(reportOf(ended)?.endedBecause).toBe(endedBecause);
  });
});

describe('what a failure tells', () => {
  it('is everything about the call and its last answer', async () => {
    const error = await scripted(
      [
        503,
        {
          status: 429,
          headers: {
            'retry-after': '61',
            'content-type': 'application/json',
            'ms-requestid': 'r-1',
            'ms-correlationid': 'c-1',
            'www-authenticate': 'Bearer realm="x", error="y"',
          },
          data: '{"error":{"code":"tooMany","message":"Slow down.","innerError":{"code":"perTenant","message":"No."}}}',
        },
      ],
      {},
    ).call({ url: '/v1/orders', method: 'put' });
    expect(failureOf(error)).toEqual({
      kind: 'throttled',
      status: 429,
      code: 'ERR_BAD_REQUEST',
      api: expect.objectContaining({
        shape: 'nested',
        code: 'tooMany',
        inner: expect.objectContaining({ code: 'perTenant' }),
      }),
      challenges: [{ scheme: 'bearer', params: { realm: 'x', error: 'y' } }],
      retryAfterMs: 61_000,
      endedBecause: 'wait-too-long',
      sends: 2,
      retries: 1,
      replays: 0,
      queuedMs: 0,
      refreshMs: 0,
      polls: 0,
      waitedMs: 500,
      sendingMs: 0,
      elapsedMs: 500,
      requestId: 'r-1',
      correlationId: 'c-1',
      ids: { 'MS-RequestId': 'r-1', 'MS-CorrelationId': 'c-1' },
      summary:
        'PUT /v1/orders ended after 2 sends in 500 ms: 429 throttled, the server asks for 61 s, of at most 60 s: raise `retry.retryAfter.maxMs`; ' +
        'the server says perTenant: "No." (MS-RequestId r-1)',
    });
  });

  it('is frozen', async () => {
    expect(Object.isFrozen(await failed([404]))).toBe(true);
  });

  it.each([
    ['MS-RequestId', 'requestId'],
    ['request-id', 'requestId'],
    ['X-Request-Id', 'requestId'],
    ['x-ms-request-id', 'requestId'],
    ['client-request-id', 'correlationId'],
    ['MS-CorrelationId', 'correlationId'],
    ['X-Correlation-Id', 'correlationId'],
  ])('reads %s as the %s', async (header, field) => {
    expect(await failed([{ status: 404, headers: { [header]: 'abc' } }])).toMatchObject({ [field]: 'abc' });
  });

  it('takes the first id that is not empty, whatever holds the headers', () => {
    const headers = { 'MS-RequestId': '', 'X-Request-ID': 'r-1', 'X-Correlation-Id': 'c-1' };
    const bare = Object.assign(new AxiosError('x'), { response: { status: 404, headers } });
    expect(failureOf(bare)).toMatchObject({ requestId: 'r-1', correlationId: 'c-1' });
  });

  it("does not take the call's own id for the request's, where one header has it under the other's name", async () => {
    const same = { 'client-request-id': 'c-1', 'MS-CorrelationId': 'c-1' };
    expect(await failed([{ status: 404, headers: same }])).toMatchObject({
      correlationId: 'c-1',
      requestId: undefined,
    });
    const both = { ...same, 'client-request-id': 'r-1' };
    expect(await failed([{ status: 404, headers: both }])).toMatchObject({ correlationId: 'c-1', requestId: 'r-1' });
  });

  it('counts one send for an AxiosError of somebody else that has a request, or an answer', () => {
    expect(failureOf(new AxiosError('x', 'ECONNRESET', undefined, {}))).toMatchObject({ sends: 1 });
    expect(failureOf(Object.assign(new AxiosError('x'), { response: { status: 404 } }))).toMatchObject({ sends: 1 });
    expect(failureOf(new AxiosError('x', 'ERR_BAD_OPTION'))).toMatchObject({ sends: 0 });
  });

  it("leaves the error as axios made it, and its own mark out of everybody's sight", async () => {
    const bare = await scripted([404]).call({ url: '/', holdfast: false });
    const error = await scripted([404]).call();
    expect(error).toBeInstanceOf(AxiosError);
    expect(Object.keys(error as object)).toEqual(Object.keys(bare as object));
    expect(Object.keys((error as AxiosError).response as object)).toEqual(
      Object.keys((bare as AxiosError).response as object),
    );
    expect(Object.getOwnPropertySymbols({ ...(error as object) })).toEqual([]);
  });
});

describe(failureOf.name, () => {
  it('explains a wrapped error as the error itself', async () => {
    const error = await scripted([503, 404]).call();
    const plain = await scripted([new Error('plain')]).call();
    for (const inner of [error, plain]) {
      const wrapped = new Error('order failed', { cause: new Error('client failed', { cause: inner }) });
      expect(failureOf(wrapped)).toEqual(failureOf(inner));
      expect(reportOf(wrapped)).toEqual(reportOf(inner));
      expect(failureOf({ cause: inner })).toEqual(failureOf(inner));
    }
    expect(failureOf(AxiosError.from(error as Error, 'ERR_MINE'))).toEqual(failureOf(error));
  });

  it('is not led in circles', async () => {
    const error = (await scripted([new Error('plain')]).call()) as Error;
    const wrapper = new Error('wrapper', { cause: error });
    error.cause = wrapper;
    expect(failureOf(wrapper)).toMatchObject({ kind: 'local', sends: 1 });
    expect(failureOf(error)).toEqual(failureOf(wrapper));
    const stranger: Error = new Error('stranger');
    stranger.cause = stranger;
    expect(failureOf(stranger)).toBeUndefined();
  });

  it('explains a bad response that validateStatus lets through, and is undefined for a good one', async () => {
    const config = { url: '/', validateStatus: () => true };
    const bad = await scripted([503, 404]).call(config);
    expect(bad).toMatchObject({ status: 404 });
    expect(failureOf(bad)).toMatchObject({ kind: 'rejected', status: 404, endedBecause: 'not-retryable', sends: 2 });
    expect(failureOf(bad)?.code).toBeUndefined();
    expect(failureOf(new Error('wrapped', { cause: bad }))).toEqual(failureOf(bad));
    expect(failureOf(await scripted([503, 200]).call(config))).toBeUndefined();
    expect(failureOf(await scripted([200]).call())).toBeUndefined();
  });

  it('explains the response of an error, which some interceptors hand on alone', async () => {
    const error = (await scripted([503, 404]).call()) as AxiosError;
    expect(failureOf(error.response)).toMatchObject({ kind: 'rejected', status: 404, sends: 2 });
    expect(reportOf(error.response)).toEqual(reportOf(error));
  });

  it('explains an error that axios makes of a good answer afterwards', async () => {
    const transitional = { silentJSONParsing: false };
    const data = '{"truncat';
    const strict = { url: '/', responseType: 'json', transitional } as const;
    const unreadable = await scripted([503, { status: 200, data }]).call(strict);
    expect(failureOf(unreadable)).toMatchObject({
      kind: 'rejected',
      status: 200,
      endedBecause: 'not-retryable',
      sends: 2,
      retries: 1,
    });
    expect(reportOf(unreadable)).toMatchObject({ endedBecause: 'success', sends: [{ status: 503 }, { status: 200 }] });
  });

  it('explains a bare AxiosError: of a call that was let through, or of another instance', async () => {
    const through = await scripted([429]).call({ url: '/v1/x?token=hunter2', holdfast: false });
    expect(failureOf(through)).toMatchObject({
      kind: 'throttled',
      status: 429,
      endedBecause: 'disabled',
      sends: 1,
      retries: 0,
      summary: 'GET /v1/x ended after 1 send in 0 ms: 429 throttled, let through by `holdfast: false`',
    });
    expect(reportOf(through)).toBeUndefined();

    const server = await loopback((_request, response) => void response.writeHead(404).end());
    const other = await axios.get(server.url).catch((error: unknown) => error);
    await server.close();
    expect(failureOf(other)).toMatchObject({ kind: 'rejected', status: 404, endedBecause: 'disabled', sends: 1 });
    expect(failureOf(new AxiosError('made up'))).toMatchObject({ endedBecause: 'disabled', sends: 0 });
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a string', 'ECONNRESET'],
    ['a number', 503],
    ['a symbol', Symbol('x')],
    ['a function', () => {}],
    ['an object', { status: 503 }],
    ['an error of somebody else', new TypeError('x')],
    ['a policy error', new InvalidPolicyError([])],
    ['a response of no call of ours', { status: 503, headers: {}, data: '', config: {} }],
  ])('and reportOf are undefined for %s', (_name, thrown) => {
    expect(failureOf(thrown)).toBeUndefined();
    expect(reportOf(thrown)).toBeUndefined();
  });

  it('and reportOf are undefined where an adapter rejects with a string', async () => {
    const { client } = scripted([], {}, { adapter: () => Promise.reject('no') });
    const thrown = await client.get('/').catch((error: unknown) => error);
    expect(thrown).toBe('no');
    expect(failureOf(thrown)).toBeUndefined();
    expect(reportOf(thrown)).toBeUndefined();
  });

  it('and reportOf never throw, whatever they are given', async () => {
    const raise = () => {
      throw new Error('mine');
    };
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const hostile = [
      proxy,
      new Proxy({}, { get: raise, has: raise, getPrototypeOf: raise }),
      Object.defineProperty(new Error('x'), 'cause', { get: raise }),
      Object.defineProperty(new AxiosError('x'), 'response', { get: raise }),
      Object.defineProperty(new AxiosError('x'), 'config', { get: raise }),
      Object.assign(new AxiosError('x'), { response: { status: 503, headers: proxy, data: proxy } }),
      Object.assign(new AxiosError('x'), { config: proxy }),
      new Error('x', { cause: proxy }),
    ];
    for (const thrown of hostile) {
      expect(() => failureOf(thrown)).not.toThrow();
      expect(() => reportOf(thrown)).not.toThrow();
    }
    const response = fc.record({ status: fc.anything(), headers: fc.anything(), data: fc.anything() });
    const parts = fc.record(
      { response: fc.oneof(response, fc.anything()), config: fc.anything(), code: fc.anything(), cause: fc.anything() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(parts, fc.boolean(), (given, isAxiosError) => {
        const failure = failureOf({ ...given, isAxiosError });
        expect(failure === undefined || typeof failure.summary === 'string').toBe(true);
        reportOf({ ...given, isAxiosError });
      }),
    );
  });
});

describe(reportOf.name, () => {
  it('tells the whole story of a success', async () => {
    const startedAt = Date.UTC(2026, 0, 1);
    const response = await scripted([503, { status: 429, headers: { 'retry-after': '2' } }, 200]).call({
      url: '/v1/orders?page=2#top',
    });
    const record = { durationMs: 0, queuedMs: 0, delayMs: undefined, code: undefined };
    expect(reportOf(response)).toEqual({
      id: expect.stringMatching(/^call-\d+$/),
      method: 'GET',
      url: 'https://api.example.com/v1/orders',
      startedAt,
      elapsedMs: 2_500,
      polls: 0,
      queuedMs: 0,
      refreshMs: 0,
      waitedMs: 2_500,
      sendingMs: 0,
      endedBecause: 'success',
      sends: [
        {
          ...record,
          startedAt,
          status: 503,
          code: 'ERR_BAD_RESPONSE',
          verdict: 'transient',
          decision: 'retry',
          delayMs: 500,
        },
        {
          ...record,
          startedAt: startedAt + 500,
          status: 429,
          code: 'ERR_BAD_REQUEST',
          verdict: 'throttled',
          decision: 'retry',
          delayMs: 2_000,
        },
        { ...record, startedAt: startedAt + 2_500, status: 200, verdict: 'success', decision: 'finish' },
      ],
    });
  });

  it('tells it of a failure, with the code of the network', async () => {
    const error = await scripted([networkError('ECONNRESET'), 404]).call();
    expect(reportOf(error)).toMatchObject({
      endedBecause: 'not-retryable',
      sends: [
        { code: 'ECONNRESET', verdict: 'transient', decision: 'retry', delayMs: 500 },
        { status: 404, verdict: 'permanent', decision: 'stop' },
      ],
    });
    expect(reportOf(error)?.sends[0]).not.toHaveProperty('status', expect.anything());
  });

  it('is plain data: JSON gives it back', async () => {
    for (const script of [[200], [503, 200], [404], [networkError('ECONNRESET'), new Error('x')]]) {
      const report = reportOf(await scripted(script).call());
      expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    }
  });

  it('can not be changed', async () => {
    const response = await scripted([503, 200]).call();
    const report = reportOf(response);
    for (const part of [report, report?.sends, report?.sends[0]]) expect(Object.isFrozen(part)).toBe(true);
    expect(reportOf(response)).toEqual(report);
  });

  it('has no send in it where none was made', async () => {
    const error = await scripted([], { limit: refuse('ERR_LIMIT_CLOSED') }).call();
    expect(reportOf(error)).toMatchObject({ sends: [], endedBecause: 'limited' });
  });

  it('is about the later call where one response served two', async () => {
    const cached = { status: 200, statusText: '', headers: {}, data: '', config: {} } as unknown as AxiosResponse;
    const { client } = scripted([], {}, { adapter: async () => cached });
    const first = reportOf(await client.get('/first'));
    const second = reportOf(await client.get('/second'));
    expect([first?.url, second?.url]).toEqual(['https://api.example.com/first', 'https://api.example.com/second']);
  });

  it('knows what is frozen too, which cannot be marked', async () => {
    const frozen = Object.freeze(new Error('frozen'));
    const { client } = scripted([], {}, { adapter: () => Promise.reject(frozen) });
    expect(await client.get('/').catch((error: unknown) => error)).toBe(frozen);
    expect(reportOf(frozen)?.sends).toHaveLength(1);
  });
});
