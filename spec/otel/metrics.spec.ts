import { instrument } from 'axios-holdfast/otel';
import { describe, expect, it } from 'vitest';
import { attached, inTurn, rejectionOf, status } from '../support/attached.ts';
import { telemetry } from '../support/telemetry.ts';

type Arguments = Parameters<typeof attached>;

/** A client that is told to OpenTelemetry, whose SDK is there first. */
async function measured(...[answer, policy]: Arguments) {
  const told = telemetry();
  const all = await attached(answer, policy);
  const stop = instrument(all.holdfast);
  const server = {
    'http.request.method': 'GET',
    'server.address': '127.0.0.1',
    'server.port': Number(new URL(all.server.url).port),
  };
  return { ...all, told, stop, server: all.server, about: server };
}

describe('the metrics', () => {
  it('count calls, and how long they took', async () => {
    const { about, client, told } = await measured(inTurn(status(200), status(404), status(200)));
    await client.get('/a');
    await rejectionOf(client.get('/b'));
    await client.get('/c');
    expect(await told.metric('holdfast.call.duration')).toEqual([
      {
        attributes: { ...about, 'http.response.status_code': 200, 'holdfast.ended_because': 'success' },
        count: 2,
        sum: expect.any(Number),
      },
      {
        attributes: {
          ...about,
          'http.response.status_code': 404,
          'error.type': '404',
          'holdfast.ended_because': 'not-retryable',
        },
        count: 1,
        sum: expect.any(Number),
      },
    ]);
  });

  it('count sends, and tell first ones from retries', async () => {
    const { about, client, told } = await measured(inTurn(status(503), status(200)));
    await client.get('/');
    expect(await told.metric('holdfast.sends')).toEqual([
      {
        attributes: {
          ...about,
          'http.response.status_code': 503,
          'error.type': '503',
          'holdfast.send.kind': 'first',
        },
        value: 1,
      },
      { attributes: { ...about, 'http.response.status_code': 200, 'holdfast.send.kind': 'retry' }, value: 1 },
    ]);
  });

  it('count sends too where another instrumentation makes their spans', async () => {
    const told = telemetry();
    const { client, holdfast } = await attached(status(200));
    instrument(holdfast, { sends: false });
    await client.get('/');
    expect((await told.metric('holdfast.sends')).map(({ value }) => value)).toEqual([1]);
  });

  it('say in seconds how long retries wait', async () => {
    const { about, client, told } = await measured(inTurn(status(503), status(200)), { retry: { backoff: () => 40 } });
    await client.get('/');
    expect(await told.metric('holdfast.retry.delay')).toEqual([
      { attributes: { ...about, 'holdfast.verdict': 'transient' }, count: 1, sum: 0.04 },
    ]);
  });

  it('say how long calls waited for permits, of those that had to', async () => {
    const { about, client, told } = await measured(status(200), { limit: { maxConcurrent: 1 } });
    await client.get('/');
    expect(await told.metric('holdfast.queue.duration')).toEqual([]);
    await Promise.all([client.get('/'), client.get('/')]);
    const [waited, ...others] = await told.metric('holdfast.queue.duration');
    expect(waited).toMatchObject({ attributes: about, count: 1 });
    expect(waited?.sum).toBeGreaterThan(0);
    expect(others).toEqual([]);
  });

  it('say how long refreshes took, and which failed', async () => {
    const { client, told } = await measured(inTurn(status(401), status(200), status(401)), {
      auth: {
        token: () => 'old',
        origins: 'any',
        refresh: async ({ token }) => {
          if (token.value === 'old') return 'new';
          throw Object.assign(new Error('no'), { code: 'invalid_grant' });
        },
      },
    });
    await client.get('/');
    await rejectionOf(client.get('/'));
    const refreshes = await told.metric('holdfast.refresh.duration');
    expect(refreshes.map(({ attributes, count }) => [attributes, count])).toEqual([
      [{}, 1],
      [{ 'error.type': 'invalid_grant' }, 1],
    ]);
  });

  it('say what is left of a budget, and whether a circuit is open, was, or never', async () => {
    let code = 503;
    const answer: Arguments[0] = (...all) => status(code)(...all);
    const { client, server, told } = await measured(answer, {
      retry: { maxRetries: 1, budget: { refillPerSecond: 0 } },
      breaker: { minimumThroughput: 2, openMs: 1 },
    });
    expect(await told.metric('holdfast.breaker.open')).toEqual([]);
    const about = { 'holdfast.key': server.url };
    await rejectionOf(client.get('/'));
    expect(await told.metric('holdfast.budget.balance')).toEqual([{ attributes: about, value: 2_086 }]);
    expect(await told.metric('holdfast.breaker.open')).toEqual([{ attributes: about, value: 1 }]);
    code = 200;
    await expect
      .poll(() =>
        client.get('/').then(
          ({ status: answered }) => answered,
          () => 0,
        ),
      )
      .toBe(200);
    expect(await told.metric('holdfast.breaker.open')).toEqual([{ attributes: about, value: 0 }]);
  });

  it('have these names and no others', async () => {
    const { client, told } = await measured(inTurn(status(503), status(401), status(200)), {
      auth: { token: () => 'old', refresh: async () => 'new', origins: 'any' },
      limit: { requests: 1, perMs: 5 },
      breaker: { minimumThroughput: 1, openMs: 1 },
    });
    await client.get('/').catch(() => {});
    await client.get('/').catch(() => {});
    await client.get('/').catch(() => {});
    const names = await told.metricNames();
    expect(names.filter((name) => !name.startsWith('holdfast.'))).toEqual([]);
  });
});
