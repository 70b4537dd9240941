import { createRequire } from 'node:module';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { instrument } from 'axios-holdfast/otel';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ADAPTERS, type AdapterName, attached, inTurn, status } from '../support/attached.ts';
import { telemetry } from '../support/telemetry.ts';

const require = createRequire(import.meta.url);

/** What an application has for what each adapter sends by. One of each, since what is required is patched once. */
const INSTRUMENTATIONS = {
  http: new HttpInstrumentation({ enabled: false, disableIncomingRequestInstrumentation: true }),
  fetch: new UndiciInstrumentation(),
};

/** Has it on until the test ends. */
function instrumentHttp(adapter: AdapterName, { meters, tracers }: ReturnType<typeof telemetry>): void {
  const http = INSTRUMENTATIONS[adapter];
  http.setTracerProvider(tracers);
  http.setMeterProvider(meters);
  http.enable();
  // biome-ignore lint/style/useNodejsImportProtocol: it is patched when somebody requires it, by this name.
  require('http');
  onTestFinished(() => http.disable());
}

const scopeOf = ({ instrumentationScope }: ReadableSpan) => instrumentationScope.name;

describe.each(ADAPTERS)('beside the instrumentation of %s', (adapter) => {
  async function client(options?: { sends: boolean }) {
    const told = telemetry();
    instrumentHttp(adapter, told);
    const all = await attached(inTurn(status(503), status(200)), {}, { adapter });
    instrument(all.holdfast, options);
    await all.client.get('/');
    const [call] = told.named('holdfast ');
    if (call === undefined) throw new Error('the call has no span');
    const foreign = told.spans().filter((span) => scopeOf(span) !== 'axios-holdfast');
    return { ...all, told, call, foreign };
  }

  it('without spans of its own for sends, theirs are below the call, and each send is counted once', async () => {
    const { call, foreign, server, told } = await client({ sends: false });
    expect(foreign).toHaveLength(2);
    expect(told.children(call)).toEqual(foreign);
    expect(told.spans()).toHaveLength(3);
    expect(server.seen.map(({ headers }) => headers.traceparent)).toEqual(
      foreign.map((span) => `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`),
    );
  });

  it('with them, theirs are below the send', async () => {
    const { call, foreign, told } = await client();
    const sends = told.children(call);
    expect(sends.map(scopeOf)).toEqual(['axios-holdfast', 'axios-holdfast']);
    expect(sends.map((send) => told.children(send))).toEqual(foreign.map((span) => [span]));
  });

  it('leaves the duration of requests to them', async () => {
    const { told } = await client({ sends: false });
    const points = await told.metric('http.client.request.duration');
    expect(points.reduce((sum, { count = 0 }) => sum + count, 0)).toBe(2);
    expect((await told.metricNames()).filter((name) => !name.startsWith('holdfast.'))).toEqual([
      'http.client.request.duration',
    ]);
  });
});
