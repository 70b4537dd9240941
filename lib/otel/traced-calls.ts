import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import type { Attachment } from '../attach.ts';
import { originOf } from '../call/address.ts';
import type { EventName } from '../call/events.ts';
import { spellingIn } from '../call/header.ts';
import type { LiveCall } from '../call/live-call.ts';
import type { Outcome } from '../call/outcome.ts';
import { failureOf } from '../failure/failure.ts';
import type { Instrumentation } from '../observe/instrumentation.ts';
import { api } from './api.ts';
import { describeEnding } from './ending.ts';
import type { Metrics } from './metrics.ts';
import { CONVENTIONS, OTHER } from './names.ts';
import { type DescribedRequest, describeRequest } from './request.ts';

/** A call that is under way. */
interface TracedCall {
  readonly span: Span;
  /** In which it runs. */
  readonly context: Context;
  /** Its method and its server. */
  readonly server: Attributes;
  /** How many of its sends were replays and polls, when the last one left. */
  replays: number;
  polls: number;
}

/**
 * A span for each call, one for each of its sends below that, and what is measured of them.
 *
 * The span of a call is INTERNAL: by the conventions an HTTP client span stands for one attempt, and whoever makes those is not to make an
 * encompassing one too, which would count each request twice. Those of the sends are such client spans.
 *
 * Whatever an SDK throws, the calls go on.
 */
export class TracedCalls implements Instrumentation {
  readonly #tracer: Tracer;
  readonly #metrics: Metrics;
  readonly #tracesSends: boolean;
  /** By the id of the call, which its events have too. */
  readonly #calls = new Map<string, TracedCall>();

  constructor(tracer: Tracer, metrics: Metrics, tracesSends: boolean) {
    this.#tracer = tracer;
    this.#metrics = metrics;
    this.#tracesSends = tracesSends;
  }

  call(call: LiveCall, run: () => Promise<AxiosResponse>): Promise<AxiosResponse> {
    const traced = quietly(() => this.#begun(call));
    if (traced === undefined) return run();
    const { id } = call;
    this.#calls.set(id, traced);
    const running = api.context.with(traced.context, run);
    const end = (outcome: Outcome) => {
      this.#calls.delete(id);
      quietly(() => this.#ended(call, traced, outcome));
    };
    running.then(
      (response) => end({ response }),
      (error: unknown) => end({ error }),
    );
    return running;
  }

  send(call: LiveCall, config: InternalAxiosRequestConfig, run: () => Promise<Outcome>): Promise<Outcome> {
    const traced = this.#calls.get(call.id);
    // It began before anybody went along.
    if (traced === undefined) return run();
    const kind = kindOf(call, traced);
    const request = describeRequest(config);
    const span = this.#tracesSends ? quietly(() => this.#left(call, traced, kind, request)) : undefined;
    const context = span === undefined ? traced.context : api.trace.setSpan(traced.context, span);
    if (span !== undefined) quietly(() => inject(context, config));
    const sending = api.context.with(context, run);
    sending.then((outcome) =>
      quietly(() => {
        const ending = describeEnding(outcome);
        this.#metrics.sends.add(1, { ...request.server, ...ending, 'holdfast.send.kind': kind });
        if (span === undefined) return;
        span.setAttributes(ending);
        if (CONVENTIONS.errorType in ending) span.setStatus({ code: api.SpanStatusCode.ERROR });
        span.end();
      }),
    );
    return sending;
  }

  detached(): void {
    this.#metrics.unobserve();
  }

  /** Listens to what happens to calls around their sends, and to the refreshes; gives the function that stops it. */
  listenTo(attachment: Pick<Attachment, 'on'>): () => void {
    const metrics = this.#metrics;
    const refreshed = (durationMs: number, about: Attributes) => metrics.took('refresh.duration', durationMs, about);
    const stops = [
      ...EVENTS.map((name) =>
        attachment.on(name, ({ call, ...about }) =>
          this.#calls.get(call.id)?.span.addEvent(`holdfast.${spelled(name)}`, attributesOf(about)),
        ),
      ),
      attachment.on('retry-scheduled', ({ call, delayMs, verdict }) =>
        metrics.took('retry.delay', delayMs, { ...this.#calls.get(call.id)?.server, 'holdfast.verdict': verdict }),
      ),
      attachment.on('refreshed', ({ durationMs }) => refreshed(durationMs, {})),
      attachment.on('refresh-failed', ({ code, durationMs }) =>
        refreshed(durationMs, { [CONVENTIONS.errorType]: code ?? OTHER }),
      ),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  #begun(call: LiveCall): TracedCall {
    const { all, name, server } = describeRequest(call.config);
    const attributes = { ...all, 'holdfast.call.id': call.id };
    const parent = api.context.active();
    const span = this.#tracer.startSpan(`holdfast ${name}`, { kind: api.SpanKind.INTERNAL, attributes }, parent);
    return { span, context: api.trace.setSpan(parent, span), server, replays: 0, polls: 0 };
  }

  #ended(call: LiveCall, { server, span }: TracedCall, outcome: Outcome): void {
    const isError = 'error' in outcome;
    const ending = describeEnding(outcome, isError);
    const { endedBecause = 'success', polls, queuedMs, replays, retries, sent } = call;
    this.#metrics.took('call.duration', call.endedAt - call.startedAt, {
      ...server,
      ...ending,
      'holdfast.ended_because': endedBecause,
    });
    if (queuedMs > 0) this.#metrics.took('queue.duration', queuedMs, server);
    span.setAttributes({
      ...ending,
      'holdfast.ended_because': endedBecause,
      'holdfast.sends': sent,
      'holdfast.retries': retries,
      'holdfast.replays': replays,
      'holdfast.polls': polls,
    });
    const message = isError && span.isRecording() ? failureOf(outcome.error)?.summary : undefined;
    if (isError) span.setStatus({ code: api.SpanStatusCode.ERROR, ...(message && { message }) });
    span.end();
  }

  #left(call: LiveCall, { context }: TracedCall, kind: SendKind, { all, name }: DescribedRequest): Span {
    const attributes: Attributes = { ...all, 'holdfast.send.kind': kind };
    if (call.sent > 1) attributes[CONVENTIONS.resendCount] = call.sent - 1;
    return this.#tracer.startSpan(name, { kind: api.SpanKind.CLIENT, attributes }, context);
  }
}

/** What happens to a call and is worth a place in its span. Its sends have spans of their own. */
const EVENTS = [
  'queued',
  'limited',
  'retry-scheduled',
  'poll-scheduled',
  'paused',
  'budget-empty',
  'circuit-opened',
  'circuit-closed',
] as const satisfies readonly EventName[];

type SendKind = 'first' | 'retry' | 'replay' | 'poll';

/** Why this send is made, which has left by now. */
function kindOf(call: LiveCall, traced: TracedCall): SendKind {
  const kind =
    call.sent === 1 ? 'first' : call.replays > traced.replays ? 'replay' : call.polls > traced.polls ? 'poll' : 'retry';
  traced.replays = call.replays;
  traced.polls = call.polls;
  return kind;
}

/**
 * Writes the context on the request. Not where a page sends to another origin: to a header that it does not know such a server has to
 * agree first, and one that does not would refuse the call.
 */
function inject(context: Context, config: InternalAxiosRequestConfig): void {
  const page = originOf({});
  if (page !== '' && originOf(config) !== page) return;
  api.propagation.inject(context, config.headers, {
    set: (headers, name, value) => {
      headers[spellingIn(headers, name)] = value;
    },
  });
}

/** An event is flat: words, numbers, and what is not known. */
function attributesOf(event: object): Attributes {
  const known = Object.entries(event).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known.map(([name, value]) => [`holdfast.${spelled(name)}`, value]));
}

/** As the conventions spell names: `retry-scheduled` and `delayMs` are `retry_scheduled` and `delay_ms`. */
const spelled = (name: string): string =>
  name.replaceAll('-', '_').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function quietly<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
