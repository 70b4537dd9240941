import type { Attributes, Counter, Histogram, Meter, ObservableCallback } from '@opentelemetry/api';
import type { Attachment } from '../attach.ts';

/** The bounds of the buckets, in s: those that the conventions give the duration of a request, and some for calls that wait. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 300];

/** Most keys of circuits that are remembered. An SDK tells no more apart. */
const MAX_KEYS = 2_000;

/**
 * What is measured of an attachment. All of it has names of our own: the conventions have none for what is above a request, and
 * `http.client.*` is left to whoever instruments HTTP.
 */
export class Metrics {
  readonly sends: Counter;
  readonly #durations: { readonly [D in keyof typeof DURATIONS]: Histogram };
  readonly #meter: Meter;
  /** The keys whose circuit has been open: one that is closed again has to be told so. */
  readonly #opened = new Set<string>();
  readonly #unobserve: (() => void)[] = [];

  constructor(meter: Meter, { stats }: Pick<Attachment, 'stats'>) {
    this.#meter = meter;
    const histogram = (name: keyof typeof DURATIONS): Histogram =>
      meter.createHistogram(`holdfast.${name}`, {
        unit: 's',
        description: DURATIONS[name],
        advice: { explicitBucketBoundaries: BOUNDS },
      });
    this.#durations = {
      'call.duration': histogram('call.duration'),
      'queue.duration': histogram('queue.duration'),
      'retry.delay': histogram('retry.delay'),
      'refresh.duration': histogram('refresh.duration'),
    };
    this.sends = meter.createCounter('holdfast.sends', { unit: '{send}', description: 'Requests that were made.' });
    this.#gauge('budget.balance', '{token}', "What is left of a key's retry budget.", (gauge) => {
      for (const [key, balance] of Object.entries(stats().budget)) gauge.observe(balance, { 'holdfast.key': key });
    });
    this.#gauge(
      'breaker.open',
      '1',
      "Whether a key's circuit is open: 1, or 0 where it was and is closed again.",
      (gauge) => {
        const open = new Set(stats().open);
        for (const key of open) if (this.#opened.size < MAX_KEYS) this.#opened.add(key);
        for (const key of this.#opened) gauge.observe(open.has(key) ? 1 : 0, { 'holdfast.key': key });
      },
    );
  }

  took(name: keyof typeof DURATIONS, ms: number, attributes: Attributes): void {
    this.#durations[name].record(ms / 1_000, attributes);
  }

  /** Says no more how things stand now. */
  unobserve(): void {
    for (const stop of this.#unobserve.splice(0)) stop();
  }

  #gauge(name: string, unit: string, description: string, observe: ObservableCallback): void {
    const gauge = this.#meter.createObservableGauge(`holdfast.${name}`, { unit, description });
    gauge.addCallback(observe);
    this.#unobserve.push(() => gauge.removeCallback(observe));
  }
}

const DURATIONS = {
  'call.duration': 'How long calls took, their waits and all their sends included.',
  'queue.duration': 'How long calls that had to wait for permits waited for them.',
  'retry.delay': 'How long calls wait before a retry.',
  'refresh.duration': 'How long token refreshes took.',
};
