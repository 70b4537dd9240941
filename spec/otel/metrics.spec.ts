import { createNoopMeter, type Meter, type MetricOptions, type ObservableCallback } from '@opentelemetry/api';
import { instrument } from 'axios-holdfast/otel';
import { describe, expect, it } from 'vitest';
import { Metrics } from '../../lib/otel/metrics.ts';
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

  it.each([
    ['its code', { code: 'invalid_grant' }, 'invalid_grant'],
    ['another where it has none', {}, '_OTHER'],
  ])('say how long refreshes took, and which failed, by %s', async (_, fields, type) => {
    const { client, told } = await measured(inTurn(status(401), status(200), status(401)), {
      auth: {
        token: () => 'old',
        origins: 'any',
        refresh: async ({ token }) => {
          if (token.value === 'old') return 'new';
          throw Object.assign(new Error('no'), fields);
        },
        retry: { retries: 0 },
      },
    });
    await client.get('/');
    await rejectionOf(client.get('/'));
    const refreshes = await told.metric('holdfast.refresh.duration');
    expect(refreshes.map(({ attributes, count }) => [attributes, count])).toEqual([
      [{}, 1],
      [{ 'error.type': type }, 1],
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

  it('have these names, kinds and units, and no others', async () => {
    const { client, told } = await measured(inTurn(status(401), status(200), status(503)), {
      auth: { token: () => 'old', refresh: async () => 'new', origins: 'any' },
      limit: { maxConcurrent: 1 },
      breaker: { minimumThroughput: 3, openMs: 60_000 },
    });
    await Promise.allSettled([client.get('/'), client.get('/'), client.get('/')]);
    expect((await told.descriptors()).sort()).toEqual([
      ['holdfast.breaker.open', 'gauge', '1'],
      ['holdfast.budget.balance', 'gauge', '{token}'],
      ['holdfast.call.duration', 'histogram', 's'],
      ['holdfast.queue.duration', 'histogram', 's'],
      ['holdfast.refresh.duration', 'histogram', 's'],
      ['holdfast.retry.delay', 'histogram', 's'],
      ['holdfast.sends', 'counter', '{send}'],
    ]);
  });
});

describe(Metrics.name, () => {
  it('tells of no more than 2,000 circuits, however many open in turn', () => {
    const observers: ObservableCallback[] = [];
    const meter: Meter = Object.assign(Object.create(createNoopMeter()), {
      createObservableGauge: (name: string) => ({
        addCallback: (each: ObservableCallback) => name === 'holdfast.breaker.open' && observers.push(each),
      }),
    });
    let open: string[] = [];
    new Metrics(meter, { stats: () => ({ open }) as never });
    const told = () => {
      const keys: unknown[] = [];
      for (const each of observers) each({ observe: (_value, attributes) => keys.push(attributes?.['holdfast.key']) });
      return keys;
    };
    const all = Array.from({ length: 2_001 }, (_, n) => `key ${n}`);
    open = all.slice(0, 1_999);
    expect(told()).toHaveLength(1_999);
    open = all;
    expect(told()).toHaveLength(2_000);
    open = [];
    expect(told()).toHaveLength(2_000);
  });

  it('has buckets for calls that wait for minutes, besides those that the conventions give a request', async () => {
    const bounds: unknown[] = [];
    const meter: Meter = Object.assign(Object.create(createNoopMeter()), {
      createHistogram: (_name: string, { advice }: MetricOptions) => void bounds.push(advice?.explicitBucketBoundaries),
    });
    new Metrics(meter, { stats: () => ({}) as never });
    const conventions = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
    expect(bounds).toEqual(Array(4).fill([...conventions, 30, 60, 300]));
  });
});
