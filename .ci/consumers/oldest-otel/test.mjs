// The oldest API of OpenTelemetry that is supported, with the SDK of its time.
import { deepEqual, equal } from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { context, metrics, trace } from '@opentelemetry/api';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import axios from 'axios';
import { attach } from 'axios-holdfast';
import { instrument } from 'axios-holdfast/otel';

class Reader extends MetricReader {
  async onForceFlush() {}
  async onShutdown() {}
}

const exporter = new InMemorySpanExporter();
const tracers = new NodeTracerProvider();
tracers.addSpanProcessor(new SimpleSpanProcessor(exporter));
tracers.register();
const reader = new Reader();
const meters = new MeterProvider();
meters.addMetricReader(reader);
metrics.setGlobalMeterProvider(meters);

/** An instrumented client of a server that answers 503 once; and what that server was told of the trace. */
async function connect(t, options) {
  exporter.reset();
  const seen = [];
  const server = http.createServer((request, response) => {
    seen.push(request.headers.traceparent);
    response.statusCode = seen.length === 1 ? 503 : 200;
    response.end();
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => server.close());
  const client = axios.create({ baseURL: `http://127.0.0.1:${server.address().port}` });
  const holdfast = attach(client, { retry: { backoff: () => 1 }, limit: { requests: 100, perMs: 1_000 } });
  t.after(instrument(holdfast, options));
  return { client, seen };
}

test('a call has a span, its sends have theirs below it, and each carries its own trace context', async (t) => {
  const { client, seen } = await connect(t);
  const page = trace.getTracer('app').startSpan('page');
  await context.with(trace.setSpan(context.active(), page), () => client.get('/'));
  const [first, second, call] = exporter.getFinishedSpans();
  deepEqual([first.name, second.name, call.name], ['GET', 'GET', 'holdfast GET']);
  equal(call.parentSpanId, page.spanContext().spanId);
  deepEqual([first.parentSpanId, second.parentSpanId], Array(2).fill(call.spanContext().spanId));
  equal(second.attributes['http.request.resend_count'], 1);
  deepEqual(
    seen,
    [first, second].map((span) => `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`),
  );
  equal(
    call.events.some(({ name }) => name === 'holdfast.retry_scheduled'),
    true,
  );
});

test('the sends are left to an instrumentation of HTTP', async (t) => {
  const { client, seen } = await connect(t, { sends: false });
  await client.get('/');
  deepEqual(
    exporter.getFinishedSpans().map(({ name }) => name),
    ['holdfast GET'],
  );
  deepEqual(seen, [undefined, undefined]);
});

test('calls, sends and waits are measured', async (t) => {
  const { client } = await connect(t);
  await client.get('/');
  const { resourceMetrics } = await reader.collect();
  const names = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics.map(({ descriptor }) => descriptor.name));
  for (const name of ['holdfast.call.duration', 'holdfast.sends', 'holdfast.retry.delay']) {
    equal(names.includes(name), true, `${name} among ${names}`);
  }
});
