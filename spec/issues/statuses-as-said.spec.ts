import { type Classifier, failureOf, type Policy, reportOf } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { attached, axiosErrorOf, inTurn, status } from '../support/attached.ts';

describe('a rule for statuses', () => {
  it.each([
    [{ '5xx': 'retry' }, 500],
    [{ '5xx': 'retry' }, 599],
    [{ '52x': 'retry' }, 522],
    [{ 599: 'fail', '5xx': 'retry' }, 511],
    [{ '52x': 'retry', '5xx': 'fail' }, 520],
    [{ 529: 'retry', '52x': 'fail', '5xx': 'fail' }, 529],
    [{ 610: 'retry' }, 610],
    [{ '9xx': 'retry' }, 999],
    [{ 999: 'retry' }, 999],
    [{ '40x': 'retry' }, 404],
  ] as const)('%o retries a %i', async (statuses, code) => {
    const { server, client } = await attached(inTurn(status(code), status(200)), { statuses });
    await client.get('/');
    expect(server.seen).toHaveLength(2);
  });

  it.each([
    [{ 503: 'fail', '50x': 'retry', '5xx': 'retry' }, 503],
    [{ '50x': 'fail', '5xx': 'retry' }, 503],
    [{ '5xx': 'fail' }, 502],
    [{ '4xx': 'fail' }, 401],
    [{ '4xx': 'fail' }, 429],
  ] as const)('%o ends a %i', async (statuses, code) => {
    const { server, client } = await attached(status(code), { statuses });
    expect(failureOf(await axiosErrorOf(client.get('/')))).toMatchObject({ endedBecause: 'not-retryable', sends: 1 });
    expect(server.seen).toHaveLength(1);
  });

  it('leaves alone what it does not name, and a 429 throttled where it has it retried', async () => {
    const { client } = await attached(inTurn(status(429), status(200)), { statuses: { '4xx': 'retry' } });
    expect(reportOf(await client.post('/', {}))?.sends[0]?.verdict).toBe('throttled');
    const { server, client: other } = await attached(inTurn(status(503), status(200)), { statuses: { '4xx': 'fail' } });
    await other.get('/');
    expect(server.seen).toHaveLength(2);
  });
});

describe('a rule that has a status retried takes away nothing that is known of it', () => {
  it.each([
    [{ 425: 'retry' }, 425, {}],
    [{ '42x': 'retry' }, 421, {}],
    [{ '4xx': 'retry' }, 425, {}],
    [{ '4xx': 'retry' }, 429, {}],
    [{ 413: 'retry' }, 413, { 'retry-after': '0' }],
    [{ '5xx': 'retry' }, 503, { 'retry-after': '0' }],
  ] as const)('%o: a POST is repeated after a %i, which was not applied', async (statuses, code, headers) => {
    const { server, client } = await attached(inTurn(status(code, headers), status(200)), { statuses });
    await client.post('/', {});
    expect(server.seen).toHaveLength(2);
  });

  it.each([
    [{ 413: 'retry' }, 413],
    [{ '4xx': 'retry' }, 408],
    [{ '5xx': 'retry' }, 503],
  ] as const)('%o: but not after a %i, which may have been', async (statuses, code) => {
    const { server, client } = await attached(status(code), { statuses });
    expect(failureOf(await axiosErrorOf(client.post('/', {})))?.endedBecause).toBe('unsafe-method');
    expect(server.seen).toHaveLength(1);
  });
});

describe('what the policy calls unauthorized', () => {
  /** Refuses the first token with this status, and takes the second. */
  const refreshing = async (
    code: number,
    headers: { [name: string]: string },
    policy: Policy,
    neverRefreshOn?: string[],
  ) => {
    let token = 'old';
    const auth: Policy['auth'] = {
      token: () => token,
      refresh: async () => {
        token = 'new';
        return token;
      },
      neverRefreshOn,
    };
    return attached(
      (request, response, n) => {
        const body = { error: { code: '900421', message: 'Again, please.' } };
        return status(request.headers.authorization === 'Bearer new' ? 200 : code, headers, body)(request, response, n);
      },
      { auth, ...policy },
    );
  };
  const scope = { 'www-authenticate': 'Bearer error="insufficient_scope", scope="orders"' };
  const judge: Classifier = ({ status }) => (status === 401 || status === 403 ? { kind: 'unauthorized' } : undefined);

  it.each([
    ['statuses', 401, scope, { statuses: { 401: 'refresh' } }],
    ['a range', 401, scope, { statuses: { '40x': 'refresh' } }],
    ['a judge', 401, scope, { classify: judge }],
    ['statuses', 403, {}, { statuses: { 403: 'refresh' } }],
    ['statuses', 403, scope, { statuses: { 403: 'refresh' } }],
    ['a judge', 403, scope, { classify: judge }],
    ['statuses', 419, {}, { statuses: { 419: 'refresh' } }],
    ['statuses', 440, {}, { statuses: { 440: 'refresh' } }],
    ['statuses', 498, {}, { statuses: { 498: 'refresh' } }],
  ] as const)(
    'by %s is refreshed and replayed, whatever the challenge says: %i %o',
    async (_, code, headers, policy) => {
      const { server, client, holdfast } = await refreshing(code, headers, policy);
      expect((await client.post('/', {})).status).toBe(200);
      expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
      expect(holdfast.stats()).toMatchObject({ refreshes: 1, replays: 1, retries: 0 });
    },
  );

  it('by nobody is what the challenge says', async () => {
    const { server, client } = await refreshing(401, scope, {
      statuses: { 403: 'refresh' },
      classify: () => undefined,
    });
    expect(failureOf(await axiosErrorOf(client.get('/')))).toMatchObject({ endedBecause: 'not-retryable' });
    expect(server.seen).toHaveLength(1);
  });

  it('is not refreshed on what neverRefreshOn names, which is said by the policy as well', async () => {
    const { server, client } = await refreshing(401, {}, { statuses: { 401: 'refresh' } }, ['900421']);
    await axiosErrorOf(client.get('/'));
    expect(server.seen).toHaveLength(1);
  });

  it('is unauthorized in the failure too, where the fresh token does not help', async () => {
    const { client } = await attached(status(403), {
      statuses: { 403: 'refresh' },
      auth: { token: () => 'old', refresh: async () => 'new' },
    });
    expect(failureOf(await axiosErrorOf(client.get('/')))).toMatchObject({
      kind: 'unauthorized',
      status: 403,
      endedBecause: 'still-unauthorized',
      sends: 2,
    });
  });
});
