import axios, { AxiosError } from 'axios';
import { attach, type EventOf, failureOf, localLimiter, type Policy, reportOf } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { ADAPTERS, attached, axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';
import { type Answer, json, loopback } from '../support/loopback.ts';
import { scripted } from '../support/scripted.ts';

const soon: Policy = { statuses: { 202: 'pending' }, poll: { intervalMs: 1 } };
const done = status(200, {}, { state: 'done' });
const busy = (headers: { [name: string]: string } = {}) => status(202, headers, { state: 'busy' });

/** A job: a POST or a PUT to /jobs begins it, and /jobs/7 has it done after so many questions. */
function job(questions: number, location = '/jobs/7'): Answer {
  let asked = 0;
  return (request, response, n) => {
    if (request.url.startsWith('/jobs/7')) return (asked++ < questions ? busy() : done)(request, response, n);
    return busy({ location })(request, response, n);
  };
}

describe('an answer that is pending', () => {
  describe.each(ADAPTERS)('with the %s adapter', (adapter) => {
    it('is asked for where its Location says, by GET and without body and key, until it is there', async () => {
      const { client, server } = await attached(job(2), { ...soon, idempotency: {} }, { adapter });
      const config = { params: { dry: 'no' }, headers: { 'X-Tenant': 't1', 'Content-Type': 'application/json' } };
      const response = await client.post('/jobs', { n: 1 }, config);
      expect(response.data).toEqual({ state: 'done' });
      expect(server.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
        'POST /jobs?dry=no',
        ...Array(3).fill('GET /jobs/7'),
      ]);
      expect(server.seen[0]?.headers).toHaveProperty('idempotency-key');
      for (const { headers, body } of server.seen.slice(1)) {
        expect(headers).toMatchObject({ 'x-tenant': 't1' });
        for (const name of ['idempotency-key', 'content-type', 'content-length', 'transfer-encoding']) {
          expect(headers).not.toHaveProperty(name);
        }
        expect(body).toHaveLength(0);
      }
    });

    it('resolves a relative Location against the URL that answered', async () => {
      const { client, server } = await attached(
        (request, response, n) => {
          const answer = new Map([
            ['/jobs', status(307, { location: '/v2/jobs/' })],
            ['/v2/jobs/', busy({ location: '7' })],
            ['/v2/jobs/7', done],
          ]).get(request.url);
          return (answer ?? status(404))(request, response, n);
        },
        soon,
        { adapter },
      );
      await client.post('/jobs', {});
      expect(server.seen.at(-1)).toMatchObject({ method: 'GET', url: '/v2/jobs/7' });
    });
  });

  it.each([
    ['the caller’s own', undefined, { 'X-Key': 'own' }],
    ['a generated one, whatever methods have one', ['get', 'post'], {}],
  ])('is asked for without the key: %s', async (_, methods, headers) => {
    const { client, server } = await attached(job(2), { ...soon, idempotency: { header: 'X-Key', methods } });
    await client.post('/jobs', {}, { headers });
    expect(server.seen.map((seen) => 'x-key' in seen.headers)).toEqual([true, false, false, false]);
  });

  it('gives back the config of the caller as it was', async () => {
    const { client, server } = await attached(job(1), soon);
    const { config } = await client.put('/jobs', { n: 1 }, { params: { a: 1 } });
    expect(config).toMatchObject({
      method: 'put',
      url: '/jobs',
      baseURL: server.url,
      params: { a: 1 },
      data: '{"n":1}',
    });
    expect(config.headers.get('Content-Type')).toBe('application/json');
    // So that requesting it again makes the same request.
    await client.request(config);
    expect(server.seen.at(-1)).toMatchObject({ method: 'GET', url: '/jobs/7' });
    expect(server.seen.filter(({ method }) => method === 'PUT')).toHaveLength(2);
  });

  it('is asked for once more by the same request where it has no Location and the method is idempotent', async () => {
    for (const method of ['get', 'put', 'delete'] as const) {
      const { client, server } = await attached(inTurn(busy(), busy(), done), soon);
      const response = await client.request({ method, url: '/report', params: { of: '1' }, data: '{}' });
      expect(response.data).toEqual({ state: 'done' });
      expect(server.seen.map(({ method: sent, url }) => `${sent} ${url}`)).toEqual(
        Array(3).fill(`${method.toUpperCase()} /report?of=1`),
      );
    }
  });

  it.each(['post', 'patch'] as const)(
    'never has a %s sent again: without a Location it is the answer',
    async (method) => {
      const retry = { unsafe: 'always', idempotentMethods: ['POST', 'PATCH'] } as const;
      const { client, server } = await attached(inTurn(busy(), done), { ...soon, retry, idempotency: {} });
      const response = await client.request({ method, url: '/jobs', data: {}, headers: { 'Idempotency-Key': 'k' } });
      expect(response).toMatchObject({ status: 202, data: { state: 'busy' } });
      expect(server.seen).toHaveLength(1);
      expect(reportOf(response)).toMatchObject({ endedBecause: 'success', polls: 0 });
      expect(failureOf(response)).toBeUndefined();
    },
  );

  it('is the answer where its body was a stream that cannot be read twice', async () => {
    const { client, server } = await attached(inTurn(busy(), done), soon);
    const { Readable } = await import('node:stream');
    const response = await client.put('/blob', Readable.from(['a']), { maxRedirects: 0 });
    expect(response.status).toBe(202);
    expect(server.seen).toHaveLength(1);
  });

  it('is whatever a judge calls so, also a 200 or a 404', async () => {
    const classify: Policy['classify'] = ({ status: code, data }) =>
      code === 404 || data?.state === 'running' ? { kind: 'pending', retryAfterMs: 1 } : undefined;
    const { client } = await attached(inTurn(status(404), status(200, {}, { state: 'running' }), done), { classify });
    const { data } = await client.get('/report');
    expect(data).toEqual({ state: 'done' });
  });

  it('takes Operation-Location where there is no Location, and a new one wherever an answer names it', async () => {
    const { client, server } = await attached(
      inTurn(busy({ 'operation-location': '/a?x=1' }), busy({ location: '/b' }), busy(), done),
      soon,
    );
    await client.post('/jobs', {});
    expect(server.seen.map(({ url }) => url)).toEqual(['/jobs', '/a?x=1', '/b', '/b']);
  });

  it.each(['', 'http://', 'file:///etc/passwd', 'data:text/plain,done', 'javascript:0'])(
    'passes over a Location that nobody can GET: %j',
    async (location) => {
      const { client, server } = await attached(inTurn(busy({ location }), done), soon);
      expect((await client.post('/jobs', {})).status).toBe(202);
      expect(server.seen).toHaveLength(1);
    },
  );

  it('follows the redirect that says where the result is', async () => {
    const { client, server } = await attached(
      inTurn(busy({ location: '/jobs/7' }), status(303, { location: '/results/7' }), done),
      soon,
    );
    const response = await client.post('/jobs', {});
    expect(response.data).toEqual({ state: 'done' });
    expect(server.seen.map(({ url }) => url)).toEqual(['/jobs', '/jobs/7', '/results/7']);
  });

  it('costs no retry and no budget, and is counted', async () => {
    const { client, server, holdfast } = await attached(job(30), {
      ...soon,
      retry: { maxRetries: 0, budget: { capacity: 0 } },
    });
    const response = await client.post('/jobs', {});
    expect(server.seen).toHaveLength(32);
    expect(holdfast.stats()).toMatchObject({ calls: 1, sends: 32, polls: 31, retries: 0, waiting: 0 });
    const report = reportOf(response);
    expect(report).toMatchObject({ method: 'POST', url: `${server.url}/jobs`, polls: 31, endedBecause: 'success' });
    expect(report?.sends[0]).toMatchObject({ verdict: 'pending', decision: 'poll', delayMs: 1, polled: undefined });
    expect(report?.sends[31]).toMatchObject({ verdict: 'success', polled: `${server.url}/jobs/7` });
  });

  it('has its polls retried and refreshed as any GET, and the retries counted anew after each pending answer', async () => {
    const hiccup = inTurn(busy({ location: '/jobs/7' }), status(503), busy(), status(429), busy(), status(503), done);
    const { client, server, holdfast } = await attached(hiccup, { ...soon, retry: { maxRetries: 1 } });
    await client.post('/jobs', {});
    expect(server.seen.map(({ method }) => method)).toEqual(['POST', ...Array(6).fill('GET')]);
    expect(holdfast.stats()).toMatchObject({ polls: 3, retries: 3 });

    const twice = await attached(inTurn(busy({ location: '/jobs/7' }), status(503)), {
      ...soon,
      retry: { maxRetries: 1 },
    });
    const failure = failureOf(await axiosErrorOf(twice.client.post('/jobs', {})));
    expect(failure).toMatchObject({ status: 503, kind: 'unavailable', endedBecause: 'retries-exhausted', retries: 1 });
  });

  it('ends for good where what it asks for is gone', async () => {
    for (const code of [404, 410]) {
      const { client } = await attached(inTurn(busy({ location: '/jobs/7' }), status(code)), soon);
      const failure = failureOf(await axiosErrorOf(client.post('/jobs', {})));
      expect(failure).toMatchObject({ status: code, kind: 'rejected', endedBecause: 'not-retryable', polls: 1 });
    }
  });

  it('is a success with `poll: false`, of the policy or of the call', async () => {
    const { client, server } = await attached(job(1), soon);
    expect((await client.post('/jobs', {}, { holdfast: { poll: false } })).status).toBe(202);
    expect(server.seen).toHaveLength(1);
    const off = await attached(job(1), { ...soon, poll: false });
    expect((await off.client.post('/jobs', {})).status).toBe(202);
    expect((await off.client.post('/jobs', {}, { holdfast: { poll: { intervalMs: 1 } } })).data.state).toBe('done');
  });

  it('tells nothing to the breaker, and goes through no circuit that is open', async () => {
    const breaker = { minimumThroughput: 2, openMs: 60_000 };
    const answers = inTurn(busy({ location: '/jobs/7' }), status(500), busy({ location: '/jobs/8' }), status(500));
    const { client, holdfast } = await attached(answers, { ...soon, breaker });
    for (let n = 0; n < 2; n++) await rejectionOf(client.post('/jobs', {}));
    expect(holdfast.stats().open).toEqual([]);
  });

  it('takes a permit for each poll, of the place that is polled', async () => {
    const other = await loopback(inTurn(busy(), done));
    const keys: string[] = [];
    const limit = localLimiter({ maxConcurrent: 1 });
    const acquire = limit.acquire.bind(limit);
    limit.acquire = (request) => {
      keys.push(request.key);
      return acquire(request);
    };
    const { client, server } = await attached(busy({ location: `${other.url}/7` }), { ...soon, limit });
    await client.post('/jobs', {});
    expect(keys).toEqual([server.url, other.url, other.url]);
    expect(limit.stats()).toMatchObject({ running: 0, queued: 0 });
    await other.close();
  });

  describe('at another origin', () => {
    const headers = { 'X-Tenant': 't1', 'X-Api-Key': 'k' };

    it('is asked without the token, and without the credentials of the caller', async () => {
      const other = await loopback(inTurn(busy(), done));
      let tokens = 0;
      const auth = { token: () => `t${++tokens}`, refresh: () => Promise.reject(new Error('none')) };
      const { client } = await attached(busy({ location: `${other.url}/7` }), { ...soon, auth });
      await client.post('/jobs', {}, { headers: { ...headers, Cookie: 'a=b' }, sensitiveHeaders: ['X-Api-Key'] });
      for (const seen of other.seen) {
        expect(seen.headers).toMatchObject({ 'x-tenant': 't1' });
        for (const name of ['authorization', 'cookie', 'x-api-key']) expect(seen.headers).not.toHaveProperty(name);
      }
      expect(other.seen).toHaveLength(2);
      // It is not even asked for.
      expect(tokens).toBe(1);

      const basic = await attached(busy({ location: `${other.url}/7` }), soon);
      const own = { auth: { username: 'u', password: 'p' } };
      await basic.client.post('/jobs', {}, own);
      await basic.client.post('/jobs', {}, { headers: { Authorization: 'Basic dTpw' } });
      expect(basic.server.seen.map((seen) => seen.headers.authorization)).toEqual(['Basic dTpw', 'Basic dTpw']);
      expect(other.seen.filter((seen) => seen.headers.authorization !== undefined)).toEqual([]);
      await other.close();
    });

    it('is asked with the token where that origin is one of `auth.origins`', async () => {
      const other = await loopback(done);
      const server = await loopback(busy({ location: `${other.url}/7` }));
      const client = axios.create({ baseURL: server.url });
      const origins = [server.url, other.url];
      attach(client, { ...soon, auth: { token: () => 't1', refresh: async () => 't2', origins } });
      await client.post('/jobs', {});
      expect(other.seen.map((seen) => seen.headers.authorization)).toEqual(['Bearer t1']);
      await Promise.all([server.close(), other.close()]);
    });

    it('keeps them at the same one', async () => {
      const { client, server } = await attached(job(0), soon);
      await client.post('/jobs', {}, { headers: { ...headers, Authorization: 'Basic dTpw' } });
      expect(server.seen[1]?.headers).toMatchObject({ authorization: 'Basic dTpw', 'x-api-key': 'k' });
    });
  });

  it('has the token refreshed after each pending answer, if need be', async () => {
    let valid = 1;
    let n = 0;
    const { client, holdfast } = await attached(
      (request, response, at) => {
        if (request.headers.authorization !== `Bearer t${valid}`) return status(401)(request, response, at);
        n += 1;
        if (n === 1 || n === 2) valid += 1;
        return (n < 4 ? busy({ location: '/jobs/7' }) : done)(request, response, at);
      },
      { ...soon, auth: { token: () => 't1', refresh: async () => `t${valid}` } },
    );
    expect((await client.post('/jobs', {})).data.state).toBe('done');
    expect(holdfast.stats()).toMatchObject({ refreshes: 2, replays: 2, polls: 3 });
  });

  it('has `beforeSend` run for every poll, with the config of that', async () => {
    const seen: unknown[] = [];
    const { client } = await attached(job(1), {
      ...soon,
      beforeSend: ({ config, send, last }) => {
        seen.push([send, config.method, config.url, config.data, last?.response?.status]);
      },
    });
    const { config } = await client.post('/jobs', { n: 1 });
    const url = expect.stringMatching(/^http.*\/jobs\/7$/);
    expect(seen).toEqual([
      [1, 'post', '/jobs', '{"n":1}', undefined],
      [2, 'get', url, undefined, 202],
      [3, 'get', url, undefined, 202],
    ]);
    expect(config.method).toBe('post');
  });

  it('runs transforms once, at the end', async () => {
    let transformed = 0;
    const { client } = await attached(job(2), soon);
    const transformResponse = (data: string) => {
      transformed += 1;
      return JSON.parse(data);
    };
    expect((await client.post('/jobs', {}, { transformResponse })).data).toEqual({ state: 'done' });
    expect(transformed).toBe(1);
  });

  it('tells of each poll, and of what is asked', async () => {
    const told: EventOf<'poll-scheduled'>[] = [];
    const retries: unknown[] = [];
    const { client, server } = await attached(job(1, '/jobs/7?token=secret'), {
      ...soon,
      on: {
        'poll-scheduled': (event) => void told.push(event),
        'retry-scheduled': (event) => void retries.push(event),
      },
    });
    await client.post('/jobs', {});
    expect(told.map(({ poll, delayMs, url }) => ({ poll, delayMs, url }))).toEqual(
      [1, 2].map((poll) => ({ poll, delayMs: 1, url: `${server.url}/jobs/7` })),
    );
    expect(told[0]?.call).toMatchObject({ method: 'POST', polls: 0 });
    expect(retries).toEqual([]);
  });

  it('stops when the caller gives up during a wait', async () => {
    const aborter = new AbortController();
    const { client, server, holdfast } = await attached(busy({ 'retry-after': '30' }), {
      ...soon,
      on: { 'poll-scheduled': () => void setImmediate(() => aborter.abort()) },
    });
    const error = await rejectionOf(client.get('/report', { signal: aborter.signal }));
    expect(axios.isCancel(error)).toBe(true);
    expect(failureOf(error)).toMatchObject({ kind: 'cancelled', endedBecause: 'cancelled', sends: 1 });
    expect(server.seen).toHaveLength(1);
    expect(holdfast.stats()).toMatchObject({ waiting: 0, inFlight: 0 });
  });

  it('shows itself in `pending()` while it waits', async () => {
    const aborter = new AbortController();
    const { client, holdfast } = await attached(busy({ location: '/jobs/7', 'retry-after': '30' }), soon);
    const scheduled = new Promise((resolve) => holdfast.on('poll-scheduled', resolve));
    const call = rejectionOf(client.post('/jobs', {}, { signal: aborter.signal }));
    await scheduled;
    await new Promise(setImmediate);
    expect(holdfast.pending()).toMatchObject([
      { call: { method: 'POST', sends: 1 }, phase: 'poll', why: 'waits 30.0 s before poll 1: 202 is pending' },
    ]);
    aborter.abort();
    await call;
    expect(holdfast.pending()).toEqual([]);
  });

  it('goes on after `detach` and `close`, since the call is under way', async () => {
    const { client, holdfast } = await attached(job(2), soon);
    const scheduled = new Promise((resolve) => holdfast.on('poll-scheduled', resolve));
    const call = client.post('/jobs', {});
    await scheduled;
    await holdfast.close();
    expect((await call).data.state).toBe('done');
  });
});

describe('the pace of the polls', () => {
  const times = (count: number, line: { status: number; headers?: Record<string, string> }) => [
    ...Array(count).fill(line),
    200,
  ];
  const policy: Policy = { statuses: { 202: 'pending' } };

  it('is a second, else what the policy says, or Retry-After, or a judge', async () => {
    const plain = scripted(times(2, { status: 202 }), policy);
    await plain.call();
    expect(plain.sentAt).toEqual([0, 1_000, 2_000]);
    const own = scripted(times(2, { status: 202 }), { ...policy, poll: { intervalMs: 250 } });
    await own.call();
    expect(own.sentAt).toEqual([0, 250, 500]);
    const named = scripted(times(2, { status: 202, headers: { 'retry-after': '7' } }), policy);
    await named.call();
    expect(named.sentAt).toEqual([0, 7_000, 14_000]);
    const nothing = scripted(times(2, { status: 202, headers: { 'retry-after': '0' } }), policy);
    await nothing.call();
    expect(nothing.sentAt, 'nobody asks in a storm').toEqual([0, 1_000, 2_000]);
    const judged = scripted(times(2, { status: 202, headers: { 'retry-after': '7' } }), {
      classify: ({ status: code }) => (code === 202 ? { kind: 'pending', retryAfterMs: 3_000 } : undefined),
    });
    await judged.call();
    expect(judged.sentAt).toEqual([0, 3_000, 6_000]);
  });

  it('is bounded by `poll.maxMs`, not by `retryAfter.maxMs`', async () => {
    const long = scripted(times(4, { status: 202, headers: { 'retry-after': '120' } }), policy);
    expect(await long.call()).toMatchObject({ status: 200 });
    expect(long.sentAt.at(-1)).toBe(480_000);

    const endless = scripted(() => ({ status: 202, data: 'busy' }), policy);
    const error = await endless.call();
    expect(error).toBeInstanceOf(AxiosError);
    expect(error).toMatchObject({ response: { status: 202, data: 'busy' }, config: { url: '/' } });
    expect(endless.sentAt.at(-1)).toBe(600_000);
    expect(failureOf(error)).toMatchObject({
      kind: 'pending',
      status: 202,
      endedBecause: 'still-pending',
      polls: 600,
      retries: 0,
      waitedMs: 600_000,
      summary:
        'GET / ended after 601 sends in 600.0 s (waits 600.0 s): 202 pending, still pending after 600 s of polling: raise `poll.maxMs`',
    });
  });

  it('ends at once where the server asks for longer than may be', async () => {
    const long = scripted([{ status: 202, headers: { 'retry-after': '3600' } }], policy);
    expect(failureOf(await long.call())).toMatchObject({
      endedBecause: 'still-pending',
      retryAfterMs: 3_600_000,
      summary: expect.stringMatching(/still pending after 0 ms of polling; the server asks for 3600 s more: raise/),
    });
    expect(long.sentAt).toEqual([0]);
  });

  it('is bounded by the deadline, before which the last poll leaves', async () => {
    const bounded = scripted(() => ({ status: 202 }), { ...policy, deadlineMs: 3_500 });
    const error = await bounded.call();
    expect(bounded.sentAt).toEqual([0, 1_000, 2_000, 3_000]);
    expect(error).toMatchObject({ isAxiosError: true, response: { status: 202 } });
    expect(failureOf(error)).toMatchObject({ kind: 'pending', endedBecause: 'deadline' });
    expect(failureOf(error)?.summary).toMatch(/202 pending, the deadline of 3\.5 s is too near for the next poll$/);
  });

  it('counts the time in which a poll is retried as polling too', async () => {
    const mixed = scripted((n) => (n % 2 === 1 ? { status: 429, headers: { 'retry-after': '10' } } : 202), {
      ...policy,
      poll: { maxMs: 30_000 },
    });
    expect(failureOf(await mixed.call())?.endedBecause).toBe('still-pending');
    expect(mixed.sentAt.at(-1)).toBe(33_000);
  });

  it('resolves with what is still pending where a judge accepts that', async () => {
    const { call } = scripted(() => ({ status: 202 }), {
      classify: ({ status: code }) => (code === 202 ? { kind: 'pending', accept: true } : undefined),
      poll: { maxMs: 5_000 },
    });
    const response = await call();
    expect(response).toMatchObject({ status: 202 });
    expect(reportOf(response)?.endedBecause).toBe('still-pending');
  });

  it.each([
    [{ intervalMs: -1 }, 'poll.intervalMs must be a number of at least 0 and finite, got -1'],
    [{ maxMs: 0 }, 'poll.maxMs must be a number above 0, got 0'],
    [5_000, 'poll must be a plain object, got 5000: here it is { intervalMs }, in ms'],
    [{ interval: 5 }, /poll\.interval is not an option; did you mean intervalMs/],
  ])('refuses %j', (poll, words) => {
    expect(() => attach(axios.create(), { poll: poll as Policy['poll'] })).toThrow(words);
  });
});

describe('an answer that is pending when something else ends the call', () => {
  it('is rejected, since nobody may take it for the result', async () => {
    const limit = localLimiter({ requests: 1, perMs: 60_000, maxWaitMs: 0 });
    const { client } = await attached((_, response) => json(response, 202), { ...soon, limit });
    const error = await axiosErrorOf(client.get('/report'));
    expect(error.response?.status).toBe(202);
    expect(failureOf(error)).toMatchObject({ kind: 'pending', endedBecause: 'limited' });
    await limit.close();
  });
});
