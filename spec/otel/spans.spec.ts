import { PassThrough, type Readable } from 'node:stream';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { localLimiter, type Policy } from 'axios-holdfast';
import { instrument } from 'axios-holdfast/otel';
import { describe, expect, it } from 'vitest';
import { ADAPTERS, attached, inTurn, rejectionOf, status } from '../support/attached.ts';
import { closedPort } from '../support/closed-port.ts';
import { reset, silent } from '../support/faults.ts';
import type { Answer } from '../support/loopback.ts';
import { telemetry } from '../support/telemetry.ts';

/** A client that is told to OpenTelemetry, and what that is told. */
async function traced(answer: Answer, policy: Policy = {}, defaults = {}) {
  const told = telemetry();
  const all = await attached(answer, policy, defaults);
  const stop = instrument(all.holdfast);
  const port = Number(new URL(all.server.url).port);
  /** The only call, and its sends in order. */
  const tree = () => {
    const [call, ...others] = told.named('holdfast ');
    if (call === undefined || others.length > 0) throw new Error(`${others.length} calls more than one`);
    return { call, sends: told.children(call) };
  };
  return { ...all, told, stop, port, tree };
}

describe.each(ADAPTERS)('a call by the adapter %s', (adapter) => {
  it('has a span, and below it one for each send', async () => {
    const { client, port, server, tree } = await traced(inTurn(status(503), status(429), status(200)), {}, { adapter });
    await client.get('/orders', { params: { secret: 'sesame' } });
    const { call, sends } = tree();
    const request = {
      'http.request.method': 'GET',
      'server.address': '127.0.0.1',
      'server.port': port,
      'url.full': `${server.url}/orders`,
    };
    expect(call.name).toBe('holdfast GET');
    expect(call.kind).toBe(SpanKind.INTERNAL);
    expect(call.status.code).toBe(SpanStatusCode.UNSET);
    expect(call.attributes).toEqual({
      ...request,
      'http.response.status_code': 200,
      'holdfast.call.id': expect.stringMatching(/^call-\d+$/),
      'holdfast.ended_because': 'success',
      'holdfast.sends': 3,
      'holdfast.retries': 2,
      'holdfast.replays': 0,
      'holdfast.polls': 0,
    });
    expect(sends.map(({ name, kind }) => [name, kind])).toEqual(Array(3).fill(['GET', SpanKind.CLIENT]));
    expect(sends.map(({ attributes }) => attributes)).toEqual([
      { ...request, 'http.response.status_code': 503, 'error.type': '503', 'holdfast.send.kind': 'first' },
      {
        ...request,
        'http.request.resend_count': 1,
        'http.response.status_code': 429,
        'error.type': '429',
        'holdfast.send.kind': 'retry',
      },
      { ...request, 'http.request.resend_count': 2, 'http.response.status_code': 200, 'holdfast.send.kind': 'retry' },
    ]);
    const { ERROR, UNSET } = SpanStatusCode;
    expect(sends.map((send) => send.status.code)).toEqual([ERROR, ERROR, UNSET]);
    expect(call.events.map(({ name, attributes }) => [name, attributes?.['holdfast.verdict']])).toEqual([
      ['holdfast.retry_scheduled', 'transient'],
      ['holdfast.retry_scheduled', 'throttled'],
    ]);
  });

  it('names the error of a lost connection by its code', async () => {
    const { client, tree } = await traced(reset, { retry: { maxRetries: 1 } }, { adapter });
    await rejectionOf(client.get('/'));
    const { call, sends } = tree();
    for (const span of [call, ...sends]) expect(span.attributes['error.type']).toMatch(/^(ECONNRESET|UND_ERR_SOCKET)$/);
    expect(call.status.code).toBe(SpanStatusCode.ERROR);
    expect(call.attributes['holdfast.ended_because']).toBe('retries-exhausted');
  });

  it('is ended by its caller: both spans end then, as cancelled', async () => {
    const { client, server, tree } = await traced(silent, {}, { adapter });
    const aborter = new AbortController();
    const call = rejectionOf(client.get('/', { signal: aborter.signal }));
    await expect.poll(() => server.seen.length).toBe(1);
    aborter.abort();
    await call;
    expect(tree().sends.map(({ attributes }) => attributes['error.type'])).toEqual(['ERR_CANCELED']);
    expect(tree().call.attributes).toMatchObject({
      'error.type': 'ERR_CANCELED',
      'holdfast.ended_because': 'cancelled',
    });
  });

  it('ends with the headers, while a streamed body goes on', async () => {
    const body = new PassThrough();
    const answer: Answer = (_request, response) => void body.pipe(response.writeHead(200));
    const { client, tree } = await traced(answer, {}, { adapter });
    body.write('begun');
    const { data } = await client.get<Readable>('/', { responseType: 'stream' });
    expect(tree().call.attributes['http.response.status_code']).toBe(200);
    expect(tree().sends).toHaveLength(1);
    body.end();
    for await (const _ of data);
  });
});

/** Fields of several words, as the conventions spell names. */
const CONVENTIONAL: { readonly [field: string]: string } = {
  delayMs: 'delay_ms',
  untilAt: 'until_at',
  retryAt: 'retry_at',
};

describe('the span of a call', () => {
  it('says why it failed, in a sentence that shows no secret', async () => {
    const { client, tree } = await traced(status(404));
    await rejectionOf(client.get('/orders/1?key=sesame', { headers: { authorization: 'Bearer tok-en-1' } }));
    const { status: ended, attributes } = tree().call;
    expect(ended).toEqual({ code: SpanStatusCode.ERROR, message: expect.stringContaining('404') });
    expect(JSON.stringify([ended, attributes])).not.toMatch(/sesame|tok-en-1/);
    expect(attributes['error.type']).toBe('404');
  });

  it('is no error where the caller lets the status through, though its send is one', async () => {
    const { client, tree } = await traced(status(404));
    await client.get('/', { validateStatus: () => true });
    expect(tree().call.status.code).toBe(SpanStatusCode.UNSET);
    expect(tree().call.attributes).not.toHaveProperty('error.type');
    expect(tree().sends[0]?.attributes['error.type']).toBe('404');
  });

  it('is below what is active where the call is made, however many calls there are at once', async () => {
    const { client, told } = await traced(inTurn(status(503), status(503), status(200)));
    const tracer = trace.getTracer('the application');
    const names = ['a', 'b', 'c', 'd', 'e'];
    await Promise.all(
      names.map((name) =>
        tracer.startActiveSpan(name, async (span) => {
          await client.get(`/${name}`);
          span.end();
        }),
      ),
    );
    for (const name of names) {
      const [parent] = told.named(name);
      const [call, ...others] = parent === undefined ? [] : told.children(parent);
      expect(call?.attributes['url.full']).toMatch(new RegExp(`/${name}$`));
      expect(others).toEqual([]);
      expect(call && told.children(call).length).toBe(call?.attributes['holdfast.sends']);
    }
  });

  it.each<[string, Policy, string]>([
    ['the limiter', { limit: { requests: 1, perMs: 60_000, maxWaitMs: 0 } }, 'ERR_LIMIT_WAIT_TOO_LONG'],
    ['a limiter that is full', { limit: { requests: 1, perMs: 60_000, maxQueue: 0 } }, 'ERR_LIMIT_QUEUE_FULL'],
  ])('that %s refuses has none below it', async (_name, policy, code) => {
    const { client, told } = await traced(status(200), policy);
    await client.get('/');
    await rejectionOf(client.get('/'));
    const [, refused] = told.named('holdfast ');
    expect(refused?.attributes).toMatchObject({ 'error.type': code, 'holdfast.ended_because': 'limited' });
    expect(refused?.attributes['holdfast.sends']).toBe(0);
    expect(refused && told.children(refused)).toEqual([]);
  });

  it('that an open circuit refuses has none below it', async () => {
    const { client, told } = await traced(status(500), { retry: false, breaker: { minimumThroughput: 1 } });
    await rejectionOf(client.get('/'));
    await rejectionOf(client.get('/'));
    const [opened, refused] = told.named('holdfast ');
    expect(opened?.events.map(({ name }) => name)).toEqual(['holdfast.circuit_opened']);
    expect(refused?.attributes).toMatchObject({
      'error.type': 'ERR_CIRCUIT_OPEN',
      'holdfast.ended_because': 'circuit-open',
    });
    expect(refused && told.children(refused)).toEqual([]);
  });

  it('tells of the queue', async () => {
    const { client, told } = await traced(status(200), { limit: { maxConcurrent: 1 } });
    await Promise.all([client.get('/'), client.get('/')]);
    expect(told.named('holdfast ').flatMap(({ events }) => events.map(({ name }) => name))).toEqual([
      'holdfast.queued',
    ]);
  });

  it.each<[string, Answer, Policy]>([
    ['queued', status(200), { limit: { maxConcurrent: 1 } }],
    ['limited', status(200), { limit: { maxConcurrent: 1, maxQueue: 0 } }],
    ['retry_scheduled', inTurn(status(503), status(200)), {}],
    ['poll_scheduled', inTurn(status(202), status(200)), { statuses: { 202: 'pending' }, poll: { intervalMs: 1 } }],
    ['paused', inTurn(status(429, { 'retry-after': '1' }), status(200)), { limit: { maxConcurrent: 9 }, retry: false }],
    ['budget_empty', status(503), { retry: { budget: { capacity: 1, refillPerSecond: 0 } } }],
    ['circuit_opened', status(503), { breaker: { minimumThroughput: 1 }, retry: false }],
    [
      'circuit_closed',
      inTurn(status(503), status(200)),
      { breaker: { minimumThroughput: 1, openMs: 1 }, retry: { backoff: () => 5 } },
    ],
  ])('has the event %s, with the fields that a listener is given and know something', async (name, answer, policy) => {
    const heard: object[] = [];
    const { client, told } = await traced(answer, {
      ...policy,
      on: { '*': (event) => void (event.name === name.replaceAll('_', '-') && heard.push(event)) },
    });
    await Promise.allSettled([client.get('/'), client.get('/')]);
    const events = told
      .named('holdfast ')
      .flatMap((call) => call.events.filter((each) => each.name === `holdfast.${name}`));
    expect(heard).not.toEqual([]);
    const fields = heard.map((event) =>
      Object.entries(event).flatMap(([field, value]) =>
        field === 'call' || field === 'name' || value === undefined ? [] : [[field, value]],
      ),
    );
    expect(events.map(({ attributes = {} }) => attributes)).toEqual(
      fields.map((each) =>
        Object.fromEntries(each.map(([field, value]) => [`holdfast.${CONVENTIONAL[field] ?? field}`, value])),
      ),
    );
  });

  it('names what code of the policy threw by its class', async () => {
    const classify = () => {
      throw new RangeError('the key is sesame');
    };
    const { client, tree } = await traced(status(200), { classify });
    await rejectionOf(client.get('/'));
    expect(tree().call.attributes['error.type']).toBe('RangeError');
    expect(tree().sends).toHaveLength(1);
  });

  it('shows no code that may be somebody’s words', async () => {
    const adapter = () => Promise.reject(Object.assign(new Error('no'), { code: 'the key is sesame' }));
    const { client, tree } = await traced(status(200), {}, { adapter });
    await rejectionOf(client.get('/'));
    expect(tree().sends[0]?.attributes['error.type']).toBe('Error');
  });

  it('is not there for a call with `holdfast: false`', async () => {
    const { client, told } = await traced(status(200));
    await client.get('/', { holdfast: false });
    expect(told.spans()).toEqual([]);
  });

  it('has the calls below it that are made on its behalf', async () => {
    const { client, told } = await traced(status(200), {
      beforeSend: async ({ config }) => {
        if (config.url === '/outer') await client.get('/inner');
      },
    });
    await client.get('/outer');
    const [inner, outer] = told.named('holdfast ').map((call) => call) as [never, never];
    expect(told.children(outer)).toContain(inner);
  });
});

describe('the span of a send', () => {
  it('says that it replays a call with a new token', async () => {
    const { client, tree } = await traced(inTurn(status(401), status(200)), {
      auth: { token: () => 'old', refresh: async () => 'new', origins: 'any' },
    });
    await client.get('/');
    expect(tree().sends.map(({ attributes }) => attributes['holdfast.send.kind'])).toEqual(['first', 'replay']);
  });

  it('says what it asks for when it polls', async () => {
    const { client, server, tree } = await traced(
      inTurn(status(202, { location: '/jobs/1?token=sesame' }), status(202), status(200)),
      { statuses: { 202: 'pending' }, poll: { intervalMs: 1 } },
    );
    await client.post('/jobs', {});
    const { call, sends } = tree();
    expect(call.attributes).toMatchObject({ 'http.request.method': 'POST', 'holdfast.polls': 2 });
    expect(
      sends.map(({ name, attributes }) => [name, attributes['holdfast.send.kind'], attributes['url.full']]),
    ).toEqual([
      ['POST', 'first', `${server.url}/jobs`],
      ['GET', 'poll', `${server.url}/jobs/1`],
      ['GET', 'poll', `${server.url}/jobs/1`],
    ]);
  });

  it.each([
    ['a replay', status(401), { auth: { token: () => 'old', refresh: async () => 'new', origins: 'any' } }, 'replay'],
    ['a poll', status(202), { statuses: { 202: 'pending' }, poll: { intervalMs: 1 } }, 'poll'],
  ] as const)('is a retry that comes after %s', async (_name, first, policy, second) => {
    const { client, tree } = await traced(inTurn(first, status(503), status(200)), policy);
    await client.get('/');
    expect(tree().sends.map(({ attributes }) => attributes['holdfast.send.kind'])).toEqual(['first', second, 'retry']);
  });

  it('is one for a send that the adapter follows to another place', async () => {
    const { client, tree } = await traced(inTurn(status(302, { location: '/there' }), status(200)));
    await client.get('/here');
    expect(tree().sends.map(({ attributes }) => attributes['http.response.status_code'])).toEqual([200]);
  });

  it('says where `beforeSend` has sent it', async () => {
    const port = await closedPort();
    const { client, tree } = await traced(status(200), {
      retry: false,
      beforeSend: ({ config }) => {
        config.baseURL = `http://user:sesame@127.0.0.1:${port}`;
      },
    });
    await rejectionOf(client.get('/'));
    expect(tree().sends[0]?.attributes).toMatchObject({
      'server.port': port,
      'url.full': `http://127.0.0.1:${port}/`,
      'error.type': 'ECONNREFUSED',
    });
  });

  it('ends with its deadline, though the adapter goes on', async () => {
    const { client, tree } = await traced(silent, { deadlineMs: 50 }, { adapter: () => new Promise(() => {}) });
    await rejectionOf(client.get('/'));
    expect(tree().sends[0]?.attributes['error.type']).toBe('ETIMEDOUT');
  });

  it('calls a method that the conventions do not know another', async () => {
    const { client, tree } = await traced(status(200));
    await client.request({ url: '/', method: 'PURGE' });
    expect(tree().call.name).toBe('holdfast HTTP');
    expect(tree().sends.map(({ name, attributes }) => [name, attributes])).toMatchObject([
      ['HTTP', { 'http.request.method': '_OTHER', 'http.request.method_original': 'PURGE' }],
    ]);
  });

  it('has the port of its scheme, and an address without brackets', async () => {
    const adapter = async (config: object) => ({ status: 200, data: '', headers: {}, statusText: '', config }) as never;
    const { client, told } = await traced(status(200), {}, { adapter });
    await client.get('https://[::1]/a');
    await client.get('http://api.example.com/a');
    await client.get('/a', { baseURL: '' });
    expect(
      told
        .named('holdfast ')
        .map(({ attributes: all }) => [all['server.address'], all['server.port'], all['url.full']]),
    ).toEqual([
      ['::1', 443, 'https://[::1]/a'],
      ['api.example.com', 80, 'http://api.example.com/a'],
      [undefined, undefined, '/a'],
    ]);
  });

  it('shares nothing with one under the same limiter', async () => {
    const limit = localLimiter({ maxConcurrent: 1 });
    const { client, told } = await traced(status(200), { limit });
    await Promise.all([client.get('/a'), client.get('/b'), client.get('/c')]);
    for (const call of told.named('holdfast ')) {
      expect(told.children(call).map(({ attributes }) => attributes['url.full'])).toEqual([
        call.attributes['url.full'],
      ]);
    }
  });
});
