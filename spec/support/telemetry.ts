import { context, metrics, propagation, type Span, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { onTestFinished } from 'vitest';

/** What one metric says of one set of attributes. */
export interface Point {
  readonly attributes: Record<string, unknown>;
  /** Of a histogram: how many values there were, and their sum. */
  readonly count?: number;
  readonly sum?: number;
  /** Of anything else. */
  readonly value?: number;
}

/** The real SDK, with everything kept in memory. */
export interface Telemetry {
  readonly tracers: NodeTracerProvider;
  readonly meters: MeterProvider;
  /** The spans that have ended, in order. */
  spans(): ReadableSpan[];
  /** Those whose name begins so. */
  named(beginning: string): ReadableSpan[];
  children(of: ReadableSpan | Span): ReadableSpan[];
  /** What a metric says now. */
  metric(name: string): Promise<readonly Point[]>;
  /** Name, kind and unit of all metrics that say anything. */
  descriptors(): Promise<string[][]>;
  /** The names of all metrics that say anything. */
  metricNames(): Promise<string[]>;
}

const KINDS: { readonly [type in DataPointType]?: string } = {
  [DataPointType.HISTOGRAM]: 'histogram',
  [DataPointType.GAUGE]: 'gauge',
  [DataPointType.SUM]: 'counter',
};

/** Registers an SDK as an application does; it is gone when the test ends. */
export function telemetry(): Telemetry {
  const exporter = new InMemorySpanExporter();
  const tracers = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  tracers.register();
  const memory = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: memory, exportIntervalMillis: 2 ** 30 });
  const meters = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(meters);
  onTestFinished(async () => {
    for (const api of [trace, context, propagation, metrics]) api.disable();
    await Promise.all([tracers.shutdown(), meters.shutdown()]);
  });
  const collect = async () => {
    memory.reset();
    await meters.forceFlush();
    return memory.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  };
  const spans = () => exporter.getFinishedSpans();
  return {
    tracers,
    meters,
    spans,
    named: (beginning) => spans().filter(({ name }) => name.startsWith(beginning)),
    children: (of) => spans().filter(({ parentSpanContext }) => parentSpanContext?.spanId === of.spanContext().spanId),
    metric: async (name) => {
      const points = (await collect()).filter(({ descriptor }) => descriptor.name === name);
      return points.flatMap(({ dataPoints }) =>
        dataPoints.map(({ attributes, value }) =>
          typeof value === 'number'
            ? { attributes, value }
            : { attributes, count: value.count, sum: Number(value.sum) },
        ),
      );
    },
    descriptors: async () =>
      (await collect()).flatMap(({ dataPoints, dataPointType, descriptor: { name, unit } }) =>
        dataPoints.length > 0 ? [[name, KINDS[dataPointType] ?? '', unit]] : [],
      ),
    metricNames: async () =>
      (await collect()).flatMap(({ descriptor, dataPoints }) => (dataPoints.length > 0 ? descriptor.name : [])).sort(),
  };
}
