import { context, trace } from '@opentelemetry/api';
import type { AxiosAdapter } from 'axios';
import { instrument } from 'axios-holdfast/otel';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ADAPTERS, attached, inTurn, status } from '../support/attached.ts';
import { telemetry } from '../support/telemetry.ts';

const headerOf = (traceId: string, spanId: string) => `00-${traceId}-${spanId}-01`;

describe.each(ADAPTERS)('the trace context by the adapter %s', (adapter) => {
  it('is on every send, each with its own span as the parent', async () => {
    const told = telemetry();
    const answers = inTurn(status(503), status(401), status(200));
    const auth = { token: () => 'old', refresh: async () => 'new', origins: 'any' as const };
    const { client, holdfast, server } = await attached(answers, { auth }, { adapter });
    instrument(holdfast);
    await client.post('/', {}, { headers: { 'idempotency-key': '1' } });
    const sends = told.named('POST');
    expect(sends).toHaveLength(3);
    expect(server.seen.map(({ headers }) => headers.traceparent)).toEqual(
      sends.map((send) => headerOf(send.spanContext().traceId, send.spanContext().spanId)),
    );
    expect(new Set(sends.map((send) => send.spanContext().traceId)).size).toBe(1);
  });

  it('takes the place of one that the caller has written, in any letter case, and leaves no trace on their config', async () => {
    telemetry();
    const { client, holdfast, server } = await attached(status(200), {}, { adapter });
    instrument(holdfast);
    const headers = { TraceParent: headerOf('a'.repeat(32), 'b'.repeat(16)) };
    const response = await client.get('/', { headers });
    expect(server.seen[0]?.headers.traceparent).not.toContain('a'.repeat(32));
    expect(server.seen[0]?.rawHeaders.filter((name) => /^traceparent$/i.test(name))).toHaveLength(1);
    expect(headers.TraceParent).toContain('a'.repeat(32));
    expect(response.config.headers.get('traceparent')).toBe(headers.TraceParent);
  });

  it('is handed on where nobody has registered a tracer, and not made up', async () => {
    const { client, holdfast, server } = await attached(status(200), {}, { adapter });
    instrument(holdfast);
    await client.get('/');
    expect(server.seen[0]?.headers).not.toHaveProperty('traceparent');
  });
});

describe('the trace context', () => {
  it('is active while an adapter runs: the span of the send', async () => {
    const told = telemetry();
    const active: (string | undefined)[] = [];
    const adapter: AxiosAdapter = async (config) => {
      await null;
      active.push(trace.getSpan(context.active())?.spanContext().spanId);
      return { status: 200, statusText: '', data: '', headers: {}, config };
    };
    const { client, holdfast } = await attached(status(200), {}, { adapter });
    instrument(holdfast);
    await Promise.all([client.get('/'), client.get('/')]);
    expect(active).toEqual(told.named('GET').map((send) => send.spanContext().spanId));
    expect(trace.getSpan(context.active())).toBeUndefined();
  });

  it('stays within the origin of a page: another one would have to agree to the header first', async () => {
    telemetry();
    const { client, holdfast, server } = await attached(status(200));
    instrument(holdfast);
    vi.stubGlobal('location', { origin: server.url });
    onTestFinished(() => void vi.unstubAllGlobals());
    await client.get('/');
    vi.stubGlobal('location', { origin: 'https://shop.example.com' });
    await client.get('/');
    expect(server.seen.map(({ headers }) => headers.traceparent !== undefined)).toEqual([true, false]);
  });
});
