import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import axios, { type AxiosAdapter } from 'axios';
import { attach, failureOf, localLimiter, type Policy, reportOf } from 'axios-holdfast';
import {
  attachForTest,
  expectNoEarlySend,
  expectOneRefresh,
  manualClock,
  scripted,
  withoutWaits,
} from 'axios-holdfast/testing';
import MockAdapter from 'axios-mock-adapter';
import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import nock from 'nock';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { rejectionOf } from '../support/attached.ts';

const baseURL = 'https://api.example.com';
const THIRTY = { status: 429, headers: { 'retry-after': '30' } } as const;
const NEVER = { status: 200, delayMs: Number.POSITIVE_INFINITY } as const;

function setUp(adapter: AxiosAdapter, policy?: Policy, defaults = {}) {
  const clock = manualClock();
  const client = axios.create({ baseURL, adapter, ...defaults });
  return { clock, client, holdfast: attachForTest(client, policy, { clock }) };
}

function thrownBy(action: () => void): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

it('runs under node:test, with its timers faked and not', async () => {
  const program = fileURLToPath(new URL('./client-of-your-own.program.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--test-reporter=tap', program]);
  expect(stdout).toContain('# pass 5');
  expect(stdout).toContain('# fail 0');
});

describe(manualClock.name, () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('moves to each timer on the way, and lets what follows go on, interceptors too', async () => {
    const api = scripted([503, 503, 200]);
    const { clock, client } = setUp(api);
    client.interceptors.request.use(async (config) => {
      for (let n = 0; n < 50; n++) await undefined;
      return config;
    });
    const ended: number[] = [];
    client.get('/').then(() => ended.push(clock.elapsedMs));
    await clock.advance(2_000);
    expect(ended).toEqual([1_125]);
    expect(clock.elapsedMs).toBe(2_000);
  });

  it('moves whatever timers are faked, performance and setImmediate too', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate', 'performance', 'Date', 'queueMicrotask'] });
    const { clock, client } = setUp(scripted([THIRTY, 200]));
    const { status } = await clock.run(client.get('/'));
    expect([status, clock.elapsedMs]).toEqual([200, 30_000]);
  });

  it('says who waits for what when no timer is due', async () => {
    const { clock, client } = setUp(scripted(NEVER));
    const call = client.get('/x', { params: { secret: 1 } });
    const error = await rejectionOf(clock.run(call));
    expect(String(error)).toBe(
      'Error: the promise has not settled: no timer is due, and 1 call is under way: GET https://api.example.com/x waits for the answer to send 1',
    );
    expect(await rejectionOf(clock.runAll())).toMatchObject({
      message: expect.stringMatching(/^no timer is due, and 1/),
    });
  });

  it('says that no call is under way where the promise is none of a call', async () => {
    const error = await rejectionOf(manualClock().run(new Promise(() => {})));
    expect(error).toMatchObject({ message: expect.stringContaining('no timer is due, and no call is under way') });
  });

  it('runs until nothing waits for time', async () => {
    const api = scripted({ '/a': [THIRTY, 200], '/b': [503, 200] });
    const { clock, client, holdfast } = setUp(api);
    const both = Promise.all([client.get('/a'), client.get('/b')]);
    await clock.runAll();
    expect(holdfast.pending()).toEqual([]);
    expect(clock.pending).toBe(0);
    expect((await both).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('rejects as the promise does', async () => {
    const { clock, client } = setUp(scripted(404));
    expect(failureOf(await rejectionOf(clock.run(client.get('/'))))).toMatchObject({ status: 404 });
  });

  it.each<[string, () => { adapter: AxiosAdapter | undefined; stop(): void }]>([
    [
      'axios-mock-adapter',
      () => {
        const mock = new MockAdapter(axios.create() as never, { delayResponse: 2 });
        mock.onGet('/').replyOnce(503).onGet('/').reply(200);
        return { adapter: mock.adapter(), stop() {} };
      },
    ],
    [
      'nock',
      () => {
        nock(baseURL).get('/').reply(503).get('/').reply(200);
        return { adapter: undefined, stop: () => nock.restore() };
      },
    ],
    [
      'msw',
      () => {
        let n = 0;
        const server = setupServer(http.get(`${baseURL}/`, () => new HttpResponse(null, { status: n++ ? 200 : 503 })));
        server.listen();
        return { adapter: undefined, stop: () => server.close() };
      },
    ],
  ])('waits for the answers of %s before it moves on to a deadline', async (_name, mock) => {
    const { adapter, stop } = mock();
    onTestFinished(stop);
    const clock = manualClock();
    const client = axios.create({ baseURL, ...(adapter && { adapter }) });
    attachForTest(client, { deadlineMs: 10_000 }, { clock });
    const { status } = await clock.run(client.get('/'));
    expect([status, clock.elapsedMs]).toEqual([200, 375]);
  });

  it('goes on without an adapter that never answers', async () => {
    const { clock, client } = setUp(() => new Promise(() => {}), { deadlineMs: 5_000 });
    const error = await rejectionOf(clock.run(client.get('/')));
    expect(failureOf(error)).toMatchObject({ endedBecause: 'deadline', elapsedMs: 5_000 });
  });
});

describe(scripted.name, () => {
  it('fails a send that it has no answer for, at once, and names it', async () => {
    const api = scripted([503]);
    const { clock, client } = setUp(api);
    const error = await rejectionOf(clock.run(client.get('/x')));
    expect(error).toMatchObject({
      message: 'the script has 1 answers, and none is left for GET https://api.example.com/x (send 2)',
    });
    expect(api.sends).toHaveLength(2);
  });

  it('answers by route: the first that fits', async () => {
    const api = scripted({
      'POST /orders': { status: 201, data: { id: 1 } },
      '/orders': [204, 200],
      'GET https://auth.example.com/*': 202,
      '/orders/*': 203,
    });
    const { clock, client } = setUp(api);
    const status = async (method: string, url: string) => (await clock.run(client.request({ method, url }))).status;
    expect(await status('post', '/orders')).toBe(201);
    expect(await status('get', '/orders?page=1')).toBe(204);
    expect(await status('put', '/orders')).toBe(200);
    expect(await status('get', '/orders/7')).toBe(203);
    expect(await status('get', 'https://auth.example.com/token')).toBe(202);
    expect(await rejectionOf(status('get', '/nothing'))).toMatchObject({
      message: expect.stringMatching(/no route for GET https:\/\/api\.example\.com\/nothing; it has POST \/orders, /),
    });
    expect(await rejectionOf(status('get', '/orders'))).toMatchObject({
      message: expect.stringMatching(/has 2 answers for \/orders, and none is left/),
    });
  });

  it('records what was sent', async () => {
    const api = scripted(200);
    const { clock, client } = setUp(api);
    await clock.advance(5);
    await client.post('/orders', { id: 7 }, { params: { q: 1 }, headers: { 'X-Mine': 'a' } });
    expect(api.sends).toEqual([
      {
        n: 1,
        at: clock.now(),
        method: 'POST',
        url: 'https://api.example.com/orders?q=1',
        path: '/orders',
        headers: expect.objectContaining({ 'x-mine': 'a', 'content-type': 'application/json' }),
        data: '{"id":7}',
      },
    ]);
  });

  it('gives each call data of its own, as over a network', async () => {
    const data = { list: [1] };
    const { client } = setUp(scripted({ status: 200, data }));
    const [one, two] = [await client.get('/'), await client.get('/')];
    one.data.list.push(2);
    expect([two.data, data]).toEqual([{ list: [1] }, { list: [1] }]);
  });

  it('keeps to `timeout` and to a signal, with and without holdfast', async () => {
    const clock = manualClock();
    const slow = { status: 200, delayMs: 3_000 };
    const bare = axios.create({ adapter: scripted(slow, { clock }) });
    expect(await rejectionOf(clock.run(bare.get('/', { timeout: 1_000 })))).toMatchObject({
      code: 'ECONNABORTED',
      message: 'timeout of 1000ms exceeded',
    });
    const aborter = new AbortController();
    const aborted = rejectionOf(bare.get('/', { signal: aborter.signal }));
    await clock.advance(10);
    aborter.abort();
    expect(axios.isCancel(await aborted)).toBe(true);
    expect(clock.pending).toBe(0);
    const client = setUp(scripted([slow, 200]));
    expect((await client.clock.run(client.client.get('/', { timeout: 1_000 }))).status).toBe(200);
    expect(client.clock.elapsedMs).toBe(1_375);
  });

  it('drops connections', async () => {
    const { clock, client } = setUp(scripted({ drop: 'ECONNREFUSED', delayMs: 10 }), { retry: { maxRetries: 1 } });
    const error = await rejectionOf(clock.run(client.post('/')));
    expect(failureOf(error)).toMatchObject({ kind: 'network', code: 'ECONNREFUSED', sends: 2 });
    expect(clock.elapsedMs).toBe(395);
  });

  it('goes by fake timers where nobody gave it a clock', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const client = axios.create({ adapter: scripted({ status: 200, delayMs: 1_000 }) });
    attach(client);
    const call = client.get('/');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(reportOf(await call)?.elapsedMs).toBe(1_000);
  });
});

describe(attachForTest.name, () => {
  it('takes the place of what is attached, under its policy unless there is another', async () => {
    const client = axios.create({ baseURL, adapter: scripted(503) });
    attach(client, { retry: { maxRetries: 5 } }).update({ retry: { maxRetries: 1 } });
    const clock = manualClock();
    attachForTest(client, undefined, { clock });
    expect(failureOf(await rejectionOf(clock.run(client.get('/'))))?.sends).toBe(2);
    attachForTest(client, { retry: false }, { clock });
    expect(failureOf(await rejectionOf(clock.run(client.get('/'))))?.sends).toBe(1);
  });

  it('takes chance as it is given', async () => {
    const clock = manualClock();
    const api = scripted([503, 503, 200]);
    const client = axios.create({ baseURL, adapter: api });
    attachForTest(client, {}, { clock, random: () => 0 });
    await clock.run(client.get('/'));
    expect(api.sentAt).toEqual([0, 250, 750]);
  });
});

describe(expectNoEarlySend.name, () => {
  const CLAMPED: Policy = { retry: { retryAfter: { maxMs: 1_000, whenLonger: 'clamp' } } };

  it('finds the send that came early, and says by how much', async () => {
    const { clock, client, holdfast } = setUp(scripted([THIRTY, 200]), CLAMPED);
    await clock.run(client.get('/x'));
    expect(() => expectNoEarlySend(holdfast, 1_000)).not.toThrow();
    expect(() => expectNoEarlySend(holdfast, 30_000)).toThrow(
      'GET https://api.example.com/x: send 2 left 1.0 s after send 1 ended with 429; expected 30.0 s at least',
    );
  });

  it('proves nothing where nothing was waited for', async () => {
    const { clock, client, holdfast } = setUp(scripted([200, 404]));
    expect(() => expectNoEarlySend(holdfast, 1)).toThrow(/^no call was sent again, or waits to be: 0 sends/);
    await client.get('/');
    await rejectionOf(clock.run(client.get('/')));
    expect(() => expectNoEarlySend(holdfast, 1)).toThrow(/2 sends, each the only one of its call/);
    expect(() => expectNoEarlySend(holdfast, 0)).toThrow(TypeError);
    expect(() => expectNoEarlySend({} as never, 1)).toThrow('expectNoEarlySend needs what attachForTest() gave');
  });
});

describe(expectOneRefresh.name, () => {
  it('says when there were more, and when there was none', async () => {
    let token = 0;
    const api = scripted(({ headers }) => (headers.authorization === `Bearer ${token}` ? 200 : 401));
    const auth = { token: () => '0', refresh: async () => String(token) };
    const { clock, client, holdfast } = setUp(api, { auth });
    expect(() => expectOneRefresh(holdfast)).toThrow('expected one refresh of the token; there was none');
    for (token = 1; token < 3; token++) {
      await clock.run(client.get('/'));
      await clock.advance(10);
      if (token === 1) expectOneRefresh(holdfast);
    }
    expect(() => expectOneRefresh(holdfast)).toThrow(
      'expected one refresh of the token; there were 2, at 0 ms (unauthorized), 10 ms (unauthorized)',
    );
  });
});

describe('the proofs', () => {
  it('of several credentials: one refresh of each is right, and two of one are told by their keys', async () => {
    const api = scripted(({ headers }) => (headers.authorization === 'Bearer new' ? 200 : 401));
    const { clock, client, holdfast } = setUp(api, {
      auth: { key: ({ url }) => String(url), token: () => 'old', refresh: async () => 'new' },
    });
    await clock.run(client.get('/a'));
    await clock.advance(7);
    await clock.run(client.get('/b'));
    expect(() => expectOneRefresh(holdfast)).not.toThrow();
    const again = scripted(({ headers }) => (headers.authorization === 'Bearer newer' ? 200 : 401));
    client.defaults.adapter = again;
    await rejectionOf(clock.run(client.get('/a')));
    expect(() => expectOneRefresh(holdfast)).toThrow(
      'there were 3, at 0 ms (unauthorized, /a), 7 ms (unauthorized, /b), 7 ms (unauthorized, /a)',
    );
  });

  it('show what there was and what there should have been, as runners print it', async () => {
    const { clock, client, holdfast } = setUp(scripted([{ drop: 'ECONNRESET' }, 200]));
    expect(thrownBy(() => expectOneRefresh(holdfast))).toMatchObject({
      ...{ name: 'AssertionError', code: 'ERR_ASSERTION', actual: 0, expected: 1 },
    });
    await clock.run(client.get('/x'));
    expect(thrownBy(() => expectNoEarlySend(holdfast, 376))).toMatchObject({
      message:
        'GET https://api.example.com/x: send 2 left 375 ms after send 1 ended with ECONNRESET; expected 376 ms at least',
      ...{ actual: 375, expected: 376 },
    });
    expect(() => expectNoEarlySend(holdfast, 375)).not.toThrow();
    expect(thrownBy(() => expectOneRefresh(undefined as never))).toBeInstanceOf(TypeError);
  });

  it('find no early send where another call is sent at once', async () => {
    const { clock, client, holdfast } = setUp(scripted({ '/a': [THIRTY, 200], '/b': 200 }));
    const call = client.get('/a');
    await clock.advance(1);
    await client.get('/b');
    expect(() => expectNoEarlySend(holdfast, 30_000)).not.toThrow();
    await clock.run(call);
    expect(() => expectNoEarlySend(holdfast, 30_000)).not.toThrow();
  });
});

describe(withoutWaits.name, () => {
  it('takes the waits out of retries, limits and polls, and lets no test spend what another needs', async () => {
    const limit = localLimiter({ requests: 1, perMs: 60_000 });
    onTestFinished(() => limit.close());
    const policy = withoutWaits({
      limit,
      breaker: { minimumThroughput: 1 },
      retry: { maxRetries: 2, retryAfter: { jitterMs: 500 } },
      statuses: { 202: 'pending' },
    });
    const { clock, client } = setUp(scripted({ '/down': { ...THIRTY, status: 503 }, '/job': [202, 202, 200] }), policy);
    for (let n = 0; n < 300; n++) {
      expect(failureOf(await rejectionOf(clock.run(client.get('/down'))))).toMatchObject({
        sends: 3,
        endedBecause: 'retries-exhausted',
      });
    }
    expect((await clock.run(client.get('/job'))).status).toBe(200);
    expect(clock.elapsedMs).toBe(0);
  });

  it('turns nothing on that a policy has turned off', () => {
    expect(withoutWaits({ retry: false, poll: false })).toMatchObject({ retry: false, poll: false });
    expect(withoutWaits()).toMatchObject({ limit: false, breaker: false });
  });
});

describe('the kit', () => {
  it.each([
    undefined,
    null,
    '200',
    99,
    { stats: 200 },
    { status: '200' },
    { status: 200, delayMs: Number.NaN },
    async () => 200,
  ])('says that an answer of a script is wrong: %o', async (answer) => {
    const api = scripted(() => answer as never);
    const { clock, client } = setUp(api, { retry: false });
    await expect(clock.run(client.get('/orders'))).rejects.toThrow(
      /^the script has a wrong answer for GET .*orders: a status/,
    );
  });

  it.each([undefined, {}, { clock: {} }, { clock: manualClock(), random: 0.5 }])(
    'refuses ports that are none: %o',
    (ports) => {
      const client = axios.create({ baseURL });
      expect(() => attachForTest(client, {}, ports as never)).toThrow(/^attachForTest/);
    },
  );

  it('refuses times and promises that are none', async () => {
    const clock = manualClock();
    for (const ms of ['1000', Number.NaN, -5, Number.POSITIVE_INFINITY, undefined]) {
      await expect(clock.advance(ms as never)).rejects.toThrow('advance needs ms from 0');
    }
    for (const at of ['2026-01-01', new Date(), Number.NaN]) expect(() => manualClock(at as never)).toThrow(TypeError);
    for (const none of [undefined, 5]) await expect(clock.run(none as never)).rejects.toThrow('run needs a promise');
  });
});
