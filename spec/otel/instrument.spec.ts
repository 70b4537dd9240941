import { trace } from '@opentelemetry/api';
import axios from 'axios';
import { attach } from 'axios-holdfast';
import { instrument } from 'axios-holdfast/otel';
import { describe, expect, it } from 'vitest';
import { attached, inTurn, rejectionOf, status } from '../support/attached.ts';
import { silent } from '../support/faults.ts';
import { telemetry } from '../support/telemetry.ts';

describe(instrument.name, () => {
  it('gives the function that stops it: later calls are not told, and it may begin again', async () => {
    const told = telemetry();
    const { client, holdfast, server } = await attached(inTurn(status(503), status(200)));
    const stop = instrument(holdfast);
    await client.get('/');
    const before = [told.spans().length, await told.metric('holdfast.sends')];
    stop();
    stop();
    await client.get('/');
    expect([told.spans().length, await told.metric('holdfast.sends')]).toEqual(before);
    expect(server.seen.at(-1)?.headers).not.toHaveProperty('traceparent');
    instrument(holdfast);
    await client.get('/');
    expect(told.named('holdfast ')).toHaveLength(2);
  });

  it('is not stopped by what an earlier one gave', async () => {
    const told = telemetry();
    const { client, holdfast } = await attached(status(200));
    const stop = instrument(holdfast);
    stop();
    instrument(holdfast);
    stop();
    await client.get('/');
    expect(told.spans()).toHaveLength(2);
    expect(() => instrument(holdfast)).toThrow('instrumented already');
  });

  it('shows no gauge of an attachment that has been detached by then', async () => {
    const told = telemetry();
    const { client, holdfast } = await attached(inTurn(status(503), status(200)));
    await client.get('/');
    holdfast.detach();
    instrument(holdfast);
    expect(holdfast.stats().budget).not.toEqual({});
    expect(await told.metric('holdfast.budget.balance')).toEqual([]);
  });

  it('ends gauges and what is measured between sends too, when it is stopped', async () => {
    const told = telemetry();
    const { client, holdfast } = await attached(inTurn(status(503), status(200), status(503), status(200)));
    const stop = instrument(holdfast);
    await client.get('/');
    stop();
    await client.get('/');
    expect(holdfast.stats().budget).not.toEqual({});
    expect(await told.metric('holdfast.budget.balance')).toEqual([]);
    expect((await told.metric('holdfast.retry.delay')).map(({ count }) => count)).toEqual([1]);
  });

  it('ends the span of a call that was under way when it was stopped', async () => {
    const told = telemetry();
    const { client, holdfast, server } = await attached(silent);
    const stop = instrument(holdfast);
    const aborter = new AbortController();
    const call = rejectionOf(client.get('/', { signal: aborter.signal }));
    await expect.poll(() => server.seen.length).toBe(1);
    stop();
    aborter.abort();
    await call;
    expect(told.spans().map(({ name }) => name)).toEqual(['GET', 'holdfast GET']);
  });

  it('says nothing of a call that was under way when it began', async () => {
    const told = telemetry();
    const { client, holdfast } = await attached(inTurn(status(503), status(200)), {
      retry: { onRetry: () => void instrument(holdfast) },
    });
    await client.get('/');
    expect(told.spans()).toEqual([]);
    await client.get('/');
    expect(told.spans()).toHaveLength(2);
  });

  it.each(['detach', 'close'] as const)('ends with %s: gauges too, and calls under way to their end', async (how) => {
    const told = telemetry();
    const { client, holdfast } = await attached(inTurn(status(503), status(200)), {
      retry: { onRetry: () => void holdfast[how]() },
      breaker: { minimumThroughput: 1, openMs: 60_000, failureRatio: 1, isFailure: () => false },
    });
    instrument(holdfast);
    await client.get('/');
    expect(told.spans()).toHaveLength(3);
    expect(await told.metric('holdfast.budget.balance')).toEqual([]);
    await client.get('/');
    expect(told.spans()).toHaveLength(3);
  });

  it('is refused a second time: all would be told twice', async () => {
    const { holdfast } = await attached(status(200));
    instrument(holdfast);
    expect(() => instrument(holdfast)).toThrow('this attachment is instrumented already');
  });

  it('tells two attachments apart, by a tracer and a meter for each', async () => {
    const [one, other] = [telemetry(), telemetry()];
    const { client } = await attached(status(200));
    const clients = [one, other].map(({ meters, tracers }) => {
      const instance = axios.create({ baseURL: client.defaults.baseURL ?? '' });
      instrument(attach(instance), { tracer: tracers.getTracer('mine'), meter: meters.getMeter('mine') });
      return instance;
    });
    await clients[0]?.get('/');
    expect([one.named('holdfast ').length, other.named('holdfast ').length]).toEqual([1, 0]);
    expect(one.spans().map(({ instrumentationScope }) => instrumentationScope.name)).toEqual(['mine', 'mine']);
    expect((await one.metric('holdfast.sends')).length).toBe(1);
    expect(await other.metric('holdfast.sends')).toEqual([]);
  });

  it.each([
    [axios.create(), 'an axios instance'],
    [{}, 'an object'],
    [null, 'null'],
    [undefined, 'undefined'],
  ])('says that it needs an attachment, and what it got', (wrong, got) => {
    expect(() => instrument(wrong as never)).toThrow(
      new TypeError(`instrument needs an attachment, what attach(instance) gives; got ${got}`),
    );
  });

  it('says which options are wrong, all at once', async () => {
    const { holdfast } = await attached(status(200));
    const wrong = { tracer: 1, meter: trace.getTracer('x'), sends: 'no', spans: true };
    expect(() => instrument(holdfast, wrong as never)).toThrow(
      /^instrument: options.tracer must be a tracer, got 1; options.meter must be a meter, got .*; options.sends must be true or false, got 'no'; options.spans is not an option/,
    );
  });

  it.each([
    [null, 'options must be a plain object, got null'],
    [{ tracer: null }, 'options.tracer must be a tracer, got null'],
    [{ tracer: { startSpan: true } }, 'options.tracer must be a tracer, got an object'],
    [{ meter: 'm' }, 'options.meter must be a meter, got a string'],
  ])('says that of %o too', async (options, message) => {
    const { holdfast } = await attached(status(200));
    expect(() => instrument(holdfast, options as never)).toThrow(new TypeError(`instrument: ${message}`));
  });

  it('lets a call go on whose span cannot be made, ended or written', async () => {
    const { client, holdfast } = await attached(inTurn(status(503), status(200)));
    const broken = () => {
      throw new Error('the exporter is broken');
    };
    const tracer = trace.getTracer('x');
    const stop = instrument(holdfast, { tracer: Object.assign(Object.create(tracer), { startSpan: broken }) });
    expect((await client.get('/')).status).toBe(200);
    stop();
    const span = Object.assign(Object.create(tracer.startSpan('x')), {
      setAttributes: broken,
      end: broken,
      addEvent: broken,
    });
    instrument(holdfast, { tracer: Object.assign(Object.create(tracer), { startSpan: () => span }) });
    expect((await client.get('/')).status).toBe(200);
  });
});
