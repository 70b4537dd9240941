import type { Meter, Tracer } from '@opentelemetry/api';
import type { Attachment } from '../attach.ts';
import { aBoolean, kindOf, must, object } from '../check.ts';
import type { PolicyProblem } from '../failure/errors.ts';
import { instrumentedOf } from '../observe/instrumentation.ts';
import { api } from './api.ts';
import { Metrics } from './metrics.ts';
import { TracedCalls } from './traced-calls.ts';

/** How an attachment is instrumented. */
export interface InstrumentOptions {
  /** Makes the spans. Default: the tracer `axios-holdfast` of the provider that is registered, be it later. */
  readonly tracer?: Tracer | undefined;
  /** Makes the metrics. Default: the meter `axios-holdfast` of the provider that is registered by now. */
  readonly meter?: Meter | undefined;
  /**
   * Whether each send has a span of its own, and carries that as its trace context (W3C `traceparent`). Default `true`. `false` beside an
   * instrumentation of HTTP (`@opentelemetry/instrumentation-http`, `-undici`, `-fetch`, `-xml-http-request`), which does both: its spans
   * are then children of the call's, and no send is shown twice.
   */
  readonly sends?: boolean | undefined;
}

/**
 * Tells OpenTelemetry of every call of an attachment: a span for the call, below it one for each send, trace context on each send, and
 * metrics. Names are those of the semantic conventions where they have one, else `holdfast.…`; `http.client.request.duration` is never
 * made here. docs/telemetry.md lists all of it.
 *
 * A URL is shown without query, fragment, user and password; headers, bodies and tokens never are. While nobody has registered an SDK,
 * nothing is made of it.
 *
 * @returns the function that stops it. Calls under way end their spans; `detach()` and `close()` end it too
 * @throws {TypeError} where that is no attachment, or an option is wrong
 * @throws {Error} where the attachment is instrumented already: all would be told twice
 *
 * @example
 * const attachment = attach(client);
 * const stop = instrument(attachment); // beside an instrumentation of HTTP: instrument(attachment, { sends: false })
 */
export function instrument(attachment: Attachment, options: InstrumentOptions = {}): () => void {
  const instrumented = requireAttachment(attachment);
  requireOptions(options);
  if (instrumented.by !== undefined) {
    throw new Error('this attachment is instrumented already; call what instrument() gave, to stop that first');
  }
  const { tracer = api.trace.getTracer(SCOPE), meter = api.metrics.getMeter(SCOPE), sends = true } = options;
  const metrics = new Metrics(meter, attachment);
  const calls = new TracedCalls(tracer, metrics, sends);
  const stopListening = calls.listenTo(attachment);
  instrumented.by = calls;
  if (instrumented.isDetached) calls.detached();
  return () => {
    if (instrumented.by === calls) instrumented.by = undefined;
    stopListening();
    metrics.unobserve();
  };
}

/** Who says so, for OpenTelemetry: the instrumentation scope. */
const SCOPE = 'axios-holdfast';

const OPTIONS = object({
  tracer: must('a tracer', (value) => hasFunction(value, 'startSpan'), kindOf),
  meter: must('a meter', (value) => hasFunction(value, 'createHistogram'), kindOf),
  sends: aBoolean,
});

function requireAttachment(attachment: unknown): NonNullable<ReturnType<typeof instrumentedOf>> {
  const instrumented = typeof attachment === 'object' && attachment !== null ? instrumentedOf(attachment) : undefined;
  if (instrumented !== undefined) return instrumented;
  throw new TypeError(`instrument needs an attachment, what attach(instance) gives; got ${kindOf(attachment)}`);
}

function requireOptions(options: unknown): void {
  const problems: PolicyProblem[] = [];
  OPTIONS(options ?? null, 'options', problems);
  if (problems.length > 0) throw new TypeError(`instrument: ${problems.map(({ message }) => message).join('; ')}`);
}

const hasFunction = (value: unknown, name: string): boolean =>
  typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[name] === 'function';
