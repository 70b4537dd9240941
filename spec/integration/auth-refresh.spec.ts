import { type EventName, failureOf, isHoldfastError, type Policy, reportOf, TokenRefreshError } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { EVENT_NAMES } from '../../lib/call/events.ts';
import { ADAPTERS, attached, axiosErrorOf, rejectionOf } from '../support/attached.ts';
import { byHand, until } from '../support/by-hand.ts';
import { Guarded, gate } from '../support/guarded.ts';
import { OneAtATime } from '../support/limiter.ts';
import { json } from '../support/loopback.ts';
import { unhandledDuring } from '../support/unhandled.ts';

const setting = async (guarded = new Guarded(), policy: Policy = {}, defaults = {}) => ({
  guarded,
  ...(await attached(guarded.answer, { auth: guarded.auth, ...policy }, defaults)),
});
const bearers = (server: { seen: readonly { headers: { authorization?: string | undefined } }[] }) =>
  server.seen.map(({ headers }) => headers.authorization);

describe('single flight', () => {
  it('1,000 calls that meet an expired token make one refresh and one replay each, and all succeed', async () => {
    const { guarded, client, server, holdfast } = await setting();
    const responses = await Promise.all(Array.from({ length: 1_000 }, (_, n) => client.post('/x', { n })));
    expect(responses.every(({ status, data }) => status === 200 && data.token === 'new-1')).toBe(true);
    expect(guarded.refreshes).toHaveLength(1);
    const reports = responses.map(reportOf);
    expect(Math.max(...reports.map((report) => report?.sends.length ?? 0))).toBe(2);
    expect(holdfast.stats()).toMatchObject({ refreshes: 1, retries: 0, calls: 1_000, inFlight: 0, waiting: 0 });
    expect(holdfast.stats().replays).toBe(server.seen.length - 1_000);
    expect(server.seen.filter(({ headers }) => headers.authorization === 'Bearer old').length).toBeLessThanOrEqual(
      1_000,
    );
  });

  it('calls that start during the refresh wait for it, and go out once', async () => {
    const guarded = new Guarded();
    const { promise, open } = gate();
    const { client, server } = await setting(guarded, {
      auth: { ...guarded.auth, refresh: (context) => promise.then(() => guarded.grant(context)) },
    });
    const first = client.get('/first');
    await until(() => server.seen.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const late = Array.from({ length: 5 }, () => client.get('/late'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(server.seen).toHaveLength(1);
    open();
    await Promise.all([first, ...late]);
    expect(bearers(server)).toEqual(['Bearer old', ...Array(6).fill('Bearer new-1')]);
  });

  it('a 401 that arrives late replays with the current token, without a refresh', async () => {
    const guarded = new Guarded();
    const { promise, open } = gate();
    const { client, server } = await attached(
      async (request, response, n) => {
        if (request.url === '/late' && request.headers.authorization === 'Bearer old') await promise;
        await guarded.answer(request, response, n);
      },
      { auth: guarded.auth },
    );
    const late = client.get('/late');
    await until(() => server.seen.length === 1);
    await client.get('/x');
    open();
    expect((await late).data).toEqual({ token: 'new-1' });
    expect(guarded.refreshes).toHaveLength(1);
  });

  it('keys do not wait for each other', async () => {
    const guarded = new Guarded();
    const { promise, open } = gate();
    const { client, holdfast } = await setting(guarded, {
      auth: {
        ...guarded.auth,
        key: ({ url = '' }) => url,
        token: ({ key }) => `old-${key}`,
        refresh: async (context) => {
          if (context.key === '/slow') await promise;
          return guarded.grant(context);
        },
      },
    });
    const slow = client.get('/slow');
    expect((await client.get('/quick')).status).toBe(200);
    expect(holdfast.stats()).toMatchObject({ calls: 2, refreshes: 1 });
    open();
    await slow;
    expect(guarded.refreshes.map(({ key }) => key)).toEqual(['/quick', '/slow']);
  });
});

describe.each(ADAPTERS)('one replay, over %s', (adapter) => {
  it.each(['get', 'post', 'patch'])('is made for %s, and is no retry', async (method) => {
    const { client, server, holdfast } = await setting(new Guarded(), { retry: false }, { adapter });
    const response = await client.request({ method, url: '/x', data: method === 'get' ? undefined : { a: 1 } });
    expect(reportOf(response)?.sends.map(({ verdict, decision }) => [verdict, decision])).toEqual([
      ['unauthorized', 'refresh'],
      ['success', 'finish'],
    ]);
    expect(new Set(server.seen.map(({ body }) => String(body))).size).toBe(1);
    expect(holdfast.stats()).toMatchObject({ sends: 2, retries: 0, replays: 1, refreshes: 1 });
  });

  it('and the second 401 is the last AxiosError', async () => {
    const guarded = new Guarded();
    const { client, server, holdfast } = await setting(
      guarded,
      { auth: { ...guarded.auth, refresh: async () => `bad-${guarded.refreshes.push({} as never)}` } },
      { adapter },
    );
    const error = await axiosErrorOf(client.post('/x', {}));
    expect(error.response?.status).toBe(401);
    expect(failureOf(error)).toMatchObject({
      kind: 'unauthorized',
      endedBecause: 'still-unauthorized',
      sends: 2,
      retries: 0,
      replays: 1,
    });
    expect(bearers(server)).toEqual(['Bearer old', 'Bearer bad-1']);
    expect(holdfast.stats()).toMatchObject({ refreshes: 1, replays: 1 });
  });

  it('per call, also where a retry comes in between', async () => {
    const guarded = new Guarded();
    const { client } = await attached(
      (_request, response, n) => json(response, [401, 503, 401][n] ?? 200),
      { auth: guarded.auth },
      { adapter },
    );
    const error = await axiosErrorOf(client.get('/x'));
    expect(failureOf(error)).toMatchObject({ endedBecause: 'still-unauthorized', sends: 3, retries: 1, replays: 1 });
  });
});

it('a body that can be read once ends the call, but the token is refreshed', async () => {
  const { client, server, guarded } = await setting();
  const { Readable } = await import('node:stream');
  const error = await axiosErrorOf(client.post('/x', Readable.from(['a']), { maxRedirects: 0 }));
  expect(error.response?.status).toBe(401);
  expect(failureOf(error)).toMatchObject({ endedBecause: 'body-not-replayable', sends: 1 });
  await until(() => guarded.refreshes.length === 1);
  await client.get('/x');
  expect(bearers(server)).toEqual(['Bearer old', 'Bearer new-1']);
});

describe('no refresh', () => {
  it.each<[string, (guarded: Guarded) => void, Policy]>([
    ['where no credential was sent', (guarded) => void Object.assign(guarded, { token: undefined }), {}],
    ['on a 403', (guarded) => void Object.assign(guarded, { status: 403 }), {}],
    [
      'on insufficient_scope',
      (guarded) => void Object.assign(guarded, { challenge: 'Bearer error="insufficient_scope"' }),
      {},
    ],
    ['with holdfast: { auth: false }', () => {}, { auth: false }],
  ])('%s', async (_name, prepare, own) => {
    const guarded = new Guarded();
    prepare(guarded);
    const { client } = await setting(guarded);
    const error = await axiosErrorOf(client.get('/x', { holdfast: own }));
    expect(failureOf(error)).toMatchObject({ endedBecause: 'not-retryable', sends: 1 });
    expect(guarded.refreshes).toHaveLength(0);
  });

  it.each([
    { code: 'blocked', description: 'd', data: [], source: 's' },
    { error: { code: 'outer', message: 'm', innerError: { code: 'middle', innerError: { code: 'blocked' } } } },
  ])('on a code that the policy names, wherever it stands', async (body) => {
    const guarded = new Guarded();
    guarded.body = body;
    const { client } = await setting(guarded, { auth: { ...guarded.auth, neverRefreshOn: ['blocked'] } });
    await axiosErrorOf(client.get('/x'));
    expect(guarded.refreshes).toHaveLength(0);
    await client.get('/x', { holdfast: { auth: { ...guarded.auth, neverRefreshOn: ['other'] } } });
    expect(guarded.refreshes).toHaveLength(1);
  });
});

describe('no deadlock', () => {
  const ways: readonly (readonly [
    string,
    (
      url: string,
      client: { get(url: string): Promise<unknown> },
      http: { get(url: string): Promise<unknown> },
    ) => Promise<unknown>,
  ])[] = [
    ['http', (url, _client, http) => http.get(url)],
    ['the instance itself', (url, client) => client.get(url)],
  ];
  it.each(ways)('with one permit, and a refresh that uses %s', async (_name, ask) => {
    const guarded = new Guarded();
    const limit = new OneAtATime();
    let running = -1;
    const { client, server } = await attached(
      (request, response, n) => {
        if (request.url === '/token') return json(response, 200);
        return guarded.answer(request, response, n);
      },
      {
        limit,
        auth: {
          ...guarded.auth,
          refresh: async (context) => {
            running = limit.stats().running;
            await ask('/token', client, context.http);
            return guarded.grant(context);
          },
        },
      },
    );
    await client.get('/a');
    expect(running).toBe(0);
    guarded.valid.clear();
    await Promise.all([client.get('/a'), client.get('/b'), client.get('/c')]);
    expect(server.seen.find(({ url }) => url === '/token')?.headers.authorization).toBeUndefined();
    expect(guarded.refreshes).toHaveLength(2);
    expect(limit.stats()).toEqual({ queued: 0, running: 0 });
  });

  it.each(ways)('with a refresh that meets a 401 itself, by %s', async (_name, ask) => {
    const guarded = new Guarded();
    const { client, server } = await setting(guarded, {
      limit: new OneAtATime(),
      auth: { ...guarded.auth, refresh: async ({ http }) => String(await ask('/token', client, http)) },
    });
    const error = await rejectionOf(client.get('/x'));
    expect(error).toMatchObject({
      code: 'ERR_TOKEN_REFRESH',
      cause: { response: { status: 401 } },
      response: { status: 401 },
    });
    expect(server.seen.map(({ url }) => url)).toEqual(['/x', '/token']);
  });

  it('where the asynchronous context is lost, refreshTimeoutMs ends the wait', async () => {
    const guarded = new Guarded();
    const asked = gate();
    const answered = gate<string>();
    const { client, clock, holdfast } = await byHand(guarded.answer, {
      auth: {
        ...guarded.auth,
        refreshTimeoutMs: 5_000,
        refresh: () => {
          asked.open();
          return answered.promise;
        },
      },
    });
    // A worker from before the refresh, which does its requests for it.
    const worker = asked.promise.then(() => client.get('/token')).then(() => answered.open('x'), answered.shut);
    const call = rejectionOf(client.get('/x'));
    await until(() => holdfast.stats().calls === 2);
    await clock.advance(5_000);
    expect(await call).toMatchObject({ code: 'ERR_TOKEN_REFRESH', cause: { name: 'TimeoutError' } });
    await worker;
    expect(clock.pending).toBe(0);
  });
});

describe('failure', () => {
  it('gives every call its own 401, and one cause; then refuses for a while, with nothing sent', async () => {
    const guarded = new Guarded();
    let asked = 0;
    const { client, clock, server } = await byHand(
      (request, response, n) => {
        if (request.url !== '/token') return guarded.answer(request, response, n);
        asked += 1;
        return json(response, 400, { error: 'invalid_grant' });
      },
      { auth: { ...guarded.auth, refresh: ({ http }) => http.post('/token').then(() => 'x') } },
    );
    let errors: TokenRefreshError[] = [];
    const unhandled = await unhandledDuring(async () => {
      const calls = ['/a', '/b', '/c'].map((url) => rejectionOf(client.get(url)));
      errors = (await Promise.all(calls)) as TokenRefreshError[];
    });
    expect(unhandled).toEqual([]);
    expect(asked).toBe(1);
    expect(errors.every((error) => error instanceof TokenRefreshError && isHoldfastError(error))).toBe(true);
    expect(errors.map(({ response }) => response?.config.url)).toEqual(['/a', '/b', '/c']);
    expect(new Set(errors.map(({ cause }) => cause)).size).toBe(1);
    expect(failureOf(errors[0])).toMatchObject({ kind: 'refresh-failed', endedBecause: 'refresh-failed', sends: 1 });

    const sent = server.seen.length;
    const refused = (await rejectionOf(client.get('/d'))) as TokenRefreshError;
    expect(refused).toMatchObject({ cause: errors[0]?.cause, response: undefined });
    expect([server.seen.length, asked]).toEqual([sent, 1]);
    guarded.token = 'other';
    guarded.valid.add('other');
    expect((await client.get('/e')).status).toBe(200);
    guarded.token = 'old';
    await clock.advance(3_000);
    await rejectionOf(client.get('/f'));
    expect(asked).toBe(2);
  });

  it.each([
    [503, 3],
    [429, 3],
    [400, 1],
    [401, 1],
  ])('repeats a refresh that gets %i so often: %i', async (code, times) => {
    const guarded = new Guarded();
    let asked = 0;
    const { client } = await attached(
      (request, response, n) => {
        if (request.url !== '/token') return guarded.answer(request, response, n);
        asked += 1;
        return json(response, code, { error: 'invalid_grant' });
      },
      { auth: { ...guarded.auth, refresh: ({ http }) => http.post('/token').then(() => 'x') } },
    );
    await rejectionOf(client.get('/x'));
    expect(asked).toBe(times);
  });

  it("one caller's abort, or deadline, ends only that call", async () => {
    const guarded = new Guarded();
    const { promise, open } = gate();
    const refreshing = gate();
    const { client, clock, server } = await byHand(guarded.answer, {
      auth: {
        ...guarded.auth,
        refresh: async (context) => {
          refreshing.open();
          await promise;
          expect(context.signal.aborted).toBe(false);
          return guarded.grant(context);
        },
      },
    });
    const aborter = new AbortController();
    const aborted = axiosErrorOf(client.get('/aborted', { signal: aborter.signal }));
    await refreshing.promise;
    const hurried = axiosErrorOf(client.get('/hurried', { holdfast: { deadlineMs: 1_000 } }));
    const patient = client.get('/patient');
    await new Promise((resolve) => setTimeout(resolve, 20));
    aborter.abort();
    expect(failureOf(await aborted)).toMatchObject({ kind: 'cancelled', endedBecause: 'cancelled', sends: 1 });
    await clock.advance(1_000);
    expect(failureOf(await hurried)).toMatchObject({ kind: 'timeout', endedBecause: 'deadline', sends: 0 });
    open();
    expect((await patient).status).toBe(200);
    expect(server.seen.map(({ url }) => url)).toEqual(['/aborted', '/patient']);
  });
});

it('lets the refresh read the challenges and the body, of the documented kind too', async () => {
  const guarded = new Guarded();
  guarded.challenge = 'OAuth realm=urn:cpsvc:cpid:{3c1f8a52-6d0e-4b7c-9a44-0b5f2e7d9c11}';
  guarded.body = { code: 'unAuthorized', description: 'd', data: [], source: 's' };
  for (const responseType of ['json', 'stream'] as const) {
    const { client } = await setting(guarded);
    guarded.valid.clear();
    const response = await client.get('/x', { responseType });
    response.data.resume?.();
    expect(guarded.refreshes.at(-1)).toMatchObject({
      reason: 'unauthorized',
      key: '',
      token: { value: 'old' },
      challenges: [{ scheme: 'oauth', params: { realm: 'urn:cpsvc:cpid:{3c1f8a52-6d0e-4b7c-9a44-0b5f2e7d9c11}' } }],
      api: { code: 'unAuthorized' },
    });
  }
});

it('drops the body of the 401 before the replay, so that no socket is left behind', async () => {
  const { client, server } = await attached(
    (_request, response, n) => {
      if (n > 0) return json(response, 200);
      response.writeHead(401, { 'content-type': 'text/plain' });
      response.write('never ends');
    },
    { auth: new Guarded().auth },
  );
  const response = await client.get('/x', { responseType: 'stream' });
  response.data.resume();
  await until(() => server.sockets.size <= 1);
});

describe('secrets', () => {
  const OLD = 'old-t0k3n';
  const NEW = 'n3w-t0k3n';
  const apply = (headers: { set(name: string, value: string): unknown }, { value }: { value: string }) =>
    void headers.set('X-Ticket', value);
  it.each([
    ['in the usual header', {}],
    ['in one of its own', { apply }],
  ])('no token comes to light, %s', async (_name, more) => {
    const told: unknown[] = [];
    for (const refreshFails of [false, true]) {
      const { client, holdfast } = await attached(
        (_request, response) =>
          json(response, 401, {
            code: OLD,
            description: refreshFails ? OLD : `${OLD} came before ${NEW}`,
            data: [],
            source: 's',
          }),
        {
          auth: {
            token: () => OLD,
            refresh: async () => {
              if (refreshFails) throw Object.assign(new Error(`${OLD} ${NEW}`), { code: OLD, status: 400 });
              return NEW;
            },
            ...more,
          },
        },
      );
      for (const name of EVENT_NAMES as EventName[]) holdfast.on(name, (event) => told.push(event));
      const error = (await rejectionOf(client.get('/x'))) as Error & { config?: object; response?: { config: object } };
      const shown = {
        summary: failureOf(error)?.summary,
        report: JSON.stringify(reportOf(error)),
        events: JSON.stringify(told),
        stats: JSON.stringify(holdfast.stats()),
        json: JSON.stringify(error),
        message: error.message,
        config: JSON.stringify([error.config, error.response?.config]),
      };
      expect(failureOf(error)?.endedBecause).toBe(refreshFails ? 'refresh-failed' : 'still-unauthorized');
      for (const [where, text] of Object.entries(shown)) {
        for (const token of [OLD, NEW]) expect(text, where).not.toContain(token);
      }
    }
    expect(told.length).toBeGreaterThan(4);
  });

  it('leaves none on the config of a response', async () => {
    const { client } = await setting();
    const first = await client.get('/x');
    const second = await client.get('/x');
    for (const { config } of [first, second]) expect(config.headers.get('Authorization')).toBeFalsy();
    expect(JSON.stringify([first.config, second.config])).not.toMatch(/old|new-1/);
  });
});

it('tells of refreshes as events and numbers', async () => {
  const { client, holdfast } = await setting();
  const told: string[] = [];
  for (const name of ['refreshing', 'refreshed', 'refresh-failed'] as const) {
    holdfast.on(name, (event) => told.push(`${name} ${JSON.stringify({ ...event, durationMs: 0 })}`));
  }
  await client.get('/x');
  expect(told).toEqual([
    'refreshing {"key":"","reason":"unauthorized","durationMs":0}',
    'refreshed {"key":"","durationMs":0}',
  ]);
  expect(holdfast.stats()).toMatchObject({ refreshes: 1, replays: 1 });
});
