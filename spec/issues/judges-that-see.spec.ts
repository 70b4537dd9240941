import { createRequire } from 'node:module';
import type { AxiosRequestConfig, AxiosResponse } from 'axios';
import axios, { AxiosHeaders, isAxiosError } from 'axios';
import old from 'axios-1.7';
import {
  attach,
  type Classifier,
  type Evidence,
  failureOf,
  type Policy,
  reportOf,
  TokenRefreshError,
} from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ADAPTERS, attached, axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';
import { byHand } from '../support/by-hand.ts';
import { hangUp, reset } from '../support/faults.ts';
import { type Answer, loopback } from '../support/loopback.ts';

const accepting: AxiosRequestConfig = { validateStatus: () => true };
const text =
  (code: number, body: string, headers: { [name: string]: string } = {}): Answer =>
  (_request, response) =>
    void response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(body);

describe.each(ADAPTERS)('a judge, over the %s adapter,', (adapter) => {
  it.each([{}, accepting])('reads the status of every answer, rejected and resolved alike: %o', async (axiosWay) => {
    const { server, client } = await attached(
      inTurn(status(403), status(200)),
      { classify: ({ status }) => (status === 403 ? { kind: 'throttled' } : undefined) },
      { adapter, ...axiosWay },
    );
    expect((await client.post('/', {})).status).toBe(200);
    expect(server.seen).toHaveLength(2);
  });

  it('reads headers in any letter case, of any answer', async () => {
    const told = status(400, { 'X-Should-Retry': 'true' });
    const { server, client } = await attached(
      inTurn(told, status(200)),
      { classify: ({ headers }) => (headers.get('x-should-RETRY') === 'true' ? { kind: 'transient' } : undefined) },
      { adapter },
    );
    await client.get('/');
    expect(server.seen).toHaveLength(2);
  });

  it('sees no answer where none came, and may ask for everything all the same', async () => {
    const shown: unknown[] = [];
    const classify: Classifier = ({ status, response, headers, data, api, retryAfterMs, error, outcome }) => {
      shown.push([status, response, headers.get('retry-after'), data, api, retryAfterMs, error === outcome.error]);
      return error?.code === undefined ? undefined : { kind: 'permanent' };
    };
    const { client } = await attached(reset, { classify }, { adapter });
    await axiosErrorOf(client.get('/'));
    expect(shown).toEqual([[undefined, undefined, undefined, undefined, undefined, undefined, true]]);
  });

  it('is shown the error that a 200 carries, and none in what is not one', async () => {
    const bodies = [
      { error: { code: 'itemUnavailable', message: 'Not now.' } },
      { code: '400072', description: 'Unavailable.', data: [], source: 'PartnerFD' },
      { code: 'DE', description: 'Germany' },
      { code: 'ok', message: 'Done.' },
      { statusCode: 200, message: 'OK' },
      [],
    ];
    const codes: unknown[] = [];
    const classify: Classifier = ({ api }) => void codes.push(api?.code);
    const { client } = await attached(
      inTurn(...(bodies.map((body) => status(200, {}, body)) as [Answer])),
      { classify },
      { adapter },
    );
    for (const _ of bodies) await client.get('/');
    expect(codes).toEqual(['itemUnavailable', '400072', undefined, undefined, undefined, undefined]);
  });

  it('is not shown in a 200 the error of the send before it', async () => {
    const codes: unknown[] = [];
    const classify: Classifier = ({ api }) => void codes.push(api?.code);
    const busy = status(503, {}, { error: { code: 'serverBusy', message: 'Later.' } });
    const { client } = await attached(inTurn(busy, status(200)), { classify }, { adapter, responseType: 'stream' });
    await client.get('/');
    expect(codes).toEqual(['serverBusy', undefined]);
  });

  it('is not shown in a failure that says nothing the error of the send before it', async () => {
    const codes: unknown[] = [];
    const classify: Classifier = ({ api }) => void codes.push(api?.code);
    const busy = status(503, {}, { error: { code: 'serverBusy', message: 'Later.' } });
    const bare: Answer = (_request, response) => void response.writeHead(503).end();
    const policy: Policy = { classify, retry: { maxRetries: 1 } };
    const { client } = await attached(inTurn(busy, bare), policy, { adapter, responseType: 'stream' });
    expect(failureOf(await axiosErrorOf(client.get('/')))?.api).toBeUndefined();
    expect(codes).toEqual(['serverBusy', undefined]);
  });

  it.each([
    ['Retry-After, of a success too', 202, { 'retry-after': '7' }, 7_000],
    ['Retry-After', 404, { 'retry-after': '7' }, 7_000],
    [
      'a quota that is used up',
      403,
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-limit': '9', 'x-ratelimit-reset': '4' },
      4_000,
    ],
    ['nothing by the quota of a success', 200, { 'ratelimit-remaining': '0', 'ratelimit-reset': '4' }, undefined],
  ])('is shown the wait that an answer names: %s', async (_, code, headers, expected) => {
    const waits: unknown[] = [];
    const classify: Classifier = ({ retryAfterMs }) => void waits.push(retryAfterMs);
    const { client } = await attached(status(code, headers), { classify }, { adapter, ...accepting });
    await client.get('/');
    expect(waits).toEqual([expected]);
  });

  it('can ask for a wait that only the body names', async () => {
    const body = {
      error: { details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '0.034s' }] },
    };
    const { client } = await attached(
      inTurn(status(429, {}, body), status(200)),
      {
        classify: ({ status, data }) => {
          const seconds = Number.parseFloat(data?.error?.details?.[0]?.retryDelay);
          return status === 429 && seconds >= 0 ? { kind: 'throttled', retryAfterMs: seconds * 1_000 } : undefined;
        },
        retry: { maxRetries: 1 },
      },
      { adapter },
    );
    expect(reportOf(await client.get('/'))?.sends[0]).toMatchObject({ delayMs: 34 });
  });

  describe('asks for the body, which', () => {
    /** Counts how often it runs; gives an object of its own each time. */
    const counting = () => {
      let runs = 0;
      const transform = (data: unknown) => {
        runs += 1;
        return typeof data === 'string' && data !== '' ? { parsed: JSON.parse(data) } : data;
      };
      return { transform, runs: () => runs };
    };

    it.each([
      ['resolved', 200, {}],
      ['rejected', 404, {}],
      ['resolved in spite of its status', 404, accepting],
    ] as const)('is the very value that the caller gets, made once: %s', async (_, code, axiosWay) => {
      const { transform, runs } = counting();
      const seen: unknown[] = [];
      const judges: Classifier[] = [({ data }) => void seen.push(data), ({ data }) => void seen.push(data)];
      const { client } = await attached(
        status(code, {}, { code: 'BUSY' }),
        { classify: judges },
        { adapter, transformResponse: [transform], ...axiosWay },
      );

      const response = (await client.get('/').catch((error) => error.response)) as AxiosResponse;

      expect(response.data).toEqual({ parsed: { code: 'BUSY' } });
      expect(seen[0]).toBe(response.data);
      expect(seen[1]).toBe(response.data);
      expect(runs()).toBe(1);
      expect(response.config.transformResponse).toEqual([transform]);
      expect(response.config).not.toHaveProperty('response');
    });

    it('of each send is made for itself', async () => {
      const { transform, runs } = counting();
      const { server, client } = await attached(
        inTurn(
          status(200, {}, { code: 'BUSY', n: 1 }),
          status(409, {}, { code: 'BUSY', n: 2 }),
          status(200, {}, { n: 3 }),
        ),
        { classify: ({ data }) => (data.parsed.code === 'BUSY' ? { kind: 'throttled' } : undefined) },
        { adapter, transformResponse: transform },
      );
      const response = await client.post('/', {});
      expect(response.data).toEqual({ parsed: { n: 3 } });
      expect([server.seen.length, runs()]).toEqual([3, 3]);
      expect(response.config.transformResponse).toBe(transform);
    });

    it('is made by axios alone where no judge asks', async () => {
      const { transform, runs } = counting();
      const { client } = await attached(
        inTurn(status(503), status(200, {}, { n: 1 })),
        { classify: () => undefined },
        { adapter, transformResponse: transform },
      );
      expect((await client.get('/')).data).toEqual({ parsed: { n: 1 } });
      expect(runs()).toBe(1);
    });

    it('is undefined where it cannot be made, and axios says so as ever', async () => {
      const seen: unknown[] = [];
      const { client } = await attached(
        text(200, '{"half":'),
        { classify: ({ data }) => void seen.push(data) },
        { adapter, responseType: 'json', transitional: { silentJSONParsing: false } },
      );
      const error = await axiosErrorOf(client.get('/'));
      expect(seen).toEqual([undefined]);
      expect(error).toMatchObject({ name: 'SyntaxError', code: 'ERR_BAD_RESPONSE', response: { status: 200 } });
      expect(failureOf(error)).toMatchObject({ kind: 'rejected', endedBecause: 'not-retryable' });
      expect(error.config?.transformResponse).toEqual(client.defaults.transformResponse);
    });

    it.each(['text', 'json', 'arraybuffer', 'stream', 'blob'] as const)(
      "is what responseType '%s' makes of it",
      async (responseType) => {
        if (adapter === 'http' && responseType === 'blob') return;
        const seen: unknown[] = [];
        const bodies = inTurn(text(503, '{"n":1}'), text(200, '{"n":2}'));
        const { client } = await attached(
          bodies,
          { classify: ({ data }) => void seen.push(data) },
          { adapter, responseType },
        );
        const { data } = await client.get('/');
        expect(seen).toHaveLength(2);
        expect(seen[1]).toBe(data);
        const whole = responseType === 'json' ? JSON.stringify(data) : await new Response(data as BodyInit).text();
        expect(whole).toBe('{"n":2}');
      },
    );

    it('of a call that ends otherwise leaves no trace on its config', async () => {
      const { client } = await attached(
        status(503, {}, { n: 1 }),
        { classify: ({ data }) => void data, on: { finished: () => abort.abort() } },
        { adapter },
      );
      const abort = new AbortController();
      const error = await rejectionOf(client.get('/', { signal: abort.signal, holdfast: { retry: false } }));
      expect(axios.isCancel(error)).toBe(true);
      expect((error as { config?: AxiosRequestConfig }).config?.transformResponse).toEqual(
        client.defaults.transformResponse,
      );
    });

    it('of a judge that is asked too late is none', async () => {
      let late: Promise<Evidence> | undefined;
      const { transform, runs } = counting();
      const { client } = await attached(
        status(200, {}, {}),
        {
          classify: (evidence) => {
            late = new Promise((resolve) => setTimeout(() => resolve(evidence), 0));
            return undefined;
          },
        },
        { adapter, transformResponse: transform },
      );
      await client.get('/');
      expect((await late)?.data).toBeUndefined();
      expect(runs()).toBe(1);
    });
  });

  describe('that gives a promise', () => {
    it('is waited for', async () => {
      const { server, client } = await attached(
        inTurn(status(409), status(200)),
        { classify: async ({ status }) => (status === 409 ? { kind: 'transient' } : undefined) },
        { adapter },
      );
      await client.get('/');
      expect(server.seen).toHaveLength(2);
    });

    it('is followed by the others where it has no opinion, and rejects the call where it fails', async () => {
      const failed = new Error('nobody knows');
      const asked: string[] = [];
      const { server, client } = await attached(
        status(503),
        {
          classify: [
            async () => void asked.push('first'),
            () => void asked.push('second'),
            () => Promise.reject(failed),
            () => void asked.push('fourth'),
          ],
        },
        { adapter },
      );
      expect(await rejectionOf(client.get('/'))).toBe(failed);
      expect(asked).toEqual(['first', 'second']);
      expect(server.seen).toHaveLength(1);
    });

    it.each([503, 200])('that never settles ends the call at its deadline, with its %i', async (code) => {
      const { server, client } = await attached(
        status(code),
        { classify: () => new Promise(() => {}), deadlineMs: 1_000 },
        { adapter, ...accepting },
      );
      const response = await client.get('/');
      expect(response.status).toBe(code);
      expect(reportOf(response)).toMatchObject({ endedBecause: 'deadline', sends: [{ status: code }] });
      expect(failureOf(response)).toMatchObject({
        endedBecause: 'deadline',
        kind: code === 200 ? 'timeout' : 'unavailable',
      });
      expect(server.seen).toHaveLength(1);
    });

    it('ends with the abort of the caller', async () => {
      const abort = new AbortController();
      const classify: Classifier = () => {
        abort.abort();
        return new Promise(() => {});
      };
      const { client } = await attached(status(503), { classify }, { adapter });
      const error = await rejectionOf(client.get('/', { signal: abort.signal }));
      expect(axios.isCancel(error)).toBe(true);
      expect(failureOf(error)).toMatchObject({ kind: 'cancelled', endedBecause: 'cancelled', sends: 1 });
    });

    it('may ask through the same client, also where its own call holds the only permit', async () => {
      const { server, client } = await attached(
        (request, response) => void response.writeHead(request.url === '/status' ? 200 : 409).end(),
        {
          limit: { maxConcurrent: 1 },
          classify: async ({ call, status }) => {
            if (status !== 409) return undefined;
            await client.get('/status');
            return call.sends < 2 ? { kind: 'transient' } : { kind: 'permanent' };
          },
        },
        { adapter },
      );
      await axiosErrorOf(client.get('/job'));
      expect(server.seen.map(({ url }) => url)).toEqual(['/job', '/status', '/job', '/status']);
    });
  });

  it('that is asked for long does not make the send longer', async () => {
    const { client, clock } = await byHand(
      status(200),
      { classify: async () => void (await clock.advance(500)) },
      { adapter },
    );
    expect(reportOf(await client.get('/'))).toMatchObject({ elapsedMs: 500, sends: [{ durationMs: 0 }] });
  });

  it('may ask through the circuit that its own call probes', async () => {
    const asked: unknown[] = [];
    const { client } = await attached(
      (request, response, n) => void response.writeHead(request.url === '/status' ? 200 : n === 0 ? 500 : 409).end(),
      {
        retry: false,
        breaker: { minimumThroughput: 1, openMs: 10 },
        classify: async ({ status }) => void (status === 409 && asked.push((await client.get('/status')).status)),
      },
      { adapter },
    );
    await axiosErrorOf(client.get('/job'));
    await new Promise((resolve) => setTimeout(resolve, 30));
    await axiosErrorOf(client.get('/job'));
    expect(asked).toEqual([200]);
  });

  it('that is synchronous costs no turn', async () => {
    const { client } = await attached(status(200), { classify: ({ status }) => void status }, { adapter });
    const turns = async (holdfast: Policy) => {
      let n = 0;
      let over = false;
      let counting: Promise<void> | undefined;
      const finished = () => {
        over = true;
      };
      const count = async () => {
        for (; !over; n++) await undefined;
      };
      await client.get('/', {
        holdfast: { ...holdfast, on: { finished } },
        adapter: async (config) => {
          counting = count();
          return { data: '', status: 200, statusText: '', headers: {}, config };
        },
      });
      await counting;
      return n;
    };
    expect(await turns({ classify: ({ data }) => void data })).toBe(await turns({ classify: [] }));
  });

  describe('rejects', () => {
    const limited = status(200, {}, { errors: [{ extensions: { code: 'RATE_LIMITED' } }] });

    it('a 200 for good: with an AxiosError that carries the answer', async () => {
      const { server, client } = await attached(
        limited,
        { classify: ({ data }) => (data.errors ? { kind: 'permanent', reject: true, reason: 'no luck' } : undefined) },
        { adapter },
      );
      const error = await axiosErrorOf(client.post('/graphql', {}));
      expect(error).toMatchObject({
        message: 'classify rejected the answer: no luck',
        code: 'ERR_BAD_RESPONSE',
        status: 200,
        response: { status: 200, data: { errors: [expect.anything()] } },
        config: { url: '/graphql' },
      });
      expect(error.config).toBe(error.response?.config);
      expect(error.response?.headers).toBeInstanceOf(AxiosHeaders);
      expect(failureOf(error)).toMatchObject({
        kind: 'rejected',
        status: 200,
        endedBecause: 'not-retryable',
        sends: 1,
      });
      expect(reportOf(error.response)).toMatchObject({ endedBecause: 'not-retryable' });
      expect(server.seen).toHaveLength(1);
    });

    it('a 200 that is throttled for ever, once the retries are used up', async () => {
      const { server, client } = await attached(
        limited,
        {
          classify: ({ data }) => (data.errors ? { kind: 'throttled', reject: true } : undefined),
          retry: { maxRetries: 2 },
        },
        { adapter },
      );
      const error = await axiosErrorOf(client.post('/graphql', {}));
      expect(failureOf(error)).toMatchObject({ kind: 'throttled', endedBecause: 'retries-exhausted', sends: 3 });
      expect(server.seen).toHaveLength(3);
    });

    it.each([
      [404, 'permanent', 'ERR_BAD_REQUEST', 'rejected'],
      [200, 'success', 'ERR_BAD_RESPONSE', 'rejected'],
      [202, 'transient', 'ERR_BAD_RESPONSE', 'unavailable'],
      [200, 'unauthorized', 'ERR_BAD_RESPONSE', 'unauthorized'],
    ] as const)('a %i that validateStatus lets through, called %s', async (code, kind, axiosCode, failure) => {
      const { client } = await attached(
        status(code),
        { classify: () => ({ kind, reject: true }), retry: false },
        { adapter, ...accepting },
      );
      const error = await axiosErrorOf(client.get('/'));
      expect([error.code, failureOf(error)?.kind]).toEqual([axiosCode, failure]);
    });

    it('nothing that axios rejects already: its error stays', async () => {
      const { client } = await attached(
        status(404),
        { classify: () => ({ kind: 'permanent', reject: true }) },
        { adapter },
      );
      expect((await axiosErrorOf(client.get('/'))).message).toBe('Request failed with status code 404');
    });

    it('with a body that is made once all the same', async () => {
      let runs = 0;
      const transformResponse = (data: string) => {
        runs += 1;
        return JSON.parse(data);
      };
      const classify: Classifier = ({ data }) => (data.errors ? { kind: 'permanent', reject: true } : undefined);
      const { client } = await attached(limited, { classify }, { adapter, transformResponse });
      const error = await axiosErrorOf(client.get('/'));
      expect(error.response?.data).toEqual({ errors: [expect.anything()] });
      expect(runs).toBe(1);
      expect(error.config?.transformResponse).toBe(transformResponse);
    });
  });

  describe('accepts', () => {
    it.each(['success', 'permanent'] as const)('a 404 that means "none", called %s', async (kind) => {
      const { server, client } = await attached(
        status(404, {}, { items: [] }),
        { classify: ({ status }) => (status === 404 ? { kind, accept: true } : undefined) },
        { adapter },
      );
      const response = await client.get('/');
      expect([response.status, response.data]).toEqual([404, { items: [] }]);
      expect(reportOf(response)?.endedBecause).toBe('success');
      expect(failureOf(response)).toBeUndefined();
      expect(server.seen).toHaveLength(1);
    });

    it('a 200 that validateStatus refuses', async () => {
      const refusing = { validateStatus: () => false };
      const { client } = await attached(
        status(200, {}, { n: 1 }),
        { classify: () => ({ kind: 'success', accept: true }) },
        { adapter, ...refusing },
      );
      const response = await client.get('/');
      expect(response.data).toEqual({ n: 1 });
      expect(failureOf(response)).toBeUndefined();
    });

    it('what is still throttled when the retries are used up', async () => {
      const { server, client } = await attached(
        status(429),
        { classify: () => ({ kind: 'throttled', accept: true }), retry: { maxRetries: 1 } },
        { adapter },
      );
      const response = await client.get('/');
      expect(response.status).toBe(429);
      expect(failureOf(response)).toMatchObject({ kind: 'throttled', endedBecause: 'retries-exhausted' });
      expect(server.seen).toHaveLength(2);
    });

    it('no answer in the place of a refresh that failed', async () => {
      const { client } = await attached(
        status(401),
        {
          classify: () => ({ kind: 'unauthorized', accept: true }),
          auth: { token: () => 'old', refresh: () => Promise.reject(new Error('signed out')) },
        },
        { adapter },
      );
      expect(await rejectionOf(client.get('/'))).toBeInstanceOf(TokenRefreshError);
    });

    it('nothing where no answer came', async () => {
      const { client } = await attached(hangUp, { classify: () => ({ kind: 'permanent', accept: true }) }, { adapter });
      expect(isAxiosError(await rejectionOf(client.get('/')))).toBe(true);
    });
  });

  it('that calls a whole 200 permanent says no more than that: validateStatus decides', async () => {
    const classify: Classifier = () => ({ kind: 'permanent' });
    const { client } = await attached(status(200), { classify }, { adapter });
    expect((await client.get('/')).status).toBe(200);
    const error = await axiosErrorOf(client.get('/', { validateStatus: () => false }));
    expect(failureOf(error)).toMatchObject({ kind: 'rejected', endedBecause: 'not-retryable' });
  });

  it.each(['throttled', 'transient', 'unauthorized'] as const)(
    'calls it %s for good: no retry, no pause',
    async (kind) => {
      const paused: unknown[] = [];
      const { server, client, holdfast } = await attached(
        status(429, { 'retry-after': '30' }, { error: { code: 'insufficient_quota', message: 'No credit.' } }),
        {
          classify: ({ api }) => (api?.code === 'insufficient_quota' ? { kind, final: true } : undefined),
          limit: { requests: 100, perMs: 100, burst: 100 },
          on: { paused: (event) => void paused.push(event) },
        },
        { adapter },
      );
      const error = await axiosErrorOf(client.get('/'));
      expect(failureOf(error)).toMatchObject({ kind: 'throttled', endedBecause: 'not-retryable', sends: 1 });
      expect(paused).toEqual([]);
      expect(holdfast.stats().pausedKeys).toBe(0);
      expect(server.seen).toHaveLength(1);
    },
  );
});

describe('a judge that gives a wrong thing', () => {
  it.each([
    [true, 'classify gave true; it must give'],
    [false, 'classify gave false; it must give'],
    [null, 'classify gave null; it must give'],
    ['retry', "classify gave 'retry'; it must give a verdict such as { kind: 'transient' }, or undefined"],
    [{}, 'classify gave an object without a kind; it must give'],
    [
      { kind: 'retry' },
      "with kind 'retry'; it must be one of 'success', 'pending', 'throttled', 'transient', 'unauthorized', 'permanent', 'cancelled'",
    ],
    [
      { kind: 'transient', retryAfterMs: Number.NaN },
      'with retryAfterMs NaN; it must be a number of at least 0, in ms',
    ],
    [{ kind: 'transient', retryAfterMs: -1 }, 'with retryAfterMs -1; it must'],
    [{ kind: 'transient', retryAfterMs: '5' }, "with retryAfterMs '5'; it must"],
    [{ kind: 'transient', reason: 7 }, 'with reason 7; it must be a string'],
    [{ kind: 'transient', final: 'yes' }, "with final 'yes'; it must be true or false"],
    [{ kind: 'transient', unapplied: 1 }, 'with unapplied 1; it must be true or false'],
    [{ kind: 'success', accept: true, reject: true }, 'both reject and accept'],
  ])('is told what it gave: %j', async (given, message) => {
    const { server, client } = await attached(status(503), { classify: (() => given) as unknown as Classifier });
    const error = await rejectionOf(client.get('/'));
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toContain(message);
    const late = { classify: (async () => given) as unknown as Classifier };
    const rejection = (await rejectionOf(client.get('/', { holdfast: late }))) as Error;
    expect(rejection).toBeInstanceOf(TypeError);
    expect(rejection.message).toContain(message.replace('classify gave', 'classify gave a promise of'));
    expect(server.seen).toHaveLength(2);
  });
});

describe.each([
  ['the CommonJS build', createRequire(import.meta.url)('axios')],
  ['axios 1.7', old],
] as const)('a judge on an instance of %s', (_name, copy) => {
  it.each(ADAPTERS)('sees the same, and rejects with an error of that copy: %s', async (adapter) => {
    const { AxiosError, create } = copy as unknown as typeof axios;
    const server = await loopback(inTurn(status(409, {}, { code: 'BUSY' }), status(200, { 'X-Bad': '1' }, { n: 1 })));
    onTestFinished(() => server.close());
    let runs = 0;
    const transformResponse = (data: string) => {
      runs += 1;
      return JSON.parse(data);
    };
    const client = create({ baseURL: server.url, adapter, transformResponse });
    attach(client, {
      classify: ({ data, headers }) => {
        if (data.code === 'BUSY') return { kind: 'throttled', retryAfterMs: 0 };
        return headers.get('x-bad') ? { kind: 'permanent', reject: true } : undefined;
      },
    });
    const error = (await rejectionOf(client.post('/', {}))) as { response?: AxiosResponse };
    expect(error).toBeInstanceOf(AxiosError);
    expect(error.response?.data).toEqual({ n: 1 });
    expect(error.response?.config.transformResponse).toBe(transformResponse);
    expect([server.seen.length, runs]).toEqual([2, 2]);
  });
});
